"""DNS names, endpoint service and alarms through the real engine, with the deployer's least rights.

The stack is an edge, so no cluster is needed; its listeners forward to target groups of another owner.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.cloud.network import VPC_ID
from sandbox.cloud.route53 import ZONE_ID, ZONE_NAME
from sandbox.deployer import COMMON, PARTS, actions, beside, document, filled
from sandbox.layout import REGION, Layout
from sandbox.plugins import choice as plugins
from sandbox.status import client
from sandbox.toolchain import ensure
from tests.control import control
from tests.integration.infra.conftest import ROOT, DevStack
from tests.integration.infra.test_deployer_policy import WRITE, hold, recorded, write, written

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(600)]

KEPT = ("vpcId", "zones", "clientCidrs", "tags")
ONE, TWO = (f"arn:aws:iam::{account}:root" for account in ("111111111111", "222222222222"))
TOPIC = f"arn:aws:sns:{REGION}:123456789012:on-call"
SERVICE_OF = {"cloudwatch": "alarms", "route53": "dns", "ec2": "endpoint-service"}


@pytest.fixture
def edge(aws: Layout) -> Iterator[DevStack]:
    """Stack dev as an edge with two attached groups, before its first `up`."""
    root = aws.directory / "edge"
    root.mkdir()
    for name in ("infra", ".venv", "uv.lock", "pyproject.toml", "Pulumi.yaml"):
        (root / name).symlink_to(ROOT / name)
    (root / "Pulumi.dev.yaml").write_text((ROOT / "Pulumi.dev.yaml").read_text())
    plugins.install(aws, {"SANDBOX_PLUGINS": "offline"})
    aws.pulumi_backend.mkdir(parents=True, exist_ok=True)
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("PULUMI", "KUBE", "AWS"))},
        "PULUMI_HOME": str(aws.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{aws.pulumi_backend}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "KUBECONFIG": os.devnull,
        "AWS_ENDPOINT_URL": aws.aws_url,
    }
    stack = DevStack(root, environ, ensure(("pulumi",), lambda _: None)["pulumi"])
    stack.run("stack", "select", "--create", "dev").ok()
    others = {key: None for key in keys(stack) if key not in KEPT}
    groups = {name: group(aws, name) for name in ("http", "https")}
    attachments = {"blue": {"weight": 100, "targetGroups": groups}}
    stack.configure(**others)
    stack.configure(cluster=False, attachments=attachments, addresses={"keep": False})
    yield stack
    control(aws.aws_url, "DELETE", "deployer-policy")
    stack.destroy().ok()


def keys(stack: DevStack) -> list[str]:
    lines = (stack.root / "Pulumi.dev.yaml").read_text().splitlines()
    prefix = "  node-nlb-sync:"
    return [line.removeprefix(prefix).partition(":")[0] for line in lines if line.startswith(prefix)]


def group(aws: Layout, name: str) -> str:
    elb: Any = client(aws, "elbv2")
    made = elb.create_target_group(Name=f"blue-{name}", Protocol="TCP", Port=80, VpcId=VPC_ID)
    return str(made["TargetGroups"][0]["TargetGroupArn"])


class Seen:
    """The three parts as AWS describes them."""

    def __init__(self, aws: Layout) -> None:
        clients: dict[str, Any] = {
            name: client(aws, name) for name in ("route53", "ec2", "cloudwatch", "elbv2")
        }
        records = clients["route53"].list_resource_record_sets(HostedZoneId=ZONE_ID)["ResourceRecordSets"]
        self.aliases = {each["Name"]: each["AliasTarget"] for each in records if "AliasTarget" in each}
        ec2 = clients["ec2"]
        self.services = ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
        self.principals = [
            each["Principal"]
            for one in self.services
            for each in ec2.describe_vpc_endpoint_service_permissions(ServiceId=one["ServiceId"])[
                "AllowedPrincipals"
            ]
        ]
        self.alarms = clients["cloudwatch"].describe_alarms()["MetricAlarms"]
        self.balancers = clients["elbv2"].describe_load_balancers()["LoadBalancers"]

    def thresholds(self) -> list[tuple[str, str, float]]:
        """Metric, group and threshold of each alarm."""
        found = []
        for each in self.alarms:
            dimensions = {one["Name"]: one["Value"] for one in each["Dimensions"]}
            (balancer,) = self.balancers
            assert balancer["LoadBalancerArn"].endswith(f":loadbalancer/{dimensions['LoadBalancer']}")
            name = dimensions.get("TargetGroup", "//").split("/")[1]
            found.append((each["MetricName"], name, each["Threshold"]))
        return sorted(found)


def test_all_three_are_made_changed_and_destroyed(edge: DevStack, aws: Layout) -> None:
    tags = edge.configure(tags=None)["tags"]
    edge.configure(
        tags=tags,
        dns={"zoneId": ZONE_ID, "names": [ZONE_NAME, f"*.{ZONE_NAME}"]},
        endpointService={
            "enabled": True,
            "allowedPrincipals": [ONE],
            "privateDnsName": f"private.{ZONE_NAME}",
        },
        alarms={"enabled": True, "actions": [TOPIC]},
    )
    hold(aws, COMMON, *PARTS)
    control(aws.aws_url, "DELETE", "calls")
    edge.up().ok()
    seen = Seen(aws)
    (balancer,) = seen.balancers
    target = {
        "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "DNSName": f"{balancer['DNSName'].lower()}.",
        "EvaluateTargetHealth": True,
    }
    assert seen.aliases == {f"{ZONE_NAME}.": target, f"\\052.{ZONE_NAME}.": target}
    (service,) = seen.services
    assert service["NetworkLoadBalancerArns"] == [balancer["LoadBalancerArn"]]
    assert (service["AcceptanceRequired"], seen.principals) == (True, [ONE])
    proof = service["PrivateDnsNameConfiguration"]
    assert edge.output("endpointService") == {
        "serviceName": service["ServiceName"],
        "verificationName": proof["Name"],
        "verificationValue": proof["Value"],
    }
    errors = [("PortAllocationErrorCount", "", 0.0), ("RejectedFlowCount", "", 0.0)]
    hosts = [("UnHealthyHostCount", f"blue-{name}", 0.0) for name in ("http", "https")]
    assert seen.thresholds() == [*errors, *hosts]
    assert {tuple(each["AlarmActions"] + each["OKActions"]) for each in seen.alarms} == {(TOPIC, TOPIC)}

    edge.up("--refresh", "--expect-no-changes").ok()

    edge.configure(
        tags={"team": "edge"},
        dns={"zoneId": ZONE_ID, "names": [f"www.{ZONE_NAME}", ZONE_NAME], "evaluateTargetHealth": False},
        endpointService={
            "enabled": True,
            "acceptanceRequired": False,
            "allowedPrincipals": [TWO],
            "privateDnsName": f"private.{ZONE_NAME}",
        },
        alarms={"enabled": True, "unhealthyHosts": 2, "portAllocationErrors": None},
    )
    edge.up().ok()
    changed = Seen(aws)
    kept = {**target, "EvaluateTargetHealth": False}
    assert changed.aliases == {f"{ZONE_NAME}.": kept, f"www.{ZONE_NAME}.": kept}
    assert [each["ServiceId"] for each in changed.services] == [service["ServiceId"]]
    assert (changed.services[0]["AcceptanceRequired"], changed.principals) == (False, [TWO])
    assert changed.thresholds() == [errors[1], *((*each[:2], 2.0) for each in hosts)]
    assert not any(each["AlarmActions"] for each in changed.alarms)

    edge.configure(loadBalancer={"name": "node-nlb-another"}, allowReplacement=["loadBalancer"])
    edge.up().ok()
    replaced = Seen(aws)
    (another,) = replaced.balancers
    assert {each["DNSName"] for each in replaced.aliases.values()} == {f"{another['DNSName'].lower()}."}
    (other,) = replaced.services
    assert other["ServiceId"] != service["ServiceId"], "AWS deletes no load balancer of a service"
    assert other["NetworkLoadBalancerArns"] == [another["LoadBalancerArn"]]
    assert replaced.thresholds() == changed.thresholds()

    edge.destroy().ok()
    left = Seen(aws)
    assert (left.aliases, left.services, left.alarms, left.balancers) == ({}, [], [], [])
    the_policies_allow_nothing_else(aws)


def the_policies_allow_nothing_else(aws: Layout) -> None:
    """Compare the calls with the documents of the parts."""
    calls = beside(recorded(aws), actions(filled(written(COMMON))))
    own: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for action, arns in calls.items():
        own[SERVICE_OF[action.partition(":")[0]]][action] = arns
    found = {part: document(part, each) for part, each in own.items()}
    if WRITE:
        for part, each in found.items():
            write(part, each)
    assert found == {part: json.loads(written(part)) for part in PARTS}
