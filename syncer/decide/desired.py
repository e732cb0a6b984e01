"""Chooses the same instances for all groups, so that the groups never differ."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

from syncer.decide.evaluate import JOINING
from syncer.decide.listing import Listing, listed_zone
from syncer.decide.policy import Ownership, PlanPolicy
from syncer.decide.quota import Queues, by_weight, limit_of, subset
from syncer.decide.zones import Source, is_enabled, zone_text
from syncer.model import (
    Desired,
    Evaluation,
    GroupState,
    InstanceId,
    Intent,
    Standing,
    TargetHealth,
    TargetState,
    Verdict,
)

ZONE_NOT_ENABLED = "ZoneNotEnabled"
# So many instances over the quota are named; the others are only counted.
SAMPLE = 100


def registered_instances(groups: Iterable[GroupState]) -> frozenset[InstanceId]:
    """Return the instances that AWS lists as targets in any of the groups."""
    return frozenset(
        health.target.id for group in groups for health in group.targets.values() if health.registered
    )


def choose(evaluation: Evaluation, groups: Sequence[GroupState], policy: PlanPolicy) -> Desired:
    """Return the instances for every group, within the quota of the group with the least room.

    An instance in a zone that the load balancer does not serve is out (`ZoneNotEnabled`): AWS would keep the
    target unused for ever without an error. A refused instance takes no place from a node that AWS would
    accept. `syncer.decide.standings` has the same result from changes.
    """
    listings, rules = [Listing(group.targets) for group in groups], ZoneRules(policy.zones)
    placed = {i: rules.placed(each, listed_zone(i, listings)) for i, each in evaluation.instances.items()}
    idle = rules.idle(placed.get, groups, listings)
    intents = {i: rules.served(i, each, idle) for i, each in placed.items()}
    candidates = {i: each.zone for i, each in intents.items() if each.standing is Standing.IN}
    wanted = chosen = frozenset(candidates)
    line: tuple[InstanceId, ...] = ()
    places = places_in(intents, groups, listings, policy)
    if places is not None and places < len(wanted):
        queues = Queues(candidates)
        chosen = subset(queues, places, wanted.intersection(refused_in(groups)))
        line = queues.waiting(chosen, SAMPLE)
    return Desired(
        wanted=chosen,
        over_quota=Rest(wanted, chosen),
        next_in_line=line,
        joining=frozenset(i for i, each in intents.items() if each.reason == JOINING),
        intents=intents,
        complete=evaluation.complete,
        all_out=bool(intents or policy.only_selected) and not any(map(is_hopeful, intents.values())),
        unsettled=any(group.unsettled for group in groups),
    )


def is_hopeful(intent: Intent) -> bool:
    """Whether the rules do not simply exclude the instance."""
    return intent.standing is not Standing.OUT or intent.reason == JOINING


class Rest(AbstractSet[InstanceId]):
    """The candidates that are not chosen: no object for each of 99,000."""

    def __init__(self, candidates: AbstractSet[InstanceId], chosen: AbstractSet[InstanceId]) -> None:
        self._candidates = candidates
        self._chosen = chosen

    def __contains__(self, instance: object) -> bool:
        return instance in self._candidates and instance not in self._chosen

    def __iter__(self) -> Iterator[InstanceId]:
        return (instance for instance in self._candidates if instance not in self._chosen)

    def __len__(self) -> int:
        return len(self._candidates) - len(self._chosen)

    @classmethod
    def _from_iterable(cls, instances: Iterable[InstanceId]) -> frozenset[InstanceId]:  # type: ignore[override]
        return frozenset(instances)


def final_verdicts(evaluation: Evaluation, desired: Desired) -> tuple[Verdict, ...]:
    """Return the final verdict of every Node: as judged by the rules, but out if its zone is not served."""

    def final(verdict: Verdict) -> Verdict:
        intent = None if verdict.instance_id is None else desired.intents.get(verdict.instance_id)
        if intent is None:
            return verdict
        return replace(
            verdict,
            standing=intent.standing,
            reason=intent.reason,
            zone=intent.zone,
            zone_source=intent.zone_source,
        )

    return tuple(map(final, evaluation.verdicts))


class Outcome(NamedTuple):
    """The part of a verdict that many Nodes share."""

    standing: Standing
    reason: str
    zone: str
    zone_source: str


def outcome(verdict: Verdict | Intent) -> Outcome:
    """Return the part of a verdict that many Nodes share."""
    return Outcome(verdict.standing, verdict.reason, verdict.zone, verdict.zone_source)


def nobody(outcomes: Mapping[Outcome, int]) -> str:
    """Return why no Node may be a target; "" if any Node is in, leaving or joining.

    The state may be intended, but a selector with a typo has the same effect. `outcomes` has the number of
    Nodes.
    """
    counts: Counter[str] = Counter()
    for each, count in outcomes.items():
        if count and (each.standing is not Standing.OUT or each.reason == JOINING):
            return ""
        counts[_reason_with_place(each)] += count
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()) if count)
    return f"no node may be a target: {reasons}" if reasons else ""


def _reason_with_place(each: Outcome) -> str:
    if each.reason != ZONE_NOT_ENABLED:
        return each.reason
    return f"{each.reason} ({zone_text(each.zone, each.zone_source)})"


class ZoneRules:
    """Gives an intent the zone that AWS lists, and puts a node out whose zone is not served.

    `zones` are the enabled zones; None, and AWS's list has to show zones without traffic. Equal results are
    the same object: 5,000 instances share a few dozen intents.
    """

    def __init__(self, zones: frozenset[str] | None) -> None:
        self._zones = zones
        self._placed: dict[tuple[int, str], tuple[Intent, Intent]] = {}
        self._out: dict[int, tuple[Intent, Intent]] = {}

    def placed(self, intent: Intent, zone: str) -> Intent:
        """Return the intent in the zone that AWS lists, if any."""
        if not zone:
            return intent
        known = self._placed.get((id(intent), zone))
        if known is None or known[0] is not intent:
            known = intent, replace(intent, zone=zone, zone_source=Source.AWS)
            self._placed[id(intent), zone] = known
        return known[1]

    def served(self, instance: InstanceId, intent: Intent, idle: Mapping[str, InstanceId]) -> Intent:
        """Return the intent, OUT for a zone that is not served by configuration or by AWS's list."""
        if intent.standing is not Standing.IN or not self._is_unserved(instance, intent.zone, idle):
            return intent
        known = self._out.get(id(intent))
        if known is None or known[0] is not intent:
            known = intent, replace(intent, standing=Standing.OUT, reason=ZONE_NOT_ENABLED)
            self._out[id(intent)] = known
        return known[1]

    def _is_unserved(self, instance: InstanceId, zone: str, idle: Mapping[str, InstanceId]) -> bool:
        if self._zones is not None:  # no probe target: the setting is certain
            return not is_enabled(zone, self._zones)
        return idle.get(zone, instance) != instance

    def idle(
        self,
        placed: Callable[[InstanceId], Intent | None],
        groups: Sequence[GroupState],
        listings: Sequence[Listing],
    ) -> dict[str, InstanceId]:
        """Map every idle zone to the instance of a probe target; AWS uses no target of an idle zone.

        A zone counts as idle only if AWS uses targets elsewhere. The probe target stays registered: without a
        probe no read would show that the zone is idle or was enabled. A group without a target in use has no
        listener, and so is no evidence about zones. The state of a blind group is unknown.
        """
        known = [each for each, group in zip(listings, groups, strict=True) if not group.blind]
        if self._zones is not None or not any(each.unserved for each in known):
            return {}  # the usual case: skip the lookup of 5,000 intents
        unused: dict[str, set[InstanceId]] = {}
        used: set[str] = set()
        for listing in known:
            in_use = _zones(placed, (h.target.id for h in listing.targets.values() if _is_in_use(h)))
            used.update(in_use)
            if in_use:
                for zone, instances in _zones(placed, (target.id for target in listing.unserved)).items():
                    unused.setdefault(zone, set()).update(instances)
        return {zone: by_weight(idle)[0] for zone, idle in unused.items() if zone not in used}


