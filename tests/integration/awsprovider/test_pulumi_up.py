"""A load balancer's life by the literal Pulumi CLI, the program using nothing but the official SDK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.cloud.network import Network
from sandbox.layout import Layout
from sandbox.toolchain import ensure
from tests.integration.awsprovider.conftest import Clients
from tests.integration.plugins.project import Project

pytestmark = pytest.mark.toolchain

PROGRAM = """\
    import json

    import pulumi
    from pulumi_aws import ec2, iam, lb, vpc

    config = pulumi.Config()
    kept = config.get_object("kept") or {}
    subnets = {zone: ec2.get_subnet(id=id) for zone, id in sorted(config.require_object("subnets").items())}
    vpc_id = next(iter(subnets.values())).vpc_id
    group = ec2.SecurityGroup("nlb", vpc_id=vpc_id, description="of the load balancer")
    vpc.SecurityGroupIngressRule(
        "in", security_group_id=group.id, ip_protocol="tcp", from_port=80, to_port=80, cidr_ipv4="0.0.0.0/0"
    )
    addresses = {
        zone: ec2.Eip(
            f"address-{zone}",
            domain="vpc",
            tags={"zone": zone},
            opts=pulumi.ResourceOptions(retain_on_delete=True, import_=kept.get(zone)),
        )
        for zone in subnets
    }
    balancer = lb.LoadBalancer(
        "web",
        load_balancer_type="network",
        security_groups=[group.id],
        subnet_mappings=[
            {"subnet_id": subnet.id, "allocation_id": addresses[zone].allocation_id}
            for zone, subnet in subnets.items()
        ],
        opts=pulumi.ResourceOptions(delete_before_replace=True),
    )
    targets = lb.TargetGroup(
        "http",
        port=80,
        protocol="TCP",
        vpc_id=vpc_id,
        health_check={"protocol": "HTTP", "path": "/ping", "port": config.require("port")},
    )
    lb.Listener(
        "http",
        load_balancer_arn=balancer.arn,
        port=80,
        protocol="TCP",
        default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
    )
    user = iam.User("syncer")
    statement = {"Effect": "Allow", "Action": "elasticloadbalancing:RegisterTargets", "Resource": "*"}
    iam.UserPolicy(
        "syncer", user=user.name, policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    key = iam.AccessKey("syncer", user=user.name)
    pulumi.export("addresses", {zone: address.public_ip for zone, address in addresses.items()})
    pulumi.export("secret", key.secret)
"""


@pytest.fixture
def project(tmp_path: Path, config: dict[str, str], network: Network, boto: Clients) -> Iterator["Stack"]:
    pulumi = ensure(("pulumi",), lambda _: None)["pulumi"]
    made = Project.make(tmp_path / "project", Layout(directory=tmp_path / "none"), pulumi)
    made.write(PROGRAM)
    yield Stack(made, config, network)
    made.run("destroy", "--yes", "--skip-preview")
    for address in boto.ec2.describe_addresses()["Addresses"]:
        boto.ec2.release_address(AllocationId=address["AllocationId"])


class Stack:
    """The project, and the stack configuration that its program and the provider read."""

    def __init__(self, project: Project, config: dict[str, str], network: Network) -> None:
        self.project = project
        self._network = network
        self._file = project.root / "Pulumi.dev.yaml"
        self._salt = yaml.safe_load(self._file.read_text())
        self._provider = {f"aws:{key}": value for key, value in config.items() if key != "version"}

    def set(self, *zones: str, port: str, kept: dict[str, str] | None = None) -> None:
        """The zones of the load balancer, the health check's port, and addresses to adopt by zone."""
        own = {
            "scenario:subnets": {zone: self._network.subnet_ids[zone] for zone in zones},
            "scenario:port": port,
            "scenario:kept": kept or {},
        }
        self._file.write_text(yaml.safe_dump({**self._salt, "config": {**self._provider, **own}}))


def _balancers(boto: Clients) -> list[Any]:
    found: list[Any] = boto.elbv2.describe_load_balancers()["LoadBalancers"]
    return found


def test_a_stack_is_made_mended_changed_destroyed_and_adopts_its_addresses_again(
    project: Stack, boto: Clients
) -> None:
    up, run = project.project.up, project.project.run
    project.set("eu-central-1a", "eu-central-1b", port="31080")
    up().ok()
    balancer = _balancers(boto)[0]
    assert "ciphertext" in project.project.outputs()["secret"]

    group = boto.elbv2.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    boto.elbv2.modify_target_group(TargetGroupArn=group, HealthCheckPath="/drift")
    project.set("eu-central-1a", port="31081")
    up("--refresh").ok()
    mended = boto.elbv2.describe_target_groups()["TargetGroups"][0]
    assert (mended["HealthCheckPath"], mended["HealthCheckPort"]) == ("/ping", "31081")
    assert mended["TargetGroupArn"] == group
    replaced = _balancers(boto)
    assert [len(each["AvailabilityZones"]) for each in replaced] == [1]
    assert replaced[0]["LoadBalancerArn"] != balancer["LoadBalancerArn"]

    run("destroy", "--yes", "--skip-preview").ok()
    assert _balancers(boto) == []
    assert boto.iam.list_users()["Users"] == []
    left = {each["Tags"][0]["Value"]: each["AllocationId"] for each in _addresses(boto)}
    assert sorted(left) == ["eu-central-1a", "eu-central-1b"]

    project.set("eu-central-1a", "eu-central-1b", port="31080", kept=left)
    up().ok()
    assert {each["AllocationId"] for each in _addresses(boto)} == set(left.values())
    up("--refresh", "--expect-no-changes").ok()


def _addresses(boto: Clients) -> list[Any]:
    found: list[Any] = boto.ec2.describe_addresses()["Addresses"]
    return found
