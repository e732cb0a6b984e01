"""An ELBv2 in memory that keeps AWS's rules for targets; one of it serves every replica of a world.

What it does that moto does not: a refused target refuses its whole call, targets turn healthy and drain in
time, unknown instances and full groups are refused, calls beyond AWS's rate are throttled, and a batch is no
larger than what the ELB team advises. Sources: docs/syncer.md for the calls, the NLB guide for the states.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from syncer.errors import (
    AwsError,
    InvalidTargetError,
    TargetGroupNotFoundError,
    ThrottledError,
    TooManyRegistrationsError,
    TooManyTargetsError,
)
from syncer.model import InstanceId, Target, TargetGroupArn, TargetHealth, TargetState
from tests.simulation import lag
from tests.simulation.bucket import TokenBucket

# The batch that the ELB team advised the AWS Load Balancer Controller to use.
LARGEST_BATCH = 200
# No read lags by more.
_REMEMBERED_S = 900.0
# AWS's buckets of one account and region: RegisterTargets and DeregisterTargets share one.
WRITES = frozenset({"register", "deregister"})
CALLS = {
    "describe": "DescribeTargetHealth",
    "register": "RegisterTargets",
    "deregister": "DeregisterTargets",
    "default_port": "DescribeTargetGroups",
}


@dataclass(slots=True)
class Entry:
    """One target of a group. Times are the loop's; `draining_since` is None while it is registered."""

    registered_at: float
    draining_since: float | None = None


@dataclass(slots=True)
class MemoryGroup:
    """One target group: the times after which a target is healthy or gone, and how many it takes.

    `check_port` is where health is checked, 0 for the target's own port. `quota` is of targets per group;
    those that drain take a place, if `drains_in_quota`. `lingering` is unhealthy.draining instead of
    unhealthy (target_health_state.unhealthy.draining_interval_seconds). `listening`: a listener uses it.
    """

    target_type: str = "instance"
    own_port: int = 80
    check_port: int = 0
    healthy_after: float = 20.0
    draining_for: float = 300.0
    quota: int = 1000
    drains_in_quota: bool = True
    lingering: bool = False
    listening: bool = True
    entries: dict[Target, Entry] = field(default_factory=dict)
    past: list[tuple[float, dict[Target, Entry]]] = field(default_factory=list)

    def remember(self, now: float) -> None:
        """Keep the entries as they are until `now`, for reads that lag."""
        self.past = [each for each in self.past if each[0] > now - _REMEMBERED_S]
        self.past.append((now, {target: replace(entry) for target, entry in self.entries.items()}))

    def entries_at(self, then: float) -> dict[Target, Entry]:
        """The entries as they were at that time."""
        return next((entries for until, entries in self.past if until > then), self.entries)

    def is_gone(self, entry: Entry, now: float) -> bool:
        """Whether its draining is over."""
        return entry.draining_since is not None and now >= entry.draining_since + self.draining_for


