"""Deregisters a cluster's own targets while other targets keep the floor, for the command `leave`."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from syncer.config.settings import GroupSettings
from syncer.decide.plan import plan
from syncer.decide.policy import PlanPolicy
from syncer.errors import AccessDeniedError, AwsError, SyncerError, TargetGroupNotFoundError
from syncer.interfaces import Clock, Elb
from syncer.model import Desired, GroupPlan, GroupState, InstanceId, NodeView, Target, TargetGroupArn, Why
from syncer.reconcile.group import Group, GroupConfig, Owned
from syncer.reconcile.recorder import named
from syncer.reconcile.writer import Writer
from syncer.telemetry.counters import Counters

# A read takes at most this time; older reads allow no removal.
_ANSWERED_S = 15.0


class AnotherWriterError(SyncerError):
    """Another writer has registered deregistered targets again."""


@dataclass(slots=True)
class Progress:
    """Receives the results of calls, and reports each as a line; implements `writer.Outcomes`."""

    report: Callable[[str], None]
    deregistered_at: dict[TargetGroupArn, set[Target]] = field(default_factory=dict)

    def registered(self, group: Group, targets: Sequence[Target]) -> None:
        """Do nothing: a handover registers no target."""

    def deregistered(self, group: Group, targets: Sequence[Target]) -> None:
        """Report an acknowledged deregistration."""
        self.deregistered_at.setdefault(group.arn, set()).update(targets)
        self.report(f"{group.name}: deregistered {len(targets)} targets")

    def refused(self, group: Group, targets: Sequence[Target], error: AwsError) -> None:
        """Report targets that AWS refuses to deregister; they are retried later."""
        self.report(f"{group.name}: AWS refuses {named(targets)}: {error}")

    def nodes_of(self, _: Iterable[InstanceId]) -> Mapping[InstanceId, NodeView]:
        """Return nothing: no change of a Node ends a quarantine early."""
        return {}


class Handover:
    """Polls and deregisters through the syncer's writer until no own target is left, or time is over.

    `every` and `timeout` are seconds, `report` receives a line for each result.
    """

    def __init__(
        self,
        *,
        elb: Elb,
        clock: Clock,
        desired: Desired,
        policy: PlanPolicy,
        report: Callable[[str], None],
        every: float,
        timeout: float,
    ) -> None:
        self._elb = elb
        self._clock = clock
        self._desired = desired
        self._policy = policy
        self._every = every
        self._timeout = timeout
        self._report = report
        self._progress = Progress(report)
        self._writer = Writer(elb, clock, Counters(), lambda: False, self._progress)
        self._rng = random.Random()  # noqa: S311 - spreads calls, protects nothing
        self._listed: dict[TargetGroupArn, frozenset[Target]] = {}

    @property
    def deregistered(self) -> int:
        """The number of deregistered targets."""
        return sum(map(len, self._progress.deregistered_at.values()))

    async def run(self, groups: Sequence[GroupSettings], states: Sequence[GroupState]) -> list[GroupPlan]:
        """Return the last plans; see `finished`.

        Raises:
            AnotherWriterError: if deregistered targets are registered again.
            AccessDeniedError: without the permission to read or deregister.
            TargetGroupNotFoundError: if a group is missing.

        """
        deadline = self._clock.monotonic() + self._timeout
        known = [self._group(*each) for each in zip(groups, states, strict=True)]
        ports = {state.target_group: state.port for state in states}
        # Own draining targets never add capacity: the peaks stay those of the first plan.
        first = {group.arn: self._plan(group, ports).memory.peaks for group in known}
        while True:
            plans = [self._plan(group, ports) for group in known]
            for group, decided in zip(known, plans, strict=True):
                group.decide(decided)
                group.owned = Owned(targets=decided.ours)
                await self._apply(group, decided)
            if self.finished(plans) or self._clock.monotonic() >= deadline:
                return plans
            await self._clock.sleep(min(self._every, max(0.0, deadline - self._clock.monotonic())))
            for group in known:
                group.remember(replace(group.decision.memory, peaks=first[group.arn]))
                await self._read(group)

    def finished(self, plans: Sequence[GroupPlan]) -> bool:
        """Whether no plan has an own target, and AWS lists no deregistered target as registered."""
        if any(each.deregister or own_targets_held(each) for each in plans):
            return False
        gone = self._progress.deregistered_at
        return not any(targets & gone.get(arn, set()) for arn, targets in self._listed.items())

    def _group(self, settings: GroupSettings, state: GroupState) -> Group:
        group = Group(GroupConfig(settings, self._every + _ANSWERED_S), self._rng)
        group.observed.read(self._clock.monotonic(), list(state.targets.values()))
        group.owned = Owned(targets=state.ours)
        self._listed[group.arn] = frozenset()
        return group

    def _plan(self, group: Group, ports: Mapping[TargetGroupArn, int | None]) -> GroupPlan:
        state = group.state(ports[group.arn], self._clock.monotonic())
        return plan(self._desired, state, self._policy, self._clock.now())

    async def _apply(self, group: Group, decided: GroupPlan) -> None:
        problem = await self._writer.apply(group, decided)
        if isinstance(problem, AccessDeniedError | TargetGroupNotFoundError):
            raise problem
        if problem is not None:
            self._report(f"{group.name}: {problem}")

    async def _read(self, group: Group) -> None:
        began = self._clock.monotonic()
        try:
            healths = await self._elb.describe(group.arn)
        except (AccessDeniedError, TargetGroupNotFoundError):
            raise
        except AwsError as error:
            self._report(f"{group.name}: {error}")
            group.observed.read_failed(str(error))
            return
        group.observed.read(began, healths)
        self._listed[group.arn] = frozenset(each.target for each in healths if each.registered)
        back = [each.target for each in group.observed.undone if not each.registered]
        if back:
            raise AnotherWriterError(
                f"{group.name}: {len(back)} targets are registered again; stop the syncer first "
                "(NLB_SYNC_PAUSED=true, or no replicas)"
            )


def own_targets_held(decided: GroupPlan) -> list[Target]:
    """Return the own targets that the plan holds."""
    return [held.target for held in decided.held if held.why is not Why.FOREIGN]
