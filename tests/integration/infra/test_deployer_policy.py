"""The deployer's policy, docs/deployer-policy, allows what Pulumi calls and nothing else.

With WRITE_DEPLOYER_POLICY=1 in the environment the deployer is an administrator, and the calls that the cloud
records are written there.
"""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.cloud.client import ec2_client
from sandbox.cloud.iam import oidc_provider_arn
from sandbox.cloud.network import NODE_GROUP_ID, NODE_ROLE, VPC_ID
from sandbox.cluster import Rest
from sandbox.deployer import COMMON, DOCUMENTS, actions, beside, document, filled, together
from sandbox.layout import ACCOUNT, ISSUER, Layout
from tests.control import NO_USERS, control
from tests.integration.infra.conftest import DevStack
from tests.integration.infra.test_load_balancer import certificate
from tests.integration.infra.test_namespace import gone
from tests.integration.infra.test_zones import command as change_zones

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(1200)]

WRITE = bool(os.environ.get("WRITE_DEPLOYER_POLICY"))
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:user/sandbox"
IDENTITIES: dict[str, dict[str, Any]] = {
    "pod-identity": {"clusterName": "sandbox"},
    "irsa": {"kind": "irsa", "oidcProviderArn": oidc_provider_arn(ISSUER)},
    "node-role": {"kind": "node-role", "roleName": NODE_ROLE},
    "user-keys": {"kind": "user-keys"},
}


def written(name: str) -> str:
    return (DOCUMENTS / f"{name}.json").read_text()


