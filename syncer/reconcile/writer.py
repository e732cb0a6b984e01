"""Sends a plan in batches, quarantines refused targets, and takes over every acknowledgement at once."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

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
from syncer.model import GroupPlan, InstanceId, NodeView, Target
from syncer.reconcile.group import Group
from syncer.reconcile.quarantine import Refusals
from syncer.reconcile.rate_limit import WRITES, Buckets
from syncer.reconcile.recorder import named
from syncer.telemetry.counters import Counters

log = logging.getLogger(__name__)

# Batch size of the AWS Load Balancer Controller, agreed with the ELB team (its pull request 1342).
BATCH = 200
# After these errors, no further call to the group in the same pass is useful.
_SILENT = (UnreachableError, ThrottledError, CredentialsError, TargetGroupNotFoundError)


class Outcomes(Protocol):
    """Receiver of the results of calls."""

    def registered(self, group: Group, targets: Sequence[Target]) -> None:
        """Record an acknowledged registration of targets that were not registered before."""

    def deregistered(self, group: Group, targets: Sequence[Target]) -> None:
        """Record an acknowledged deregistration."""

    def refused(self, group: Group, targets: Sequence[Target], error: AwsError) -> None:
        """Record a refusal of `targets` by AWS."""

    def nodes_of(self, instances: Iterable[InstanceId]) -> Mapping[InstanceId, NodeView]:
        """Return the authoritative Node of every instance, if any."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Applies plans to groups through `elb`; `halted` returns whether to stop after the call in flight."""

    elb: Elb
    clock: Clock
    counters: Counters
    halted: Callable[[], bool]
    recorder: Outcomes
    buckets: Buckets = field(default_factory=lambda: Buckets(WRITES))

    async def apply(self, group: Group, plan: GroupPlan) -> AwsError | None:
        """Register, then deregister; return the error to back off for, if any.

        A full group or a missing permission to register delays no removal, neither now nor during the
        backoff. A group without a response is left alone. When the group turns dirty, unsent calls are left
        to the next plan: a plan that waited for a token may be outdated.
        """
        before = group.calls.sent
        delayed = group.calls.delayed(plan, self.clock.monotonic())
        problem = delayed or await self._register(group, plan.register)
        if isinstance(problem, _SILENT) or _hides(group, problem):
            return problem
        return await self._deregister(group, plan.deregister, first=group.calls.sent == before) or problem

    async def _register(self, group: Group, targets: Sequence[Target]) -> AwsError | None:
        waiting, first, searching = _batches(targets), True, False
        while waiting and await self._may_send(group, first=first, searching=searching):
            batch, first = waiting.pop(0), False
            try:
                await self.elb.register(group.arn, batch)
            except (RefusedTargetsError, TooManyTargetsError) as error:
                if isinstance(error, TooManyTargetsError) and len(batch) == 1:
                    group.calls.limit.learn(len(group.observed.targets), self.clock.monotonic())
                    log.warning("%s: full: %s", group.name, error, extra={"group": group.name})
                    return error
                again = self._apart(group, group.quarantine.registrations, batch, error)
                if again is None:
                    return error
                waiting, searching = [*again, *waiting], True
            except AwsError as error:
                return self._failed(group, batch, error, registered=True)
            else:
                joined = [target for target in batch if not group.observed.holds(target)]
                group.observed.registered(batch, self.clock.monotonic())
                group.quarantine.registrations.accepted(batch)
                self._changed(group, "register", batch)
                self.recorder.registered(group, joined)
        return None

    def _apart(
        self,
        group: Group,
        refusals: Refusals,
        batch: Sequence[Target],
        error: RefusedTargetsError | TooManyTargetsError,
    ) -> list[Sequence[Target]] | None:
        """Return the batches that replace a refused batch; None if no further call may be sent now.

        The targets that AWS named are quarantined in `refusals`; without names, batches are halved until
        the bad targets are alone. A full group is filled to its last place in the same way.
        """
        now, again = self.clock.monotonic(), list[Sequence[Target]]()
        culprits = [
            target for target in batch if isinstance(error, RefusedTargetsError) and target.id in error.ids
        ]
        if not culprits and len(batch) == 1:
            culprits = list(batch)
        if culprits:
            refusals.refuse(culprits, now, self.recorder.nodes_of(each.id for each in culprits))
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
        return again if refusals.may_search(now, calls=len(again)) else None

    async def _deregister(self, group: Group, targets: Sequence[Target], *, first: bool) -> AwsError | None:
        """Deregister all targets except those that AWS has recently refused to deregister.

        A search for refused targets does not prolong an outdated plan: the next plan starts with the results.
        """
        refused = group.quarantine.deregistrations.releases(self.clock.monotonic())
        waiting = _batches([target for target in targets if target not in refused])
        while waiting:
            may_send = await self._may_send(group, first=first)
            if not may_send or group.is_outdated(self.clock.monotonic()):
                return None
            batch, first = waiting.pop(0), False
            try:
                await self.elb.deregister(group.arn, batch)
            except RefusedTargetsError as error:
                again = self._apart(group, group.quarantine.deregistrations, batch, error)
                if again is None:
                    return error
                waiting = [*again, *waiting]
            except AwsError as error:
                return self._failed(group, batch, error, registered=False)
            else:
                self._deregistered(group, batch)
        return None

    def _deregistered(self, group: Group, batch: Sequence[Target]) -> None:
        """Take over an acknowledged deregistration."""
        group.observed.deregistered(batch, self.clock.monotonic())
        group.quarantine.deregistrations.accepted(batch)
        group.calls.deregistered += len(batch)
        self._changed(group, "deregister", batch)
        self.recorder.deregistered(group, batch)

    async def _may_send(self, group: Group, *, first: bool, searching: bool = False) -> bool:
        """Wait for a token for a call; return False if no call may begin or a new plan is due.

        The `first` call of a plan is sent even if the group is dirty, unless it must wait for a token, so
        that every plan has an effect. A search for bad targets is completed: restarted after every change,
        the search would never find them.
        """
        bucket = self.buckets.of(group.region)
        while not self.halted():
            if group.schedule.reconcile_requested and not (first or searching):
                return False
            wait = bucket.take(self.clock.monotonic())
            if not wait:
                group.calls.sent += 1
                return True
            if searching:
                await self.clock.sleep(wait)
            else:
                await group.schedule.wait_for_request(self.clock, wait)
            first = False
        return False

    def _failed(
        self, group: Group, batch: Sequence[Target], error: AwsError, *, registered: bool
    ) -> AwsError:
        """Require a read before the next write if a call got no response, and note throttling.

        AWS may have carried out such a call: a target may already be gone, or registered and owned.
        """
        now = self.clock.monotonic()
        if error.unsure:
            group.observed.not_answered(batch, now, registered=registered)
            group.require_fresh_read(now)
        if isinstance(error, ThrottledError):
            group.calls.throttled_at = now
            self.buckets.of(group.region).empty(now)
        return error

    def _changed(self, group: Group, change: str, batch: Sequence[Target]) -> None:
        self.counters.changes[group.arn, change] += len(batch)
        group.schedule.reschedule_read()
        log.info("%s: %s %s", group.name, change, named(batch), extra={"group": group.name, "change": change})


def _hides(group: Group, problem: AwsError | None) -> bool:
    """Whether the remaining targets are unknown: blind, only targets that AWS has just accepted are certain.

    A full group is not empty, and has no free place before a removal.
    """
    return group.observed.blind and problem is not None and not isinstance(problem, TooManyTargetsError)


def _batches(targets: Sequence[Target]) -> list[Sequence[Target]]:
    return [targets[start : start + BATCH] for start in range(0, len(targets), BATCH)]
