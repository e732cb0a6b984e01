"""Polls every group on a jittered interval to detect drift, more often while a target is awaited."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from syncer.config.settings import Settings
from syncer.decide.policy import Ownership
from syncer.errors import AccessDeniedError, AwsError, ThrottledError
from syncer.interfaces import Clock, Elb
from syncer.model import Why
from syncer.reconcile.backoff import Backoff
from syncer.reconcile.conflicts import Conflict
from syncer.reconcile.group import Group
from syncer.reconcile.rate_limit import READS, Buckets
from syncer.reconcile.recorder import Recorder, named
from syncer.reconcile.target_type import TargetTypes

log = logging.getLogger(__name__)

# With these holds a removal waits for another target to become healthy, as a read will show.
_WAITS = frozenset({Why.SHARE, Why.LAST_SERVING, Why.AWAITING_SUCCESSOR})
# In exclusive, a foreign target waits as well, for a healthy owned target. Otherwise foreign targets simply
# stay.
_WAITS_IN_EXCLUSIVE = _WAITS | {Why.FOREIGN}
# For this time after a throttled call, a group is polled often only if a removal waits for the result.
_SPARING_S = 60.0


_LONGEST_WAIT_S = 30.0


@dataclass(slots=True)
class _Poll:
    """The polling of a group: `jitter` is the share of the interval until the next read."""

    group: Group
    backoff: Backoff
    jitter: float = 1.0
    throttled_at: float = -inf


class Reader:
    """Keeps `group.observed` current. Reads run beside writes and never delay them."""

    def __init__(
        self,
        *,
        settings: Settings,
        elb: Elb,
        clock: Clock,
        rng: random.Random,
        on_change: Callable[[Group], None],
        recorder: Recorder,
    ) -> None:
        self._settings = settings
        self._elb = elb
        self._clock = clock
        self._rng = rng
        self._on_change = on_change
        self._recorder = recorder
        self._types = TargetTypes(settings, elb)
        self._buckets = Buckets(READS)

    async def follow(self, group: Group) -> None:
        """Poll the group until cancelled.

        Raises:
            MisconfiguredError: at the start, if a group has another target type than `instance`.

        """
        await self._types.check()
        poll = _Poll(group, Backoff(self._rng, cap=_LONGEST_WAIT_S))
        while True:
            began = self._clock.monotonic()
            poll.jitter = self._rng.uniform(0.9, 1.0)
            failed = await self._read(poll)
            if failed:
                await self._clock.sleep(failed)
                continue
            while not group.schedule.read_required and (
                (left := self._next_read(poll, began) - self._clock.monotonic()) > 0
            ):
                await group.schedule.wait_for_read_change(self._clock, left)

    async def _read(self, poll: _Poll) -> float:
        """Read once; return the seconds to back off, 0 after a success."""
        began, group = self._clock.monotonic(), poll.group
        try:
            await self._look(group)
        except AccessDeniedError as error:
            denied = error.operation == "DescribeTargetHealth"
            if denied:
                self._recorder.blinded(group, error)
            return self._failed(poll, str(error), slow=True, denied=denied)
        except AwsError as error:
            if isinstance(error, ThrottledError):
                poll.throttled_at = self._clock.monotonic()
                self._buckets.of(group.region).empty(poll.throttled_at)
            self._recorder.failed(group, error)
            return self._failed(poll, str(error), slow=error.slow)
        except Exception:
            log.exception("%s: unforeseen fault while reading", group.name)
            return self._failed(poll, "unforeseen fault while reading, see the log", slow=False)
        finally:
            group.schedule.read_ended(began, fresh=group.observed.fresh)
        poll.backoff.reset()
        return 0.0

    async def _turn(self, group: Group) -> None:
        """Wait for a token of the Region's bucket."""
        bucket = self._buckets.of(group.region)
        while wait := bucket.take(self._clock.monotonic()):
            await self._clock.sleep(wait)

    async def _look(self, group: Group) -> None:
        observed = group.observed
        if group.config.settings.port is None and observed.default_port is None:
            observed.default_port = await self._elb.default_port(group.arn)
            self._on_change(group)
        await self._turn(group)
        began = self._clock.monotonic()
        healths = await self._elb.describe(group.arn)
        before, problem = observed.read_at, observed.problem
        news = observed.read(began, healths)
        if problem:
            log.info("%s: may be read again", group.name, extra={"group": group.name})
        conflicts = group.quarantine.conflicts.undone(observed.undone, began, observed.targets)
        self._report_conflicts(group, conflicts)
        if news or conflicts or observed.unshown.settle(before, began):
            self._on_change(group)
        self._recorder.read(group)

    def _report_conflicts(self, group: Group, conflicts: Sequence[Conflict]) -> None:
        """Report new conflicts, once per cause."""
        for cause in sorted({conflict.cause for conflict in conflicts}):
            targets = [conflict.target for conflict in conflicts if conflict.cause == cause]
            log.warning(
                "%s: conflict: %s quarantined for 10 minutes: %s",
                group.name,
                named(targets),
                cause,
                extra={"group": group.name, "why": Why.CONTESTED},
            )
            self._recorder.contested(group, targets, cause)

    def _failed(self, poll: _Poll, problem: str, *, slow: bool, denied: bool = False) -> float:
        group, observed = poll.group, poll.group.observed
        before = observed.problem
        changed = observed.denied(group.owned.targets, problem) if denied else observed.read_failed(problem)
        if problem != before:
            what = "blind" if observed.blind else "removals wait"
            log.warning("%s: %s: %s", group.name, what, problem, extra={"group": group.name})
        if changed:
            self._on_change(group)
        return poll.backoff.next(slow=slow)

    def _next_read(self, poll: _Poll, began: float) -> float:
        """Return the time of the next read after a read begun at `began`: when due, or when writes settle."""
        due, settles_at = began + self._interval(poll), poll.group.observed.unshown.settles_at
        return min(due, settles_at) if began < settles_at else due

    def _interval(self, poll: _Poll) -> float:
        """Return the seconds between reads; a tenth is jitter, so that groups and replicas differ."""
        group, plan = poll.group, poll.group.plan
        throttled_at = max(poll.throttled_at, group.calls.throttled_at)
        throttled = self._clock.monotonic() < throttled_at + _SPARING_S
        waits = _WAITS_IN_EXCLUSIVE if self._settings.ownership is Ownership.EXCLUSIVE else _WAITS
        held = plan.held if plan else ()
        awaited = (group.observed.awaits_health and not throttled) or any(each.why in waits for each in held)
        interval = self._settings.read_awaited_every if awaited else self._settings.read_every
        return interval * poll.jitter
