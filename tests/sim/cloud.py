"""An ELBv2 in memory that keeps AWS's rules for targets; one of it serves every replica of a world."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from syncer.errors import (
    AwsError,
    InvalidTargetError,
    NotLeaderError,
    TargetGroupNotFoundError,
    TooManyTargetsError,
)
from syncer.model import InstanceId, Target, TargetGroupArn, TargetHealth, TargetState
from tests.sim.frost import Frost


@dataclass(slots=True)
class _Entry:
    registered_at: float
    draining_since: float | None = None


@dataclass(slots=True)
class MemoryGroup:
    """One target group: the times after which a target is healthy or gone, and how many it takes."""

    own_port: int = 80
    check_port: int = 0
    healthy_after: float = 20.0
    draining_for: float = 300.0
    quota: int = 1000
    entries: dict[Target, _Entry] = field(default_factory=dict)


class MemoryCloud:
    """Instances and target groups. Times are those of the running loop."""

    def __init__(self, arns: Iterable[TargetGroupArn]) -> None:
        self.groups = {arn: MemoryGroup() for arn in arns}
        self.running: dict[InstanceId, str] = {}
        self.sick: set[InstanceId] = set()
        self.calls: Counter[str] = Counter()
        self.latency = 0.05

    def launch(self, instance: str, zone: str = "eu-central-1a") -> None:
        """Run an instance."""
        self.running[InstanceId(instance)] = zone

    def group(self, arn: TargetGroupArn) -> MemoryGroup:
        """The group; TargetGroupNotFound as RegisterTargets says it."""
        if arn not in self.groups:
            raise TargetGroupNotFoundError("Any", "TargetGroupNotFound", f"Target group '{arn}' not found")
        return self.groups[arn]

    def healths(self, arn: TargetGroupArn) -> list[TargetHealth]:
        """What DescribeTargetHealth answers now."""
        group, now = self._drained(arn), asyncio.get_running_loop().time()
        return [self._health(group, target, entry, now) for target, entry in sorted(group.entries.items())]

    def serving(self, arn: TargetGroupArn) -> set[Target]:
        """The targets that are healthy."""
        return {health.target for health in self.healths(arn) if health.state is TargetState.HEALTHY}

    def registered(self, arn: TargetGroupArn) -> set[Target]:
        """The targets that are registered, whatever their health."""
        return {health.target for health in self.healths(arn) if health.registered}

    def register(self, arn: TargetGroupArn, targets: Sequence[Target]) -> None:
        """RegisterTargets: all or nothing; one that drains comes back."""
        group, now = self._drained(arn), asyncio.get_running_loop().time()
        bad = [target.id for target in targets if target.id not in self.running]
        if bad:
            named = ", ".join(f"'{each}'" for each in bad)
            raise InvalidTargetError(
                "RegisterTargets",
                "InvalidTarget",
                f"The following targets are not in a running state and cannot be registered: {named}",
                frozenset(bad),
            )
        wanted = {Target(t.id, t.port or group.own_port) for t in targets}
        if len(wanted | set(group.entries)) > group.quota:
            raise TooManyTargetsError("RegisterTargets", "TooManyTargets", "The maximum number is reached")
        for target in wanted:
            entry = group.entries.get(target)
            if entry is None or entry.draining_since is not None:
                group.entries[target] = _Entry(now)

    def _drained(self, arn: TargetGroupArn) -> MemoryGroup:
        """The group without the targets whose draining is over."""
        group, now = self.group(arn), asyncio.get_running_loop().time()
        for target, entry in list(group.entries.items()):
            if entry.draining_since is not None and now >= entry.draining_since + group.draining_for:
                del group.entries[target]
        return group

    def deregister(self, arn: TargetGroupArn, targets: Sequence[Target]) -> None:
        """DeregisterTargets: draining first; one that is not registered is no error."""
        group, now = self.group(arn), asyncio.get_running_loop().time()
        for target in targets:
            entry = group.entries.get(Target(target.id, target.port or group.own_port))
            if entry is not None and entry.draining_since is None:
                entry.draining_since = now

    def _health(self, group: MemoryGroup, target: Target, entry: _Entry, now: float) -> TargetHealth:
        zone = self.running.get(target.id, "")
        if entry.draining_since is not None:
            state, reason = TargetState.DRAINING, "Target.DeregistrationInProgress"
        elif target.id not in self.running:
            state, reason = TargetState.UNUSED, "Target.InvalidState"
        elif now < entry.registered_at + group.healthy_after:
            state, reason = TargetState.INITIAL, "Elb.InitialHealthChecking"
        elif target.id in self.sick:
            state, reason = TargetState.UNHEALTHY, "Target.FailedHealthChecks"
        else:
            state, reason = TargetState.HEALTHY, ""
        checked = group.check_port or target.port
        return TargetHealth(target=target, state=state, reason=reason, zone=zone, check_port=checked)


class MemoryElb:
    """`syncer.ports.Elb` of one replica. `faults` are raised, one a call, before the call takes effect.

    `begun` says when a write was let through, `arrived` when it reached AWS.
    """

    def __init__(
        self,
        cloud: MemoryCloud,
        frost: Frost | None = None,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._cloud = cloud
        self._frost = frost or Frost()
        self._may_write = may_write
        self.begun: list[tuple[float, TargetGroupArn]] = []
        self.arrived: list[tuple[float, TargetGroupArn]] = []
        self.faults: list[AwsError] = []
        self.broken: dict[tuple[str, TargetGroupArn], AwsError] = {}
        self.log: list[tuple[float, str, TargetGroupArn, tuple[Target, ...]]] = []

    async def describe(self, group: TargetGroupArn) -> Sequence[TargetHealth]:
        await self._call("describe", group, ())
        answer = self._cloud.healths(group)
        await self._frost.after(asyncio.sleep(self._cloud.latency / 2))
        return answer

    async def default_port(self, group: TargetGroupArn) -> int:
        await self._call("default_port", group, ())
        return self._cloud.group(group).own_port

    async def register(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        asked = tuple(targets)
        await self._call("register", group, asked)
        self._cloud.register(group, asked)
        await self._frost.after(asyncio.sleep(self._cloud.latency / 2))

    async def deregister(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        asked = tuple(targets)
        await self._call("deregister", group, asked)
        self._cloud.deregister(group, asked)
        await self._frost.after(asyncio.sleep(self._cloud.latency / 2))

    async def _call(self, operation: str, group: TargetGroupArn, targets: tuple[Target, ...]) -> None:
        loop, writes = asyncio.get_running_loop(), operation in {"register", "deregister"}
        await self._frost.passed()
        if writes and not self._may_write():
            raise NotLeaderError(operation)
        if writes:
            self.begun.append((loop.time(), group))
        # From the check to the wire: a process that is stopped here sends it when it goes on.
        await self._frost.after(asyncio.sleep(0.001))
        self._cloud.calls[operation] += 1
        self.log.append((loop.time(), operation, group, targets))
        await asyncio.sleep(self._cloud.latency / 2)
        if writes:
            self.arrived.append((loop.time(), group))
        if (operation, group) in self.broken:
            raise self.broken[operation, group]
        if self.faults and writes:
            raise self.faults.pop(0)
