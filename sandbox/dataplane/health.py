"""Health checks of target groups over real connections; results are sent to the simulated AWS."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.dataplane.world import Group, HealthCheck, Machine, Target, World
from sandbox.loopback import Loopback
from sandbox.retry import Retry

log = logging.getLogger("dataplane")

# TargetHealth reasons (source 1).
FAILED, TIMEOUT, MISMATCH = "Target.FailedHealthChecks", "Target.Timeout", "Target.ResponseCodeMismatch"
_WAITING = "Elb.RegistrationInProgress"  # AWS has not yet started to check such a target
_CHECKED = frozenset({"initial", "healthy", "unhealthy", "unhealthy.draining"})

Key = tuple[str, Target]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a target's checks; `reason` is empty for a healthy target."""

    target_group: str
    target: Target
    reason: str

    @property
    def state(self) -> str:
        """The state for the simulated AWS."""
        return "unhealthy" if self.reason else "healthy"


@dataclass(slots=True)
class Streak:
    """Consecutive checks with the same outcome, and the settled result (None: no result yet)."""

    length: int = 0
    reason: str | None = None
    settled: str | None = None

    def add(self, reason: str, check: HealthCheck) -> str | None:
        """Count an outcome; return the settled reason ("" = healthy), None before a threshold is reached."""
        same = self.reason is not None and bool(reason) == bool(self.reason)
        self.length = self.length + 1 if same else 1
        self.reason = reason
        if self.length >= (check.unhealthy if reason else check.healthy):
            self.settled = reason
        return self.settled


class Checker:
    """A task for each registered target of each group; `follow` starts and ends the tasks."""

    def __init__(
        self,
        loopback: Loopback,
        report: Callable[[Result], Awaitable[None]],
        switched_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._loopback = loopback
        self._report = report
        self._switched_on = switched_on
        self._world: World | None = None
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._retry = Retry("health checks", log)

    def follow(self, world: World) -> None:
        """From now on, check exactly the targets of `world`."""
        self._world = world
        wanted = {
            (group.arn, target)
            for group in world.groups.values()
            for target, state in group.states.items()
            if state in _CHECKED and group.reasons[target] != _WAITING
        }
        for key in self._tasks.keys() - wanted:
            self._tasks.pop(key).cancel()
        for key in wanted - self._tasks.keys():
            self._tasks[key] = asyncio.create_task(self._keep_checking(key))

    def close(self) -> None:
        """End all checks."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def _keep_checking(self, key: Key) -> None:
        streak = Streak()
        while self._world and (group := self._world.groups.get(key[0])):
            if self._switched_on():
                try:
                    await self._check(key, group, streak)
                except Exception as error:  # noqa: BLE001  (checks continue after any API answer)
                    self._retry.failed(error)
            await asyncio.sleep(group.check.interval)

    async def _check(self, key: Key, group: Group, streak: Streak) -> None:
        settled = streak.add(await self._outcome(group, key[1]), group.check)
        if settled is None:
            return
        result = Result(target_group=group.arn, target=key[1], reason=settled)
        now = self._world.groups.get(group.arn) if self._world else None
        # Compared with the state in AWS, not with the last report: a lost result is sent again.
        if now and now.states.get(key[1]) != result.state:
            await self._report(result)

    async def _outcome(self, group: Group, target: Target) -> str:
        """Run a check; return the failure's reason, or "" for a passed check."""
        world = self._world
        machine = world.machines.get(target.id) if world else None
        if world is None or machine is None:
            return TIMEOUT
        balancer = world.owners[group.arn]
        port = group.check.port or target.port
        source = balancer.private.get(machine.zone, "")
        # A packet dropped by a security group gets no answer.
        if not source or not world.lets_through(balancer, machine, port, source):
            return TIMEOUT
        try:
            async with asyncio.timeout(group.check.timeout):
                return await self._probe(group.check, machine, port, source)
        except TimeoutError:
            return TIMEOUT
        except OSError:
            return FAILED

    async def _probe(self, check: HealthCheck, machine: Machine, port: int, source: str) -> str:
        place = self._loopback.place(machine.address, port)
        reader, writer = await asyncio.open_connection(
            *place,
            local_addr=self._loopback.source(source),
            ssl=_tls() if check.protocol == "HTTPS" else None,
        )
        try:
            if check.protocol == "TCP":
                return ""
            writer.write(
                f"GET {check.path} HTTP/1.1\r\nHost: {source}:{port}\r\n"
                "User-Agent: ELB-HealthChecker/2.0\r\nConnection: close\r\n\r\n".encode()
            )
            words = (await reader.readline()).split()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004  (HTTP/1.1 200 …)
            return FAILED
        return "" if matches(check.matcher, int(words[1])) else MISMATCH


def matches(matcher: str, code: int) -> bool:
    """Whether a matcher such as `200`, `200,204` or `200-399` contains an HTTP status."""
    for part in matcher.split(","):
        low, _, high = part.partition("-")
        if int(low) <= code <= int(high or low):
            return True
    return False


def _tls() -> ssl.SSLContext:
    """Load balancers do not verify the certificates of their targets."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
