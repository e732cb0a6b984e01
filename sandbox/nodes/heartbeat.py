"""Heartbeats: the kubelet's writes of Node status and Lease for all running machines."""

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Mapping

from sandbox.cluster.rest import MERGE_PATCH, ApiError
from sandbox.nodes.ec2 import Instance
from sandbox.nodes.kube import Kube, Object
from sandbox.nodes.status import is_ready, lease, node_status
from sandbox.retry import Retry

log = logging.getLogger(__name__)

# The kubelet renews its Lease every 10 s and counts as lost after 50 s; both are shorter in the sandbox, so
# that a killed node is detected in less than a minute (commands.py sets the other half, 20 s).
_LEASE_S = 5.0
# The kubelet writes an unchanged status every 5 min; a minute gives the syncer more of these events.
_STATUS_S = 60.0
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_NOT_FOUND = 404


class Heartbeat:
    """Writes heartbeats for the given nodes when due; a failed write is due again."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._leased: dict[str, float] = {}
        self._reported: dict[str, float] = {}
        self._retry = Retry("heartbeats", log)

    async def beat(self, living: Mapping[str, tuple[Instance, Object]]) -> None:
        """Write the due heartbeats of all running nodes (name -> instance and Node object)."""
        for seen in (self._leased, self._reported):
            for uid in set(seen) - {node["metadata"]["uid"] for _, node in living.values()}:
                del seen[uid]
        beats = (self._beat_one(instance, node) for instance, node in living.values())
        errors = [error for error in await asyncio.gather(*beats, return_exceptions=True) if error]
        for error in errors:
            self._retry.failed(error)  # due again by the clock
        if not errors:
            self._retry.succeeded()

    async def _beat_one(self, instance: Instance, node: Object) -> None:
        uid, now = node["metadata"]["uid"], time.monotonic()
        if not is_ready(node.get("status", {})) or self._due(self._reported, uid, now, _STATUS_S):
            await self._report(instance, node)
            self._reported[uid] = now
        if self._due(self._leased, uid, now, _LEASE_S):
            await self._renew(instance, uid)
            self._leased[uid] = now

    @staticmethod
    def _due(seen: Mapping[str, float], uid: str, now: float, interval: float) -> bool:
        # The caller's loop has the same interval: without the slack, every second heartbeat would be skipped.
        return now - seen.get(uid, float("-inf")) > interval * 0.9

    async def _report(self, instance: Instance, node: Object) -> None:
        status = node_status(instance, node.get("status", {}), dt.datetime.now(dt.UTC))
        await self._kube.patch(f"/api/v1/nodes/{instance.node}/status", {"status": status})

    async def _renew(self, instance: Instance, uid: str) -> None:
        body = lease(instance, uid, dt.datetime.now(dt.UTC))
        try:
            await self._kube.patch(f"{_LEASES}/{instance.node}", body, MERGE_PATCH)
        except ApiError as error:
            if error.status != _NOT_FOUND:
                raise
            await self._kube.create(_LEASES, body)
