"""The keys of load balancer, listeners and groups through the real engine: in place, replaced, or left.

The program makes the AWS side of the component alone, so no cluster is needed.
"""

import os
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.cloud.client import ec2_client
from sandbox.cloud.network import NODE_GROUP_ID, VPC_ID
from sandbox.layout import Layout
from sandbox.plugins import choice as plugins
from sandbox.status import client
from sandbox.toolchain import ensure
from tests.changes.certificates import certificate as imported_certificate
from tests.integration.infra.conftest import ROOT, DevStack

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(900)]

ATTRIBUTES = {
    "deletion_protection.enabled": "true",
    "zonal_shift.config.enabled": "true",
    "dns_record.client_routing_policy": "availability_zone_affinity",
    "access_logs.s3.enabled": "true",
    "access_logs.s3.bucket": "logs",
    "access_logs.s3.prefix": "prod",
}
DEFAULTS = {
    "deletion_protection.enabled": "false",
    "zonal_shift.config.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
}
NOT_MANAGED = {
    "deletionProtection": None,
    "zonalShift": None,
    "dnsClientRouting": None,
    "minimumCapacity": None,
}


PROGRAM = """
    import pulumi
    from pulumi.runtime.config import CONFIG, get_config_env

    from infra.component import Component
    from infra.groups import created_groups
    from infra.network import survey
    from infra.settings import load

    config = {**get_config_env(), **CONFIG.get()}
    settings = load(config, "eu-central-1")
    network = survey("node-nlb", settings, "balancer", pulumi.InvokeOptions())
    ports = {"http": pulumi.Output.from_input(31080), "https": pulumi.Output.from_input(31443)}
    made = created_groups(
        "node-nlb", settings, network, mark="balancer", node_ports=ports, opts=pulumi.ResourceOptions()
    )
    pulumi.export("staticIps", made.public_ips)
    pulumi.export("loadBalancerArn", made.load_balancer_arn)
    pulumi.export("securityGroupId", made.security_group_id)
    pulumi.export("targetGroups", dict(made.arns))
"""


@pytest.fixture(scope="module")
def up(aws: Layout) -> Iterator[DevStack]:
    """The load balancer of stack dev, without Service and syncer."""
    root = aws.directory / "balancer"
    (root / "program").mkdir(parents=True)
    for name in (".venv", "uv.lock", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    (root / "program" / "__main__.py").write_text(textwrap.dedent(PROGRAM))
    project = (ROOT / "Pulumi.yaml").read_text()
    (root / "Pulumi.yaml").write_text(project.replace("main: infra", "main: program"))
    (root / "Pulumi.dev.yaml").write_text((ROOT / "Pulumi.dev.yaml").read_text())
    plugins.install(aws, {"SANDBOX_PLUGINS": "offline"})
    aws.pulumi_backend.mkdir(parents=True, exist_ok=True)
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "KUBE", "AWS"))
    }
    environ = {
        **own,
        "PULUMI_HOME": str(aws.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{aws.pulumi_backend}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AWS_ENDPOINT_URL": aws.aws_url,
    }
    made = DevStack(root, environ, ensure(("pulumi",), lambda _: None)["pulumi"])
    made.run("stack", "select", "--create", "dev").ok()
    made.up().ok()
    yield made
    made.destroy().ok()


def certificate(aws: Layout, name: str) -> str:
    """The ARN of a certificate in ACM."""
    return imported_certificate(client(aws, "acm"), name)


class Seen:
    """The stack's load balancer as AWS describes it."""

    def __init__(self, stack: DevStack, aws: Layout) -> None:
        self.elb: Any = client(aws, "elbv2")
        self.arn = stack.output("loadBalancerArn")
        (self.described,) = self.elb.describe_load_balancers(LoadBalancerArns=[self.arn])["LoadBalancers"]

    @property
    def attributes(self) -> dict[str, str]:
        found = self.elb.describe_load_balancer_attributes(LoadBalancerArn=self.arn)["Attributes"]
        return {each["Key"]: each["Value"] for each in found}

    @property
    def capacity(self) -> int | None:
        found = self.elb.describe_capacity_reservation(LoadBalancerArn=self.arn)
        units: int | None = found.get("MinimumLoadBalancerCapacity", {}).get("CapacityUnits")
        return units

    def change(self, attributes: dict[str, str]) -> None:
        pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
        self.elb.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=pairs)


