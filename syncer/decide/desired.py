"""Chooses the same instances for all groups, so that the groups never differ."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import chain

from syncer.decide.evaluate import JOINING
from syncer.decide.ownership import adopted
from syncer.decide.policy import Ownership, PlanPolicy
from syncer.decide.quota import by_weight, limit_of, subset
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
# AWS's reason for a target in a zone that the load balancer does not serve, or without a listener.
NOT_IN_USE = "Target.NotInUse"


def registered_instances(groups: Iterable[GroupState]) -> frozenset[InstanceId]:
    """Return the instances that AWS lists as targets in any of the groups."""
    return frozenset(
        health.target.id for group in groups for health in group.targets.values() if health.registered
    )


def choose(evaluation: Evaluation, groups: Collection[GroupState], policy: PlanPolicy) -> Desired:
    """Return the instances for every group, within the quota of the group with the least room.

    An instance in a zone that the load balancer does not serve is out (`ZoneNotEnabled`): AWS would keep the
    target unused for ever without an error. A refused instance takes no place from a node that AWS would
    accept.
    """
    intents = _in_enabled_zones(_where_aws_lists(evaluation.instances, groups), groups, policy.zones)
    wanted = frozenset(i for i, intent in intents.items() if intent.standing is Standing.IN)
    everything = Desired(
        wanted=wanted,
        intents=intents,
        complete=evaluation.complete,
        all_out=_are_all_out(intents.values()),
        unsettled=any(group.unsettled for group in groups),
    )
    places = _places(everything, groups, policy)
    if places is None or places >= len(wanted):
        return everything
    refused = wanted.intersection(chain.from_iterable(group.refused for group in groups))
    chosen = subset({i: intents[i].zone for i in wanted - refused}, places)
    chosen |= subset({i: intents[i].zone for i in refused}, places - len(chosen))
    return replace(everything, wanted=chosen, over_quota=wanted - chosen)


def final_verdicts(
    evaluation: Evaluation, desired: Desired, known: Iterable[Verdict] = ()
) -> tuple[Verdict, ...]:
    """Return the final verdict of every Node: as judged by the rules, but out if its zone is not served.

    `known` is an earlier result, whose equal verdicts are used again; only saves time.
    """
    if desired.intents is evaluation.instances:
        return evaluation.verdicts  # the usual case: skip 5,000 verdicts

    def final(verdict: Verdict) -> Verdict:
        intent = None if verdict.instance_id is None else desired.intents.get(verdict.instance_id)
        if intent is None or _is_same(intent, verdict):
            return verdict
        last = earlier.get(verdict.node)
        if last is not None and _is_final(last, verdict, intent):
            return last
        return Verdict(  # `replace` would take three times as long, for each of 5,000 nodes
            node=verdict.node,
            instance_id=verdict.instance_id,
            authoritative=verdict.authoritative,
            standing=intent.standing,
            reason=intent.reason,
            zone=intent.zone,
            zone_source=intent.zone_source,
        )

    earlier = {verdict.node: verdict for verdict in known}
    return tuple(map(final, evaluation.verdicts))


def _is_final(last: Verdict, verdict: Verdict, intent: Intent) -> bool:
    """Whether `last` is `verdict` with the values of `intent`."""
    return (
        last.standing is intent.standing
        and last.zone == intent.zone
        and last.reason == intent.reason
        and last.zone_source == intent.zone_source
        and last.instance_id == verdict.instance_id
        and last.authoritative == verdict.authoritative
    )


def _is_same(intent: Intent, verdict: Verdict) -> bool:
    return (intent.reason, intent.zone, intent.zone_source) == (
        verdict.reason,
        verdict.zone,
        verdict.zone_source,
    )


def nobody(verdicts: Collection[Verdict]) -> str:
    """Return why no Node may be a target; "" if any Node is in, leaving or joining.

    The state may be intended, but a selector with a typo has the same effect.
    """
    if any(each.standing is not Standing.OUT or each.reason == JOINING for each in verdicts):
        return ""
    counts = Counter(_reason_with_place(each) for each in verdicts)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    return f"no node may be a target: {reasons}" if reasons else ""


def _reason_with_place(verdict: Verdict) -> str:
    if verdict.reason != ZONE_NOT_ENABLED:
        return verdict.reason
    return f"{verdict.reason} ({zone_text(verdict.zone, verdict.zone_source)})"


def _are_all_out(intents: Collection[Intent]) -> bool:
    return bool(intents) and all(
        intent.standing is Standing.OUT and intent.reason != JOINING for intent in intents
    )


def _where_aws_lists(
    intents: Mapping[InstanceId, Intent], groups: Iterable[GroupState]
) -> Mapping[InstanceId, Intent]:
    """Return the intents with the zone that AWS lists for a target of the instance, if any."""
    listed: dict[InstanceId, str] = {}
    for group in groups:
        for target, health in group.targets.items():
            if health.zone and target.id in intents:
                listed.setdefault(target.id, health.zone)
    # 5,000 instances share a few dozen intents; the hash of an id is much cheaper than the hash of an intent.
    placed: dict[tuple[int, str], Intent] = {}

    def place(instance: InstanceId, zone: str) -> Intent:
        intent = intents[instance]
        known = placed.get((id(intent), zone))
        if known is None:
            known = placed[id(intent), zone] = replace(intent, zone=zone, zone_source=Source.AWS)
        return known

    return {**intents, **{i: place(i, zone) for i, zone in listed.items()}} if listed else intents


def _in_enabled_zones(
    intents: Mapping[InstanceId, Intent], groups: Iterable[GroupState], zones: frozenset[str] | None
) -> Mapping[InstanceId, Intent]:
    """Return the intents, with OUT for zones that are not served by configuration or by AWS's list."""
    idle = _idle_zones(intents, groups) if zones is None else {}
    if zones is None and not idle:
        return intents

    probes: Mapping[str, InstanceId | None] = idle
    if zones is not None:  # no probe target: the setting is certain
        places = {intent.zone for intent in intents.values()}
        probes = {zone: None for zone in places if not is_enabled(zone, zones)}
    out = {
        instance: replace(intent, standing=Standing.OUT, reason=ZONE_NOT_ENABLED)
        for instance, intent in intents.items()
        if intent.standing is Standing.IN and probes.get(intent.zone, instance) != instance
    }
    return {**intents, **out} if out else intents


