"""Kubernetes events about a Pod, as `kubectl describe pod` shows them."""

import asyncio
import datetime as dt
import logging

from sandbox.nodes.kube import Kube, Object
from sandbox.nodes.status import timestamp

log = logging.getLogger(__name__)

_NORMAL = frozenset({"Started", "Killing"})


class Events:
    """Tells the API server what happened to one Pod; losing one harms nothing."""

    def __init__(self, kube: Kube, pod: Object) -> None:
        self._kube = kube
        self._metadata = pod["metadata"]
        self._node = pod["spec"].get("nodeName", "")
        self._sending: set[asyncio.Task[None]] = set()

    def tell(self, reason: str, message: str) -> None:
        """Send an event without waiting for it."""
        log.info("%s/%s: %s: %s", self._metadata["namespace"], self._metadata["name"], reason, message)
        task = asyncio.get_running_loop().create_task(self._send(reason, message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        """Give up what is not sent yet."""
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
        except Exception as error:  # noqa: BLE001  (an event is worth no Pod)
            log.info("event lost: %s", error)
