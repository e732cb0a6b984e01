"""Observed state of a group in AWS: the last DescribeTargetHealth plus acknowledged writes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import inf
from operator import attrgetter

from syncer.decide.listing import Listing
from syncer.model import Target, TargetHealth, TargetState
from syncer.reconcile.own_writes import OwnWrites, Undone, drawn_over
from syncer.reconcile.unshown import Unshown

# Default drain time of AWS (deregistration_delay.timeout_seconds).
_DRAINED_S = 300.0
# In C: a read of 5,000 unchanged targets runs no Python code for each of them.
_TARGET: Callable[[TargetHealth], Target] = attrgetter("target")
_STATE: Callable[[TargetHealth], TargetState] = attrgetter("state")


class ObservedState:
    """The known targets of a group. Times are monotonic seconds.

    A read may miss writes acknowledged within the last minute, so the writes are overlaid on the read
    (`syncer.reconcile.own_writes`). `fresh` is false after a failed read, and `problem` is the failure.
    `blind`: AWS denies the read; `targets` then has the own writes, and the targets that were owned at the
    last successful read; `acknowledged` are registrations that AWS has accepted since the last plan.
    `default_port` is the group's own port, once read. `listing` has the targets sorted for plans.
    """

    def __init__(self) -> None:
        self.listing = Listing()
        self.fresh = False
        self.blind = False
        self.problem = ""
        self.read_at: float | None = None
        self.default_port: int | None = None
        self.acknowledged: set[Target] = set()
        self.undone: Sequence[Undone] = ()
        self.unshown = Unshown()
        self._left: dict[Target, float] = {}
        self._writes = OwnWrites()

    @property
    def targets(self) -> Mapping[Target, TargetHealth]:
        """The known targets; replaced as a whole."""
        return self.listing.targets

    def read(self, began: float, healths: Sequence[TargetHealth]) -> bool:
        """Take over a read that began at `began`; return whether the state has changed. Sets `undone`."""
        before = (self.targets, self.fresh, self.blind)
        if TargetState.UNUSED in map(_STATE, healths):
            healths = [health for health in healths if not _never_registered(health)]
        listed = dict(zip(map(_TARGET, healths), healths, strict=True))
        shown, self.undone = self._writes.read(began, listed, self.listing)
        self.listing.take(shown)
        self.fresh, self.blind, self.read_at, self.problem = True, False, began, ""
        self._left.clear()
        return (self.targets, self.fresh, self.blind) != before

    def read_failed(self, problem: str) -> bool:
        """Mark the state as possibly stale after a failed read; return whether that is a change."""
        was, self.fresh, self.problem = self.fresh, False, problem
        if self.blind:
            self._writes = OwnWrites()  # no read to compare with
        return was

    def denied(self, ours: Collection[Target], problem: str) -> bool:
        """Mark the group as blind; return whether that is a change.

        Only targets in `ours` are still assumed to be registered.
        """
        was, self.blind = self.blind, True
        if not was:
            known = self.targets.items()
            listed = {target for target, health in known if health.registered}
            self.believe(ours if self.read_at is None else listed.intersection(ours))
        return self.read_failed(problem) or not was

    def believe(self, recorded: Iterable[Target]) -> None:
        """Blind, take the registered targets from the registry; with unknown health, all count as serving."""
        zones = {target: health.zone for target, health in self.targets.items()}
        self.listing.take(
            {
                target: TargetHealth(target=target, state=TargetState.UNAVAILABLE, zone=zones.get(target, ""))
                for target in recorded
            }
        )

    def registered(self, targets: Collection[Target], at: float) -> None:
        """Take over an acknowledged RegisterTargets."""
        self._wrote(targets, at, registered=True)
        if self.blind:
            self.acknowledged.update(targets)

    def deregistered(self, targets: Collection[Target], at: float) -> None:
        """Take over an acknowledged DeregisterTargets."""
        self._wrote(targets, at, registered=False)

    def not_answered(self, targets: Collection[Target], at: float, *, registered: bool) -> None:
        """Forget earlier writes to `targets`: a write without a response may have been carried out."""
        self._writes.forget(targets)
        if not registered:
            self.unshown.not_answered(targets, at)

    def another_wrote(self, now: float) -> None:
        """Note that another process may have written until now; compare later reads with no own write."""
        self._writes = OwnWrites()
        self.unshown.another_wrote(now)

    def seen_at(self, now: float) -> float:
        """Return when the state was read; blind, `now`, because no later read will show more."""
        if self.blind:
            return now
        return -inf if self.read_at is None else self.read_at

    def expire(self, now: float, after: float) -> None:
        """Mark the state as stale if the last read is older than `after` seconds, as after a freeze."""
        self.fresh = self.fresh and not self.is_old(now, after)

    def is_old(self, now: float, after: float) -> bool:
        """Whether the last successful read is older than `after` seconds."""
        return self.read_at is not None and now - self.read_at > after

    def forget_drained(self, now: float) -> None:
        """Blind, assume that draining ends after AWS's default: no read shows the end."""
        if not self.blind or not self._left:
            return
        gone = {target for target, at in self._left.items() if at <= now - _DRAINED_S}
        if gone:
            self.listing.take({target: known for target, known in self.targets.items() if target not in gone})
            for target in gone:
                del self._left[target]

    def holds(self, target: Target) -> bool:
        """Whether the target is registered."""
        known = self.targets.get(target)
        return known is not None and known.registered

    @property
    def awaits_health(self) -> bool:
        """Whether any target is still becoming healthy."""
        return any(health.state is TargetState.INITIAL for health in self.listing.others.values())

    def _wrote(self, targets: Collection[Target], at: float, *, registered: bool) -> None:
        for target in targets:
            self._writes.wrote(target, self.targets.get(target), at, registered=registered)
            self._left.pop(target, None)
            if self.blind and not registered:
                self._left[target] = at
        self.listing.change(drawn_over(self.targets, targets, registered=registered))


def _never_registered(health: TargetHealth) -> bool:
    return health.state is TargetState.UNUSED and not health.registered
