"""Polls every group on a jittered interval to detect drift, more often while a target is awaited."""

import logging
import random
from collections.abc import Callable, Sequence

from syncer.config.settings import Settings
from syncer.decide.policy import Ownership
from syncer.errors import AccessDeniedError, AwsError, ThrottledError
from syncer.interfaces import Clock, Elb
from syncer.model import Why
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


class Reader:
    """Keeps `group.actual` current. Reads run beside writes and never delay them."""

    def __init__(
        self,
        *,
        settings: Settings,
        elb: Elb,
        clock: Clock,
        rng: random.Random,
        news: Callable[[], None],
        recorder: Recorder,
    ) -> None:
        self._settings = settings
        self._elb = elb
        self._clock = clock
        self._rng = rng
        self._news = news
        self._recorder = recorder
        self._types = TargetTypes(settings, elb)
        self._buckets = Buckets(READS)

    async def follow(self, group: Group) -> None:
        """Poll the group until cancelled.

        Raises:
            MisconfiguredError: at the start, if a group has another target type than `instance`.

        """
        await self._types.check()
        while True:
            began = self._clock.monotonic()
            group.beat = self._rng.uniform(0.9, 1.0)
            failed = await self._read(group)
            if failed:
                await self._clock.sleep(failed)
                continue
            while group.looked.is_set() and (
                (left := self._next_read(group, began) - self._clock.monotonic()) > 0
            ):
                group.hurry.clear()
                await self._clock.wait(group.hurry, left)

    async def _read(self, group: Group) -> float:
        """Read once; return the seconds to back off, 0 after a success."""
        began = self._clock.monotonic()
        try:
            await self._look(group)
        except AccessDeniedError as error:
            if error.operation == "DescribeTargetHealth":
                self._recorder.blinded(group, error)
                if group.actual.denied(group.ours):
                    self._news()
            return self._failed(group, str(error), slow=True)
        except AwsError as error:
            if isinstance(error, ThrottledError):
                group.throttled_at = self._clock.monotonic()
                self._buckets.of(group.region).empty(group.throttled_at)
            self._recorder.failed(group, error)
            return self._failed(group, str(error), slow=error.slow)
        except Exception:
            log.exception("%s: unforeseen fault while reading", group.name)
            return self._failed(group, "unforeseen fault while reading, see the log", slow=False)
        finally:
            if began >= group.look_after or not group.actual.fresh:
                group.looked.set()
        group.read_backoff.reset()
        if group.read_problem:
            log.info("%s: may be read again", group.name, extra={"group": group.name})
        group.read_problem = ""
        return 0.0

    async def _turn(self, group: Group) -> None:
        """Wait for a token of the Region's bucket."""
        bucket = self._buckets.of(group.region)
        while wait := bucket.take(self._clock.monotonic()):
            await self._clock.sleep(wait)

    async def _look(self, group: Group) -> None:
        if group.settings.port is None and group.own_port is None:
            group.own_port = await self._elb.default_port(group.arn)
            self._news()
        await self._turn(group)
        began = self._clock.monotonic()
        healths = await self._elb.describe(group.arn)
        before = group.actual.read_at
        news = group.actual.read(began, healths)
        contests = group.contested.undone(group.actual.undone, began, group.actual.targets)
        self._report_contests(group, contests)
        if news or contests or group.settles(before, began):
            self._news()
        self._recorder.read(group)

    def _report_contests(self, group: Group, contests: Sequence[Conflict]) -> None:
        """Report new conflicts, once per cause."""
        for cause in sorted({contest.cause for contest in contests}):
            targets = [contest.target for contest in contests if contest.cause == cause]
            log.warning(
                "%s: conflict: %s quarantined for 10 minutes: %s",
                group.name,
                named(targets),
                cause,
                extra={"group": group.name, "why": Why.CONTESTED},
            )
            self._recorder.contested(group, targets, cause)

    def _failed(self, group: Group, problem: str, *, slow: bool) -> float:
        if problem != group.read_problem:
            what = "blind" if group.actual.blind else "removals wait"
            log.warning("%s: %s: %s", group.name, what, problem, extra={"group": group.name})
        group.read_problem = problem
        if group.actual.read_failed():
            self._news()
        return group.read_backoff.next(slow=slow)

    def _next_read(self, group: Group, began: float) -> float:
        """Return the time of the next read after a read begun at `began`: when due, or when writes settle."""
        due = began + self._interval(group)
        return min(due, group.settles_at) if began < group.settles_at else due

    def _interval(self, group: Group) -> float:
        """Return the seconds between reads; a tenth is jitter, so that groups and replicas differ."""
        held = group.plan.held if group.plan else ()
        throttled = self._clock.monotonic() < group.throttled_at + _SPARING_S
        waits = _WAITS_IN_EXCLUSIVE if self._settings.ownership is Ownership.EXCLUSIVE else _WAITS
        awaited = (group.actual.awaits_health and not throttled) or any(each.why in waits for each in held)
        interval = self._settings.read_awaited_every if awaited else self._settings.read_every
        return interval * group.beat