def write(name: str, found: dict[str, Any]) -> None:
    DOCUMENTS.mkdir(exist_ok=True)
    (DOCUMENTS / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")


@pytest.fixture
def clean(stack: DevStack, aws: Layout, control_plane: Layout) -> Iterator[DevStack]:
    """Stack dev before its first `up`; afterwards its configuration is what it was and nothing is left."""
    file = stack.root / "Pulumi.dev.yaml"
    before = file.read_text()
    control(aws.aws_url, "DELETE", "calls")
    yield stack
    control(aws.aws_url, "DELETE", "deployer-policy")
    stack.destroy().ok()
    file.write_text(before)
    gone(Rest(control_plane))


def hold(aws: Layout, *names: str, without: str = "", deny: tuple[dict[str, Any], ...] = ()) -> None:
    """Hold the deployer to these documents, less one action."""
    if WRITE:
        return
    policy = together(*(filled(written(name)) for name in names))
    for statement in policy["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each != without]
    policy["Statement"] += deny
    control(aws.aws_url, "POST", "deployer-policy", policy)


def recorded(aws: Layout) -> dict[str, list[str]]:
    calls: dict[str, dict[str, list[str]]] = control(aws.aws_url, "GET", "calls")
    return calls[DEPLOYER]


def edit(stack: DevStack, **values: Any) -> None:
    stack.configure(**values)
    stack.up().ok()


def the_change_table(stack: DevStack, aws: Layout) -> None:
    """Every row of "Change a stack" in docs/stack.md that calls AWS."""
    ports: list[dict[str, Any]] = [
        {"name": name, "port": number, "nodePort": node_port}
        for name, number, node_port in (("http", 80, 30080), ("https", 443, 30443), ("extra", 81, 30081))
    ]
    rows = {"http": 80, "https": 443, "extra": 8080}
    listeners = [{"name": name, "port": port, "servicePort": name} for name, port in rows.items()]
    before = stack.configure(zones=None, tags=None)
    stack.configure(**before)
    edit(
        stack,
        tags={**before["tags"], "team": "edge"},
        ingress={"createNamespace": True, "ports": ports},
        listeners=[{**listeners[0], "idleTimeout": 600}, *listeners[1:]],
        clientCidrs=["192.0.2.0/24"],
        firewall={"source": "any"},
        healthCheck={"interval": 10, "timeout": 5},
        deregistrationDelay=30,
        crossZone=False,
    )
    swapped = [{**listeners[0], "port": 443}, {**listeners[1], "port": 80}]
    made = ec2_client(aws.aws_url).create_security_group(GroupName="pool", Description="pool", VpcId=VPC_ID)
    pools = [NODE_GROUP_ID, made["GroupId"]]
    moved = [{**each, "nodePort": each["nodePort"] + 10} for each in ports]
    edit(
        stack,
        listeners=swapped,
        tags=before["tags"],
        ingress={"createNamespace": True, "ports": moved},
        nodeSecurityGroupId=None,
        nodeSecurityGroupIds=pools,
        loadBalancer={"minimumCapacity": 3000, "securityGroupIds": [made["GroupId"]]},
    )
    stack.configure(loadBalancer=None)
    last = max(before["zones"])
    certificates = [certificate(aws, name) for name in ("one.example", "two.example")]
    stack.configure(zones={zone: place for zone, place in before["zones"].items() if zone != last})
    code, said = change_zones(stack, "--apply")
    assert code == 0, said
    stack.up("--refresh").ok()
    edit(stack, listeners=[{**swapped[0], "protocol": "TLS", "certificateArns": certificates}, swapped[1]])
    edit(stack, zones=before["zones"], addresses={"keep": True}, listeners=swapped)
    stack.destroy().ok()
    edit(stack, nodeSecurityGroupId=NODE_GROUP_ID, nodeSecurityGroupIds=None)
    edit(stack, addresses={"keep": False})


def test_the_common_policy_is_enough_for_the_change_table_and_no_more(clean: DevStack, aws: Layout) -> None:
    hold(aws, COMMON)
    edit(clean, identity={"kind": "external"})
    clean.up("--refresh", "--expect-no-changes").ok()
    the_change_table(clean, aws)
    # A refresh writes the association of each address to the state; destroy then ends the association.
    clean.up("--refresh", "--expect-no-changes").ok()
    clean.destroy().ok()
    found = recorded(aws)
    if WRITE:
        write(COMMON, document(COMMON, found))
    assert set(found) == actions(json.loads(written(COMMON)))


@pytest.mark.parametrize("kind", IDENTITIES)
def test_each_kind_of_identity_needs_its_own_policy_and_no_more(
    clean: DevStack, aws: Layout, kind: str
) -> None:
    identity, tags = IDENTITIES[kind], clean.configure(tags=None)["tags"]
    hold(aws, COMMON, kind, deny=() if kind == "user-keys" else (NO_USERS,))
    edit(clean, identity=identity, tags={**tags, "team": "edge"})
    clean.up("--refresh", "--expect-no-changes").ok()
    turn = {"keyGeneration": 2} if kind == "user-keys" else {}
    syncer = {"image": "node-nlb-sync:dev", "replicas": 0, "name": "renamed"}
    edit(
        clean,
        identity={**identity, "doctorRights": True, **turn},
        tags={**tags, "owner": "edge"},
        syncer=syncer,
    )
    clean.destroy().ok()
    common = actions(json.loads(written(COMMON)))
    found = beside(recorded(aws), common)
    if WRITE:
        write(kind, document(kind, found))
    assert set(found) == actions(json.loads(written(kind)))


@pytest.mark.skipif(WRITE, reason="the deployer is an administrator while its policy is written")
def test_an_action_that_the_document_lacks_is_named(clean: DevStack, aws: Layout) -> None:
    clean.configure(identity=IDENTITIES["pod-identity"])
    hold(aws, COMMON, "pod-identity", without="iam:PassRole")
    said = clean.up()
    assert said.code != 0
    assert "is not authorized to perform: iam:PassRole on resource: arn:aws:iam::" in said.text


@pytest.mark.skipif(WRITE, reason="the deployer is an administrator while its policy is written")
def test_a_denied_read_is_a_line_with_the_page_to_read(clean: DevStack, aws: Layout) -> None:
    zones = clean.configure(zones=None)["zones"]
    zones["eu-central-1b"]["allocationId"] = "eipalloc-0123456789abcdef0"
    clean.configure(identity=IDENTITIES["pod-identity"], addresses={"keep": True}, zones=zones)
    denied = {"Effect": "Deny", "Action": ["ec2:Describe*", "eks:DescribeCluster"], "Resource": "*"}
    hold(aws, COMMON, "pod-identity", deny=(denied,))
    said = clean.run("preview", "--stack=dev")
    assert said.code != 0
    assert "Traceback" not in said.text
    listed = said.text.partition("Diagnostics:")[2]  # the progress repeats the first line
    fix = r"fix: allow the action for Pulumi's AWS credentials \(docs/deployer-policy\.md\)"
    for key, action in (
        ("zones.eu-central-1a.subnetId", "ec2:DescribeSubnets"),
        ("addresses", "ec2:DescribeAddresses"),
        ("zones.eu-central-1b.allocationId", "ec2:DescribeAddresses"),
        ("identity.clusterName", "eks:DescribeCluster"),
    ):
        lines = re.findall(rf"{re.escape(key)}: read .* perform: {action} .*{fix}", listed)
        assert len(lines) == 1, said.text
