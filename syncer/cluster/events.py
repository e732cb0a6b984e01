"""Events of the API server (core/v1): on a Node in namespace default, else on the own Deployment."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncer.cluster.api import Api, RefusedError
from syncer.cluster.caller import Caller
from syncer.cluster.place import deployment_of, mounted_namespace, own_pod
from syncer.errors import ClusterError
from syncer.interfaces import Event
from syncer.text.redaction import redacted

_COMPONENT = "node-nlb-sync"
_MERGE_PATCH = "application/merge-patch+json"
_NOT_FOUND = 404
_MESSAGE_LENGTH = 1024  # the limit of a note in events.k8s.io/v1


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The Deployment of this process."""

    namespace: str
    deployment: str
    pod: str


def own_workload(environment: Mapping[str, str]) -> Workload | None:
    """Return the Pod's Deployment; None outside a Pod, or in a Pod with another kind of owner."""
    pod = own_pod(environment)
    namespace, deployment = mounted_namespace(environment), deployment_of(pod)
    if not (namespace and deployment and environment.get("KUBERNETES_SERVICE_HOST")):
        return None
    return Workload(namespace=namespace, deployment=deployment, pod=pod)


class KubernetesEvents:
    """Implements `syncer.interfaces.Events`, in a separate thread."""

    def __init__(self, api: Api, workload: Workload | None) -> None:
        self._api = api
        self._workload = workload
        self._uid = ""
        self._caller = Caller("events")

    async def write(self, event: Event) -> None:
        """POST a new event, PATCH a known event; an expired event is posted again."""
        if event.node or self._workload is not None:
            await self._caller.call(lambda: self._write(event))

    def _write(self, event: Event) -> None:
        body = self._body(event)
        all_events = f"/api/v1/namespaces/{body['metadata']['namespace']}/events"
        if event.known:
            change = {key: body[key] for key in ("count", "lastTimestamp", "message", "type")}
            try:
                self._api.small("PATCH", f"{all_events}/{body['metadata']['name']}", change, _MERGE_PATCH)
            except RefusedError as error:
                if error.status != _NOT_FOUND:
                    raise
            else:
                return
        self._api.small("POST", all_events, body)

    def _body(self, event: Event) -> dict[str, Any]:
        about = self._about(event)
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{about['name']}.{event.name}",
                "namespace": about.get("namespace", "default"),
            },
            "involvedObject": about,
            "reason": event.reason,
            "message": redacted(event.message)[:_MESSAGE_LENGTH],
            "type": "Warning" if event.warning else "Normal",
            "count": event.count,
            "firstTimestamp": _timestamp(event.first),
            "lastTimestamp": _timestamp(event.last),
            "source": {"component": _COMPONENT},
            "reportingComponent": _COMPONENT,
            "reportingInstance": self._workload.pod if self._workload else "",
        }

    def _about(self, event: Event) -> dict[str, str]:
        """Return the object. A Node's uid is its name, as for the kubelet's events and `kubectl describe`."""
        if event.node or self._workload is None:
            return {"apiVersion": "v1", "kind": "Node", "name": event.node, "uid": event.node}
        own = self._workload
        about = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": own.deployment,
            "namespace": own.namespace,
        }
        uid = self._deployment_uid(own)
        return {**about, "uid": uid} if uid else about

    def _deployment_uid(self, own: Workload) -> str:
        """Return the uid by which `kubectl describe` finds a Deployment's events; "" without the right."""
        if not self._uid:
            path = f"/apis/apps/v1/namespaces/{own.namespace}/deployments/{own.deployment}"
            try:
                self._uid = str(self._api.small("GET", path)["metadata"]["uid"])
            except ClusterError:
                return ""
        return self._uid


def _timestamp(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
