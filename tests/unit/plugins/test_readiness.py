"""When a Deployment or a Service counts as ready, and what is said while it is not."""

from typing import Any, cast

import pytest

from sandbox.plugins.kubernetes.connection import Connection
from sandbox.plugins.kubernetes.readiness import Readiness, rule


class Cluster:
    """Answers every list with the same items."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self._items = items

    def get(self, path: str) -> dict[str, Any]:
        _ = path
        return {"items": list(self._items)}


def look(live: dict[str, Any], *items: dict[str, Any]) -> Readiness:
    found = rule(live)
    assert found is not None
    return found.look(cast("Connection", Cluster(*items)), live)


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "generation": 2},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}},
        "status": status,
    }


ROLLED_OUT = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


def test_a_deployment_is_ready_when_all_its_replicas_are_new_and_available() -> None:
    assert look(deployment(**ROLLED_OUT)).ready


@pytest.mark.parametrize(
    "lag",
    [
        {"observedGeneration": 1},
        {"updatedReplicas": 1},
        {"availableReplicas": 1},
        {"replicas": 3},
    ],
)
def test_a_deployment_with_an_old_or_unavailable_replica_is_not_ready(lag: dict[str, int]) -> None:
    looked = look(deployment(**ROLLED_OUT | lag))

    assert not looked.ready
    assert not looked.failed
    assert looked.problems


def test_a_deployment_that_gave_up_says_why_its_pods_do_not_run() -> None:
    gave_up = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "timed out progressing",
    }
    pod = {
        "metadata": {"name": "d-1"},
        "status": {
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "no node fits",
                }
            ]
        },
    }

    looked = look(deployment(observedGeneration=2, conditions=[gave_up]), pod)

    assert looked.failed
    assert looked.problems == (
        "[ProgressDeadlineExceeded] timed out progressing",
        "[Pod d-1]: [Unschedulable] no node fits",
    )


def service(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": "n"},
        "spec": {"type": "NodePort", "selector": {"a": "b"}, **spec},
        "status": {},
    }


def endpoints(*, ready: bool) -> dict[str, Any]:
    return {"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]}


def test_a_service_is_ready_when_it_has_a_ready_endpoint() -> None:
    assert look(service(), endpoints(ready=True)).ready
    assert not look(service(), endpoints(ready=False)).ready
    assert "does not target any Pods" in look(service()).problems[0]


@pytest.mark.parametrize("spec", [{"type": "ExternalName"}, {"clusterIP": "None"}, {"selector": None}])
def test_a_service_that_selects_no_pods_waits_for_none(spec: dict[str, Any]) -> None:
    assert look(service(**spec)).ready


def test_a_load_balancer_waits_for_its_address() -> None:
    assert not look(service(type="LoadBalancer"), endpoints(ready=True)).ready


def test_other_kinds_are_ready_once_they_exist() -> None:
    assert rule({"apiVersion": "v1", "kind": "ConfigMap"}) is None
