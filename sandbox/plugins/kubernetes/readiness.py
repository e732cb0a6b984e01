"""Readiness of an object, from the API server's data at one moment.

Rules by kind from await/deployment.go and await/service.go; any other kind is ready once the object exists.
The official provider has rules for further kinds (Ingress, Job, PersistentVolumeClaim, Pod, StatefulSet ...).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from sandbox.plugins.kubernetes.connection import ApiError, Connection

Object = Mapping[str, Any]
_TEN_MINUTES_S: Final = 600.0
_SETTLE_S: Final = 10.0  # await/service.go waits ten seconds after every change of endpoints


@dataclass(frozen=True, slots=True)
class Readiness:
    """A readiness check: `problems` are the reasons in words; `failed` means never ready."""

    ready: bool
    problems: tuple[str, ...] = ()
    failed: bool = False
    fingerprint: object = None


@dataclass(frozen=True, slots=True)
class Rule:
    """The check of a kind, the timeout, and the time for which the result must be unchanged."""

    look: Callable[[Connection, Object], Readiness]
    timeout_s: float = _TEN_MINUTES_S
    settle_s: float = 0.0


def rule(obj: Object) -> Rule | None:
    """Return the rule of the object's kind."""
    return _RULES.get((obj.get("apiVersion", ""), obj.get("kind", "")))


def _deployment(connection: Connection, live: Object) -> Readiness:
    spec, status = live.get("spec", {}), live.get("status", {})
    wanted = spec.get("replicas", 1)
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    progressing = conditions.get("Progressing", {})
    observed = status.get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
    if observed and progressing.get("status") == "False":
        return Readiness(False, (_described(progressing), *_pod_problems(connection, live)), failed=True)
    rolled_out = (
        observed
        and status.get("updatedReplicas", 0) >= wanted
        and status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and status.get("availableReplicas", 0) >= wanted
    )
    if rolled_out:
        return Readiness(True)
    available = conditions.get("Available", {})
    problems = [_described(each) for each in (available, progressing) if each.get("status") == "False"]
    share = f"{status.get('availableReplicas', 0)}/{wanted} replicas available"
    return Readiness(False, (*(problems or [share]), *_pod_problems(connection, live)))


def _service(connection: Connection, live: Object) -> Readiness:
    spec = live.get("spec", {})
    kind = spec.get("type", "ClusterIP")
    problems = []
    if kind == "LoadBalancer" and not live.get("status", {}).get("loadBalancer", {}).get("ingress"):
        problems.append("Service was not allocated an IP address; does your cloud provider support this?")
    endpoints: tuple[str, ...] = ()
    if kind != "ExternalName" and spec.get("clusterIP") != "None" and spec.get("selector"):
        endpoints = _ready_endpoints(connection, live)
        if not endpoints:
            problems.append(
                "Service does not target any Pods. Selected Pods may not be ready, or field "
                "'.spec.selector' may not match labels on any Pods"
            )
    return Readiness(not problems, tuple(problems), fingerprint=endpoints)


_RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("apps/v1", "Deployment"): Rule(_deployment),
    ("v1", "Service"): Rule(_service, settle_s=_SETTLE_S),
}


def _described(condition: Object) -> str:
    reason, message = condition.get("reason", ""), condition.get("message", "")
    return f"[{reason}] {message}" if reason else message


def _ready_endpoints(connection: Connection, service: Object) -> tuple[str, ...]:
    metadata = service["metadata"]
    query = urlencode({"labelSelector": f"kubernetes.io/service-name={metadata['name']}"})
    path = f"/apis/discovery.k8s.io/v1/namespaces/{metadata['namespace']}/endpointslices?{query}"
    slices = connection.get(path).get("items", ())
    return tuple(
        sorted(
            address
            for each in slices
            for endpoint in each.get("endpoints") or ()
            if (endpoint.get("conditions") or {}).get("ready", True)
            for address in endpoint.get("addresses", ())
        )
    )


def _pod_problems(connection: Connection, live: Object) -> list[str]:
    """Return the reasons why Pods of the Deployment do not run, without duplicates."""
    labels = live.get("spec", {}).get("selector", {}).get("matchLabels", {})
    query = urlencode({"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items())})
    path = f"/api/v1/namespaces/{live['metadata']['namespace']}/pods?{query}"
    try:
        pods = connection.get(path).get("items", ())
    except ApiError:
        return []
    return sorted({problem for pod in pods for problem in _one_pods_problems(pod)})


def _one_pods_problems(pod: Object) -> list[str]:
    status = pod.get("status", {})
    found = [
        f"[Pod {pod['metadata']['name']}]: {_described(each)}"
        for each in status.get("conditions", ())
        if each["type"] == "PodScheduled" and each["status"] == "False"
    ]
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in (None, "ContainerCreating"):
            name = f"{pod['metadata']['name']}: container {container['name']}"
            found.append(f"[Pod {name}]: {_described(waiting)}")
    return found
