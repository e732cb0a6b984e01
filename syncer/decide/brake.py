"""The brake (rule 2): a share of the ten-minute peak must continue to serve; decides on removals."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from math import ceil, inf

from syncer.decide.policy import PlanPolicy
from syncer.decide.serving import serving_of
from syncer.model import GroupState, Target, TargetHealth, TargetState, Why

GROUP = ""
# A count from exactly ten minutes ago still counts.
_MOMENT = 0.001
Peaks = Mapping[str, tuple[tuple[float, int], ...]]


def floor_of(base: int, share: float) -> int:
    """Return how many instances must continue to serve; at least one."""
    return max(1, ceil(share * base - 1e-9))  # 0.07 x 100 is 7.000000000000001


def remember(
    peaks: tuple[tuple[float, int], ...], count: int, now: float, window: float
) -> tuple[tuple[float, int], ...]:
    """Return the peaks of the last `window` seconds including the current count; the highest peak is first.

    The last count was valid until now: a falling count has the age of its end.
    """
    if peaks and peaks[-1][1] > count:
        peaks = (*peaks[:-1], (now, peaks[-1][1]))
    kept = [(min(when, now), peak) for when, peak in peaks if when >= now - window and peak > count]
    return (*kept, (now, count))


def drains_since(
    targets: Iterable[TargetHealth], known: Mapping[Target, float], now: float
) -> dict[Target, float]:
    """Return since when every draining target was seen to drain: AWS lists such targets for up to an hour."""
    drains = (health.target for health in targets if health.state is TargetState.DRAINING)
    return {target: min(known.get(target, now), now) for target in drains}


class Brake:
    """Releases targets of one group one after another while enough other targets serve.

    The brake counts instances, not targets. An instance that serves on the old and the new port counts once,
    and still counts while the old target drains and the new target serves. With cross-zone off every zone is
    a separate scope beside the group, because an NLB address serves only from its own zone. With a `limit`
    the count of a scope is at most its registered targets plus the free places: in a full group, swapped
    targets drain beside their replacements.
    """

    def __init__(
        self,
        actual: GroupState,
        policy: PlanPolicy,
        zone_of: Callable[[Target], str],
        now: float,
        limit: int | None = None,
    ) -> None:
        self._zone_of = zone_of
        self._window = policy.base_window
        self._by_zone = not policy.cross_zone
        scopes = self._scopes(actual.targets.values())
        self._registered = {health.target for health in scopes[GROUP] if health.registered}
        self._certain = set(self._registered)
        self._free = inf if limit is None else max(0, limit - len(self._registered))
        in_use = any(h.registered and h.state is not TargetState.UNUSED for h in scopes[GROUP])
        found = {scope: serving_of(members, in_use=in_use) for scope, members in scopes.items()}
        self._serving = {scope: serving.counted for scope, serving in found.items()}
        self._exposed = {scope: serving.exposed for scope, serving in found.items()}
        # If all counted targets are under a zonal shift: other registered targets that may get traffic.
        self._unshifted = {scope: set(serving.exposed) for scope, serving in found.items() if serving.shifted}
        self._copies = {
            scope: Counter(target.id for target in members) for scope, members in self._serving.items()
        }
        self._left = {scope: len(copies) for scope, copies in self._copies.items()}
        self.draining = drains_since(scopes[GROUP], actual.memory.draining, now)
        self._long_gone = {each for each, since in self.draining.items() if since < now - self._window}
        old = actual.memory.peaks
        self.peaks: Peaks = {
            scope: remember(
                old.get(scope, ()), self._present(scope, scopes.get(scope, ())), now, policy.base_window
            )
            for scope in scopes.keys() | old.keys()
        }
        self.peaks = {scope: peaks for scope, peaks in self.peaks.items() if scope == GROUP or peaks[0][1]}
        bases = {scope: peaks[0][1] for scope, peaks in self.peaks.items()}
        self.base = bases[GROUP]
        self._floors = {scope: floor_of(base, policy.share) for scope, base in bases.items()}
        self._shown = dict(self._left)
        self._shown_serving = dict(self._serving)

    def doubt(self, targets: Collection[Target]) -> None:
        """Do not count `targets` as capacity: AWS may list them as healthy after they were deregistered.

        A hold for this reason alone is `Share`: in AWS's list the target is not the last.
        """
        self._certain.difference_update(targets)
        for scope, members in self._serving.items():
            self._exposed[scope] |= members.intersection(targets)
            self._serving[scope] = members.difference(targets)
            self._copies[scope] = Counter(target.id for target in self._serving[scope])
            self._left[scope] = len(self._copies[scope])

    def _present(self, scope: str, members: Collection[TargetHealth]) -> int:
        """Return how many instances serve or drain; a drain longer than the window does not count."""
        drains = (health.target for health in members if health.state is TargetState.DRAINING)
        draining = {target.id for target in drains if target not in self._long_gone}
        count = len(draining.union(self._copies.get(scope, ())))
        return int(min(count, _registered(members) + self._free))

    @property
    def sinks_at(self) -> float:
        """Earliest time (epoch seconds) when the base of a scope may sink."""
        return min(peaks[0][0] for peaks in self.peaks.values()) + self._window + _MOMENT

    @property
    def floor(self) -> int:
        """How many instances of the group must continue to serve."""
        return self._floors[GROUP]

    @property
    def serving(self) -> int:
        """How many instances of the group serve after the removals released so far."""
        return self._left[GROUP]

    def serves(self, target: Target) -> bool:
        """Whether a target serves, or may serve, in the group or in its zone."""
        return any(
            target in self._serving[scope] or target in self._exposed[scope]
            for scope in self._scopes_of(target)
        )

    def counts(self, target: Target) -> bool:
        """Whether a target counts as capacity of the group in AWS's list."""
        return target in self._shown_serving[GROUP]

    def release(self, target: Target, *, share: bool = True) -> Why | None:
        """Release a target, or return the rule that holds the target.

        Without `share`, one other serving target is enough.
        """
        refusal = None if self.serves(target) else self._last_registered(target)
        for scope in self._scopes_of(target):
            if refusal is not Why.LAST_SERVING:
                refusal = self._refusal(scope, target, share=share) or refusal
        if refusal is None:
            self._take(target)
        return refusal

    def release_together(self, targets: Collection[Target]) -> dict[Target, Why]:
        """Release all of these serving targets or none; return the holds.

        With cross-zone off, a zone that cannot spare its targets holds only targets of the same zone.
        """
        held: dict[Target, Why] = {}
        zones = sorted({zone for target in targets for zone in self._scopes_of(target)} - {GROUP})
        for zone in zones:
            members = [target for target in targets if zone in self._scopes_of(target)]
            held.update(self._hold(zone, members))
        rest = [target for target in targets if target not in held]
        refused = self._hold(GROUP, rest)
        if not refused:
            for target in rest:
                self._take(target)
        return held | refused

    def _hold(self, scope: str, targets: Collection[Target]) -> dict[Target, Why]:
        """Return a hold for all `targets` if the scope cannot spare them together.

        LAST_SERVING is only for targets that no confirmation can release: a person may give up a zone, but
        not the group.
        """
        going = Counter(target.id for target in targets if target in self._serving[scope])
        lost = sum(self._copies[scope][instance] <= count for instance, count in going.items())
        risked = lost or not self._exposed[scope].isdisjoint(targets)
        why = self._too_few(scope, lost, share=True) if risked else None
        if why is None and not self._is_unshifted_gone(scope, targets):
            return {}
        return dict.fromkeys(targets, Why.LAST_SERVING if all(map(self._is_last, targets)) else Why.SHARE)

    def release_confirmed(self, target: Target) -> Why | None:
        """Release a confirmed target; only the last target of the group is still held."""
        refusal = self._refusal(GROUP, target, share=False) or self._last_registered(target)
        if refusal is None:
            self._take(target)
        return refusal

    def _last_registered(self, target: Target) -> Why | None:
        if not self._certain <= {target}:
            return None
        return Why.LAST_SERVING if self._registered <= {target} else Why.SHARE

    def _too_few(self, scope: str, lost: int, *, share: bool) -> Why | None:
        after = self._left[scope] - lost
        if after < 1:
            return Why.LAST_SERVING if self._shown[scope] <= max(lost, 1) else Why.SHARE
        return Why.SHARE if share and after < self._floors[scope] else None

    def _refusal(self, scope: str, target: Target, *, share: bool) -> Why | None:
        if self._is_unshifted_gone(scope, [target]):
            return Why.LAST_SERVING
        if not self._is_lost(scope, target):
            return None
        return self._too_few(scope, int(target in self._serving[scope]), share=share)

    def _is_unshifted_gone(self, scope: str, targets: Collection[Target]) -> bool:
        """Whether no target outside `targets` may get traffic, except targets under a zonal shift."""
        unshifted = self._unshifted.get(scope, set())
        return bool(unshifted) and unshifted.issubset(targets)

    def _is_lost(self, scope: str, target: Target) -> bool:
        """Whether without this target its instance would not serve, or may not, in this scope any more."""
        copies = self._copies[scope][target.id]
        return (
            copies <= 1 if target in self._serving[scope] else target in self._exposed[scope] and not copies
        )

    def _is_last(self, target: Target) -> bool:
        if self._is_unshifted_gone(GROUP, [target]):
            return True
        return self._shown[GROUP] <= 1 and self.counts(target) and self._is_lost(GROUP, target)

    def _take(self, target: Target) -> None:
        self._registered.discard(target)
        self._certain.discard(target)
        for scope in self._scopes_of(target):
            lost = self._is_lost(scope, target)
            self._unshifted.get(scope, set()).discard(target)
            if target in self._serving[scope]:
                self._shown[scope] -= lost
                self._left[scope] -= lost
                self._copies[scope][target.id] -= 1
            elif target in self._shown_serving[scope]:
                self._shown[scope] -= lost

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


def _registered(targets: Iterable[TargetHealth]) -> int:
    return sum(health.registered for health in targets)