def _is_in_use(health: TargetHealth) -> bool:
    """Whether AWS reports that a listener uses the target; not yet known for a newly registered target."""
    return health.registered and health.state not in {TargetState.UNUSED, TargetState.INITIAL}


def _zones(
    placed: Callable[[InstanceId], Intent | None], instances: Iterable[InstanceId]
) -> dict[str, set[InstanceId]]:
    """Return the instances that are IN, by the zone of their Node if known."""
    zones: dict[str, set[InstanceId]] = {}
    for instance in instances:
        intent = placed(instance)
        if intent is not None and intent.zone and intent.standing is Standing.IN:
            zones.setdefault(intent.zone, set()).add(instance)
    return zones


def refused_in(groups: Iterable[GroupState]) -> frozenset[InstanceId]:
    """Return the instances that AWS refused in any group."""
    return frozenset().union(*(group.refused for group in groups))


def places_in(
    intents: Mapping[InstanceId, Intent],
    groups: Sequence[GroupState],
    listings: Sequence[Listing],
    policy: PlanPolicy,
) -> int | None:
    """Return for how many instances every group has room; None without a limit."""
    limits = [limit_of(policy.target_limit, group) for group in groups]
    if policy.ownership is Ownership.EXCLUSIVE:  # foreign targets are removed, so they take no place
        return min((limit for limit in limits if limit is not None), default=None)
    rooms = (
        max(0, limit - _foreign(intents, group, listing))
        for group, listing, limit in zip(groups, listings, limits, strict=True)
        if limit is not None
    )
    return min(rooms, default=None)


def _foreign(intents: Mapping[InstanceId, Intent], group: GroupState, listing: Listing) -> int:
    """Return how many places foreign targets take."""

    def is_ours(intent: Intent | None, port: int) -> bool:
        if intent is None:
            return False
        if group.port is None:  # unknown port: any target of a wanted instance may be on the right port
            return intent.standing is Standing.IN
        return port == group.port and intent.standing is not Standing.OUT

    unrecorded = listing.registered.difference(group.ours)
    return sum(not is_ours(intents.get(target.id), target.port) for target in unrecorded)
