"""The capacity of a group: which targets serve, the ten-minute peak and the floor (rule 2)."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from math import ceil, inf

from syncer.decide.listing import Listing
from syncer.decide.policy import PlanPolicy
from syncer.decide.serving import Serving, serving_among
from syncer.model import INSTANCE, GroupMemory, InstanceId, Target, TargetHealth, TargetState

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
    draining: Iterable[Target], known: Mapping[Target, float], now: float
) -> dict[Target, float]:
    """Return since when every draining target was seen to drain: AWS lists such targets for up to an hour."""
    return {target: min(known.get(target, now), now) for target in draining}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The capacity of a group and, with cross-zone off, of each of its zones; counted in instances.

    An instance that serves on the old and the new port counts once, and still counts while the old target
    drains and the new target serves. With cross-zone off every zone is a separate scope beside the group,
    because an NLB address serves only from its own zone. `serving_in`, `copies_in` (serving targets by
    instance), `floors` and `peaks` are by scope, GROUP or a zone. `draining` has the time since when a target
    was seen to drain.
    """

    registered: AbstractSet[Target]
    serving_in: Mapping[str, Serving]
    copies_in: Mapping[str, Counter[InstanceId]]
    floors: Mapping[str, int]
    peaks: Peaks
    draining: Mapping[Target, float]
    window: float
    scopes_of: Callable[[Target], tuple[str, ...]]

    @classmethod
    def measure(
        cls,
        listing: Listing,
        memory: GroupMemory,
        policy: PlanPolicy,
        zone_of: Callable[[Target], str],
        *,
        now: float,
        limit: int | None = None,
    ) -> "Capacity":
        """Measure at `now` (epoch seconds).

        With a `limit` the count of a scope is at most its registered targets plus the free places: in a full
        group, swapped targets drain beside their replacements.
        """
        in_use = len(listing.registered) > sum(
            health.state is TargetState.UNUSED for health in listing.others.values()
        )
        scopes = {GROUP: _Scope.of_group(listing, in_use=in_use)}
        if not policy.cross_zone:
            scopes.update(
                (zone, each.scope(in_use=in_use)) for zone, each in _parts(listing, zone_of).items()
            )
        draining = drains_since(listing.draining, memory.draining, now)
        window = policy.base_window
        lately = {target for target, since in draining.items() if since >= now - window}
        free = inf if limit is None else max(0, limit - len(listing.registered))
        peaks = {
            scope: remember(
                memory.peaks.get(scope, ()),
                scopes[scope].present(lately, free) if scope in scopes else 0,
                now,
                window,
            )
            for scope in scopes.keys() | memory.peaks.keys()
        }
        peaks = {scope: each for scope, each in peaks.items() if scope == GROUP or each[0][1]}
        return cls(
            registered=listing.registered,
            serving_in={scope: each.serving for scope, each in scopes.items()},
            copies_in={scope: each.copies for scope, each in scopes.items()},
            floors={scope: floor_of(each[0][1], policy.share) for scope, each in peaks.items()},
            peaks=peaks,
            draining=draining,
            window=window,
            scopes_of=_scopes_of(policy, zone_of),
        )

    @property
    def serving(self) -> int:
        """How many instances of the group serve."""
        return len(self.copies_in[GROUP])

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


@dataclass(frozen=True, slots=True)
class _Scope:
    """A group or a zone: its serving targets, their number by instance, and what else counts."""

    serving: Serving
    copies: Counter[InstanceId]
    registered: int
    draining: AbstractSet[Target]

    @classmethod
    def of_group(cls, listing: Listing, *, in_use: bool) -> "_Scope":
        serving = serving_among(listing.plain, listing.others.values(), in_use=in_use)
        # The usual case: the copies of 5,000 targets are counted by changes.
        copies = listing.copies if serving.counted is listing.plain else _copies(serving)
        return cls(serving, copies, len(listing.registered), listing.draining)

    def present(self, lately: AbstractSet[Target], free: float) -> int:
        """Return how many instances serve or drain; a drain longer than the window does not count."""
        drains = {target.id for target in self.draining & lately}
        present = len(self.copies) + sum(instance not in self.copies for instance in drains)
        return int(min(present, self.registered + free))


@dataclass(slots=True)
class _Part:
    """The targets of a zone, sorted as in a Listing."""

    plain: set[Target] = field(default_factory=set)
    copies: Counter[InstanceId] = field(default_factory=Counter)
    others: list[TargetHealth] = field(default_factory=list)
    draining: set[Target] = field(default_factory=set)

    def scope(self, *, in_use: bool) -> _Scope:
        serving = serving_among(self.plain, self.others, in_use=in_use)
        copies = self.copies if serving.counted is self.plain else _copies(serving)
        return _Scope(serving, copies, len(self.plain) + len(self.others), self.draining)


def _parts(listing: Listing, zone_of: Callable[[Target], str]) -> Mapping[str, _Part]:
    """Return the targets of every known zone."""
    parts: defaultdict[str, _Part] = defaultdict(_Part)
    for target in listing.plain:
        part = parts[zone_of(target)]
        part.plain.add(target)
        part.copies[target.id] += 1
    for target, health in listing.others.items():
        parts[zone_of(target)].others.append(health)
    for target in listing.draining:
        parts[zone_of(target)].draining.add(target)
    parts.pop(GROUP, None)  # of these the zone is unknown
    return parts


def _copies(serving: Serving) -> Counter[InstanceId]:
    return Counter(map(INSTANCE, serving.counted))
