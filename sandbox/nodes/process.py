"""The nodes process: one loop that keeps machines, heartbeats and Pods in step with EC2 and the cluster."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

import aiohttp

from sandbox.layout import Layout
from sandbox.nodes import control
from sandbox.nodes.ec2 import Instance
from sandbox.nodes.fleet import Fleet, node_ports
from sandbox.nodes.heartbeat import Heartbeat
from sandbox.nodes.kube import Cache, Kube, Object
from sandbox.nodes.pods.runner import Runner

log = logging.getLogger(__name__)

_TICK_S = 5.0
# A NodePort that some other program holds for a moment is asked for again this often.
_REFUSED_RETRY_S = 1.0
# Our own status patches come back as events: at most five rounds a second answer them.
_BEAT_PAUSE_S = 0.2


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
        for loop in (
            self.fleet.follow_ec2(),
            self._services.run(),
            self._objects.run(),
            self._pods.run(),
            self._serve(),
            self._beat(),
            self._run_pods(),
        ):
            tasks.create_task(loop)

    def _wake(self) -> None:
        self._serve_due.set()
        self._beat_due.set()
        self._run_due.set()

    async def _serve(self) -> None:
        complete = True
        while True:
            await _wait(self._serve_due, _TICK_S if complete else _REFUSED_RETRY_S)
            with _going_on("NodePorts"):
                complete = self.fleet.serve(node_ports((self._services.items or {}).values()))

    async def _beat(self) -> None:
        while True:
            with _going_on("heartbeats"):
                await self._heartbeat.beat(self._living())
            await asyncio.sleep(_BEAT_PAUSE_S)
            await _wait(self._beat_due, _TICK_S)

    async def _run_pods(self) -> None:
        while True:
            await _wait(self._run_due, _TICK_S)
            # Before the first lists nothing is known to be gone.
            if self._pods.items is not None and self._objects.items is not None:
                with _going_on("Pods"):
                    self.runner.reconcile(self._pods.items.values(), self._objects.items)

    def _living(self) -> dict[str, tuple[Instance, Object]]:
        found = {}
        for (_, name), node in (self._objects.items or {}).items():
            instance = self.fleet.alive(name)
            if instance and node["spec"].get("providerID", "").endswith(f"/{instance.id}"):
                found[name] = (instance, node)
        return found


@contextlib.contextmanager
def _going_on(what: str) -> Iterator[None]:
    """Keep one object that nobody foresaw from taking every machine down; the next round tries again."""
    try:
        yield
    except Exception:
        log.exception("a round of %s failed", what)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
