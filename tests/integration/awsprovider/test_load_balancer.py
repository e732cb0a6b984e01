"""Attributes of a load balancer, its capacity and scheme, seen from AWS's side."""

from typing import Any

import pytest

from sandbox.cloud.network import Network
from tests.integration.awsprovider.conftest import Clients, Workbench
from tests.integration.awsprovider.plugin import Failed, Plugin
from tests.integration.awsprovider.test_every_type import BALANCER, EIP, GROUP

LOGS = {"enabled": True, "bucket": "logs", "prefix": "prod"}
RESERVED = {"minimumLoadBalancerCapacity": {"capacityUnits": 3000}}


def _internal(network: Network, **more: Any) -> dict[str, Any]:
    subnet = network.subnet_ids[min(network.subnet_ids)]
    mapping = {"subnetId": subnet, **more.pop("mapping", {})}
    return {"loadBalancerType": "network", "internal": True, "subnetMappings": [mapping], **more}


def _attributes(boto: Clients, arn: str) -> dict[str, str]:
    found = boto.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {each["Key"]: each["Value"] for each in found}


def test_what_the_provider_enforces_goes_back_and_access_logs_do_not(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    """load_balancer.go: defaults of three attributes, and the block of the capacity; not of access logs."""
    program = _internal(network)
    balancer = made(BALANCER, program)
    by_hand = {
        "zonal_shift.config.enabled": "true",
        "dns_record.client_routing_policy": "availability_zone_affinity",
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "logs",
    }
    boto.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.id, Attributes=[{"Key": key, "Value": by_hand[key]} for key in by_hand]
    )
    boto.elbv2.modify_capacity_reservation(
        LoadBalancerArn=balancer.id, MinimumLoadBalancerCapacity={"CapacityUnits": 100}
    )
    drifted = plugin.read(balancer)
    assert drifted is not None
    enforced = ["dnsRecordClientRoutingPolicy", "enableZonalShift", "minimumLoadBalancerCapacity"]
    assert sorted(plugin.diff(drifted, program).fields) == enforced
    assert plugin.diff(drifted, program, enforced).fields == []
    plugin.update(drifted, program)
    assert "MinimumLoadBalancerCapacity" not in boto.elbv2.describe_capacity_reservation(
        LoadBalancerArn=balancer.id
    )
    found = _attributes(boto, balancer.id)
    assert (found["zonal_shift.config.enabled"], found["access_logs.s3.enabled"]) == ("false", "true")


