"""The brake: how many targets must go on serving, remembered over ten minutes, and who may go (rule 2)."""

from collections.abc import Callable, Collection, Iterable, Mapping
from math import ceil

from syncer.decide.policy import PlanPolicy
from syncer.model import GroupState, Target, TargetHealth, TargetState, Why

GROUP = ""
Peaks = Mapping[str, tuple[tuple[float, int], ...]]


def serving(targets: Iterable[TargetHealth]) -> set[Target]:
    """The targets that get new connections: the healthy ones, or all registered ones where none is healthy.

    AWS fails open, but not to an instance that is stopped or terminated (unused, Target.InvalidState).
    """
    listed = [health for health in targets if health.registered]
    healthy = {health.target for health in listed if health.state is TargetState.HEALTHY}
    return healthy or {health.target for health in listed if health.reason != "Target.InvalidState"}


def floor_of(base: int, share: float) -> int:
    """How many must go on serving; never fewer than one."""
    return max(1, ceil(share * base))


def remember(
    peaks: tuple[tuple[float, int], ...], count: int, now: float, window: float
) -> tuple[tuple[float, int], ...]:
    """The peaks of the last `window` seconds with the count of now; the first is their highest."""
    kept = [(min(when, now), peak) for when, peak in peaks if when >= now - window and peak > count]
    return (*kept, (now, count))


class Brake:
    """Lets targets of one group go, one after another, while enough others serve.

    With cross-zone off each zone is a scope of its own beside the group, because an NLB address serves from
    its own zone only.
    """

    def __init__(
        self, actual: GroupState, policy: PlanPolicy, zone_of: Callable[[Target], str], now: float
    ) -> None:
        self._zone_of = zone_of
        self._by_zone = not policy.cross_zone
        self._registered = sum(health.registered for health in actual.targets.values())
        self._serving = {
            scope: serving(members) for scope, members in self._scopes(actual.targets.values()).items()
        }
        self._left = {scope: len(members) for scope, members in self._serving.items()}
        draining = self._scopes(h for h in actual.targets.values() if h.state is TargetState.DRAINING)
        old = actual.memory.peaks
        self.peaks: Peaks = {
            scope: remember(
                old.get(scope, ()),
                self._left.get(scope, 0) + len(draining.get(scope, ())),
                now,
                policy.base_window,
            )
            for scope in self._left.keys() | draining.keys() | old.keys()
        }
        self._floors = {scope: floor_of(peaks[0][1], policy.share) for scope, peaks in self.peaks.items()}

    @property
    def base(self) -> int:
        """The most serving + draining targets of the group in the window."""
        return self.peaks[GROUP][0][1]

    @property
    def floor(self) -> int:
        """How many of the group must go on serving."""
        return self._floors[GROUP]

    @property
    def serving(self) -> int:
        """How many of the group would serve after what was let go so far."""
        return self._left[GROUP]

    def serves(self, target: Target) -> bool:
        """Whether a target counts as serving in the group or in its zone."""
        return any(target in self._serving[scope] for scope in self._scopes_of(target))

    def release(self, target: Target, *, share: bool = True) -> Why | None:
        """Let one target go, or say which rule holds it; without `share` one other serving one is enough."""
        if not self.serves(target):
            if self._registered <= 1:
                return Why.LAST_SERVING
            self._registered -= 1
            return None
        refusal = self._refusal([target], share=share)
        if refusal is None:
            self._take([target])
        return refusal

    def release_together(self, targets: Collection[Target]) -> Why | None:
        """Let all of these serving targets go, or none of them."""
        refusal = self._refusal(targets, share=True)
        if refusal is None:
            self._take(targets)
        return refusal

    def release_confirmed(self, target: Target) -> Why | None:
        """Let one go that a person has let go: only the last serving one of the group is still held."""
        if target in self._serving[GROUP] and self._left[GROUP] <= 1:
            return Why.LAST_SERVING
        if self._registered <= 1:
            return Why.LAST_SERVING
        self._take([target])
        return None

    def _refusal(self, targets: Collection[Target], *, share: bool) -> Why | None:
        going: dict[str, int] = {}
        for target in targets:
            for scope in self._scopes_of(target):
                going[scope] = going.get(scope, 0) + (target in self._serving[scope])
        worst: Why | None = None
        for scope, count in going.items():
            after = self._left[scope] - count
            if count and after < 1 and len(targets) == 1:
                return Why.LAST_SERVING
            if count and after < (self._floors[scope] if share else 1):
                worst = Why.SHARE
        return worst

    def _take(self, targets: Collection[Target]) -> None:
        self._registered -= len(targets)
        for target in targets:
            for scope in self._scopes_of(target):
                self._left[scope] -= target in self._serving[scope]

    def _scopes_of(self, target: Target) -> tuple[str, ...]:
        zone = self._zone_of(target) if self._by_zone else GROUP
        return (GROUP, zone) if zone != GROUP else (GROUP,)

    def _scopes(self, targets: Iterable[TargetHealth]) -> dict[str, list[TargetHealth]]:
        scopes: dict[str, list[TargetHealth]] = {GROUP: list(targets)}
        if self._by_zone:
            for health in scopes[GROUP]:
                for scope in self._scopes_of(health.target)[1:]:
                    scopes.setdefault(scope, []).append(health)
        return scopes
