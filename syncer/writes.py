"""Sends a plan: batches, one bad target apart from the good ones, and what AWS acknowledged at once."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncer.chronicle import Chronicle
from syncer.errors import (
    AwsError,
    CredentialsExpiredError,
    RefusedTargetsError,
    TargetGroupNotFoundError,
    ThrottledError,
    TooManyTargetsError,
    UnreachableError,
)
from syncer.group import Group
from syncer.model import GroupPlan, Target
from syncer.ports import Clock, Elb
from syncer.tally import Tally

log = logging.getLogger(__name__)

# The batch that the AWS Load Balancer Controller uses, agreed with the ELB team (its pull request 1342).
BATCH = 200
# After one of these no call to the group is worth trying in the same pass.
_SILENT = (UnreachableError, ThrottledError, CredentialsExpiredError, TargetGroupNotFoundError)


@dataclass(frozen=True, slots=True)
class Writer:
    """Applies plans to groups through `elb`. `halted` says whether to stop after the call in flight."""

    elb: Elb
    clock: Clock
    tally: Tally
    halted: Callable[[], bool]
    chronicle: Chronicle

    async def apply(self, group: Group, plan: GroupPlan) -> AwsError | None:
        """Register, then deregister; the failure that is to be waited out, if there was one.

        A full group or a missing right to register does not keep anything from leaving; a group that does
        not answer is left alone.
        """
        problem = await self._register(group, plan.register)
        if isinstance(problem, _SILENT):
            return problem
        return await self._deregister(group, plan.deregister) or problem

    async def _register(self, group: Group, targets: Sequence[Target]) -> AwsError | None:
        waiting = _batches(targets)
        while waiting and not self.halted():
            batch = waiting.pop(0)
            try:
                await self.elb.register(group.arn, batch)
            except (RefusedTargetsError, TooManyTargetsError) as error:
                if isinstance(error, TooManyTargetsError) and len(batch) == 1:
                    group.learn_limit(self.clock.monotonic())
                    log.warning("%s: full: %s", group.name, error, extra={"group": group.name})
                    return error
                again = self._apart(group, batch, error)
                if again is None:
                    return error
                waiting = [*again, *waiting]
            except AwsError as error:
                return error
            else:
                now = self.clock.monotonic()
                joined = [target for target in batch if not group.actual.holds(target)]
                group.actual.registered(batch, now)
                group.poison.accepted(batch)
                group.contested.wrote(batch, now, registered=True)
                self._changed(group, "register", batch)
                self.chronicle.registered(group, joined)
        return None

    def _apart(
        self, group: Group, batch: Sequence[Target], error: RefusedTargetsError | TooManyTargetsError
    ) -> list[Sequence[Target]] | None:
        """What to send instead of a refused batch; None when no more is to be tried now.

        The ids that AWS named are set aside, else halves are tried until the bad ones stand alone. A full
        group is filled to its last place in the same way.
        """
        now = self.clock.monotonic()
        culprits = [
            target for target in batch if isinstance(error, RefusedTargetsError) and target.id in error.ids
        ]
        if not group.poison.may_search(now):
            return None
        if not culprits and len(batch) == 1:
            culprits = list(batch)
        if culprits:
            group.poison.refuse(culprits, now)
            self.tally.refused[group.arn] += len(culprits)
            self.chronicle.refused(group, culprits, error)
            log.warning(
                "%s: AWS refused %s: %s", group.name, named(culprits), error, extra={"group": group.name}
            )
            rest = [target for target in batch if target not in culprits]
            return [rest] if rest else []
        half = len(batch) // 2
        return [batch[:half], batch[half:]]

    async def _deregister(self, group: Group, targets: Sequence[Target]) -> AwsError | None:
        for batch in _batches(targets):
            if self.halted():
                return None
            try:
                await self.elb.deregister(group.arn, batch)
            except AwsError as error:
                return error
            now = self.clock.monotonic()
            group.actual.deregistered(batch, now)
            group.contested.wrote(batch, now, registered=False)
            group.removed += len(batch)
            self._changed(group, "deregister", batch)
            self.chronicle.deregistered(group, batch)
        return None

    def _changed(self, group: Group, change: str, batch: Sequence[Target]) -> None:
        self.tally.changes[group.arn, change] += len(batch)
        group.hurry.set()
        log.info("%s: %s %s", group.name, change, named(batch), extra={"group": group.name, "change": change})


def _batches(targets: Sequence[Target]) -> list[Sequence[Target]]:
    return [targets[start : start + BATCH] for start in range(0, len(targets), BATCH)]


def named(targets: Sequence[Target]) -> str:
    """The first ten of `targets` and how many more there are, for a log line."""
    shown = ", ".join(f"{target.id}:{target.port}" for target in targets[:10])
    return shown + (f" and {len(targets) - 10} more" if len(targets) > 10 else "")  # noqa: PLR2004


def left_undone(plan: GroupPlan) -> str:
    """What a paused syncer would do, for a log line."""
    parts = (("register", plan.register), ("deregister", plan.deregister))
    said = [f"{word} {len(targets)} ({named(targets)})" for word, targets in parts if targets]
    return f"would {' and '.join(said)}" if said else "nothing to do"