class MemoryCloud:
    """Instances and target groups. Times are those of the running loop.

    `running` says in which zone an instance runs, `sick` are those that fail the health check, `crowded`
    those that are in too many groups already, `stuck` those that AWS refuses to deregister. `zones` are
    enabled on the load balancer, None for all. `confused`: AWS has an internal error and knows no target's
    health. `quota` is what all groups of the load balancer may hold together. `names_refused`: a refusal
    names the ids. `lag` is by how much a DescribeTargetHealth lags behind the writes.
    """

    def __init__(self, arns: Iterable[TargetGroupArn]) -> None:
        self.groups = {arn: MemoryGroup() for arn in arns}
        self.running: dict[InstanceId, str] = {}
        self.started_at: dict[InstanceId, float] = {}
        self.sick: set[InstanceId] = set()
        self.crowded: set[InstanceId] = set()
        self.stuck: set[InstanceId] = set()
        self.zones: set[str] | None = None
        self.confused = False
        self.overrides: dict[str, str] = {}  # by zone: the AdministrativeOverride of its targets
        self.quota: int | None = None
        self.names_refused = True
        self.calls: Counter[str] = Counter()
        self.latency = 0.05
        self.lag: lag.Lag = lag.none
        self.throttled: Counter[str] = Counter()
        self._buckets = {True: TokenBucket(4.0, 20.0), False: TokenBucket(50.0, 200.0)}

    def launch(self, instance: str, zone: str = "eu-central-1a") -> None:
        """Run an instance."""
        if InstanceId(instance) not in self.running:
            self.running[InstanceId(instance)] = zone
            self.started_at[InstanceId(instance)] = self._now()

    def group(self, arn: TargetGroupArn) -> MemoryGroup:
        """The group; TargetGroupNotFound as RegisterTargets says it."""
        if arn not in self.groups:
            raise TargetGroupNotFoundError("Any", "TargetGroupNotFound", f"Target group '{arn}' not found")
        return self.groups[arn]

    def admit(self, operation: str) -> None:
        """Take a token of the account's; ThrottlingException when the bucket is empty."""
        if not self._buckets[operation in WRITES].take(self._now()):
            self.throttled[operation] += 1
            raise ThrottledError(CALLS[operation], "ThrottlingException", "Rate exceeded")

    def described(self, arn: TargetGroupArn) -> list[TargetHealth]:
        """What DescribeTargetHealth answers now."""
        group, then = self._drained(arn), self._now() - self.lag(arn)
        entries = sorted(group.entries_at(then).items())
        return [
            self._health(group, target, entry, then)
            for target, entry in entries
            if not group.is_gone(entry, then)
        ]

    def healths(self, arn: TargetGroupArn) -> list[TargetHealth]:
        """What is so now, whatever a read shows."""
        group, now = self._drained(arn), self._now()
        return [self._health(group, target, entry, now) for target, entry in sorted(group.entries.items())]

    def serving(self, arn: TargetGroupArn) -> set[Target]:
        """The targets that are healthy."""
        return {health.target for health in self.healths(arn) if health.state is TargetState.HEALTHY}

    def registered(self, arn: TargetGroupArn) -> set[Target]:
        """The targets that are registered, whatever their health."""
        return {health.target for health in self.healths(arn) if health.registered}

    def register(self, arn: TargetGroupArn, targets: Sequence[Target]) -> None:
        """RegisterTargets: all or nothing; one that drains comes back."""
        group, now = self._drained(arn), self._now()
        _check_batch("RegisterTargets", targets)
        bad = {target.id for target in targets if target.id not in self.running}
        if bad:
            text = "The following targets are not in a running state and cannot be registered: "
            raise InvalidTargetError("RegisterTargets", "InvalidTarget", *self._named(text, bad))
        crowded = {target.id for target in targets} & self.crowded
        if crowded:
            text = "The following targets are registered with too many target groups: "
            code = "TooManyRegistrationsForTargetId"
            raise TooManyRegistrationsError("RegisterTargets", code, *self._named(text, crowded))
        wanted = {Target(t.id, t.port or group.own_port) for t in targets}
        self._check_quotas(group, wanted)
        group.remember(now)
        for target in wanted:
            entry = group.entries.get(target)
            if entry is None or entry.draining_since is not None:
                group.entries[target] = Entry(now)

    def _named(self, text: str, ids: Iterable[InstanceId]) -> tuple[str, frozenset[str]]:
        if not self.names_refused:
            return "One or more targets are not valid", frozenset()
        return text + ", ".join(f"'{each}'" for each in sorted(ids)), frozenset(ids)

    def _check_quotas(self, group: MemoryGroup, wanted: set[Target]) -> None:
        new = len(wanted - self._places(group))
        if new and len(self._places(group)) + new > group.quota:
            raise TooManyTargetsError("RegisterTargets", "TooManyTargets", "The maximum number is reached")
        taken = sum(len(self._places(each)) for each in self.groups.values())
        if new and self.quota is not None and taken + new > self.quota:
            text = f"You cannot have more than {self.quota} targets per network load balancer"
            raise TooManyTargetsError("RegisterTargets", "TooManyTargets", text)

    @staticmethod
    def _places(group: MemoryGroup) -> set[Target]:
        """The targets that count into the quota."""
        entries = group.entries.items()
        return {t for t, entry in entries if group.drains_in_quota or entry.draining_since is None}

    def _drained(self, arn: TargetGroupArn) -> MemoryGroup:
        """The group without the targets whose draining is over."""
        group, now = self.group(arn), self._now()
        gone = [target for target, entry in group.entries.items() if group.is_gone(entry, now)]
        if gone:
            group.remember(now)
        for target in gone:
            del group.entries[target]
        return group

    def deregister(self, arn: TargetGroupArn, targets: Sequence[Target]) -> None:
        """DeregisterTargets: draining first; one that is not registered is no error."""
        group, now = self._drained(arn), self._now()
        _check_batch("DeregisterTargets", targets)
        stuck = {target.id for target in targets} & self.stuck
        if stuck:
            text = "The following targets are not valid: "
            raise InvalidTargetError("DeregisterTargets", "InvalidTarget", *self._named(text, stuck))
        group.remember(now)
        for target in targets:
            entry = group.entries.get(Target(target.id, target.port or group.own_port))
            if entry is not None and entry.draining_since is None:
                entry.draining_since = now

    def _health(self, group: MemoryGroup, target: Target, entry: Entry, now: float) -> TargetHealth:
        zone = self.running.get(target.id, "")
        state, reason = self._state(group, target, entry, now)
        checked = group.check_port or target.port
        override = self.overrides.get(zone, "")
        return TargetHealth(
            target=target, state=state, reason=reason, zone=zone, check_port=checked, override=override
        )

    def _state(self, group: MemoryGroup, target: Target, entry: Entry, now: float) -> tuple[TargetState, str]:
        age = now - max(entry.registered_at, self.started_at.get(target.id, 0.0))
        if entry.draining_since is not None:
            return TargetState.DRAINING, "Target.DeregistrationInProgress"
        if target.id not in self.running:
            return TargetState.UNUSED, "Target.InvalidState"
        if not group.listening or (self.zones is not None and self.running[target.id] not in self.zones):
            return TargetState.UNUSED, "Target.NotInUse"
        if self.confused:
            return TargetState.UNAVAILABLE, "Elb.InternalError"
        if age < group.healthy_after / 4:
            return TargetState.INITIAL, "Elb.RegistrationInProgress"
        if age < group.healthy_after:
            return TargetState.INITIAL, "Elb.InitialHealthChecking"
        if target.id in self.sick:
            lingering = TargetState.UNHEALTHY_DRAINING if group.lingering else TargetState.UNHEALTHY
            return lingering, "Target.FailedHealthChecks"
        return TargetState.HEALTHY, ""

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _check_batch(operation: str, targets: Sequence[Target]) -> None:
    if not 1 <= len(targets) <= LARGEST_BATCH:
        text = f"{len(targets)} targets in a call; 1 to {LARGEST_BATCH} are allowed"
        raise AwsError(operation, "ValidationError", text)
