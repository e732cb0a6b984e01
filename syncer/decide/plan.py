"""Compute the calls to send now for one target group, and the holds: the safety rules in order."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import inf

from syncer.decide.blind import Again, registered_again
from syncer.decide.brake import Brake
from syncer.decide.capacity import GROUP, Capacity
from syncer.decide.context import Context, notices, succeeding
from syncer.decide.ownership import adopted, joining, record
from syncer.decide.policy import Ownership, PlanPolicy
from syncer.decide.quota import by_weight, limit_of
from syncer.decide.removal import Removals, unwanted
from syncer.decide.serving import serving_of
from syncer.model import (
    INSTANCE,
    Desired,
    GroupMemory,
    GroupPlan,
    GroupState,
    Held,
    InstanceId,
    Target,
    TargetHealth,
    TargetState,
    Why,
)

# At the quota targets are swapped in steps of one, or 5 % of the places if more (rule 4).
SWAP_SHARE = 0.05


def plan(desired: Desired, actual: GroupState, policy: PlanPolicy, now: float) -> GroupPlan:
    """Compare the desired state with AWS's list, within the safety rules.

    The caller sends `register` first, then `deregister`, in batches; keeps `ours` as the ownership registry
    (written before `register` is sent), and passes `memory` back in this group's next GroupState.

    Args:
        desired: from `choose`, the same for every group.
        actual: the group as AWS lists it, plus the syncer's acknowledged writes.
        policy: ownership, brake, quota.
        now: seconds since the epoch, like deletionTimestamps.

    """
    listed = {target: health for target, health in actual.targets.items() if health.registered}
    context = _context(desired, actual, policy, now, listed)
    zones = _zones(
        desired, actual, context.surplus if policy.cross_zone else {*actual.targets, *context.wanted}
    )
    zone_of = _zone_of(zones)
    register, missing, held = _registrations(context, listed)
    capacity = Capacity.measure(actual, policy, zone_of, now, limit_of(policy.target_limit, actual))
    brake = Brake(capacity)
    if actual.unsure or actual.unsettled:
        brake.discount(actual.unsure.union(_removable(context) if actual.unsettled else ()))
    removals = _removals(context, brake, zone_of, missing, full=not register)
    held.update(removals.held)
    if Why.SHARE in removals.held.values():
        removals.look_again.append(capacity.sinks_at - now)
    again = registered_again(actual, context.wanted, now)
    if again.at is not None:
        removals.look_again.append(again.at - now)
    return GroupPlan(
        target_group=actual.target_group,
        register=_with_again(register, again, actual),
        deregister=tuple(removals.going),
        held=tuple(Held(target=target, why=why) for target, why in sorted(held.items())),
        look_again_in=min((s for s in removals.look_again if 0 < s < inf), default=None),
        ours=record(actual, context.owned, joining(desired, actual).union(register), listed),
        memory=_memory(context, capacity, zones, removals, again),
        hold_id=removals.hold_id,
        serving=capacity.serving,
        base=capacity.base,
        floor=capacity.floor,
    )


def _with_again(register: tuple[Target, ...], again: Again, actual: GroupState) -> tuple[Target, ...]:
    """Add the targets to register again, except quarantined targets."""
    extra = again.unacknowledged.difference(actual.set_aside, register)
    return tuple(sorted(extra.union(register))) if extra else register


def _memory(
    context: Context,
    capacity: Capacity,
    zones: Mapping[InstanceId, str],
    removals: Removals,
    again: Again,
) -> GroupMemory:
    return GroupMemory(
        peaks=capacity.peaks,
        draining=capacity.draining,
        announced=context.notices,
        superseded=context.succeeding,
        zones=zones,
        released=removals.released,
        register_again_at=again.at,
        unacknowledged=again.unacknowledged,
    )


def _context(
    desired: Desired,
    actual: GroupState,
    policy: PlanPolicy,
    now: float,
    listed: Mapping[Target, TargetHealth],
) -> Context:
    wanted, over = (_on_port(actual, instances) for instances in (desired.wanted, desired.over_quota))
    kept = wanted.intersection(listed)
    surplus = tuple(target for target in listed if target not in kept)
    return Context(
        desired=desired,
        actual=actual,
        policy=policy,
        now=now,
        wanted=wanted,
        surplus=surplus,
        owned=actual.ours.union(kept, adopted(desired, actual, surplus)),
        settled=_any_serves(kept, listed),
        crowded_out=_any_serves(over.intersection(listed), listed),
        notices=notices(desired, actual, surplus, now),
        succeeding=succeeding(desired, actual, surplus, now),
    )


def _any_serves(targets: Iterable[Target], listed: Mapping[Target, TargetHealth]) -> bool:
    """Whether any of `targets` is healthy and not cut off from traffic by a zonal shift."""
    healthy = (target for target in targets if listed[target].state is TargetState.HEALTHY)
    shifted: list[Target] = []
    for target in healthy:
        if not listed[target].override:
            return True  # the usual case: the first of 5,000 targets
        shifted.append(target)
    return bool(shifted) and not serving_of(listed.values()).counted.isdisjoint(shifted)


def _removable(context: Context) -> Iterable[Target]:
    """Return the targets that a previous process may have deregistered, under the same ownership setting."""
    if context.policy.ownership is Ownership.ADD_ONLY:
        return ()
    exclusive = context.policy.ownership is Ownership.EXCLUSIVE
    return (target for target in context.surplus if exclusive or target in context.owned)


def _on_port(actual: GroupState, instances: frozenset[InstanceId]) -> frozenset[Target]:
    port = actual.port
    if port is None or not instances:
        return frozenset()
    # The Targets in AWS's list are used again: sets of the same objects are compared without their fields.
    known = frozenset(target for target in actual.targets if target.port == port and target.id in instances)
    if len(known) == len(instances):
        return known
    return known.union(Target(i, port) for i in instances.difference(map(INSTANCE, known)))


def _registrations(
    context: Context, listed: Mapping[Target, TargetHealth]
) -> tuple[tuple[Target, ...], list[Target], dict[Target, Why]]:
    """Return the targets to register now, the targets that wait for a place, and the holds."""
    actual, desired = context.actual, context.desired
    absent = context.wanted.difference(listed)
    held = {target: actual.set_aside[target] for target in absent if target in actual.set_aside}
    over = _on_port(actual, desired.over_quota)
    held.update(dict.fromkeys(over.difference(listed), Why.QUOTA))
    missing = sorted(absent.difference(held))
    limit = limit_of(context.policy.target_limit, actual)
    free = len(missing) if limit is None else max(0, limit - len(listed))
    if free < len(missing):
        order = {instance: n for n, instance in enumerate(by_weight(t.id for t in missing))}
        sizes = Counter(desired.intents[instance].zone for instance in desired.wanted)
        # The smallest zone first: with cross-zone off its last old target waits for a replacement in the same
        # zone.
        missing.sort(key=lambda target: (sizes[desired.intents[target.id].zone], order[target.id]))
        held.update(dict.fromkeys(missing[free:], Why.QUOTA))
    return tuple(sorted(missing[:free])), missing[free:], held


def _removals(
    context: Context,
    brake: Brake,
    zone_of: Callable[[Target], str],
    missing: Collection[Target],
    *,
    full: bool,
) -> Removals:
    found = unwanted(context)
    removals = Removals(context, brake, zone_of)
    removals.announced(found.announced)
    removals.replaced(found.superseded)
    # More places are taken than exist: a limit set too low would empty the group, so the excess is doubtful.
    excess, displaced = _beyond(context, brake, found.displaced)
    removals.doubtful([*found.doubtful, *excess])
    swaps = missing and full and not removals.going
    removals.make_way(displaced, _step(context) if swaps else 0)
    removals.held.update(found.held)
    return removals


def _beyond(context: Context, brake: Brake, displaced: Sequence[Target]) -> tuple[list[Target], list[Target]]:
    """Split `displaced` into targets beyond the places, and targets whose place a chosen node gets.

    Targets that do not serve are beyond first, then the last in the order of places, the same in every group.
    """
    if not displaced:
        return [], []
    ranked = by_weight({target.id for target in displaced})
    serving = {target.id for target in displaced if brake.serves(target)}
    ranked.sort(key=lambda instance: instance not in serving)
    room = len(context.desired.wanted) - len(context.desired.wanted & _registered(context.actual))
    staying = frozenset(ranked[:room])
    return (
        [target for target in displaced if target.id not in staying],
        [target for target in displaced if target.id in staying],
    )


def _registered(actual: GroupState) -> set[InstanceId]:
    return {target.id for target, health in actual.targets.items() if health.registered}


def _step(context: Context) -> int:
    """Return how many targets to swap at a time; 0 beyond the limit, where a swap frees no place."""
    limit = limit_of(context.policy.target_limit, context.actual)
    registered = sum(health.registered for health in context.actual.targets.values())
    if limit is None or registered > limit:
        return 0
    return max(1, int(limit * SWAP_SHARE))


def _zones(desired: Desired, actual: GroupState, targets: Iterable[Target]) -> dict[InstanceId, str]:
    """Return the zone of every instance: from a target in AWS's list, else its Node, else as last seen."""
    zones: dict[InstanceId, str] = {}
    for target in targets:
        intent, health = desired.intents.get(target.id), actual.targets.get(target)
        if health is not None and health.zone:
            zones[target.id] = health.zone
        elif target.id not in zones:
            known = (intent.zone if intent is not None else "") or actual.memory.zones.get(target.id, "")
            if known:
                zones[target.id] = known
    return zones


def _zone_of(zones: Mapping[InstanceId, str]) -> Callable[[Target], str]:
    return lambda target: zones.get(target.id, GROUP)
