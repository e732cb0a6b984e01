"""What a deletion waits for, retries and refuses, as in terraform-provider-aws."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from sandbox.cloud.network import Network
from sandbox.layout import REGION
from sandbox.plugins.aws import load_balancer
from sandbox.plugins.aws.session import Access, Aws, Clients
from tests.integration.awsprovider.conftest import Clients as Boto
from tests.integration.awsprovider.conftest import Workbench
from tests.integration.awsprovider.plugin import Failed, Made, Plugin
from tests.integration.awsprovider.test_every_type import BALANCER, EIP, GROUP, LISTENER, TARGETS

Faults = Callable[..., None]


@pytest.fixture
def faults(aws_url: str) -> Iterator[Faults]:
    """Changes the faults of the simulated cloud; they are reset after the test."""

    def send(method: str, body: bytes | None = None) -> None:
        with urlopen(Request(f"{aws_url}/_sandbox/faults", data=body, method=method), timeout=5):  # noqa: S310
            pass

    yield lambda **values: send("POST", json.dumps(values).encode())
    send("DELETE")


def _balancer(plugin: Plugin, network: Network, address: Made, **more: Any) -> Made:
    mapping = {"subnetId": network.subnet_ids["eu-central-1a"], "allocationId": address.id}
    return plugin.create(
        BALANCER, {"loadBalancerType": "network", "subnetMappings": [mapping], **more}, "goes"
    )


def _took(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def test_a_release_that_aws_refuses_is_not_tried_again(
    plugin: Plugin, made: Workbench, network: Network
) -> None:
    """resourceEIPDelete calls ReleaseAddress once."""
    address = made(EIP, {"domain": "vpc"})
    balancer = _balancer(plugin, network, address)
    begun = time.monotonic()
    with pytest.raises(Failed, match=rf"^deleting EC2 EIP \({address.id}\): .*AuthFailure"):
        plugin.delete(address)
    assert time.monotonic() - begun < 15
    plugin.delete(balancer)


def test_an_address_with_an_association_in_the_state_is_disassociated_first(
    plugin: Plugin, network: Network, boto: Boto
) -> None:
    address = plugin.create(EIP, {"domain": "vpc"})
    interface = boto.ec2.create_network_interface(SubnetId=network.subnet_ids["eu-central-1a"])
    ident = interface["NetworkInterface"]["NetworkInterfaceId"]
    boto.ec2.associate_address(AllocationId=address.id, NetworkInterfaceId=ident)
    refreshed = plugin.read(address)
    assert refreshed is not None
    assert refreshed.plain["associationId"].startswith("eipassoc-")
    plugin.delete(refreshed)
    assert plugin.read(address) is None
    boto.ec2.delete_network_interface(NetworkInterfaceId=ident)


def test_an_association_of_a_load_balancer_is_the_reason_that_is_reported(
    plugin: Plugin, made: Workbench, network: Network
) -> None:
    address = made(EIP, {"domain": "vpc"})
    balancer = _balancer(plugin, network, address)
    refreshed = plugin.read(address)
    assert refreshed is not None
    with pytest.raises(Failed, match=r"^disassociating EC2 EIP \(eipassoc-.*AuthFailure"):
        plugin.delete(refreshed)
    plugin.delete(balancer)


def test_deleting_a_load_balancer_waits_for_its_interfaces(
    plugin: Plugin, network: Network, faults: Faults
) -> None:
    faults(interface_linger_s=1.5)
    address = plugin.create(EIP, {"domain": "vpc"})
    balancer = _balancer(plugin, network, address)
    assert _took(lambda: plugin.delete(balancer)) > 1.4
    plugin.delete(address)
    assert plugin.read(address) is None


def test_interfaces_that_outlast_the_wait_are_no_error(  # noqa: PLR0917
    plugin: Plugin,
    made: Workbench,
    network: Network,
    faults: Faults,
    aws_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wait is best effort (resourceLoadBalancerDelete logs a warning): the release fails then."""
    monkeypatch.setattr(load_balancer, "_DETACH_S", 0.5)
    faults(interface_linger_s=600)
    address = made(EIP, {"domain": "vpc"})
    balancer = _balancer(plugin, network, address)
    endpoints = dict.fromkeys(("ec2", "elbv2"), aws_url)
    access = Access(region=REGION, access_key="sandbox", secret_key="sandbox", endpoints=endpoints)
    aws = Aws(Clients(access), REGION, "", threading.Event())
    load_balancer.LoadBalancer().delete(aws, balancer.id, {}, 0)
    assert plugin.read(balancer) is None
    with pytest.raises(Failed, match="AuthFailure"):
        plugin.delete(address)
    faults(interface_linger_s=0)


