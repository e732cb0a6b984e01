"""The syncer's objects in a real API server: updates in place, secrets, PodSecurity."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.cluster import Rest
from sandbox.cluster.rest import ApiError
from sandbox.layout import Layout
from tests.integration.infra.conftest import DevStack
from tests.program.conftest import cloud_of, engine
from tests.program.world import Config, dev_config

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(600)]

NAMESPACE = "ingress-traefik"
OBJECTS = (
    f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/nlb-sync",
    f"/api/v1/namespaces/{NAMESPACE}/configmaps/nlb-sync",
    f"/api/v1/namespaces/{NAMESPACE}/secrets/nlb-secret",
    f"/api/v1/namespaces/{NAMESPACE}/secrets/nlb-sync-env",
)
FIRST, SECOND = "hunter2-of-the-proxy", "correct-horse-battery"


@pytest.fixture
def made(stack: DevStack) -> Iterator[DevStack]:
    """With the predecessor's identity, which has a Secret."""
    before = stack.configure(identity={"kind": "user-keys"})
    yield stack
    stack.destroy().ok()
    stack.configure(**before)


def set_secret(stack: DevStack, value: str) -> str:
    path = "node-nlb-sync:syncer.env.HTTPS_PROXY"
    return stack.run("config", "set", "--stack=dev", "--secret", "--path", path, value).ok().text


def occurrences(value: str, root: Path, said: list[str]) -> list[str]:
    """Where `value` is in clear or in base64: files below `root` and texts."""
    forms = [value.encode(), base64.b64encode(value.encode())]
    files = {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    texts = {f"output {number}": text.encode() for number, text in enumerate(said)}
    return [name for name, text in (files | texts).items() if any(form in text for form in forms)]


def test_a_changed_setting_and_secret_update_every_object_in_place(
    made: DevStack, aws: Layout, control_plane: Layout
) -> None:
    api = Rest(control_plane)
    said = [set_secret(made, FIRST), made.up().ok().text]
    before = [api.get(path) for path in OBJECTS]
    said.append(set_secret(made, SECOND))
    syncer = yaml.safe_load((made.root / "Pulumi.dev.yaml").read_text())["config"]["node-nlb-sync:syncer"]
    made.configure(syncer={**syncer, "labelFilter": "role=edge"})
    said += [made.run("preview", "--diff", "--stack=dev").ok().text, made.up("--diff").ok().text]
    after = [api.get(path) for path in OBJECTS]
    assert [item["metadata"]["uid"] for item in after] == [item["metadata"]["uid"] for item in before]
    deployment, config, _, secret = after
    assert deployment["metadata"]["generation"] == before[0]["metadata"]["generation"] + 1
    assert config["data"]["NLB_SYNC_NODE_SELECTOR"] == "role=edge"
    assert base64.b64decode(secret["data"]["HTTPS_PROXY"]).decode() == SECOND
    said += [made.up("--expect-no-changes").ok().text, made.run("stack", "export", "--stack=dev").ok().text]
    said.append((made.root / "Pulumi.dev.yaml").read_text())
    for value in (FIRST, SECOND):
        assert occurrences(value, aws.pulumi_backend, said) == []


def pod(config: Config) -> dict[str, Any]:
    """The Pod that the program's Deployment makes, as its inputs have it."""
    with engine(config, cloud_of(config)) as run:
        record = run()
    template = record.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]
    # The engine's numbers are floats; the API server takes no 30.0 for an integer.
    found: dict[str, Any] = json.loads(json.dumps(template).replace(".0,", ",").replace(".0}", "}"))
    return {"metadata": {"name": "syncer", "labels": found["metadata"]["labels"]}, "spec": found["spec"]}


@pytest.fixture(scope="module")
def restricted(cluster: Layout) -> str:
    """A namespace that enforces PodSecurity `restricted`."""
    api, name = Rest(cluster), "restricted"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    api.create(f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "nlb-sync-sa"}})
    return name


def ask(cluster: Layout, namespace: str, body: dict[str, Any]) -> dict[str, Any]:
    return Rest(cluster).create(f"/api/v1/namespaces/{namespace}/pods?dryRun=All", body)


def test_the_pod_is_admitted_under_podsecurity_restricted(cluster: Layout, restricted: str) -> None:
    config = dev_config()
    config["node-nlb-sync:syncer"] |= {
        "imagePullSecrets": ["registry"],
        "labels": {"team": "edge"},
        "topologySpread": [{"topologyKey": "topology.kubernetes.io/zone"}],
    }
    made = ask(cluster, restricted, pod(config))
    assert made["spec"]["topologySpreadConstraints"][0]["labelSelector"] == {
        "matchLabels": {"app": "nlb-sync"}
    }


def test_podsecurity_restricted_refuses_host_network(cluster: Layout, restricted: str) -> None:
    config = dev_config()
    config["node-nlb-sync:syncer"] |= {"hostNetwork": True}
    with pytest.raises(ApiError, match=r"violates PodSecurity.*host namespaces"):
        ask(cluster, restricted, pod(config))
