"""Events at the real API server, with the rights that the stack grants and where `kubectl` looks."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.layout import HOST
from syncer.cluster.access import configuration
from syncer.cluster.api import Api
from syncer.cluster.events import KubernetesEvents
from syncer.interfaces import Event
from tests.integration.syncer.household import Household

pytestmark = pytest.mark.toolchain

NAMESPACE = "edge"
POD = "edge-sync-5d8f7c9b6-x2x4z"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def grant(home: Household, namespace: str, *rules: dict[str, Any]) -> None:
    roles = f"{RBAC}/namespaces/{namespace}" if namespace else RBAC
    kind = "Role" if namespace else "ClusterRole"
    name = {"metadata": {"name": f"events-{namespace or 'all'}"}}
    home.api.create(f"{roles}/{kind.lower()}s", {**name, "rules": list(rules)})
    subject = {"kind": "ServiceAccount", "name": "sync", "namespace": NAMESPACE}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name["metadata"]["name"]}
    home.api.create(f"{roles}/{kind.lower()}bindings", {**name, "roleRef": ref, "subjects": [subject]})


def pod(home: Household) -> dict[str, str]:
    """A Deployment, its ServiceAccount with the stack's rights, and what the kubelet gives its Pod."""
    home.api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    home.api.create(accounts, {"metadata": {"name": "sync"}})
    template = {
        "metadata": {"labels": {"app": "sync"}},
        "spec": {"containers": [{"name": "sync", "image": "sync"}]},
    }
    spec = {"selector": {"matchLabels": {"app": "sync"}}, "template": template}
    home.api.create(
        f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", {"metadata": {"name": "edge-sync"}, "spec": spec}
    )
    events = {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}
    deployment = {
        "apiGroups": ["apps"],
        "resources": ["deployments"],
        "resourceNames": ["edge-sync"],
        "verbs": ["get"],
    }
    reading = {"apiGroups": [""], "resources": ["nodes", "services"], "verbs": ["get", "list", "watch"]}
    grant(home, "", reading)
    grant(home, "default", events)
    grant(home, NAMESPACE, events, deployment)
    mount: Path = home.layout.directory / "edge-sync"
    secrets = mount / "var/run/secrets/kubernetes.io/serviceaccount"
    secrets.mkdir(parents=True)
    token = home.api.create(f"{accounts}/sync/token", {"spec": {}})["status"]["token"]
    (secrets / "token").write_text(token)
    (secrets / "ca.crt").write_bytes((home.layout.pki / "ca.crt").read_bytes())
    (secrets / "namespace").write_text(NAMESPACE)
    return {
        "KUBECONFIG": "",
        "HOSTNAME": POD,
        "KUBERNETES_SERVICE_HOST": HOST,
        "KUBERNETES_SERVICE_PORT": str(home.layout.apiserver_port),
        "CONTAINER_SANDBOX_MOUNT_POINT": str(mount),
        "NLB_SYNC_ADDRESS": HOST,
    }


def events_of(home: Household, namespace: str, uid: str) -> dict[str, dict[str, Any]]:
    """What `kubectl describe` shows of an object: it asks by uid, which for a Node is its name."""
    path = f"/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.uid={uid}"
    return {item["reason"]: item for item in home.api.get(path)["items"]}


def test_a_node_and_the_deployment_tell_what_was_done(home: Household) -> None:
    home.syncer(**pod(home))
    home.join("told")
    home.until(lambda: "Registered" in events_of(home, "default", "told"), within=15)
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/edge-sync"
    uid = home.api.get(path)["metadata"]["uid"]
    home.until(lambda: "Registered" in events_of(home, NAMESPACE, uid), within=5)
    told = events_of(home, "default", "told")["Registered"]
    assert told["type"] == "Normal"
    assert told["involvedObject"]["kind"] == "Node"
    assert told["source"]["component"] == "node-nlb-sync"
    assert told["reportingInstance"] == POD
    assert {part.split(",")[0] for part in told["message"].split("; ")} == set(home.names())


def test_a_repetition_is_counted_and_one_that_has_expired_is_told_anew(home: Household) -> None:
    api = Api(configuration({"KUBECONFIG": str(home.layout.kubeconfig)}))
    sink = KubernetesEvents(api, None)
    event = Event(
        node="repeated",
        reason="Registered",
        message="once",
        warning=False,
        name="abc",
        count=1,
        first=1_800_000_000,
        last=1_800_000_000,
        known=False,
    )
    asyncio.run(sink.write(event))
    again = replace(event, message="again", count=7, last=1_800_000_060, known=True)
    asyncio.run(sink.write(again))
    (told,) = events_of(home, "default", "repeated").values()
    assert (told["count"], told["message"]) == (7, "again")
    assert (told["firstTimestamp"], told["lastTimestamp"]) == ("2027-01-15T08:00:00Z", "2027-01-15T08:01:00Z")
    home.api.delete("/api/v1/namespaces/default/events/repeated.abc")
    asyncio.run(sink.write(again))
    assert events_of(home, "default", "repeated")["Registered"]["count"] == 7


def test_of_a_deployment_that_nobody_knows_nothing_is_told(home: Household) -> None:
    sink = KubernetesEvents(Api(configuration({"KUBECONFIG": str(home.layout.kubeconfig)})), None)
    own = Event(
        node="",
        reason="Blind",
        message="x",
        warning=True,
        name="nobody",
        count=1,
        first=0,
        last=0,
        known=False,
    )
    asyncio.run(sink.write(own))
    listed = home.api.get("/api/v1/namespaces/default/events")["items"]
    assert not [item for item in listed if item["metadata"]["name"].endswith("nobody")]
