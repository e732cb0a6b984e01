"""A load balancer that was made by hand goes into a stack, and stays as it is."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from sandbox.cloud.client import ec2_client, elbv2_client
from sandbox.cloud.network import NODE_GROUP_ID, VPC_ID
from sandbox.cluster import Rest
from sandbox.layout import Layout
from tests.integration.infra.conftest import DevStack
from tests.integration.infra.test_zones import DESTRUCTIVE, ops

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(900)]

SERVICES = "/api/v1/namespaces/default/services"
NODE_PORTS = {"http": (80, 30020), "https": (443, 30021)}


@dataclass(frozen=True, slots=True)
class HandMade:
    """What somebody made in the consoles, as the Go project asked for."""

    aws: Layout
    arn: str
    allocations: dict[str, str]
    group: str

    def facts(self) -> dict[str, Any]:
        """Everything that the clients and the nodes see of it, without tags."""
        elb = elbv2_client(self.aws.aws_url)
        (balancer,) = elb.describe_load_balancers(LoadBalancerArns=[self.arn])["LoadBalancers"]
        groups = {
            each["TargetGroupArn"]: (each, attributes(self.aws, each["TargetGroupArn"]))
            for each in elb.describe_target_groups(LoadBalancerArn=self.arn)["TargetGroups"]
        }
        del balancer["SecurityGroups"], balancer["State"]  # provisioning, then active
        # Without the form of the action: the provider sends what AWS fills in, such as the order.
        listeners = {
            each["Port"]: (each["ListenerArn"], each["Protocol"], each["DefaultActions"][0]["TargetGroupArn"])
            for each in elb.describe_listeners(LoadBalancerArn=self.arn)["Listeners"]
        }
        return {"balancer": balancer, "groups": groups, "listeners": listeners}


def attributes(aws: Layout, arn: str) -> dict[str, str]:
    found = elbv2_client(aws.aws_url).describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {each["Key"]: each["Value"] for each in found}


def made(aws: Layout, zones: dict[str, Any], name: str, *, grouped: bool = True) -> HandMade:
    """EIPs, a load balancer, groups with fixed names and their NodePort as port, and two listeners."""
    ec2, elb = ec2_client(aws.aws_url), elbv2_client(aws.aws_url)
    allocations = {zone: ec2.allocate_address(Domain="vpc")["AllocationId"] for zone in zones}
    group = ec2.create_security_group(GroupName=name, Description="by hand", VpcId=VPC_ID)["GroupId"]
    anyone: Any = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "203.0.113.0/24"}]}
        for port, _ in NODE_PORTS.values()
    ]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=anyone)
    mappings: Any = [
        {"SubnetId": place["subnetId"], "AllocationId": allocations[zone]} for zone, place in zones.items()
    ]
    groups: Any = {"SecurityGroups": [group]} if grouped else {}
    (balancer,) = elb.create_load_balancer(Name=name, Type="network", SubnetMappings=mappings, **groups)[
        "LoadBalancers"
    ]
    arn = balancer["LoadBalancerArn"]
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
    )
    for service_port, (port, node_port) in NODE_PORTS.items():
        (target_group,) = elb.create_target_group(
            Name=f"{name}-{service_port}",
            Protocol="TCP",
            Port=node_port,
            VpcId=VPC_ID,
            HealthCheckProtocol="HTTP",
            HealthCheckPort=str(NODE_PORTS["http"][1]),
            HealthCheckPath="/ping",
            HealthCheckIntervalSeconds=30,
            HealthCheckTimeoutSeconds=6,
            HealthyThresholdCount=3,
            UnhealthyThresholdCount=3,
        )["TargetGroups"]
        elb.modify_target_group_attributes(
            TargetGroupArn=target_group["TargetGroupArn"],
            Attributes=[
                {"Key": "deregistration_delay.timeout_seconds", "Value": "240"},
                {"Key": "preserve_client_ip.enabled", "Value": "false"},
            ],
        )
        elb.create_listener(
            LoadBalancerArn=arn,
            Protocol="TCP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group["TargetGroupArn"]}],
        )
    return HandMade(aws, arn, allocations, group)


def remove(hand: HandMade) -> None:
    ec2, elb = ec2_client(hand.aws.aws_url), elbv2_client(hand.aws.aws_url)
    arns = [each["LoadBalancerArn"] for each in elb.describe_load_balancers()["LoadBalancers"]]
    if hand.arn in arns:
        listeners = elb.describe_listeners(LoadBalancerArn=hand.arn)["Listeners"]
        groups = elb.describe_target_groups(LoadBalancerArn=hand.arn)["TargetGroups"]
        for each in listeners:
            elb.delete_listener(ListenerArn=each["ListenerArn"])
        elb.delete_load_balancer(LoadBalancerArn=hand.arn)
        for one in groups:
            elb.delete_target_group(TargetGroupArn=one["TargetGroupArn"])
    for allocation in hand.allocations.values():
        ec2.release_address(AllocationId=allocation)
    ec2.delete_security_group(GroupId=hand.group)


def adopt(stack: DevStack, name: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `python -m infra adopt` in the project's folder."""
    keys = {"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox"}
    region = ("--region", "eu-central-1")
    return subprocess.run(
        [sys.executable, "-m", "infra", "adopt", "--load-balancer", name, *region, *words],
        cwd=stack.root,
        env={**stack.environ, **keys},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def zones(stack: DevStack) -> Iterator[dict[str, Any]]:
    """The zones of stack dev; afterwards its configuration is what it was."""
    file = stack.root / "Pulumi.dev.yaml"
    before = file.read_text()
    yield yaml.safe_load(before)["config"]["node-nlb-sync:zones"]
    file.write_text(before)


@pytest.fixture
def service(control_plane: Layout) -> Iterator[str]:
    rest = Rest(control_plane)
    ports = [
        {"name": name, "port": port, "nodePort": node_port} for name, (port, node_port) in NODE_PORTS.items()
    ]
    spec = {"metadata": {"name": "hand"}, "spec": {"type": "NodePort", "ports": ports}}
    rest.create(SERVICES, spec)
    yield "default/hand"
    rest.delete(f"{SERVICES}/hand")


def test_a_hand_made_load_balancer_is_imported_and_nothing_of_it_is_replaced(
    stack: DevStack, aws: Layout, zones: dict[str, Any], service: str
) -> None:
    hand = made(aws, zones, "prod-ingress")
    before = hand.facts()
    done = adopt(stack, "prod-ingress", "--service", service, "--node-security-group", NODE_GROUP_ID)
    assert done.returncode == 0, done.stderr
    assert hand.facts() == before
    printed = yaml.safe_load(done.stdout)["config"]
    assert printed["node-nlb-sync:clientCidrs"] == []  # the hand-made group decides on clients
    file = stack.root / "Pulumi.dev.yaml"
    config = yaml.safe_load(file.read_text())
    kept = {"node-nlb-sync:syncer", "node-nlb-sync:identity"}
    others = {
        key: value
        for key, value in config["config"].items()
        if not key.startswith("node-nlb-sync:") or key in kept
    }
    file.write_text(yaml.safe_dump({**config, "config": {**others, **printed}}))

    imported = stack.run(
        "import", "--file", "adopt.json", "--generate-code=false", "--protect=false", "--yes"
    )
    assert imported.code == 0, imported.text
    assert hand.facts() == before
    planned = ops(stack)
    assert not DESTRUCTIVE & set(planned.values()), planned
    for name in ("aws:lb/loadBalancer:LoadBalancer::node-nlb", "aws:lb/listener:Listener::node-nlb-80"):
        assert planned.get(name, "update") == "update", planned
    stack.up().ok()
    after = hand.facts()
    assert after == before
    elb = elbv2_client(aws.aws_url)
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    assert hand.group in balancer["SecurityGroups"]
    assert len(balancer["SecurityGroups"]) == 2
    rest = json.loads(stack.run("stack", "output", "--json", "--stack=dev").ok().text)
    assert rest["loadBalancerArn"] == hand.arn
    assert sorted(rest["staticIps"]) == sorted(zones)
    stack.up("--expect-no-changes").ok()

    stack.destroy().ok()
    left = {each["AllocationId"] for each in ec2_client(aws.aws_url).describe_addresses()["Addresses"]}
    assert set(hand.allocations.values()) <= left  # given addresses are never released
    remove(hand)


def test_what_aws_cannot_change_is_refused_with_the_reason(
    stack: DevStack, aws: Layout, zones: dict[str, Any], service: str
) -> None:
    hand = made(aws, zones, "bare", grouped=False)
    try:
        done = adopt(stack, "bare", "--service", service, "--node-security-group", NODE_GROUP_ID)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("bare was made without a security group, and AWS can never give it one")
        assert done.stderr.count("\n") == 1
        absent = adopt(stack, "absent", "--service", service)
        assert (absent.returncode, absent.stderr.count("\n")) == (2, 1)
        assert "LoadBalancerNotFound" in absent.stderr
        missing = adopt(stack, "bare", "--service", "default/none")
        assert missing.stderr == "Service default/none cannot be read: 404 Not Found\n"
    finally:
        remove(hand)
