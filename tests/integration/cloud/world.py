"""The simulated AWS as the tests of this folder speak of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from sandbox.cloud.network import Network, NodeInstance, run_node_instance
from tests.control import control

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
VPC_NETWORK = IPv4Network("127.64.0.0/16")
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Cloud:
    """The endpoint, its clients, and the words of the tests."""

    url: str
    ec2: "EC2Client"
    elb: "ElasticLoadBalancingv2Client"
    network: Network
    nodes: dict[str, NodeInstance] = field(default_factory=dict)

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = control(self.url, method, path, body)
        return answer

    def faults(self, **values: Any) -> None:
        self.control("POST", "faults", values)

    def revision(self) -> int:
        number: int = self.control("GET", "revision")["revision"]
        return number

    def node(self, zone: str = ZONES[0]) -> str:
        """A running instance of the zone; the same one each time."""
        if zone not in self.nodes:
            self.nodes[zone] = run_node_instance(self.url, f"node-{zone}", zone)
        return self.nodes[zone].instance_id

    def fresh_node(self, zone: str = ZONES[0]) -> str:
        return run_node_instance(self.url, name("node"), zone).instance_id

    def address(self) -> str:
        return self.ec2.allocate_address(Domain="vpc")["AllocationId"]

    def balancer(self, zones: tuple[str, ...] = ZONES, **given: Any) -> str:
        """The ARN of a new NLB without security groups or Elastic IPs unless they are given."""
        mappings = [{"SubnetId": self.network.subnet_ids[zone]} for zone in zones]
        wanted = {"Name": name("nlb"), "Type": "network", "SubnetMappings": mappings, **given}
        return self.elb.create_load_balancer(**wanted)["LoadBalancers"][0]["LoadBalancerArn"]

    def group(self, **given: Any) -> str:
        """The ARN of a new target group, TCP 80."""
        wanted = {"Name": name("tg"), "Protocol": "TCP", "Port": 80, "VpcId": self.network.vpc_id, **given}
        return self.elb.create_target_group(**wanted)["TargetGroups"][0]["TargetGroupArn"]

    def listener(self, balancer: str, group: str, port: int = 80) -> str:
        made = self.elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="TCP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return made["Listeners"][0]["ListenerArn"]

    def served_group(self, zones: tuple[str, ...] = ZONES, **given: Any) -> str:
        """A target group behind a listener of a new NLB."""
        group = self.group(**given)
        self.listener(self.balancer(zones), group)
        return group

    def register(self, group: str, *ids: str, port: int = 30080) -> None:
        targets: list[Any] = [{"Id": one, "Port": port} for one in ids]
        self.elb.register_targets(TargetGroupArn=group, Targets=targets)

    def deregister(self, group: str, *ids: str, port: int = 30080) -> None:
        targets: list[Any] = [{"Id": one, "Port": port} for one in ids]
        self.elb.deregister_targets(TargetGroupArn=group, Targets=targets)

    def health(self, group: str, **given: Any) -> dict[tuple[str, int], tuple[str, str | None]]:
        """(id, port) -> (state, reason)."""
        found = self.elb.describe_target_health(TargetGroupArn=group, **given)["TargetHealthDescriptions"]
        return {
            (one["Target"]["Id"], one["Target"]["Port"]): (
                one["TargetHealth"]["State"],
                one["TargetHealth"].get("Reason"),
            )
            for one in found
        }

    def report(self, group: str, one: str, state: str, reason: str | None = None, port: int = 30080) -> None:
        result = {"target_group_arn": group, "id": one, "port": port, "state": state, "reason": reason}
        self.control("POST", "target-health", {"results": [result]})

    def delay(self, group: str, seconds: int) -> None:
        self.attribute(group, "deregistration_delay.timeout_seconds", str(seconds))

    def attribute(self, group: str, key: str, value: str) -> None:
        self.elb.modify_target_group_attributes(
            TargetGroupArn=group, Attributes=[{"Key": key, "Value": value}]
        )

    def remove_load_balancing(self) -> None:
        """Delete every load balancer and target group."""
        for balancer in self.elb.describe_load_balancers()["LoadBalancers"]:
            unprotect = [{"Key": "deletion_protection.enabled", "Value": "false"}]
            arn = balancer["LoadBalancerArn"]
            self.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=unprotect)  # type: ignore[arg-type]
            self.elb.delete_load_balancer(LoadBalancerArn=arn)
        for group in self.elb.describe_target_groups()["TargetGroups"]:
            self.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])


def name(prefix: str) -> str:
    return f"{prefix}-{next(_NUMBERS)}"


def wait_until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the awaited state did not come"
        time.sleep(0.02)


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """Code and message of the error that a call must end with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
