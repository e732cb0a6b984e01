"""Target groups that exist: the engine makes identity and syncer for them, and leaves them alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sandbox.cloud.client import elbv2_client
from sandbox.cloud.network import VPC_ID
from sandbox.cluster import Rest
from sandbox.layout import Layout
from tests.integration.infra.conftest import DevStack

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(600)]

SERVICES = "/api/v1/namespaces/default/services"
PORTS = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
LOAD_BALANCER_KEYS = ("vpcId", "zones", "nodeSecurityGroupId", "crossZone", "healthCheck", "connections")


@pytest.fixture(scope="module")
def arns(aws: Layout) -> dict[str, str]:
    """Two groups that somebody made by hand, each with a target of its own."""
    elb, made = elbv2_client(aws.aws_url), {}
    for name in ("http", "https"):
        group = elb.create_target_group(Name=f"hand-{name}", Protocol="TCP", Port=80, VpcId=VPC_ID)
        made[name] = group["TargetGroups"][0]["TargetGroupArn"]
    return made


@pytest.fixture(scope="module")
def beside(stack: DevStack, control_plane: Layout, arns: dict[str, str]) -> Iterator[DevStack]:
    """The stack of those groups and of a Service that is there."""
    rest = Rest(control_plane)
    service = {"metadata": {"name": "edge"}, "spec": {"type": "NodePort", "ports": PORTS}}
    rest.create(SERVICES, service)
    file = stack.root / "Pulumi.dev.yaml"
    right = file.read_text()
    config: dict[str, Any] = yaml.safe_load(right)
    ours = [key for key in config["config"] if key.startswith("node-nlb-sync:")]
    for key in ours:
        if key != "node-nlb-sync:syncer":
            del config["config"][key]
    file.write_text(yaml.safe_dump(config))
    stack.configure(
        targetGroups=arns,
        ingress={"namespace": "default", "name": "edge"},
        identity={"clusterName": "sandbox"},
    )
    yield stack
    stack.destroy()
    file.write_text(right)
    rest.delete(f"{SERVICES}/edge")


def test_identity_and_syncer_are_made_for_groups_that_stay(
    beside: DevStack, aws: Layout, control_plane: Layout, arns: dict[str, str]
) -> None:
    elb = elbv2_client(aws.aws_url)
    before = elb.describe_target_groups()["TargetGroups"]
    beside.up().ok()
    state = json.loads(beside.run("stack", "export", "--stack=dev").ok().text)
    made = {item["type"] for item in state["deployment"]["resources"] if item["type"].startswith("aws:")}
    assert made == {
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    }
    rest = Rest(control_plane)
    data = rest.get("/api/v1/namespaces/default/configmaps/nlb-sync")["data"]
    groups = ",".join(f"{arn}=default/edge:{name}" for name, arn in sorted(arns.items()))
    assert (data["NLB_SYNC_TARGET_GROUPS"], data["NLB_SYNC_OWNERSHIP"]) == (groups, "tracked")
    again = beside.run("preview", "--refresh", "--expect-no-changes", "--stack=dev")
    assert again.code == 0, again.text
    beside.destroy().ok()
    assert elb.describe_target_groups()["TargetGroups"] == before
    assert rest.get(f"{SERVICES}/edge")["spec"]["type"] == "NodePort"


def test_a_group_that_is_gone_is_one_line(beside: DevStack, arns: dict[str, str]) -> None:
    gone = {name: arn[:-16] + "0" * 16 for name, arn in arns.items()}
    before = beside.configure(targetGroups=gone)
    said = beside.run("preview", "--stack=dev")
    beside.configure(**before)
    assert said.code != 0
    assert f"node-nlb-sync:targetGroups.http: read {gone['http']}, and AWS returned: " in said.text
    assert "Traceback" not in said.text
