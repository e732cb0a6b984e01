"""A group goes over from the AWS Load Balancer Controller and back, as on docs/from-lbc.md, with traffic.

The controller itself cannot run here. Its binding is real; the group keeps the targets that it registered.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.cluster import Rest
from sandbox.cluster.rest import ApiError
from tests.e2e.driver import ROOT, Sandbox, stack_dev, traffic, write_config
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(900)

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = "targetgroupbindings.elbv2.k8s.aws"
BINDINGS = "/apis/elbv2.k8s.aws/v1beta1/namespaces/ingress-traefik/targetgroupbindings"
# What step 4 of the page removes.
WITHOUT_FINALIZER = [{"op": "remove", "path": "/metadata/finalizers"}]


def found(api: Rest, path: str) -> bool:
    try:
        api.get(path)
    except ApiError:
        return False
    return True


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Rest]:
    """The API server with the controller's kind."""
    rest = Rest(sandbox.layout)
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1beta1", "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
    names = {"plural": NAME.partition(".")[0], "singular": "targetgroupbinding", "kind": "TargetGroupBinding"}
    spec = {"group": "elbv2.k8s.aws", "scope": "Namespaced", "names": names, "versions": [version]}
    rest.create(CRDS, {"metadata": {"name": NAME}, "spec": spec})
    eventually(lambda: found(rest, BINDINGS), within=20)
    yield rest
    rest.delete(f"{CRDS}/{NAME}")


def bind(api: Rest, arn: str) -> None:
    """Create the binding of a group as the controller leaves it: with its finalizer."""
    service = {"name": "traefik-ingress-service-nlb", "port": "http"}
    spec = {"targetGroupARN": arn, "targetType": "instance", "serviceRef": service}
    metadata = {"name": "web", "finalizers": ["elbv2.k8s.aws/resources"]}
    kind = {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding"}
    api.create(BINDINGS, {**kind, "metadata": metadata, "spec": spec})


def registered(sandbox: Sandbox) -> dict[str, set[str]]:
    return {group.name: {target.id for target in group.targets} for group in sandbox.groups()}


def node(sandbox: Sandbox, *words: str) -> str:
    command = [str(ROOT / ".venv/bin/sandbox"), "node", *words]
    return subprocess.check_output(command, env=sandbox.environment, cwd=ROOT, text=True)


def test_a_group_goes_over_and_back_without_a_failed_request(
    sandbox: Sandbox, api: Rest, tmp_path: Path
) -> None:
    file, syncer = tmp_path / "Pulumi.dev.yaml", stack_dev()["syncer"]
    stopped: dict[str, Any] = {**syncer, "replicas": 0}

    def apply(**keys: Any) -> None:
        write_config(file, **keys)
        sandbox.apply(file)

    with traffic(sandbox) as record:
        apply(syncer=stopped)
        bind(api, sandbox.groups()[0].arn)
        before = registered(sandbox)
        assert all(before.values())

        api.patch(f"{BINDINGS}/web", WITHOUT_FINALIZER, "application/json-patch+json")
        api.delete(f"{BINDINGS}/web")
        assert not found(api, f"{BINDINGS}/web")
        apply()
        (joined,) = node(sandbox, "add", "1").split()
        groups = {group.name for group in sandbox.groups()}
        eventually(lambda: sandbox.states(joined) == dict.fromkeys(groups, "healthy"), within=60)
        node(sandbox, "drain", joined)
        eventually(lambda: registered(sandbox) == before, within=90)

        apply(syncer=stopped)
        bind(api, sandbox.groups()[0].arn)
        assert registered(sandbox) == before
    assert record.requests
    assert record.failures == []
    api.patch(f"{BINDINGS}/web", WITHOUT_FINALIZER, "application/json-patch+json")
    api.delete(f"{BINDINGS}/web")
    sandbox.reconfigure(file)
