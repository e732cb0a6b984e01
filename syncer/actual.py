"""One group as it is at AWS: the last DescribeTargetHealth plus our own acknowledged writes."""

from collections.abc import Iterable, Mapping, Sequence

from syncer.model import Target, TargetHealth, TargetState

_AWAITED = frozenset({TargetState.INITIAL})


class Actual:
    """What is known of one group's targets. Times are monotonic seconds.

    A write that was acknowledged while a read was under way may or may not be in its answer: it is put over
    the answer again. `fresh` is false after a failed read.
    """

    def __init__(self) -> None:
        self.targets: dict[Target, TargetHealth] = {}
        self.fresh = False
        self.read_at: float | None = None
        self._writes: list[tuple[float, Target, bool]] = []

    def read(self, began: float, healths: Sequence[TargetHealth]) -> bool:
        """Take a read that began at `began`; whether it says anything new."""
        before = (self.targets, self.fresh)
        self.targets = {health.target: health for health in healths if not _never_registered(health)}
        self._writes = [write for write in self._writes if write[0] >= began]
        for _, target, registered in self._writes:
            self._overlay(target, registered=registered)
        self.fresh, self.read_at = True, began
        return (self.targets, self.fresh) != before

    def read_failed(self) -> bool:
        """The last read failed: what is known may be stale; whether that is news."""
        was, self.fresh = self.fresh, False
        return was

    def registered(self, targets: Iterable[Target], at: float) -> None:
        """AWS acknowledged RegisterTargets."""
        self._wrote(targets, at, registered=True)

    def deregistered(self, targets: Iterable[Target], at: float) -> None:
        """AWS acknowledged DeregisterTargets."""
        self._wrote(targets, at, registered=False)

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

    def _wrote(self, targets: Iterable[Target], at: float, *, registered: bool) -> None:
        self.targets = dict(self.targets)
        for target in targets:
            self._writes.append((at, target, registered))
            self._overlay(target, registered=registered)

    def _overlay(self, target: Target, *, registered: bool) -> None:
        known = self.targets.get(target)
        zone = known.zone if known else ""
        if registered:
            if known is None or not known.registered:
                self.targets[target] = TargetHealth(
                    target=target,
                    state=TargetState.INITIAL,
                    reason="Elb.RegistrationInProgress",
                    zone=zone,
                )
        elif known is not None and known.registered:
            self.targets[target] = TargetHealth(
                target=target,
                state=TargetState.DRAINING,
                reason="Target.DeregistrationInProgress",
                zone=zone,
            )


def _never_registered(health: TargetHealth) -> bool:
    return health.state is TargetState.UNUSED and not health.registered
