"""The capacity of a group: which targets serve, the ten-minute peak and the floor (rule 2)."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from math import ceil, inf

from syncer.decide.policy import PlanPolicy
from syncer.decide.serving import Serving, serving_of
from syncer.model import INSTANCE, GroupState, Target, TargetHealth, TargetState

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
    drains = [health.target for health in targets if health.state is TargetState.DRAINING]
    return {target: min(known.get(target, now), now) for target in drains}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The capacity of a group and, with cross-zone off, of each of its zones; counted in instances.

    An instance that serves on the old and the new port counts once, and still counts while the old target
    drains and the new target serves. With cross-zone off every zone is a separate scope beside the group,
    because an NLB address serves only from its own zone. `serving_in`, `floors` and `peaks` are by scope,
    GROUP or a zone. `draining` has the time since when a target was seen to drain.
    """

    registered: frozenset[Target]
    serving_in: Mapping[str, Serving]
    floors: Mapping[str, int]
    peaks: Peaks
    draining: Mapping[Target, float]
    window: float
    scopes_of: Callable[[Target], tuple[str, ...]]

    @classmethod
    def measure(
        cls,
        actual: GroupState,
        policy: PlanPolicy,
        zone_of: Callable[[Target], str],
        now: float,
        limit: int | None = None,
    ) -> "Capacity":
        """Measure at `now` (epoch seconds).

        With a `limit` the count of a scope is at most its registered targets plus the free places: in a full
        group, swapped targets drain beside their replacements.
        """
        scopes_of = _scopes_of(policy, zone_of)
        scopes = {GROUP: list(actual.targets.values())}
        if not policy.cross_zone:
            for health in scopes[GROUP]:
                for scope in scopes_of(health.target)[1:]:
                    scopes.setdefault(scope, []).append(health)
        registered = frozenset([health.target for health in scopes[GROUP] if health.registered])
        in_use = any(h.registered and h.state is not TargetState.UNUSED for h in scopes[GROUP])
        serving = {scope: serving_of(members, in_use=in_use) for scope, members in scopes.items()}
        draining = drains_since(scopes[GROUP], actual.memory.draining, now)
        window = policy.base_window
        lately = {target for target, since in draining.items() if since >= now - window}
        free = inf if limit is None else max(0, limit - len(registered))
        old = actual.memory.peaks
        peaks = {
            scope: remember(
                old.get(scope, ()),
                _present(scopes.get(scope, ()), serving.get(scope), lately, free),
                now,
                window,
            )
            for scope in scopes.keys() | old.keys()
        }
        peaks = {scope: each for scope, each in peaks.items() if scope == GROUP or each[0][1]}
        return cls(
            registered=registered,
            serving_in=serving,
            floors={scope: floor_of(each[0][1], policy.share) for scope, each in peaks.items()},
            peaks=peaks,
            draining=draining,
            window=window,
            scopes_of=scopes_of,
        )

    @property
    def serving(self) -> int:
        """How many instances of the group serve."""
        return len(set(map(INSTANCE, self.serving_in[GROUP].counted)))

    @property
    def base(self) -> int:
        """The group's peak of serving and draining instances within the window."""
        return self.peaks[GROUP][0][1]

    @property
    def floor(self) -> int:
        """How many instances of the group must continue to serve."""
        return self.floors[GROUP]

    @property
    def sinks_at(self) -> float:
        """Earliest time (epoch seconds) when the base of a scope may sink."""
        return min(peaks[0][0] for peaks in self.peaks.values()) + self.window + _MOMENT


def _scopes_of(policy: PlanPolicy, zone_of: Callable[[Target], str]) -> Callable[[Target], tuple[str, ...]]:
    def scopes_of(target: Target) -> tuple[str, ...]:
        zone = GROUP if policy.cross_zone else zone_of(target)
        return (GROUP, zone) if zone != GROUP else (GROUP,)

    return scopes_of


def _present(
    members: Collection[TargetHealth], serving: Serving | None, draining: Collection[Target], free: float
) -> int:
    """Return how many instances of a scope serve or drain; a drain longer than the window does not count."""
    present = set(map(INSTANCE, serving.counted)) if serving is not None else set()
    if draining:
        present.update(h.target.id for h in members if h.target in draining)
    return int(min(len(present), len([1 for health in members if health.registered]) + free))
