"""Compute the calls to send now for one target group, and the holds: the safety rules in order."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from syncer.decide.blind import Again, registered_again
from syncer.decide.brake import Brake
from syncer.decide.capacity import GROUP, Capacity
from syncer.decide.context import Context, notices, succeeding
from syncer.decide.listing import Listing
from syncer.decide.ownership import adopted, joining, record
from syncer.decide.policy import Ownership, PlanPolicy
from syncer.decide.quota import by_weight, limit_of
from syncer.decide.removal import Removals, Removed, unwanted
from syncer.decide.serving import serving_of
from syncer.model import (
    Desired,
    GroupMemory,
    GroupPlan,
    GroupState,
    Held,
    InstanceId,
    Target,
    TargetState,
    Why,
)

# At the quota targets are swapped in steps of one, or 5 % of the places if more (rule 4).
SWAP_SHARE = 0.05


def plan(
    desired: Desired,
    actual: GroupState,
    policy: PlanPolicy,
    now: float,
    listing: Listing | None = None,
) -> GroupPlan:
    """Compare the desired state with AWS's list, within the safety rules.

    The caller sends `register` first, then `deregister`, in batches; keeps `ours` as the ownership registry
    (written before `register` is sent), and passes `memory` back in this group's next GroupState.

    Args:
        desired: from `choose`, the same for every group.
        actual: the group as AWS lists it, plus the syncer's acknowledged writes.
        policy: ownership, brake, quota.
        now: seconds since the epoch, like deletionTimestamps.
        listing: of `actual.targets`, if there is one: only saves time.

    """
    if listing is None or listing.targets is not actual.targets:
        listing = Listing(actual.targets)
    context = _context(desired, actual, listing, policy, now)
    zones = _zones(context)
    zone_of = _zone_of(zones)
    limit = limit_of(policy.target_limit, actual)
    joins = _registrations(context, limit)
    held = joins.held
    capacity = Capacity.measure(listing, actual.memory, policy, zone_of, now=now, limit=limit)
    removals = Removed()
    if context.surplus:
        brake = Brake(capacity)
        if actual.unsure or actual.unsettled:
            brake.discount(actual.unsure.union(_removable(context) if actual.unsettled else ()))
        removals = _removals(context, brake, zone_of, joins.waiting, full=not joins.now)
    held.update(removals.held)
    if Why.SHARE in removals.held.values():
        removals.look_again.append(capacity.sinks_at - now)
    again = registered_again(actual, desired.wanted, now)
    if again.at is not None:
        removals.look_again.append(again.at - now)
    return GroupPlan(
        target_group=actual.target_group,
        register=_with_again(joins.now, again, actual),
        deregister=tuple(removals.going),
        held=tuple(Held(target=target, why=why) for target, why in sorted(held.items())),
        more_over_quota=joins.more_over_quota,
        look_again_in=min((s for s in removals.look_again if 0 < s < inf), default=None),
        ours=record(actual, context.owned, joining(desired, actual).union(joins.now), context.unlisted),
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
    removals: Removed,
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
    desired: Desired, actual: GroupState, listing: Listing, policy: PlanPolicy, now: float
) -> Context:
    surplus = _surplus(desired, actual, listing)
    over = {target for target in surplus if _is_over(desired, actual, target)}
    recorded = listing.beside_record(actual.ours)
    return Context(
        desired=desired,
        actual=actual,
        listing=listing,
        policy=policy,
        now=now,
        surplus=surplus,
        owned=_owned(desired, actual, recorded.beyond),
        unlisted=recorded.lacking,
        settled=_any_serves(listing, _is_wanted(desired, actual)),
        crowded_out=bool(over) and _any_serves(listing, over.__contains__),
        notices=notices(desired, actual, surplus, now),
        succeeding=succeeding(desired, actual, surplus, now),
    )


def _surplus(desired: Desired, actual: GroupState, listing: Listing) -> tuple[Target, ...]:
    """Return the registered targets that are not wanted."""
    found: list[Target] = []
    for port, instances in listing.on_port.items():
        is_own = port == actual.port
        unwanted = listing.beside_wanted(desired.wanted, port).beyond if is_own else instances
        found += [Target(instance, port) for instance in unwanted]
    return tuple(sorted(found))


def _is_wanted(desired: Desired, actual: GroupState) -> Callable[[Target], bool]:
    return lambda target: target.port == actual.port and target.id in desired.wanted


def _is_over(desired: Desired, actual: GroupState, target: Target) -> bool:
    return target.port == actual.port and target.id in desired.over_quota


def _owned(desired: Desired, actual: GroupState, unrecorded: Collection[Target]) -> frozenset[Target]:
    """Return the recorded targets and the adopted ones; usually the registry as it is."""
    wanted = _is_wanted(desired, actual)
    added = adopted(desired, actual, unrecorded).union(filter(wanted, unrecorded))
    return actual.ours.union(added) if added else actual.ours


def _any_serves(listing: Listing, chosen: Callable[[Target], bool]) -> bool:
    """Whether any chosen target is healthy and not cut off from traffic by a zonal shift."""
    if any(map(chosen, listing.plain)):
        return True  # the usual case: the first of 5,000 targets
    shifted = [
        target
        for target, health in listing.others.items()
        if health.state is TargetState.HEALTHY and chosen(target)
    ]
    return bool(shifted) and not serving_of(listing.targets.values()).counted.isdisjoint(shifted)


def _removable(context: Context) -> Iterable[Target]:
    """Return the targets that a previous process may have deregistered, under the same ownership setting."""
    if context.policy.ownership is Ownership.ADD_ONLY:
        return ()
    exclusive = context.policy.ownership is Ownership.EXCLUSIVE
    return (target for target in context.surplus if exclusive or target in context.owned)


class _Registrations(NamedTuple):
    """The targets to register now, those that wait for a place, and the holds.

    Of the nodes over the quota the first in line are held, the others only counted.
    """

    now: tuple[Target, ...]
    waiting: list[Target]
    held: dict[Target, Why]
    more_over_quota: int


def _registrations(context: Context, limit: int | None) -> _Registrations:
    actual, desired, port = context.actual, context.desired, context.actual.port
    if port is None:
        return _Registrations((), [], {}, 0)
    here = context.listing.on_port.get(port, set())
    lacking = context.listing.beside_wanted(desired.wanted, port).lacking
    absent = [Target(instance, port) for instance in lacking]
    held = {target: actual.set_aside[target] for target in absent if target in actual.set_aside}
    missing = sorted(target for target in absent if target not in held)
    line = [Target(instance, port) for instance in desired.next_in_line if instance not in here]
    listed = sum(_is_over(desired, actual, target) for target in context.surplus)
    held.update(dict.fromkeys(line, Why.QUOTA))
    more = len(desired.over_quota) - listed - len(line)
    free = len(missing) if limit is None else max(0, limit - len(context.listing.registered))
    if free < len(missing):
        order = {instance: n for n, instance in enumerate(by_weight(t.id for t in missing))}
        sizes = Counter(desired.intents[instance].zone for instance in desired.wanted)
        # The smallest zone first: with cross-zone off its last old target waits for a replacement in the same
        # zone.
        missing.sort(key=lambda target: (sizes[desired.intents[target.id].zone], order[target.id]))
        held.update(dict.fromkeys(missing[free:], Why.QUOTA))
    return _Registrations(tuple(sorted(missing[:free])), missing[free:], held, more)


def _removals(
    context: Context,
    brake: Brake,
    zone_of: Callable[[Target], str],
    missing: Collection[Target],
    *,
    full: bool,
) -> Removed:
    found = unwanted(context)
    removals = Removals(context, brake, zone_of)
    removals.announced(found.announced)
    removals.replaced(found.superseded)
    # More places are taken than exist: a limit set too low would empty the group, so the excess is doubtful.
    excess, displaced = _beyond(context, brake, found.displaced)
    removals.doubtful([*found.doubtful, *excess])
    swaps = missing and full and not removals.found.going
    removals.make_way(displaced, _step(context) if swaps else 0)
    removals.found.held.update(found.held)
    return removals.found


def _beyond(context: Context, brake: Brake, displaced: Sequence[Target]) -> tuple[list[Target], list[Target]]:
    """Split `displaced` into targets beyond the places, and targets whose place a chosen node gets.

    Targets that do not serve are beyond first, then the last in the order of places, the same in every group.
    """
    if not displaced:
        return [], []
    ranked = by_weight({target.id for target in displaced})
    serving = {target.id for target in displaced if brake.serves(target)}
    ranked.sort(key=lambda instance: instance not in serving)
    registered = {target.id for target in context.listing.registered}
    room = len(context.desired.wanted) - len(context.desired.wanted & registered)
    staying = frozenset(ranked[:room])
    return (
        [target for target in displaced if target.id not in staying],
        [target for target in displaced if target.id in staying],
    )


def _step(context: Context) -> int:
    """Return how many targets to swap at a time; 0 beyond the limit, where a swap frees no place."""
    limit = limit_of(context.policy.target_limit, context.actual)
    if limit is None or len(context.listing.registered) > limit:
        return 0
    return max(1, int(limit * SWAP_SHARE))


def _zones(context: Context) -> Mapping[InstanceId, str]:
    """Return the zone of every instance: from a target in AWS's list, else its Node, else as last seen.

    With cross-zone on, only a removal reads zones.
    """
    desired, listing = context.desired, context.listing
    instances: Iterable[InstanceId] = {target.id for target in context.surplus}
    if not context.policy.cross_zone:
        instances = desired.wanted.union(listing.instances)
    zones: dict[InstanceId, str] = {}
    for instance in instances:
        zone = listing.zone(instance)
        if not zone:
            intent = desired.intents.get(instance)
            zone = (intent.zone if intent else "") or context.actual.memory.zones.get(instance, "")
        if zone:
            zones[instance] = zone
    return zones


def _zone_of(zones: Mapping[InstanceId, str]) -> Callable[[Target], str]:
    return lambda target: zones.get(target.id, GROUP)
