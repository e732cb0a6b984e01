"""Sends a plan: batches, one bad target apart from the good ones, and what AWS acknowledged at once."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from syncer.errors import (
    AwsError,
    CredentialsError,
    RefusedTargetsError,
    TargetGroupNotFoundError,
    ThrottledError,
    TooManyTargetsError,
    UnreachableError,
)
from syncer.interfaces import Clock, Elb
from syncer.model import GroupPlan, Target
from syncer.reconcile.group import Group
from syncer.reconcile.quarantine import Quarantine
from syncer.reconcile.rate_limit import WRITES, Buckets
from syncer.reconcile.recorder import Recorder, named
from syncer.telemetry.counters import Counters

log = logging.getLogger(__name__)

# The batch that the AWS Load Balancer Controller uses, agreed with the ELB team (its pull request 1342).
BATCH = 200
# After one of these no call to the group is worth trying in the same pass.
_SILENT = (UnreachableError, ThrottledError, CredentialsError, TargetGroupNotFoundError)


@dataclass(frozen=True, slots=True)
class Writer:
    """Applies plans to groups through `elb`. `halted` says whether to stop after the call in flight."""

    elb: Elb
    clock: Clock
    counters: Counters
    halted: Callable[[], bool]
    recorder: Recorder
    buckets: Buckets = field(default_factory=lambda: Buckets(WRITES))

    async def apply(self, group: Group, plan: GroupPlan) -> AwsError | None:
        """Register, then deregister; the failure that is to be waited out, if there was one.

        A full group or a missing right to register does not keep anything from leaving, neither now nor while
        that is waited out; a group that does not answer is left alone. What is not sent yet when the group
        turns dirty is left to the next plan: a plan that waited for its turn may be wrong by then.
        """
        before = group.writes
        problem = group.awaited(plan, self.clock.monotonic()) or await self._register(group, plan.register)
        if isinstance(problem, _SILENT) or _hides(group, problem):
            return problem
        return await self._deregister(group, plan.deregister, first=group.writes == before) or problem

    async def _register(self, group: Group, targets: Sequence[Target]) -> AwsError | None:
        waiting, first, searching = _batches(targets), True, False
        while waiting and await self._may_send(group, first=first, searching=searching):
            batch, first = waiting.pop(0), False
            try:
                await self.elb.register(group.arn, batch)
            except (RefusedTargetsError, TooManyTargetsError) as error:
                if isinstance(error, TooManyTargetsError) and len(batch) == 1:
                    group.learn_limit(self.clock.monotonic())
                    log.warning("%s: full: %s", group.name, error, extra={"group": group.name})
                    return error
                again = self._apart(group, group.poison, batch, error)
                if again is None:
                    return error
                waiting, searching = [*again, *waiting], True
            except AwsError as error:
                if error.unsure:
                    group.actual.not_answered(batch)
                return self._failed(group, error)
            else:
                now = self.clock.monotonic()
                joined = [target for target in batch if not group.actual.holds(target)]
                group.actual.registered(batch, now)
                group.untold.difference_update(batch)
                group.poison.accepted(batch)
                self._changed(group, "register", batch)
                self.recorder.registered(group, joined)
        return None

    def _apart(
        self,
        group: Group,
        aside: Quarantine,
        batch: Sequence[Target],
        error: RefusedTargetsError | TooManyTargetsError,
    ) -> list[Sequence[Target]] | None:
        """What to send instead of a refused batch; None when no more is to be tried now.

        The ids that AWS named are set `aside`, else halves are tried until the bad ones stand alone. A full
        group is filled to its last place in the same way.
        """
        now, again = self.clock.monotonic(), list[Sequence[Target]]()
        culprits = [
            target for target in batch if isinstance(error, RefusedTargetsError) and target.id in error.ids
        ]
        if not culprits and len(batch) == 1:
            culprits = list(batch)
        if culprits:
            aside.refuse(culprits, now, self.recorder.nodes_of(each.id for each in culprits))
            self.counters.refused[group.arn] += len(culprits)
            self.recorder.refused(group, culprits, error)
            log.warning(
                "%s: AWS refused %s: %s", group.name, named(culprits), error, extra={"group": group.name}
            )
            rest = [target for target in batch if target not in culprits]
            again += [rest] if rest else []
        else:
            half = len(batch) // 2
            again += [batch[:half], batch[half:]]
        return again if aside.may_search(now, calls=len(again)) else None

    async def _deregister(self, group: Group, targets: Sequence[Target], *, first: bool) -> AwsError | None:
        """All but those that AWS has just refused to let go.

        A search for them is no reason to go on with an old plan: the next one begins with what it has found.
        """
        stuck = group.stuck.set_aside(self.clock.monotonic())
        waiting = _batches([target for target in targets if target not in stuck])
        while waiting:
            may_send = await self._may_send(group, first=first)
            if not may_send or group.knows_old_things(self.clock.monotonic()):
                return None
            batch, first = waiting.pop(0), False
            try:
                await self.elb.deregister(group.arn, batch)
            except RefusedTargetsError as error:
                again = self._apart(group, group.stuck, batch, error)
                if again is None:
                    return error
                waiting = [*again, *waiting]
            except AwsError as error:
                if error.unsure:
                    group.actual.not_answered(batch)
                    group.not_answered(batch, self.clock.monotonic())
                return self._failed(group, error)
            else:
                self._left(group, batch)
        return None

    def _left(self, group: Group, batch: Sequence[Target]) -> None:
        """AWS acknowledged the deregistration of a batch."""
        now = self.clock.monotonic()
        group.actual.deregistered(batch, now)
        group.stuck.accepted(batch)
        group.removed += len(batch)
        self._changed(group, "deregister", batch)
        self.recorder.deregistered(group, batch)

    async def _may_send(self, group: Group, *, first: bool, searching: bool = False) -> bool:
        """Wait for the turn of one call; False where none may begin, or the plan is to be made anew.

        The `first` call of a plan goes whatever has come since, so that each plan does something. A search
        for bad targets is gone through with: begun anew each time it would never find them.
        """
        bucket = self.buckets.of(group.region)
        while not self.halted():
            if group.dirty.is_set() and not (first or searching):
                return False
            wait = bucket.take(self.clock.monotonic())
            if not wait:
                group.writes += 1
                return True
            await (self.clock.sleep(wait) if searching else self.clock.wait(group.dirty, wait))
            first = False
        return False

    def _failed(self, group: Group, error: AwsError) -> AwsError:
        """What may be gone serves no more, and what may be there is ours: both are looked at first."""
        if error.unsure:
            group.look_anew(self.clock.monotonic())
        if isinstance(error, ThrottledError):
            group.throttled_at = self.clock.monotonic()
            self.buckets.of(group.region).empty(group.throttled_at)
        return error

    def _changed(self, group: Group, change: str, batch: Sequence[Target]) -> None:
        self.counters.changes[group.arn, change] += len(batch)
        group.hurry.set()
        log.info("%s: %s %s", group.name, change, named(batch), extra={"group": group.name, "change": change})


def _hides(group: Group, problem: AwsError | None) -> bool:
    """Whether nobody knows what would be left: blind, only what AWS has just taken is known to be there.

    A full group is full of something, and gets no place before another one goes.
    """
    return group.actual.blind and problem is not None and not isinstance(problem, TooManyTargetsError)


def _batches(targets: Sequence[Target]) -> list[Sequence[Target]]:
    return [targets[start : start + BATCH] for start in range(0, len(targets), BATCH)]