def test_attributes_change_in_place_and_null_leaves_them_to_others(up: DevStack, aws: Layout) -> None:
    arn = Seen(up, aws).arn
    ec2: Any = ec2_client(aws.aws_url)
    group = ec2.create_security_group(GroupName="own", Description="own", VpcId=VPC_ID)["GroupId"]
    listed = ec2.create_managed_prefix_list(
        PrefixListName="office", MaxEntries=2, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24"}]
    )["PrefixList"]["PrefixListId"]
    chosen = {
        "deletionProtection": True,
        "zonalShift": True,
        "dnsClientRouting": "availability_zone_affinity",
        "minimumCapacity": 3000,
        "enforcePrivateLink": False,
        "accessLogs": {"enabled": True, "bucket": "logs", "prefix": "prod"},
        "securityGroupIds": [group],
        "clientPrefixLists": [listed],
    }
    up.configure(loadBalancer=chosen, clientCidrs=[])
    up.up().ok()
    up.up("--refresh", "--expect-no-changes").ok()
    seen = Seen(up, aws)
    assert seen.arn == arn
    assert ATTRIBUTES.items() <= seen.attributes.items()
    assert seen.capacity == 3000
    assert seen.described["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    own = up.output("securityGroupId")
    assert sorted(seen.described["SecurityGroups"]) == sorted([own, group])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [own]}])
    clients = [rule for rule in rules["SecurityGroupRules"] if not rule["IsEgress"]]
    assert {(rule["FromPort"], rule.get("PrefixListId")) for rule in clients} == {(80, listed), (443, listed)}

    up.configure(loadBalancer=NOT_MANAGED, clientCidrs=None)
    up.up().ok()
    assert Seen(up, aws).attributes.items() >= ATTRIBUTES.items()
    seen.change({**DEFAULTS, "access_logs.s3.enabled": "false"})
    seen.elb.modify_capacity_reservation(
        LoadBalancerArn=arn, MinimumLoadBalancerCapacity={"CapacityUnits": 4000}
    )
    up.up("--refresh", "--expect-no-changes").ok()
    assert Seen(up, aws).capacity == 4000
    assert DEFAULTS.items() <= seen.attributes.items()

    up.configure(loadBalancer=None)
    up.up("--refresh").ok()
    assert Seen(up, aws).capacity is None
    assert Seen(up, aws).arn == arn


def test_deletion_protection_is_aws_own_refusal(up: DevStack, aws: Layout) -> None:
    up.configure(loadBalancer={"deletionProtection": True})
    up.up().ok()
    refused = up.destroy()
    assert refused.code != 0
    assert "OperationNotPermitted" in refused.text
    up.configure(loadBalancer=None)
    up.up().ok()
    assert Seen(up, aws).attributes["deletion_protection.enabled"] == "false"


def test_another_scheme_or_name_replaces_the_load_balancer_only_if_allowed(up: DevStack, aws: Layout) -> None:
    before = Seen(up, aws).arn
    zones = up.configure(zones=None)["zones"]
    ec2: Any = ec2_client(aws.aws_url)
    (subnet,) = ec2.describe_subnets(SubnetIds=[zones["eu-central-1a"]["subnetId"]])["Subnets"]
    address = subnet["CidrBlock"].partition("/")[0].rpartition(".")[0] + ".9"
    inside = {zone: {**place} for zone, place in zones.items()}
    inside["eu-central-1a"]["privateAddress"] = address
    addresses = up.output("staticIps")
    up.configure(zones=inside, loadBalancer={"scheme": "internal", "name": "inside"})
    refused = up.up()
    assert refused.code != 0
    assert "node-nlb-sync:loadBalancer.scheme: read" in refused.text
    up.configure(allowReplacement=["loadBalancer"])
    up.up().ok()
    up.up("--refresh", "--expect-no-changes").ok()
    seen = Seen(up, aws)
    assert seen.arn != before
    assert (seen.described["Scheme"], seen.described["LoadBalancerName"]) == ("internal", "inside")
    assert up.output("staticIps") == {"eu-central-1a": address}
    assert {each["PublicIp"] for each in ec2.describe_addresses()["Addresses"]} == set(addresses.values())
    up.configure(zones=zones, loadBalancer=None)
    up.up().ok()
    up.configure(allowReplacement=None)
    assert Seen(up, aws).described["Scheme"] == "internet-facing"
    assert up.output("staticIps") == addresses


