"""The nodes process: keeps machines, heartbeats and Pods in step with EC2 and the cluster."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

import aiohttp

from sandbox.kubelet.runner import Runner
from sandbox.layout import Layout
from sandbox.nodes import control
from sandbox.nodes.ec2 import Instance
from sandbox.nodes.fleet import Fleet
from sandbox.nodes.heartbeat import Heartbeat
from sandbox.nodes.ingress import datagram_ports, entry_points
from sandbox.nodes.kube import Cache, Kube, Object
from sandbox.nodes.kubeproxy import checks, is_leaving
from sandbox.retry import Retry

log = logging.getLogger(__name__)

_TICK_S = 5.0
# The interval of retries for a NodePort in use by another program.
_REFUSED_RETRY_S = 1.0
# The process's own status patches return as events: at most five rounds a second follow.
_BEAT_PAUSE_S = 0.2
# After a run of this length, a loop has recovered from an earlier failure.
_WORKED_S = 30.0


async def run(layout: Layout) -> None:
    """Serve until cancelled; then all ports are closed and all Pods' processes have ended."""
    # Probes and calls to AWS use a session apart from the API server's: no pooled connections to a Pod.
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
            layout.nodes_socket.unlink(missing_ok=True)  # a waiting client waits for the next process


class _Nodes:
    """Level-triggered: a change only wakes the loops, and the loops read the whole state again."""

    def __init__(self, layout: Layout, kube: Kube, session: aiohttp.ClientSession) -> None:
        self._serve_due, self._beat_due, self._run_due = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.fleet = Fleet(layout, self._wake)
        self._heartbeat = Heartbeat(kube)
        self.runner = Runner(layout, kube, session, self.fleet)
        self._services = Cache(kube, "/api/v1/services", self._serve_due.set)
        self._objects = Cache(kube, "/api/v1/nodes", self._beat_due.set)
        self._pods = Cache(kube, "/api/v1/pods", self._run_due.set)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Run all loops as tasks of `tasks`."""
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
            services = (self._services.items or {}).values()
            complete = self.fleet.serve(
                {**checks(services), **entry_points(services)}, datagram_ports(services)
            )
            await _wait(self._serve_due, _TICK_S if complete else _REFUSED_RETRY_S)

    async def _beat(self) -> None:
        while True:
            self.fleet.mark_leaving({name for (_, name), node in self._known_nodes() if is_leaving(node)})
            await self._heartbeat.beat(self._living())
            await asyncio.sleep(_BEAT_PAUSE_S)
            await _wait(self._beat_due, _TICK_S)

    async def _run_pods(self) -> None:
        while True:
            await _wait(self._run_due, _TICK_S)
            # Before the first lists, a missing object proves nothing.
            if self._pods.items is not None and self._objects.items is not None:
                self.runner.reconcile(self._pods.items.values(), self._objects.items)

    def _known_nodes(self) -> Iterable[tuple[tuple[str, str], Object]]:
        return (self._objects.items or {}).items()

    def _living(self) -> dict[str, tuple[Instance, Object]]:
        found = {}
        for (_, name), node in self._known_nodes():
            instance = self.fleet.alive(name)
            if instance and node["spec"].get("providerID", "").endswith(f"/{instance.id}"):
                found[name] = (instance, node)
        return found


async def _kept(what: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop without end: restart with backoff after an unexpected object ends the loop.

    The failure of a loop must not stop all machines.
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