def test_a_denied_look_at_the_interfaces_is_no_error(
    plugin: Plugin, network: Network, faults: Faults
) -> None:
    address = plugin.create(EIP, {"domain": "vpc"})
    balancer = _balancer(plugin, network, address)
    faults(deny=["ec2:DescribeNetworkInterfaces"])
    plugin.delete(balancer)
    plugin.delete(address)


def test_a_group_of_a_lingering_interface_is_deleted_once_the_interface_is_gone(
    plugin: Plugin, made: Workbench, network: Network, faults: Faults, boto: Boto
) -> None:
    faults(interface_linger_s=1.5)
    group = plugin.create(GROUP, {"vpcId": network.vpc_id})
    balancer = _balancer(plugin, network, made(EIP, {"domain": "vpc"}), securityGroups=[group.id])
    boto.elbv2.delete_load_balancer(LoadBalancerArn=balancer.id)
    assert _took(lambda: plugin.delete(group)) > 1
    assert plugin.read(group) is None


def test_a_listener_that_is_gone_cannot_be_deleted(
    plugin: Plugin, made: Workbench, network: Network, boto: Boto
) -> None:
    """resourceListenerDelete tolerates no error; `pulumi refresh` drops the listener from the state."""
    group = made(TARGETS, {"port": 80, "protocol": "TCP", "vpcId": network.vpc_id})
    address = made(EIP, {"domain": "vpc"})
    balancer = _balancer(plugin, network, address)
    actions = [{"type": "forward", "targetGroupArn": group.id}]
    listener = plugin.create(
        LISTENER,
        {"loadBalancerArn": balancer.id, "port": 80, "protocol": "TCP", "defaultActions": actions},
    )
    boto.elbv2.delete_listener(ListenerArn=listener.id)
    with pytest.raises(Failed, match=r"^deleting ELBv2 Listener \(.*ListenerNotFound"):
        plugin.delete(listener)
    assert plugin.read(listener) is None
    plugin.delete(balancer)


def test_only_a_group_in_use_by_a_listener_or_a_rule_is_tried_again(
    plugin: Plugin, made: Workbench, network: Network, faults: Faults, boto: Boto
) -> None:
    group = plugin.create(TARGETS, {"port": 80, "protocol": "TCP", "vpcId": network.vpc_id})
    faults(errors={"DeleteTargetGroup": "ResourceInUse: Target group is used by something new"})
    begun = time.monotonic()
    with pytest.raises(Failed, match="used by something new"):
        plugin.delete(group)
    assert time.monotonic() - begun < 15
    faults(errors={})

    balancer = _balancer(plugin, network, made(EIP, {"domain": "vpc"}))
    arn = boto.elbv2.create_listener(
        LoadBalancerArn=balancer.id,
        Protocol="TCP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group.id}],
    )["Listeners"][0]["ListenerArn"]
    later = threading.Timer(1, boto.elbv2.delete_listener, kwargs={"ListenerArn": arn})
    later.start()
    plugin.delete(group)
    later.join()
    assert plugin.read(group) is None
    plugin.delete(balancer)
