"""The data plane as a process beside the simulated AWS: what boto3 declares is what packets do."""

import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox import process
from sandbox.cloud.network import NodeInstance, ensure_network, run_node_instance
from sandbox.layout import HOST, Layout
from sandbox.loopback import Loopback
from sandbox.status import client
from tests.waiting import eventually

NODE_PORT = 30080
ANYONE = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    layout = Layout.ephemeral(tmp_path_factory.mktemp("sandbox"))
    layout.save()
    for name in ("cloud", "dataplane"):
        running = process.start(
            layout, name, [sys.executable, "-m", f"sandbox.{name}", "--dir", layout.directory]
        )
        if name == "cloud":
            process.wait_until(lambda: answers(f"{layout.aws_url}/_sandbox/ready"), running, layout, 30)
    yield layout
    for name in ("dataplane", "cloud"):
        process.stop(layout, name)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  (loopback)
    except OSError:
        return False
    return True


@contextmanager
def machine(layout: Layout, instance: NodeInstance) -> Iterator[set[str]]:
    """A machine of the instance that answers /ping and / on the NodePort; by whom it was asked."""
    callers: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            callers.add(self.client_address[0])
            self.send_response(200)
            self.send_header("X-Served-By", instance.instance_id)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(Loopback.of(layout).place(instance.private_ip, NODE_PORT), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield callers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Balanced:
    """A network load balancer in two zones, with one group and its security groups all open."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.elb: Any = client(layout, "elbv2")
        self.ec2: Any = client(layout, "ec2")
        network = ensure_network(layout.aws_url, layout.vpc_network)
        self.node_group = network.node_group_id
        self.group = self.ec2.create_security_group(
            GroupName=f"lb-{time.monotonic_ns()}", Description="lb", VpcId=network.vpc_id
        )["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[ANYONE])
        self.from_lb = {
            "IpProtocol": "tcp",
            "FromPort": NODE_PORT,
            "ToPort": NODE_PORT,
            "UserIdGroupPairs": [{"GroupId": self.group}],
        }
        self.ec2.authorize_security_group_ingress(GroupId=self.node_group, IpPermissions=[self.from_lb])
        addresses = {zone: self.ec2.allocate_address(Domain="vpc") for zone in sorted(network.subnet_ids)[:2]}
        self.ips = [address["PublicIp"] for address in addresses.values()]
        self.name = f"lb-{time.monotonic_ns() % 10**9}"
        balancer = self.elb.create_load_balancer(
            Name=self.name,
            Type="network",
            SubnetMappings=[
                {"SubnetId": network.subnet_ids[zone], "AllocationId": address["AllocationId"]}
                for zone, address in addresses.items()
            ],
            SecurityGroups=[self.group],
        )["LoadBalancers"][0]
        self.arn = self.elb.create_target_group(
            Name=f"tg-{time.monotonic_ns() % 10**9}",
            Protocol="TCP",
            Port=80,
            VpcId=network.vpc_id,
            TargetType="instance",
            HealthCheckProtocol="HTTP",
            HealthCheckPath="/ping",
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="TCP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.arn}],
        )

    def register(self, instance: NodeInstance) -> None:
        self.elb.register_targets(
            TargetGroupArn=self.arn, Targets=[{"Id": instance.instance_id, "Port": NODE_PORT}]
        )

    def states(self) -> dict[str, str]:
        described = self.elb.describe_target_health(TargetGroupArn=self.arn)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in described}

    def private_address(self, zone: str) -> str:
        """The address of the balancer's own network interface in `zone`."""
        (found,) = (
            one["PrivateIpAddress"]
            for one in self.ec2.describe_network_interfaces()["NetworkInterfaces"]
            if one["Description"].startswith(f"ELB net/{self.name}/") and one["AvailabilityZone"] == zone
        )
        return str(found)

    def get(self, ip: str) -> str:
        place = Loopback.of(self.layout).place(ip, 80)
        with urllib.request.urlopen(f"http://{place}/", timeout=5) as answer:
            return str(answer.headers["X-Served-By"])


def is_state(balanced: Balanced, instance: NodeInstance, state: str) -> Callable[[], bool]:
    return lambda: balanced.states().get(instance.instance_id) == state


def test_what_is_declared_by_the_api_is_what_packets_do(layout: Layout) -> None:
    balanced = Balanced(layout)
    one = run_node_instance(layout.aws_url, "one", "eu-central-1a")
    with machine(layout, one):
        balanced.register(one)
        assert balanced.states() == {one.instance_id: "initial"}
        eventually(is_state(balanced, one, "healthy"), within=15)
        assert balanced.get(balanced.ips[0]) == one.instance_id
        with pytest.raises(ConnectionError):  # cross-zone is off, and the other zone has no target
            balanced.get(balanced.ips[1])

        balanced.ec2.revoke_security_group_ingress(
            GroupId=balanced.node_group, IpPermissions=[balanced.from_lb]
        )
        eventually(is_state(balanced, one, "unhealthy"), within=20)
        with pytest.raises(ConnectionError):
            balanced.get(balanced.ips[0])
        balanced.ec2.authorize_security_group_ingress(
            GroupId=balanced.node_group, IpPermissions=[balanced.from_lb]
        )
        eventually(is_state(balanced, one, "healthy"), within=20)


def test_each_balancer_checks_health_from_its_own_network_interface(layout: Layout) -> None:
    Balanced(layout)  # it has the first address of each subnet
    balanced = Balanced(layout)
    one = run_node_instance(layout.aws_url, "checked", "eu-central-1a")
    with machine(layout, one) as callers:
        balanced.register(one)
        eventually(is_state(balanced, one, "healthy"), within=15)
    source = Loopback.of(layout).source(balanced.private_address("eu-central-1a"))
    assert callers == {source[0] if source else HOST}