def _idle_zones(intents: Mapping[InstanceId, Intent], groups: Iterable[GroupState]) -> dict[str, InstanceId]:
    """Map every idle zone to the instance of a probe target; AWS uses no target of an idle zone.

    A zone counts as idle only if AWS uses targets elsewhere. The probe target stays registered: without a
    probe no read would show that the zone is idle or was enabled. A group without a target in use has no
    listener, and so is no evidence about zones.
    """
    listed = [group.targets.values() for group in groups if not group.blind]  # blind: the state is unknown
    if not any(health.reason == NOT_IN_USE for healths in listed for health in healths):
        return {}  # the usual case: skip the lookup of 5,000 intents
    unused: dict[str, set[InstanceId]] = {}
    used: set[str] = set()
    for healths in listed:
        in_use = _zones(intents, (health.target.id for health in healths if _is_in_use(health)))
        used.update(in_use)
        if in_use:
            idle = (health.target.id for health in healths if health.reason == NOT_IN_USE)
            for zone, instances in _zones(intents, idle).items():
                unused.setdefault(zone, set()).update(instances)
    return {zone: by_weight(idle)[0] for zone, idle in unused.items() if zone not in used}


def _is_in_use(health: TargetHealth) -> bool:
    """Whether AWS reports that a listener uses the target; not yet known for a newly registered target."""
    return health.registered and health.state not in {TargetState.UNUSED, TargetState.INITIAL}


def _zones(
    intents: Mapping[InstanceId, Intent], instances: Iterable[InstanceId]
) -> dict[str, set[InstanceId]]:
    """Return the instances that are IN, by the zone of their Node if known."""
    zones: dict[str, set[InstanceId]] = {}
    for instance in instances:
        intent = intents.get(instance)
        if intent is not None and intent.zone and intent.standing is Standing.IN:
            zones.setdefault(intent.zone, set()).add(instance)
    return zones


def _places(desired: Desired, groups: Collection[GroupState], policy: PlanPolicy) -> int | None:
    limits = [(group, limit_of(policy.target_limit, group)) for group in groups]
    if policy.ownership is Ownership.EXCLUSIVE:  # foreign targets are removed, so they take no place
        return min((limit for _, limit in limits if limit is not None), default=None)
    return min((_room(desired, group, limit) for group, limit in limits if limit is not None), default=None)


def _room(desired: Desired, group: GroupState, limit: int) -> int:
    """Return how many of the group's places are not taken by foreign targets."""
    listed = {target for target, health in group.targets.items() if health.registered}
    ours = adopted(desired, group, listed) | (listed & group.ours)
    if group.port is None:  # unknown port: any target of a wanted instance may be on the right port
        ours |= {target for target in listed if target.id in desired.wanted}
    return max(0, limit - len(listed - ours))
