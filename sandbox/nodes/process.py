"""The nodes process: one loop that keeps machines, heartbeats and Pods in step with EC2 and the cluster."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import aiohttp

from sandbox.kubelet.runner import Runner
from sandbox.layout import Layout
from sandbox.nodes import control
from sandbox.nodes.ec2 import Instance
from sandbox.nodes.fleet import Fleet
from sandbox.nodes.heartbeat import Heartbeat
from sandbox.nodes.ingress import entry_points
from sandbox.nodes.kube import Cache, Kube, Object
from sandbox.retry import Retry

log = logging.getLogger(__name__)

_TICK_S = 5.0
# A NodePort that some other program holds for a moment is asked for again this often.
_REFUSED_RETRY_S = 1.0
# Our own status patches come back as events: at most five rounds a second answer them.
_BEAT_PAUSE_S = 0.2
# A loop that ran so long before it failed had recovered from the failure before.
_WORKED_S = 30.0


async def run(layout: Layout) -> None:
    """Serve until cancelled; then every port is closed and every Pod's process has ended."""
    # Probes and the AWS double are asked on connections of their own: nothing is pooled towards a Pod.
    async with Kube(layout) as kube, aiohttp.ClientSession() as session:
        nodes = _Nodes(layout, kube, session)
        control_api = await control.serve(layout, nodes.fleet)
        try:
            async with asyncio.TaskGroup() as tasks:
                nodes.start(tasks)
        finally:
            await nodes.runner.close()
            nodes.fleet.switch_off()
            await control_api.cleanup()
            layout.nodes_socket.unlink(missing_ok=True)  # whoever waits for it waits for the next one


class _Nodes:
    """Level-triggered: any change only wakes the loops, which look at everything anew."""

    def __init__(self, layout: Layout, kube: Kube, session: aiohttp.ClientSession) -> None:
        self._serve_due, self._beat_due, self._run_due = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.fleet = Fleet(layout, self._wake)
        self._heartbeat = Heartbeat(kube)
        self.runner = Runner(layout, kube, session, self.fleet)
        self._services = Cache(kube, "/api/v1/services", self._serve_due.set)
        self._objects = Cache(kube, "/api/v1/nodes", self._beat_due.set)
        self._pods = Cache(kube, "/api/v1/pods", self._run_due.set)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Run every loop as a task of `tasks`."""
        for what, loop in {
            "following EC2": self.fleet.follow_ec2,
            "watching Services": self._services.run,
            "watching Nodes": self._objects.run,
            "watching Pods": self._pods.run,
            "serving NodePorts": self._serve,
            "heartbeats": self._beat,
            "running Pods": self._run_pods,
        }.items():
            tasks.create_task(_kept(what, loop))

    def _wake(self) -> None:
        self._serve_due.set()
        self._beat_due.set()
        self._run_due.set()

    async def _serve(self) -> None:
        while True:
            complete = self.fleet.serve(entry_points((self._services.items or {}).values()))
            await _wait(self._serve_due, _TICK_S if complete else _REFUSED_RETRY_S)

    async def _beat(self) -> None:
        while True:
            await self._heartbeat.beat(self._living())
            await asyncio.sleep(_BEAT_PAUSE_S)
            await _wait(self._beat_due, _TICK_S)

    async def _run_pods(self) -> None:
        while True:
            await _wait(self._run_due, _TICK_S)
            # Before the first lists nothing is known to be gone.
            if self._pods.items is not None and self._objects.items is not None:
                self.runner.reconcile(self._pods.items.values(), self._objects.items)

    def _living(self) -> dict[str, tuple[Instance, Object]]:
        found = {}
        for (_, name), node in (self._objects.items or {}).items():
            instance = self.fleet.alive(name)
            if instance and node["spec"].get("providerID", "").endswith(f"/{instance.id}"):
                found[name] = (instance, node)
        return found


async def _kept(what: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop without end: restart it with backoff when an unexpected object ends it.

    One of them must not take every machine down.
    """
    retry = Retry(what, log)
    while True:
        began = time.monotonic()
        try:
            await loop()
        except Exception as error:  # noqa: BLE001
            if time.monotonic() - began > _WORKED_S:
                retry.succeeded()
            await asyncio.sleep(retry.failed(error))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
