"""Kubernetes events about a Pod, for `kubectl describe pod`."""

import asyncio
import datetime as dt
import logging

from sandbox.nodes.kube import Kube, Object
from sandbox.nodes.status import timestamp

log = logging.getLogger(__name__)

_NORMAL = frozenset({"Started", "Killing"})


class Events:
    """Records the events of a Pod at the API server; the loss of an event is harmless."""

    def __init__(self, kube: Kube, pod: Object) -> None:
        self._kube = kube
        self._metadata = pod["metadata"]
        self._node = pod["spec"].get("nodeName", "")
        self._sending: set[asyncio.Task[None]] = set()

    def publish(self, reason: str, message: str) -> None:
        """Send an event without waiting for it."""
        log.info("%s/%s: %s: %s", self._metadata["namespace"], self._metadata["name"], reason, message)
        task = asyncio.get_running_loop().create_task(self._send(reason, message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        """Discard unsent events."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _send(self, reason: str, message: str) -> None:
        metadata, now = self._metadata, timestamp(dt.datetime.now(dt.UTC))
        involved = {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        body = {
            "metadata": {"generateName": f"{metadata['name']}.", "namespace": metadata["namespace"]},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "type": "Normal" if reason in _NORMAL else "Warning",
            "source": {"component": "kubelet", "host": self._node},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            await self._kube.create(f"/api/v1/namespaces/{metadata['namespace']}/events", body)
        except Exception as error:  # noqa: BLE001  (a failed event must not end the Pod)
            log.info("event lost: %s", error)
