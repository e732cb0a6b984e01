"""One target group as the controller follows it: what it is told, knows, plans and has trouble with."""

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

# A group that may not be read is told all its targets again this often (the predecessor: at its start only).
_TELL_AGAIN_S = 600.0
# A limit that AWS was seen to have is tried again after this time: the quota may have been raised.
_LIMIT_TRUSTED_S = 600.0
_JOIN = "RegisterTargets"


@dataclass(slots=True)
class Group:
    """The state of one group on the loop. Times are monotonic seconds, but `last_good_pass` (epoch).

    *What it is*: a read is believed for `trusted_for` seconds; `own_port` is the group's, once AWS was asked.
    *What is known*: `actual` by AWS, `ours` and `confirmed` by the registry (of its load number `recalled`),
    which was `inherited` as it was read; `memory` by the plan before, `plan` as it was made last; what is
    `contested`; what AWS does not take (`poison`) or let go (`stuck`); a learnt limit.
    *Who waits for whom*: `dirty` asks for a pass, and `hurry` that the next read be thought over. While
    `looked` is not set no pass begins: it waits for a read that began after `look_after`. A read that began
    before `settles_at` may not show what another process has written.
    *When to try again*: after which failures nothing is written or read for a while (`write_backoff`,
    `read_backoff`), or nothing registered (`register_again_at`, for `register_problem`); since when AWS
    throttles; the share of the interval that the next read keeps (`beat`). Blind, all is told once more at
    `tell_again_at`, and `untold` is what AWS has not taken of that.
    *What is told*: `problem` of the last pass, `read_problem` of the last read; what was said last of `held`,
    `seen_port`, `missing_port` and `stale_check`, so that only news is said. `writes` are calls sent,
    `removed` targets deregistered since the start, `was_free`: at some time since then nothing was doubtful.
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
        """Whether removals wait to be confirmed, or for one of our own targets to be healthy first."""
        if self.plan is None:
            return False
        return bool(self.plan.hold_id) or (
            self.exclusive and any(each.why is Why.FOREIGN for each in self.plan.held)
        )

    @property
    def region(self) -> str:
        """The Region of its ARN, to which its calls go."""
        return self.settings.group.region

    @property
    def name(self) -> str:
        """The group's name, for logs and metrics."""
        return self.settings.group.name

    def learn_limit(self, now: float) -> None:
        """AWS took no more targets: as many as there are is what fits.

        Those that drain are counted too. Should AWS not count them, the limit is found again once they are
        gone; the other way round each swap would lower it by one.
        """
        self._limit = len(self.actual.targets)
        self._limit_until = now + _LIMIT_TRUSTED_S

    def _learnt_limit(self, now: float) -> int | None:
        """No less than AWS is seen to hold: a limit that was learnt while reads lagged is too low."""
        if self._limit is None or now >= self._limit_until:
            return None
        return max(self._limit, sum(health.registered for health in self.actual.targets.values()))

    def limit_ends(self, now: float) -> float:
        """Until when the limit is what it is now; `inf` without one that was learnt."""
        return self._limit_until if now < self._limit_until else inf

    def awaited(self, plan: GroupPlan, now: float) -> AwsError | None:
        """Why nothing is registered for a while, if something is to be; `now` is monotonic."""
        return self.register_problem if plan.register and now < self.register_again_at else None

    def wait_after(self, problem: AwsError, now: float) -> float:
        """Seconds for which nothing is sent. What only keeps targets out holds up registrations alone."""
        if not isinstance(problem, AccessDeniedError | TooManyTargetsError) or problem.operation != _JOIN:
            return self.write_backoff.next(slow=problem.slow)
        if now >= self.register_again_at:
            self.register_problem = problem
            self.register_again_at = now + self.write_backoff.next(slow=problem.slow)
        return 0.0

    def knows_old_things(self, now: float) -> bool:
        """Whether a removal that was planned may not be sent any more: the process may have been frozen."""
        return not self.actual.blind and self.actual.is_old(now, self.trusted_for)

    def look_anew(self, now: float) -> None:
        """Let nothing be sent before a read that begins from now on.

        Where the last read failed, removals are frozen anyway, and registrations need none.
        """
        self.look_after = now
        if self.actual.fresh:
            self.looked.clear()
        self.hurry.set()

    def take_over(self, now: float) -> None:
        """Another process may have written until now, and AWS may not show that for a minute.

        What it undid of this one's writes is no conflict: both are the same syncer.
        """
        self.settles_at = now + LAG_S
        self.actual.forget_writes()
        self.contested.forget_counts()
        self.look_anew(now)

    def not_answered(self, targets: Iterable[Target], now: float) -> None:
        """Deregistering `targets` was not answered: AWS may not show for a minute that it was done."""
        self._unsure |= dict.fromkeys(targets, now + LAG_S)

    def settles(self, before: float | None, began: float) -> bool:
        """Whether a read that began at `began` shows what the read `before` did not surely show."""
        moments = (self.settles_at, *self._unsure.values())
        return any((-inf if before is None else before) < moment <= began for moment in moments)

    def told_again(self, plan: GroupPlan, desired: Desired, port: int | None, now: float) -> GroupPlan:
        """`plan`, and all that is wanted once more at first and every ten minutes, where nobody can see it.

        At first, because what the record says may never have been registered: it is written before. What
        AWS has not taken is told with every plan until it has.
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
        """The targets that must not be touched now."""
        return {**self.poison.set_aside(now), **self.contested.set_aside(now)}

    def releases(self, now: float) -> Mapping[Target, float]:
        """Return in how many seconds each target that is held for Poison or Contested is tried again."""
        quarantines = (self.contested, self.stuck, self.poison)
        return {target: left for each in quarantines for target, left in each.releases(now).items()}

    def state(self, port: int | None, now: float) -> GroupState:
        """What a plan is made from; `now` is monotonic."""
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
        """In how many seconds time alone may change the plan; a minute at most."""
        planned = self.plan.look_again_in if self.plan else None
        again = self.tell_again_at and self.tell_again_at - now
        joins = self.register_again_at - now if now < self.register_again_at else None
        aside = (each.next_release(now) for each in (self.poison, self.stuck, self.contested))
        waits = (60.0, planned, again, joins, *aside)
        return max(0.25, min(wait for wait in waits if wait is not None))
