"""The lifecycle of a container: preparation, start, probes, restarts, stop."""

import asyncio
import datetime as dt
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.kubelet import probes
from sandbox.kubelet.backoff import Backoff
from sandbox.kubelet.environment import ConfigError
from sandbox.kubelet.image import ImageError
from sandbox.kubelet.runtimes import Command
from sandbox.kubelet.spawn import Spawned, spawn
from sandbox.kubelet.status import Record, Running, Terminated, Waiting

log = logging.getLogger(__name__)

# The kubelet retries containers with configuration errors about every 10 s; too long for a user at the
# sandbox.
_CONFIG_RETRY_S = 2.0
# Left for SIGTERM after a hook that used up the grace period (the kubelet's minimumGracePeriodInSeconds).
_LEAST_GRACE_S = 2.0
_START_ERROR = 128  # containerd's exit code for a program that cannot start


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The command to start, and the container kind for the container's id.

    `moved` maps ports of the container that are in use by other programs to the container's actual ports.
    """

    kind: str
    command: Command
    moved: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The Pod's part of a container's environment.

    `prepare` returns the command or raises ConfigError or ImageError; `changed` is called after each change
    of the record; `publish` records a Kubernetes event (reason, message).
    """

    session: aiohttp.ClientSession
    pod_ip: str
    restart_policy: str
    grace_s: float
    log: Path
    pid_file: Path
    prepare: Callable[[], Awaitable[Prepared]]
    changed: Callable[[], None]
    publish: Callable[[str, str], None]