def test_logs_and_capacity_change_in_place(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    balancer = made(BALANCER, _internal(network, accessLogs=LOGS, **RESERVED))
    assert _attributes(boto, balancer.id)["access_logs.s3.bucket"] == "logs"
    assert balancer.plain["minimumLoadBalancerCapacity"] == {"capacityUnits": 3000}
    off = _internal(network, accessLogs={"enabled": False, "bucket": ""})
    assert plugin.diff(balancer, off).replaces == []
    updated = plugin.update(balancer, off)
    assert _attributes(boto, balancer.id)["access_logs.s3.enabled"] == "false"
    assert plugin.diff(updated, off).fields == []
    again = plugin.read(updated)
    assert again is not None
    assert plugin.diff(again, off).fields == []


def test_logs_without_a_bucket_are_refused_and_the_load_balancer_stays_in_the_state(
    plugin: Plugin, network: Network
) -> None:
    with pytest.raises(Failed, match=r"access_logs\.s3\.bucket") as refused:
        plugin.create(BALANCER, _internal(network, accessLogs={"enabled": True, "bucket": ""}), "logs")
    assert refused.value.recorded is not None
    plugin.delete(refused.value.recorded)


def test_scheme_and_name_and_private_address_replace(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    program = _internal(network, name="inside")
    balancer = made(BALANCER, program)
    assert plugin.diff(balancer, {**program, "internal": False}).replaces == ["internal"]
    assert plugin.diff(balancer, {**program, "name": "within"}).replaces == ["name"]
    (subnet,) = boto.ec2.describe_subnets(SubnetIds=[program["subnetMappings"][0]["subnetId"]])["Subnets"]
    address = subnet["CidrBlock"].partition("/")[0].rpartition(".")[0] + ".14"
    fixed = _internal(network, name="inside", mapping={"privateIpv4Address": address})
    assert plugin.diff(balancer, fixed).replaces == ["subnetMappings"]


@pytest.mark.parametrize("internal", [True, False])
def test_addresses_belong_to_their_scheme(made: Workbench, network: Network, internal: bool) -> None:
    address = made(EIP, {"domain": "vpc"}, "wrong")
    wrong = {"allocationId": address.id} if internal else {"privateIpv4Address": "127.64.0.14"}
    with pytest.raises(Failed, match="InvalidConfigurationRequest"):
        made(BALANCER, {**_internal(network, mapping=wrong), "internal": internal})


def test_a_group_is_added_in_place(plugin: Plugin, made: Workbench, network: Network) -> None:
    one, two = (made(GROUP, {"vpcId": network.vpc_id}, name).id for name in ("own-a", "own-b"))
    balancer = made(BALANCER, _internal(network, securityGroups=[one]))
    enforce = {"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off"}
    after = _internal(network, securityGroups=[one, two], **enforce)
    assert plugin.diff(balancer, after).replaces == []
    updated = plugin.update(balancer, after)
    assert plugin.diff(updated, after).fields == []
    assert updated.plain["enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"


def test_the_address_type_changes_in_place(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    """load_balancer.go: SetIpAddressType, and the mappings without the addresses that AWS chooses."""
    program = {**_internal(network), "internal": False}
    balancer = made(BALANCER, {**program, "ipAddressType": "ipv4"})
    wanted = {**program, "ipAddressType": "dualstack"}
    planned = plugin.diff(balancer, wanted)
    assert (planned.fields, planned.replaces) == (["ipAddressType"], [])
    changed = plugin.update(balancer, wanted)
    (found,) = boto.elbv2.describe_load_balancers(LoadBalancerArns=[balancer.id])["LoadBalancers"]
    assert found["IpAddressType"] == "dualstack"
    read = plugin.read(changed)
    assert read is not None
    assert plugin.diff(read, wanted).fields == []


def test_a_subnet_without_ipv6_is_an_error_of_aws(made: Workbench, network: Network, boto: Clients) -> None:
    made_subnet = boto.ec2.create_subnet(
        VpcId=network.vpc_id, CidrBlock="127.64.240.0/28", AvailabilityZone="eu-central-1a"
    )["Subnet"]
    program = {
        "loadBalancerType": "network",
        "ipAddressType": "dualstack",
        "subnetMappings": [{"subnetId": made_subnet["SubnetId"]}],
    }
    with pytest.raises(Failed, match="You must specify subnets with an associated IPv6 CIDR block"):
        made(BALANCER, program)


def test_a_given_ipv6_address_is_not_read_back(plugin: Plugin, made: Workbench, network: Network) -> None:
    """flattenSubnetMappingsFromAvailabilityZones: the first address alone (terraform-provider-aws#49531)."""
    subnet = network.subnet_ids["eu-central-1a"]
    found = plugin.invoke("aws:ec2/getSubnet:getSubnet", {"id": subnet})["ipv6CidrBlock"]
    address = made(EIP, {"domain": "vpc"})
    mapping = {"subnetId": subnet, "allocationId": address.id, "ipv6Address": found.replace("::/64", "::15")}
    program = {"loadBalancerType": "network", "ipAddressType": "dualstack", "subnetMappings": [mapping]}
    read = plugin.read(made(BALANCER, program))
    assert read is not None
    assert plugin.diff(read, program).replaces == ["subnetMappings"]