def groups_of(stack: DevStack, elb: Any) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Each group as AWS describes it, and its attributes, by listener."""
    found = {}
    for name, arn in stack.output("targetGroups").items():
        (described,) = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
        attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        found[name] = described, {each["Key"]: each["Value"] for each in attributes}
    return found


def test_listeners_and_groups_change_in_place(up: DevStack, aws: Layout) -> None:
    seen = Seen(up, aws)
    before, elb = up.output("targetGroups"), seen.elb
    arns = [certificate(aws, f"{name}.example") for name in ("a", "b")]
    tls = {
        "protocol": "TLS",
        "certificateArns": arns,
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "alpnPolicy": "HTTP2Preferred",
    }
    own = {"idleTimeout": 600, "crossZone": False, "proxyProtocol": True, "stickiness": True}
    check = {"healthCheck": {"port": "kube-proxy", "matcher": "200"}}
    rows: list[dict[str, Any]] = [
        {"name": "http", "port": 80, "servicePort": "http", **own, **check},
        {"name": "https", "port": 443, "servicePort": "https", **tls},
        {"name": "alt", "port": 8080, "servicePort": "http", "healthCheck": {"protocol": "TCP"}},
    ]
    limits = {"dnsFailoverCount": 3, "dnsFailoverPercentage": 50, "unhealthyRoutingCount": 2}
    up.configure(listeners=rows, targetHealth=limits)
    up.up().ok()
    up.up("--refresh", "--expect-no-changes").ok()
    assert before.items() <= up.output("targetGroups").items()
    listeners = {each["Port"]: each for each in elb.describe_listeners(LoadBalancerArn=seen.arn)["Listeners"]}
    secure = listeners[443]
    assert (secure["Protocol"], secure["SslPolicy"], secure["AlpnPolicy"]) == (
        "TLS",
        tls["sslPolicy"],
        ["HTTP2Preferred"],
    )
    listed = elb.describe_listener_certificates(ListenerArn=secure["ListenerArn"])["Certificates"]
    assert [(each["CertificateArn"], each["IsDefault"]) for each in listed] == [
        (arns[0], True),
        (arns[1], False),
    ]
    idle = elb.describe_listener_attributes(ListenerArn=listeners[80]["ListenerArn"])["Attributes"]
    assert {"Key": "tcp.idle_timeout.seconds", "Value": "600"} in idle
    groups = groups_of(up, elb)
    described, attributes = groups["http"]
    assert (described["HealthCheckPort"], described["HealthCheckPath"]) == ("10256", "/healthz")
    assert attributes["load_balancing.cross_zone.enabled"] == "false"
    assert attributes["proxy_protocol_v2.enabled"] == attributes["stickiness.enabled"] == "true"
    prefix = "target_group_health"
    assert attributes[f"{prefix}.dns_failover.minimum_healthy_targets.count"] == "3"
    assert attributes[f"{prefix}.dns_failover.minimum_healthy_targets.percentage"] == "50"
    assert attributes[f"{prefix}.unhealthy_state_routing.minimum_healthy_targets.count"] == "2"
    assert groups["alt"][0]["HealthCheckProtocol"] == "TCP"
    nodes: Any = [{"Name": "group-id", "Values": [NODE_GROUP_ID]}]
    rules = ec2_client(aws.aws_url).describe_security_group_rules(Filters=nodes)["SecurityGroupRules"]
    assert {rule["FromPort"] for rule in rules if not rule["IsEgress"] and "FromPort" in rule} >= {
        10256,
        31080,
    }

    rows[1]["certificateArns"] = arns[::-1]
    up.configure(listeners=rows)
    up.up().ok()
    up.up("--refresh", "--expect-no-changes").ok()
    listed = elb.describe_listener_certificates(ListenerArn=secure["ListenerArn"])["Certificates"]
    # The new default certificate also stays in the list: AWS does not remove the default one.
    assert [each["CertificateArn"] for each in listed if each["IsDefault"]] == [arns[1]]
    assert {each["CertificateArn"] for each in listed} == set(arns)

    rows[1]["backendProtocol"] = "TLS"
    up.configure(listeners=rows)
    up.up().ok()
    after = up.output("targetGroups")
    assert {name for name in after if after[name] == before.get(name)} == {"http"}

    up.configure(listeners=None, targetHealth=None)
    up.up().ok()
    up.up("--refresh", "--expect-no-changes").ok()
    assert Seen(up, aws).arn == seen.arn
    described, attributes = groups_of(up, elb)["http"]
    assert (described["HealthCheckPort"], described["HealthCheckPath"]) == ("31080", "/ping")
    assert attributes["load_balancing.cross_zone.enabled"] == "use_load_balancer_configuration"
    assert attributes["proxy_protocol_v2.enabled"] == attributes["stickiness.enabled"] == "false"
