"""One group as it is at AWS: the last DescribeTargetHealth plus our own acknowledged writes."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from syncer.model import Target, TargetHealth, TargetState
from syncer.reconcile.own_writes import OwnWrites, Undone, drawn_over

_AWAITED = frozenset({TargetState.INITIAL})
# How long AWS drains a target unless the group says otherwise (deregistration_delay.timeout_seconds).
_DRAINED_S = 300.0


class ObservedState:
    """What is known of one group's targets. Times are monotonic seconds.

    A read need not show a write that was acknowledged within the last minute: the write is overlaid on it
    (`syncer.reconcile.own_writes`). `fresh` is false after a failed read. `blind`: AWS denies the read;
    `targets` is then what we wrote and what was ours when AWS last let us read.
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
        """Take a read that began at `began`; return whether it differs. It sets `undone`."""
        before = (self.targets, self.fresh, self.blind)
        listed = {health.target: health for health in healths if not _never_registered(health)}
        self.targets, self.undone = self._writes.read(began, listed, self.targets)
        self.fresh, self.blind, self.read_at = True, False, began
        self._left.clear()
        return (self.targets, self.fresh, self.blind) != before

    def read_failed(self) -> bool:
        """The last read failed: what is known may be stale; whether that is news."""
        was, self.fresh = self.fresh, False
        if self.blind:
            self._writes = OwnWrites()  # no read is compared with them
        return was

    def denied(self, ours: Collection[Target]) -> bool:
        """AWS does not let us read the group; whether that is news.

        Only what is `ours` is still believed to be registered.
        """
        was, self.blind = self.blind, True
        if not was:
            known = self.targets.items()
            listed = {target for target, health in known if health.registered}
            self.believe(ours if self.read_at is None else listed.intersection(ours))
        return self.read_failed() or not was

    def believe(self, recorded: Iterable[Target]) -> None:
        """Blind, the record says what is registered. Of its health nothing is known: all count as serving."""
        zones = {target: health.zone for target, health in self.targets.items()}
        self.targets = {
            target: TargetHealth(target=target, state=TargetState.UNAVAILABLE, zone=zones.get(target, ""))
            for target in recorded
        }

    def registered(self, targets: Collection[Target], at: float) -> None:
        """AWS acknowledged RegisterTargets."""
        self._wrote(targets, at, registered=True)

    def deregistered(self, targets: Collection[Target], at: float) -> None:
        """AWS acknowledged DeregisterTargets."""
        self._wrote(targets, at, registered=False)

    def not_answered(self, targets: Iterable[Target]) -> None:
        """A write to `targets` may have been carried out: what was written before proves nothing now."""
        self._writes.forget(targets)

    def forget_writes(self) -> None:
        """Compare the reads that follow with no earlier write."""
        self._writes = OwnWrites()

    def expire(self, now: float, after: float) -> None:
        """What was read longer than `after` seconds ago may be stale: a process may have been frozen."""
        self.fresh = self.fresh and not self.is_old(now, after)

    def is_old(self, now: float, after: float) -> bool:
        """Whether the last read that went well is older than that."""
        return self.read_at is not None and now - self.read_at > after

    def forget_drained(self, now: float) -> None:
        """Blind, nobody tells when draining is over: after AWS's default it is taken to be."""
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
        """Whether a target is on its way to be healthy."""
        return any(health.state in _AWAITED for health in self.targets.values())

    def count(self) -> Mapping[TargetState, int]:
        """How many targets are in each state."""
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
