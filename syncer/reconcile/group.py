"""A target group on the controller's loop: settings, observed state, plan, retries and reports."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf

from syncer.config.settings import GroupSettings
from syncer.errors import AccessDeniedError, AwsError, TooManyTargetsError
from syncer.model import Desired, GroupMemory, GroupPlan, GroupState, Held, Target, TargetGroupArn, Why
from syncer.reconcile.backoff import Backoff
from syncer.reconcile.conflicts import Conflicts
from syncer.reconcile.observed_state import ObservedState
from syncer.reconcile.own_writes import LAG_S
from syncer.reconcile.quarantine import Quarantine

# Interval of re-registering all targets of a group without read permission (the predecessor: at its start
# only).
_TELL_AGAIN_S = 600.0
# A learnt limit expires after this time: the quota may have been raised.
_LIMIT_TRUSTED_S = 600.0
_JOIN = "RegisterTargets"


@dataclass(slots=True)
class Group:
    """State of a group on the loop. Times are monotonic seconds, except `last_good_pass` (epoch).

    *Identity*: a read is valid for `trusted_for` seconds; `own_port` is the group's default port, once read
    from AWS.

    *Knowledge*: `actual` from AWS; `ours` and `confirmed` from the ownership registry (at load number
    `recalled`), `inherited` are the owned targets as loaded; `memory` from the last plan, and `plan` itself;
    conflicts (`contested`); targets that AWS refuses to register (`poison`) or deregister (`stuck`); a learnt
    limit.

    *Wake-ups*: `dirty` requests a pass, `hurry` a new decision about the time of the next read. While
    `looked` is not set, no pass begins: the pass waits for a read that began after `look_after`. A read that
    began before `settles_at` may not show another process's writes.

    *Retries*: backoff after failed writes and reads (`write_backoff`, `read_backoff`); no registration before
    `register_again_at`, because of `register_problem`; `throttled_at`, when AWS last throttled a call;
    `beat`, the share of the interval until the next read. Blind, all targets are registered again at
    `tell_again_at`; `untold` are the targets of this re-registration without an acknowledgement.

    *Reports*: `problem` of the last pass, `read_problem` of the last read; the last reported `held`,
    `seen_port`, `missing_port` and `stale_check`, so that only changes are reported. `writes` are calls sent
    and `removed` targets deregistered since the start; `was_free`: at some time since the start no removal
    was doubtful.
    """

    settings: GroupSettings
    rng: random.Random
    trusted_for: float = 45.0
    exclusive: bool = False
    own_port: int | None = None

    actual: ObservedState = field(default_factory=ObservedState)
    ours: frozenset[Target] = frozenset()
    confirmed: frozenset[str] = frozenset()
    recalled: int = 0
    inherited: frozenset[Target] = frozenset()
    memory: GroupMemory = field(default_factory=GroupMemory)
    plan: GroupPlan | None = None
    contested: Conflicts = field(default_factory=Conflicts)
    poison: Quarantine = field(init=False)
    stuck: Quarantine = field(init=False)
    _limit: int | None = None
    _limit_until: float = 0.0

    dirty: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    look_after: float = 0.0
    settles_at: float = float("-inf")
    _unsure: dict[Target, float] = field(default_factory=dict)

    write_backoff: Backoff = field(init=False)
    read_backoff: Backoff = field(init=False)
    register_again_at: float = 0.0
    register_problem: AwsError | None = None
    throttled_at: float = float("-inf")
    beat: float = 1.0
    tell_again_at: float | None = None
    untold: set[Target] = field(default_factory=set)

    problem: str = ""
    read_problem: str = ""
    last_good_pass: float | None = None
    held: tuple[Held, ...] = ()
    seen_port: int | None = None
    missing_port: str = ""
    stale_check: int | None = None
    writes: int = 0
    removed: int = 0
    was_free: bool = False

    def __post_init__(self) -> None:
        self.poison, self.stuck = Quarantine(self.rng), Quarantine(self.rng)
        self.write_backoff = Backoff(self.rng, cap=30.0)
        self.read_backoff = Backoff(self.rng, cap=30.0)

    @property
    def arn(self) -> TargetGroupArn:
        """The group's ARN."""
        return self.settings.group.arn

    @property
    def holds_doubtful(self) -> bool:
        """Whether removals wait for a confirmation, or for a healthy owned target."""
        if self.plan is None:
            return False
        return bool(self.plan.hold_id) or (
            self.exclusive and any(each.why is Why.FOREIGN for each in self.plan.held)
        )

    @property
    def region(self) -> str:
        """The Region of the ARN, which receives the group's calls."""
        return self.settings.group.region

    @property
    def name(self) -> str:
        """The group's name, for logs and metrics."""
        return self.settings.group.name

    def learn_limit(self, now: float) -> None:
        """Learn the limit from a refusal by AWS: the current number of targets.

        Draining targets are included. If AWS does not count draining targets, the limit is learnt again once
        they are gone; without draining targets every swap would lower the limit by one.
        """
        self._limit = len(self.actual.targets)
        self._limit_until = now + _LIMIT_TRUSTED_S

    def _learnt_limit(self, now: float) -> int | None:
        """Return the learnt limit, at least the number of targets registered at AWS.

        A limit learnt while reads lagged is too low.
        """
        if self._limit is None or now >= self._limit_until:
            return None
        return max(self._limit, sum(health.registered for health in self.actual.targets.values()))

    def limit_ends(self, now: float) -> float:
        """Return until when the current limit is valid; `inf` without a learnt limit."""
        return self._limit_until if now < self._limit_until else inf

    def awaited(self, plan: GroupPlan, now: float) -> AwsError | None:
        """Return why registrations are delayed, if the plan has any; `now` is monotonic."""
        return self.register_problem if plan.register and now < self.register_again_at else None

    def wait_after(self, problem: AwsError, now: float) -> float:
        """Return the seconds without a call. A problem of registrations alone delays only registrations."""
        if not isinstance(problem, AccessDeniedError | TooManyTargetsError) or problem.operation != _JOIN:
            return self.write_backoff.next(slow=problem.slow)
        if now >= self.register_again_at:
            self.register_problem = problem
            self.register_again_at = now + self.write_backoff.next(slow=problem.slow)
        return 0.0

    def knows_old_things(self, now: float) -> bool:
        """Whether the last read is too old to send a planned removal: the process may have been frozen."""
        return not self.actual.blind and self.actual.is_old(now, self.trusted_for)

    def look_anew(self, now: float) -> None:
        """Send no call before a read that begins from now on.

        After a failed read, removals are frozen anyway, and registrations need no read.
        """
        self.look_after = now
        if self.actual.fresh:
            self.looked.clear()
        self.hurry.set()

    def take_over(self, now: float) -> None:
        """Note that another process may have written until now, and that AWS may lag for a minute.

        Writes of this process that the other process has undone are no conflict: both are the same syncer.
        """
        self.settles_at = now + LAG_S
        self.actual.forget_writes()
        self.contested.forget_counts()
        self.look_anew(now)

    def not_answered(self, targets: Iterable[Target], now: float) -> None:
        """Note a DeregisterTargets call without a response: for a minute AWS may not show the effect."""
        self._unsure |= dict.fromkeys(targets, now + LAG_S)

    def settles(self, before: float | None, began: float) -> bool:
        """Whether a read begun at `began` shows writes that the read begun at `before` may have missed."""
        moments = (self.settles_at, *self._unsure.values())
        return any((-inf if before is None else before) < moment <= began for moment in moments)

    def told_again(self, plan: GroupPlan, desired: Desired, port: int | None, now: float) -> GroupPlan:
        """Blind, add all wanted targets to the registrations of `plan`: at first, then every ten minutes.

        At first, because a target in the registry may never have been registered: the registry is written
        earlier. Unacknowledged targets are added to every plan until AWS accepts them.
        """
        if not self.actual.blind or port is None:
            self.tell_again_at = None
            return plan
        wanted = {Target(instance, port) for instance in desired.wanted}
        if self.tell_again_at is None or now >= self.tell_again_at:
            self.tell_again_at, self.untold = now + _TELL_AGAIN_S, wanted
        believed = self.untold.intersection(wanted, self.actual.targets).difference(self.set_aside(now))
        return replace(plan, register=tuple(sorted(believed.union(plan.register)))) if believed else plan

    def set_aside(self, now: float) -> Mapping[Target, Why]:
        """Return the targets that must not be changed now."""
        return {**self.poison.set_aside(now), **self.contested.set_aside(now)}

    def releases(self, now: float) -> Mapping[Target, float]:
        """Return the seconds until every target held for Poison or Contested is retried."""
        quarantines = (self.contested, self.stuck, self.poison)
        return {target: left for each in quarantines for target, left in each.releases(now).items()}

    def state(self, port: int | None, now: float) -> GroupState:
        """Return the input of a plan; `now` is monotonic."""
        self.actual.expire(now, self.trusted_for)
        self.actual.forget_drained(now)
        read_at = now if self.actual.blind else self.actual.read_at
        seen = -inf if read_at is None else read_at
        self._unsure = {target: until for target, until in self._unsure.items() if until > seen}
        return GroupState(
            target_group=self.arn,
            targets=self.actual.targets,
            fresh=self.actual.fresh,
            blind=self.actual.blind,
            ours=self.ours,
            confirmed=self.confirmed,
            port=port,
            set_aside=self.set_aside(now),
            stuck=frozenset(self.stuck.set_aside(now)),
            unsure=frozenset(self._unsure),
            unsettled=seen < self.settles_at,
            inherited=self.inherited if seen < self.settles_at else frozenset(),
            refused=self.poison.instances,
            limit=self._learnt_limit(now),
            memory=self.memory,
        )

    def next_look(self, now: float) -> float:
        """Return the seconds until the passing of time may change the plan; at most a minute."""
        planned = self.plan.look_again_in if self.plan else None
        again = self.tell_again_at and self.tell_again_at - now
        joins = self.register_again_at - now if now < self.register_again_at else None
        aside = (each.next_release(now) for each in (self.poison, self.stuck, self.contested))
        waits = (60.0, planned, again, joins, *aside)
        return max(0.25, min(wait for wait in waits if wait is not None))