@dataclass(slots=True)
class Container:
    """`run` the container; `stop` the container from another task. `record` is the current state."""

    spec: Mapping[str, Any]
    around: Surroundings
    record: Record
    _spawned: Spawned | None = None
    _stopping: bool = False
    _begun: bool = False
    _backoff: Backoff = field(default_factory=Backoff)
    _done: asyncio.Event = field(default_factory=asyncio.Event)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _killing: asyncio.Task[None] | None = None
    _place: probes.Place | None = None

    @property
    def begun(self) -> bool:
        """Whether `run` was called: otherwise `stop` would wait forever."""
        return self._begun

    @property
    def running(self) -> bool:
        """Whether the container's process runs."""
        return self._spawned is not None

    @property
    def succeeded(self) -> bool:
        """Whether the container ended with exit code 0."""
        return isinstance(self.record.state, Terminated) and self.record.state.exit_code == 0

    async def run(self) -> None:
        """Start, and restart by the restart policy, until the container is finished or stopped."""
        self._begun = True
        try:
            while not self._stopping:
                prepared = await self._prepared()
                if prepared is None:
                    return
                began = time.monotonic()
                ended = await self._run_once(prepared)
                self._see(ended)
                if not self._again(ended):
                    return
                await self._wait_to_restart(ended, time.monotonic() - began)
        finally:
            self._done.set()

    async def stop(self, grace_s: float) -> None:
        """Send SIGTERM, and SIGKILL after `grace_s`; return after the end."""
        self._stopping = True
        self._wake.set()
        if self._spawned:
            await self._end(self._spawned, grace_s)
        await self._done.wait()

    async def _prepared(self) -> Prepared | None:
        while not self._stopping:
            try:
                return await self.around.prepare()
            except (ConfigError, ImageError) as error:
                reason = "CreateContainerConfigError" if isinstance(error, ConfigError) else "ErrImagePull"
                if self.record.state != Waiting(reason, str(error)):
                    self._see(Waiting(reason, str(error)))
                    self.around.publish("Failed", f"Error: {error}")
                await self._pause(_CONFIG_RETRY_S)
        return None

    async def _run_once(self, prepared: Prepared) -> Terminated:
        began = dt.datetime.now(dt.UTC)
        try:
            spawned = await spawn(prepared.command, self.around.log, self.around.pid_file)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in a word or variable
            return self._not_started(prepared.command.words[0], error, began)
        self._spawned = spawned
        self.record.container_id = f"{prepared.kind}://{spawned.pid}"
        probing = self._begin(prepared, began)
        if self._stopping:  # stop was called during the start of the process
            self._killing = asyncio.create_task(self._end(spawned, self.around.grace_s))
        try:
            code = await self._ended(spawned)
        finally:
            for task in probing:
                task.cancel()
            await asyncio.gather(*probing, return_exceptions=True)
            self._spawned = None
        self.record.started = self.record.ready = False
        return self._terminated(code, began)

    def _begin(self, prepared: Prepared, began: dt.datetime) -> list[asyncio.Task[None]]:
        self.record.started = "startupProbe" not in self.spec
        self.record.ready = self.record.started and "readinessProbe" not in self.spec
        self._see(Running(began))
        self.around.publish("Started", f"Started container {self.record.name}")
        self._place = probes.Place(
            session=self.around.session,
            pod_ip=self.around.pod_ip,
            ports={
                port["name"]: port["containerPort"] for port in self.spec.get("ports", []) if "name" in port
            },
            moved=prepared.moved,
            command=prepared.command,
        )
        return [asyncio.create_task(self._probe(self._place))]

    async def _ended(self, spawned: Spawned) -> int:
        """Wait for the end; cancellation kills the container, so that no process outlives its task."""
        try:
            return await spawned.wait()
        except asyncio.CancelledError:
            spawned.signal(signal.SIGKILL)
            await spawned.wait()
            raise

    async def _probe(self, place: probes.Place) -> None:
        """Run the startup probe first; then liveness and readiness probes concurrently."""
        try:
            if "startupProbe" in self.spec:
                await probes.run(self.spec["startupProbe"], place, self._on_startup)
            running = [
                probes.run(self.spec[kind], place, report)
                for kind, report in (
                    ("livenessProbe", self._on_liveness),
                    ("readinessProbe", self._on_readiness),
                )
                if kind in self.spec
            ]
            await asyncio.gather(*running)
        except probes.ProbeError as error:
            self.around.publish("Unhealthy", str(error))

    def _on_startup(self, good: bool, why: str) -> bool:
        if not good:
            return self._unhealthy("Startup", why)
        self.record.started = True
        self.record.ready = "readinessProbe" not in self.spec
        self.around.changed()
        return False

    def _on_liveness(self, good: bool, why: str) -> bool:
        return good or self._unhealthy("Liveness", why)

    def _on_readiness(self, good: bool, why: str) -> bool:
        if good != self.record.ready:
            self.record.ready = good
            self.around.changed()
            if not good:
                self.around.publish("Unhealthy", f"Readiness probe failed: {why}")
        return True

    def _unhealthy(self, kind: str, why: str) -> bool:
        """Kill the container; the restart policy may restart the container."""
        self.around.publish("Unhealthy", f"{kind} probe failed: {why}")
        self.around.publish("Killing", f"Container {self.record.name} failed {kind.lower()} probe")
        if self._spawned:
            spec = self.spec[f"{kind.lower()}Probe"]
            grace = spec.get("terminationGracePeriodSeconds", self.around.grace_s)
            self._killing = asyncio.create_task(self._end(self._spawned, grace))
        return False

    async def _end(self, spawned: Spawned, grace_s: float) -> None:
        """Run `preStop`, send SIGTERM, and SIGKILL after the common grace period."""
        over = time.monotonic() + grace_s
        hook = self.spec.get("lifecycle", {}).get("preStop")
        if hook and self._place:
            wrong = await probes.act(hook, self._place, grace_s)
            if wrong:
                self.around.publish("FailedPreStopHook", f"PreStopHook failed: {wrong}")
        spawned.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(max(over - time.monotonic(), _LEAST_GRACE_S if hook else 0)):
                await spawned.ended.wait()
        except TimeoutError:
            log.info("%s did not end within %g s: killed", self.record.name, grace_s)
            spawned.signal(signal.SIGKILL)

    def _again(self, ended: Terminated) -> bool:
        policy = self.around.restart_policy
        wanted = policy == "Always" or (policy == "OnFailure" and ended.exit_code != 0)
        return wanted and not self._stopping

    async def _wait_to_restart(self, ended: Terminated, ran_s: float) -> None:
        delay = self._backoff.after(ran_s)
        self.record.last = ended
        if delay:
            why = f"back-off {delay:g}s restarting failed container={self.record.name}"
            self._see(Waiting("CrashLoopBackOff", why))
            self.around.publish("BackOff", why)
            await self._pause(delay)
        if not self._stopping:
            self.record.restarts += 1

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _see(self, state: Waiting | Running | Terminated) -> None:
        self.record.state = state
        self.around.changed()

    def _not_started(self, word: str, error: OSError | ValueError, began: dt.datetime) -> Terminated:
        message = f'exec: "{word}": {getattr(error, "strerror", None) or error}'
        self.around.publish("Failed", f"Error: {message}")
        return Terminated(
            exit_code=_START_ERROR, reason="StartError", message=message, started=began, finished=began
        )

    def _terminated(self, code: int, began: dt.datetime) -> Terminated:
        exit_code = code if code >= 0 else 128 - code  # 128 + signal number, as in a shell
        return Terminated(
            exit_code=exit_code,
            reason="Completed" if exit_code == 0 else "Error",
            started=began,
            finished=dt.datetime.now(dt.UTC),
            container_id=self.record.container_id,
        )
