"""Edits of a stack that carries traffic: what exists in AWS and in the cluster stays what it is."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sandbox.cloud.client import ec2_client
from sandbox.cloud.network import NODE_GROUP_ID, VPC_ID
from sandbox.cluster import Rest
from sandbox.cluster.rest import ApiError
from sandbox.layout import Layout
from tests.integration.infra.conftest import DevStack
from tests.waiting import eventually

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(900)]

PLACE = "/api/v1/namespaces/ingress-traefik"
SERVICE = f"{PLACE}/services/traefik-ingress-service-nlb"
TRAFFIC = ("LoadBalancer", "TargetGroup", "Listener", "Eip", "SecurityGroup", "SecurityGroupIngressRule")


def ids(stack: DevStack) -> dict[str, str]:
    """Logical name and type to AWS's id, of all that the stack has in AWS."""
    resources = yaml.safe_load(stack.run("stack", "export", "--stack=dev").ok().text)["deployment"][
        "resources"
    ]
    return {
        "/".join(item["urn"].split("::")[2:]).rpartition("$")[2]: item["id"]
        for item in resources
        if item["type"].startswith("aws:") and not item["type"].startswith("aws:iam")
    }


def gone(api: Rest) -> None:
    try:
        api.delete(PLACE)
    except ApiError:
        return

    def missing() -> bool:
        try:
            api.get(PLACE)
        except ApiError:
            return True
        return False

    eventually(missing, within=60)


@pytest.fixture(scope="module")
def up(stack: DevStack, control_plane: Layout) -> Iterator[DevStack]:
    """Stack dev with all its objects; afterwards nothing of it is left, the namespace included."""
    stack.up().ok()
    yield stack
    stack.destroy().ok()
    gone(Rest(control_plane))


def listeners(*rows: tuple[str, int, str]) -> list[dict[str, Any]]:
    return [{"name": name, "port": port, "servicePort": service} for name, port, service in rows]


def test_renamed_listeners_and_ingress_ports_and_swapped_ports_keep_every_aws_id(
    up: DevStack, control_plane: Layout
) -> None:
    before, service = ids(up), Rest(control_plane).get(SERVICE)
    node_ports = {port["port"]: port["nodePort"] for port in service["spec"]["ports"]}
    ingress = {
        "createNamespace": True,
        "ports": [{"name": "plain", "port": 80}, {"name": "tls", "port": 443}],
    }
    up.configure(
        ingress=ingress,
        listeners=listeners(("web", 80, "plain"), ("secure", 443, "tls")),
        healthCheck={"interval": 5, "timeout": 2, "servicePort": "plain"},
    )
    up.up().ok()
    assert ids(up) == before
    renamed = Rest(control_plane).get(SERVICE)["spec"]["ports"]
    assert {port["port"]: port["nodePort"] for port in renamed} == node_ports
    up.configure(listeners=listeners(("secure", 80, "tls"), ("web", 443, "plain")))
    up.up().ok()
    assert ids(up) == before
    assert up.output("listeners") == {"secure": 80, "web": 443}
    up.up("--expect-no-changes").ok()


def test_another_node_security_group_leaves_the_rules_of_the_first_alone(up: DevStack, aws: Layout) -> None:
    before = ids(up)
    made = ec2_client(aws.aws_url).create_security_group(GroupName="pool", Description="pool", VpcId=VPC_ID)
    up.configure(nodeSecurityGroupId=None, nodeSecurityGroupIds=[NODE_GROUP_ID, made["GroupId"]])
    up.up().ok()
    after = ids(up)
    assert set(before.values()) <= set(after.values())
    assert len(after) == len(before) + 4
    up.configure(nodeSecurityGroupIds=[made["GroupId"], NODE_GROUP_ID])
    up.up("--expect-no-changes").ok()
    up.configure(nodeSecurityGroupId=NODE_GROUP_ID, nodeSecurityGroupIds=None)
    up.up().ok()
    assert ids(up) == before


def test_the_stack_does_not_adopt_and_so_delete_its_own_service(up: DevStack, control_plane: Layout) -> None:
    ingress = up.configure(ingress=None)["ingress"]
    up.configure(ingress={**ingress, "create": False, "createNamespace": False})
    refused = up.up()
    up.configure(ingress=ingress)
    assert refused.code != 0
    assert "node-nlb-sync:ingress.create: read false, and the Service" in refused.text
    assert "Traceback" not in refused.text
    assert Rest(control_plane).get(SERVICE)
    up.up("--expect-no-changes").ok()


def test_the_stacks_own_address_is_not_given_back_to_it_by_its_id(up: DevStack, aws: Layout) -> None:
    zones = up.configure(zones=None)["zones"]
    address = up.output("staticIps")["eu-central-1a"]
    (found,) = ec2_client(aws.aws_url).describe_addresses(PublicIps=[address])["Addresses"]
    place = {**zones["eu-central-1a"], "allocationId": found["AllocationId"]}
    up.configure(zones={**zones, "eu-central-1a": place})
    refused = up.run("preview", "--stack=dev")
    up.configure(zones=zones)
    assert refused.code != 0
    start = f"zones.eu-central-1a.allocationId: read {found['AllocationId']}, which this stack created for "
    assert f"{start}eu-central-1a; allowed: " in refused.text
    up.up("--expect-no-changes").ok()


def test_a_namespace_is_never_deleted_and_is_taken_again(up: DevStack, control_plane: Layout) -> None:
    api = Rest(control_plane)
    uid = api.get(PLACE)["metadata"]["uid"]
    api.create(f"{PLACE}/configmaps", {"metadata": {"name": "foreign"}, "data": {"a": "b"}})
    ingress = up.configure(ingress=None)["ingress"]
    up.configure(ingress={**ingress, "createNamespace": False})
    up.up().ok()
    assert api.get(PLACE)["metadata"]["uid"] == uid
    up.configure(ingress=ingress)
    up.up().ok()
    destroyed = up.destroy().ok()
    assert "node-nlb-namespace-kept" in destroyed.text
    assert api.get(f"{PLACE}/configmaps/foreign")["data"] == {"a": "b"}
    up.up().ok()
    assert api.get(PLACE)["metadata"]["uid"] == uid
