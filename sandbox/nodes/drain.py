"""Node drains: the steps of common tools, in their order, on the real API server.

Sources: cluster-autoscaler `core/scaledown/actuation`; Karpenter v1 `node/termination` and `disruption`;
aws-node-termination-handler `pkg/node`; EKS user guide, "Understand each phase of node updates".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.client import ec2_client
from sandbox.cluster.rest import MERGE_PATCH, ApiError, Rest
from sandbox.layout import Layout
from sandbox.nodes import ec2
from sandbox.nodes.node import EXCLUDE_LABEL

_NOT_FOUND, _TOO_MANY = 404, 429
# cluster-autoscaler waits 10 min for a disruption budget (--max-graceful-termination-sec): too long for a
# sandbox.
_EVICT_WITHIN_S = 60.0
_POLL_S = 0.25
_KARPENTER_FINALIZER = "karpenter.sh/termination"


@dataclass(frozen=True, slots=True)
class Drain:
    """A drain: the node, its instance, the pause in seconds before the termination, and the reporter."""

    layout: Layout
    name: str
    instance_id: str
    pause_s: float
    show: Callable[[str], None]

    def cordon(self) -> None:
        """Mark the node unschedulable."""
        self._say("cordoned")
        self._patch({"spec": {"unschedulable": True}})

    def taint(self, key: str, value: str | None = None, effect: str = "NoSchedule") -> None:
        """Add a taint."""
        self._say(f"tainted {key}:{effect}")
        taint = {"key": key, "effect": effect} | ({"value": value} if value else {})
        kept = [one for one in self._node().get("spec", {}).get("taints", []) if one["key"] != key]
        self._patch({"spec": {"taints": [*kept, taint]}})

    def label(self, key: str, value: str) -> None:
        """Set a label."""
        self._say(f"labelled {key}={value}")
        self._patch({"metadata": {"labels": {key: value}}})

    def hold(self, finalizer: str) -> None:
        """Keep the Node visible after its deletion until `release`."""
        self._patch({"metadata": {"finalizers": [finalizer]}})

    def release(self) -> None:
        """Remove the finalizer."""
        self._patch({"metadata": {"finalizers": None}})

    def evict(self) -> None:
        """Evict all Pods except DaemonSets', within disruption budgets; continue after a minute."""
        deadline = time.monotonic() + _EVICT_WITHIN_S
        while pods := self._pods():
            for pod in pods:
                self._evict_one(pod)
            if time.monotonic() > deadline:
                self._say(f"{len(pods)} Pods were not evicted; continuing")
                return
            time.sleep(_POLL_S)

    def pause(self) -> None:
        """Give load balancers time to drain connections."""
        self._say(f"pausing {self.pause_s:g} s")
        time.sleep(self.pause_s)

    def delete_node(self) -> None:
        """Delete the Node object."""
        self._say("deleting the Node")
        self._ignoring_absence(lambda api: api.delete(self._path))

    def end_instance(self) -> None:
        """Terminate the instance: until now the machine has served."""
        self._say(f"terminating {self.instance_id}")
        ec2.terminate(ec2_client(self.layout.aws_url), self.instance_id)

    @property
    def _path(self) -> str:
        return f"/api/v1/nodes/{self.name}"

    def _say(self, what: str) -> None:
        self.show(f"{self.name}: {what}")

    def _node(self) -> dict[str, Any]:
        return self._ignoring_absence(lambda api: api.get(self._path))

    def _patch(self, body: dict[str, Any]) -> None:
        self._ignoring_absence(lambda api: api.patch(self._path, body, MERGE_PATCH))

    def _pods(self) -> list[dict[str, Any]]:
        pods = Rest(self.layout).get(f"/api/v1/pods?fieldSelector=spec.nodeName={self.name}")["items"]
        return [
            pod
            for pod in pods
            if all(owner["kind"] != "DaemonSet" for owner in pod["metadata"].get("ownerReferences", []))
        ]

    def _evict_one(self, pod: dict[str, Any]) -> None:
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata:
            return
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/eviction"
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        }
        try:
            Rest(self.layout).create(path, body)
            self._say(f"evicted {metadata['namespace']}/{metadata['name']}")
        except ApiError as error:
            if error.status not in {_NOT_FOUND, _TOO_MANY}:
                raise

    def _ignoring_absence(self, call: Callable[[Rest], dict[str, Any]]) -> dict[str, Any]:
        try:
            return call(Rest(self.layout))
        except ApiError as error:
            if error.status != _NOT_FOUND:
                raise
            return {}


def _autoscaler(node: Drain) -> None:
    """cluster-autoscaler with --cordon-node-before-terminating."""
    node.taint("ToBeDeletedByClusterAutoscaler", value=str(int(time.time())))
    node.cordon()
    node.evict()
    node.pause()
    node.delete_node()
    node.end_instance()


def _karpenter(node: Drain) -> None:
    """Karpenter v1: taint, then a deletion, which its finalizer delays until the instance has ended."""
    node.hold(_KARPENTER_FINALIZER)
    node.taint("karpenter.sh/disrupted")
    node.delete_node()
    node.label(EXCLUDE_LABEL, "karpenter")
    node.evict()
    node.pause()
    node.end_instance()
    node.release()


def _spot(node: Drain) -> None:
    """aws-node-termination-handler on an interruption notice; then EC2 terminates the instance itself."""
    node.taint("aws-node-termination-handler/spot-itn", value=f"spot-itn-{int(time.time())}")
    node.cordon()
    node.evict()
    node.pause()
    node.end_instance()
    node.delete_node()


def _eks(node: Drain) -> None:
    """An EKS managed node group's update: exclusion label while draining, terminated by its ASG."""
    node.taint("eks.amazonaws.com/nodegroup", value="unschedulable")
    node.label(EXCLUDE_LABEL, "true")
    node.evict()
    node.cordon()
    node.pause()
    node.end_instance()
    node.delete_node()


def _cordon(node: Drain) -> None:
    """`kubectl drain` by hand, then the end of the instance: only the cordon announces the removal."""
    node.cordon()
    node.evict()
    node.pause()
    node.end_instance()
    node.delete_node()


TOOLS: dict[str, Callable[[Drain], None]] = {
    "autoscaler": _autoscaler,
    "karpenter": _karpenter,
    "spot": _spot,
    "eks": _eks,
    "cordon": _cordon,
}
