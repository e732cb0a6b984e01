"""A stack of version 0.1.0, from its recorded state: an upgrade replaces nothing that carries traffic."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.cluster import Rest
from sandbox.cluster.rest import ApiError
from sandbox.layout import Layout
from sandbox.plugins.kubernetes.catalog import Catalog
from sandbox.plugins.kubernetes.connection import Connection, load
from tests.integration.infra.conftest import DevStack
from tests.integration.infra.test_namespace import gone

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(600)]

RECORDED = Path(__file__).parent / "recorded"
STATE = RECORDED / "release-0.1.json"
# What the engine does with a resource that exists, other than leaving or updating it.
DESTRUCTIVE = frozenset({"delete", "replace", "create-replacement", "delete-replaced", "discard"})


def objects() -> list[dict[str, Any]]:
    """The Kubernetes objects of the recorded stack, as they were asked for and with their NodePorts."""
    resources = json.loads(STATE.read_text())["deployment"]["resources"]
    made = [item["outputs"] for item in resources if item["type"].startswith("kubernetes:")]
    for each in made:
        if each["kind"] == "Service":
            each["__inputs"]["spec"]["ports"] = each["spec"]["ports"]
    return [each["__inputs"] for each in made]


def without_secrets(value: Any) -> Any:
    """Placeholders for what the state holds encrypted."""
    if isinstance(value, dict):
        secret = "4dabf18193072939515e22adb298388d" in value
        return (
            {"aws_access_key": ""} if secret else {key: without_secrets(each) for key, each in value.items()}
        )
    return [without_secrets(each) for each in value] if isinstance(value, list) else value


@pytest.fixture
def upgraded(stack: DevStack, control_plane: Layout) -> Iterator[DevStack]:
    """The recorded state and configuration, with its objects in the cluster, for the present program."""
    catalog, api = Catalog(Connection(load(str(control_plane.kubeconfig)))), Rest(control_plane)
    paths = []
    for each in objects():
        body = without_secrets(each)
        kind = catalog.find(body["apiVersion"], body["kind"])
        namespace = body["metadata"].get("namespace", "")
        try:
            # By the manager that the provider creates with: fields of another one would be conflicts.
            api.create(f"{kind.path(namespace)}?fieldManager=pulumi-kubernetes", body)
        except ApiError as error:
            # Other tests leave the namespace, as `pulumi destroy` does.
            if (body["kind"], error.status) != ("Namespace", HTTPStatus.CONFLICT):
                raise
        paths.append(kind.path(namespace, body["metadata"]["name"]))
    recorded = yaml.safe_load((RECORDED / "Pulumi.release-0.1.yaml").read_text())
    (stack.root / "Pulumi.dev.yaml").write_text(yaml.safe_dump(recorded))
    stack.run("stack", "import", "--stack=dev", "--file", str(STATE)).ok()
    yield stack
    for path in reversed(paths):
        with contextlib.suppress(ApiError):
            api.delete(path)
    gone(api)


def steps(stack: DevStack) -> list[dict[str, Any]]:
    """What the engine would do, without what it leaves as it is. The AWS of the state does not exist."""
    said = stack.run("preview", "--json", "--stack=dev", "--refresh=false").ok().text
    planned: list[dict[str, Any]] = json.loads(said[said.index("{") :])["steps"]
    return [step for step in planned if step["op"] != "same"]


def test_an_upgrade_replaces_and_deletes_nothing(upgraded: DevStack) -> None:
    planned = steps(upgraded)
    named = {step["urn"].rpartition("$")[2]: step["op"] for step in planned}
    assert not DESTRUCTIVE & set(named.values()), named
    made = Counter(step["op"] for step in planned)
    assert made["create"] == 0, named
    aws = {name: op for name, op in named.items() if name.startswith("aws:")}
    # The load balancer gets the tag of its stack.
    assert aws == {"aws:lb/loadBalancer:LoadBalancer::node-nlb": "update"}
