"""A target group on the controller's loop, in parts with few writers each."""

import random
from dataclasses import dataclass, field

from syncer.config.settings import GroupSettings
from syncer.model import GroupMemory, GroupPlan, GroupState, InstanceId, Target, TargetGroupArn, Why
from syncer.reconcile.calls import Calls
from syncer.reconcile.observed_state import ObservedState
from syncer.reconcile.quarantine import Quarantine
from syncer.reconcile.schedule import Schedule

# The longest time without a pass: a wake-up that is missing delays a change by this time at most.
LONGEST_S = 30.0
_SHORTEST_S = 0.25


@dataclass(frozen=True, slots=True)
class GroupConfig:
    """What is known from the start; a read is valid for `trusted_for` seconds."""

    settings: GroupSettings
    trusted_for: float = 45.0
    exclusive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """The group's part of the ownership registry, replaced as a whole.

    `inherited` are the owned targets as loaded. `confirmed` are the ids of confirmed holds.
    """

    targets: frozenset[Target] = frozenset()
    inherited: frozenset[Target] = frozenset()
    confirmed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """The last plan (None before the first), and the memory for the next; replaced as a whole."""

    plan: GroupPlan | None = None
    memory: GroupMemory = field(default_factory=GroupMemory)


@dataclass(slots=True)
class Report:
    """Results of passes, written by the controller.

    `problem` is the last pass's, `last_good_pass` epoch seconds. `was_free`: since the start, a pass with a
    complete node list held no doubtful removal and, in `exclusive`, no foreign target.
    """

    problem: str = ""
    last_good_pass: float | None = None
    was_free: bool = False


class Group:
    """The parts of one group. Times are monotonic seconds.

    Writers: nobody changes `config`. The controller replaces `owned` and `decision` and writes `report`. The
    reader and the writer report to `observed` and `quarantine` (conflicts and refusals); the controller ends
    quarantines by the Nodes. The writer counts in `calls`, whose delays the controller reads after each pass.
    All three set the events of `schedule`.
    """

    def __init__(self, config: GroupConfig, rng: random.Random) -> None:
        self.config = config
        self.observed = ObservedState()
        self.owned = Owned()
        self.decision = Decision()
        self.quarantine = Quarantine(rng)
        self.schedule = Schedule()
        self.calls = Calls(rng)
        self.report = Report()

    @property
    def arn(self) -> TargetGroupArn:
        """The group's ARN."""
        return self.config.settings.group.arn

    @property
    def region(self) -> str:
        """The Region of the ARN, which receives the group's calls."""
        return self.config.settings.group.region

    @property
    def name(self) -> str:
        """The group's name, for logs and metrics."""
        return self.config.settings.group.name

    @property
    def plan(self) -> GroupPlan | None:
        """The last plan, None before the first pass."""
        return self.decision.plan

    @property
    def holds_doubtful(self) -> bool:
        """Whether removals wait for a confirmation, or for a healthy owned target."""
        if self.plan is None:
            return False
        return bool(self.plan.hold_id) or (
            self.config.exclusive and any(each.why is Why.FOREIGN for each in self.plan.held)
        )

    def is_outdated(self, now: float) -> bool:
        """Whether the last read is too old to send a planned removal: the process may have been frozen."""
        return not self.observed.blind and self.observed.is_old(now, self.config.trusted_for)

    def require_fresh_read(self, now: float) -> None:
        """Send no call before a read that begins from now on."""
        self.schedule.require_fresh_read(now, fresh=self.observed.fresh)

    def take_over(self, now: float) -> None:
        """Note that another process may have written until now.

        Writes of this process that the other process has undone are no conflict: both are the same syncer.
        """
        self.observed.another_wrote(now)
        self.quarantine.conflicts.forget_counts()
        self.require_fresh_read(now)

    def expire(self, now: float) -> None:
        """Apply the passing of time to the observed state."""
        self.observed.expire(now, self.config.trusted_for)
        self.observed.forget_drained(now)

    def is_unsettled(self, now: float) -> bool:
        """Whether another process may have written, and AWS may not show the write yet."""
        return self.observed.unshown.is_unsettled(self.observed.seen_at(now))

    def limit_at(self, now: float) -> int | None:
        """Return the learnt limit, None if not learnt."""
        return self.calls.limit.at(now, len(self.observed.listing.registered))

    def choice_inputs(self, now: float) -> tuple[int | None, frozenset[InstanceId], bool, bool]:
        """Return limit, refused instances, whether blind, and whether unsettled: what the choice reads."""
        if self.observed.blind:
            self.observed.forget_drained(now)
        refused = self.quarantine.registrations.instances
        return self.limit_at(now), refused, self.observed.blind, self.is_unsettled(now)

    def choice_valid_until(self, now: float) -> float:
        """Return when time alone may change `choice_inputs`."""
        return now if self.observed.blind else self.calls.limit.ends(now)

    def state(self, port: int | None, now: float) -> GroupState:
        """Return the input of a plan."""
        self.expire(now)
        observed = self.observed
        seen, unsettled = observed.seen_at(now), self.is_unsettled(now)
        return GroupState(
            target_group=self.arn,
            targets=observed.targets,
            fresh=observed.fresh,
            blind=observed.blind,
            acknowledged=frozenset(observed.acknowledged),
            ours=self.owned.targets,
            confirmed=self.owned.confirmed,
            port=port,
            set_aside=self.quarantine.set_aside(now),
            stuck=frozenset(self.quarantine.deregistrations.releases(now)),
            unsure=observed.unshown.unsure(seen),
            unsettled=unsettled,
            inherited=self.owned.inherited if unsettled else frozenset(),
            refused=self.quarantine.registrations.instances,
            limit=self.limit_at(now),
            memory=self.decision.memory,
        )

    def decide(self, plan: GroupPlan) -> None:
        """Replace the last decision."""
        self.decision = Decision(plan, plan.memory)
        self.observed.acknowledged.clear()  # the plan's memory has them

    def remember(self, memory: GroupMemory) -> None:
        """Replace the memory, and keep the last plan."""
        self.decision = Decision(self.plan, memory)
        self.observed.acknowledged.clear()

    def next_change(self, now: float) -> float:
        """Return the seconds until the passing of time may change the plan, `inf` if it cannot."""
        planned = self.plan.look_again_in if self.plan else None
        calls = self.calls
        waits = (
            planned,
            calls.limit.ends(now) - now,
            calls.register_in(now),
            self.quarantine.next_release(now),
        )
        return min(wait for wait in waits if wait is not None)

    def next_pass(self, now: float) -> float:
        """Return the seconds until the next pass without a request."""
        return max(_SHORTEST_S, min(LONGEST_S, self.next_change(now)))
