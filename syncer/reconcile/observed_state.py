"""Observed state of a group in AWS: the last DescribeTargetHealth plus acknowledged writes."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from syncer.model import Target, TargetHealth, TargetState
from syncer.reconcile.own_writes import OwnWrites, Undone, drawn_over

_AWAITED = frozenset({TargetState.INITIAL})
# Default drain time of AWS (deregistration_delay.timeout_seconds).
_DRAINED_S = 300.0


class ObservedState:
    """The known targets of a group. Times are monotonic seconds.

    A read may miss writes acknowledged within the last minute, so the writes are overlaid on the read
    (`syncer.reconcile.own_writes`). `fresh` is false after a failed read. `blind`: AWS denies the read;
    `targets` then has the own writes, and the targets that were owned at the last successful read.
    """

    def __init__(self) -> None:
        self.targets: dict[Target, TargetHealth] = {}
        self.fresh = False
        self.blind = False
        self._left: dict[Target, float] = {}
        self.read_at: float | None = None
        self._writes = OwnWrites()
        self.undone: Sequence[Undone] = ()

    def read(self, began: float, healths: Sequence[TargetHealth]) -> bool:
        """Take over a read that began at `began`; return whether the state has changed. Sets `undone`."""
        before = (self.targets, self.fresh, self.blind)
        listed = {health.target: health for health in healths if not _never_registered(health)}
        self.targets, self.undone = self._writes.read(began, listed, self.targets)
        self.fresh, self.blind, self.read_at = True, False, began
        self._left.clear()
        return (self.targets, self.fresh, self.blind) != before

    def read_failed(self) -> bool:
        """Mark the state as possibly stale after a failed read; return whether that is a change."""
        was, self.fresh = self.fresh, False
        if self.blind:
            self._writes = OwnWrites()  # no read to compare with
        return was

    def denied(self, ours: Collection[Target]) -> bool:
        """Mark the group as blind; return whether that is a change.

        Only targets in `ours` are still assumed to be registered.
        """
        was, self.blind = self.blind, True
        if not was:
            known = self.targets.items()
            listed = {target for target, health in known if health.registered}
            self.believe(ours if self.read_at is None else listed.intersection(ours))
        return self.read_failed() or not was

    def believe(self, recorded: Iterable[Target]) -> None:
        """Blind, take the registered targets from the registry; with unknown health, all count as serving."""
        zones = {target: health.zone for target, health in self.targets.items()}
        self.targets = {
            target: TargetHealth(target=target, state=TargetState.UNAVAILABLE, zone=zones.get(target, ""))
            for target in recorded
        }

    def registered(self, targets: Collection[Target], at: float) -> None:
        """Take over an acknowledged RegisterTargets."""
        self._wrote(targets, at, registered=True)

    def deregistered(self, targets: Collection[Target], at: float) -> None:
        """Take over an acknowledged DeregisterTargets."""
        self._wrote(targets, at, registered=False)

    def not_answered(self, targets: Iterable[Target]) -> None:
        """Forget earlier writes to `targets`: a write without a response may have been carried out."""
        self._writes.forget(targets)

    def forget_writes(self) -> None:
        """Compare later reads with no earlier write."""
        self._writes = OwnWrites()

    def expire(self, now: float, after: float) -> None:
        """Mark the state as stale if the last read is older than `after` seconds, as after a freeze."""
        self.fresh = self.fresh and not self.is_old(now, after)

    def is_old(self, now: float, after: float) -> bool:
        """Whether the last successful read is older than `after` seconds."""
        return self.read_at is not None and now - self.read_at > after

    def forget_drained(self, now: float) -> None:
        """Blind, assume that draining ends after AWS's default: no read shows the end."""
        gone = {target for target, at in self._left.items() if at <= now - _DRAINED_S}
        if self.blind and gone:
            self.targets = {target: known for target, known in self.targets.items() if target not in gone}
            for target in gone:
                del self._left[target]

    def holds(self, target: Target) -> bool:
        """Whether the target is registered."""
        known = self.targets.get(target)
        return known is not None and known.registered

    @property
    def awaits_health(self) -> bool:
        """Whether any target is still becoming healthy."""
        return any(health.state in _AWAITED for health in self.targets.values())

    def count(self) -> Mapping[TargetState, int]:
        """Return the number of targets by state."""
        counts = dict.fromkeys(TargetState, 0)
        for health in self.targets.values():
            counts[health.state] += 1
        return counts

    def _wrote(self, targets: Collection[Target], at: float, *, registered: bool) -> None:
        for target in targets:
            self._writes.wrote(target, self.targets.get(target), at, registered=registered)
            self._left.pop(target, None)
            if self.blind and not registered:
                self._left[target] = at
        self.targets = drawn_over(self.targets, targets, registered=registered)


def _never_registered(health: TargetHealth) -> bool:
    return health.state is TargetState.UNUSED and not health.registered
