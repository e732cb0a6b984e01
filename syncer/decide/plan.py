"""What to send for one target group now, and what to hold back: the safety rules, put in order."""

from collections.abc import Callable, Collection
from math import inf

from syncer.decide.brake import GROUP, Brake
from syncer.decide.ownership import ours, record
from syncer.decide.policy import PlanPolicy
from syncer.decide.quota import by_weight, limit_of
from syncer.decide.removal import Removals, Scene, is_settled, notices, unwanted
from syncer.model import (
    Desired,
    GroupMemory,
    GroupPlan,
    GroupState,
    Held,
    InstanceId,
    Target,
    Why,
)

# At the quota targets are swapped in steps of one, or 5 % of the places if that is more (rule 4).
SWAP_SHARE = 0.05


def plan(desired: Desired, actual: GroupState, policy: PlanPolicy, now: float) -> GroupPlan:
    """Compare what is wanted with what AWS lists, within the safety rules.

    The caller sends `register` first, then `deregister`, in batches; keeps `ours` as the ownership record
    (written before `register` is sent) and hands `memory` back in this group's next GroupState.

    Args:
        desired: from `choose`, the same for every group.
        actual: the group as AWS lists it, plus our own acknowledged writes.
        policy: ownership, brake, quota.
        now: seconds since the epoch, as deletionTimestamps are.

    """
    zones = _zones(desired, actual)
    wanted = _wanted(desired, actual)
    scene = Scene(
        desired=desired,
        actual=actual,
        policy=policy,
        now=now,
        wanted=wanted,
        owned=ours(desired, actual),
        notices=notices(desired, actual, now),
        settled=is_settled(wanted, actual),
    )
    register, missing, held = _registrations(scene)
    brake = Brake(actual, policy, _zone_of(zones), now)
    serving = brake.serving
    removals = _removals(scene, brake, _zone_of(zones), missing, full=not register)
    held.update(removals.held)
    if Why.SHARE in removals.held.values():
        removals.look_again.append(brake.peaks[GROUP][0][0] + policy.base_window - now)
    return GroupPlan(
        target_group=actual.target_group,
        register=register,
        deregister=tuple(removals.going),
        held=tuple(Held(target=target, why=why) for target, why in sorted(held.items())),
        look_again_in=min((s for s in removals.look_again if 0 < s < inf), default=None),
        ours=record(scene.owned, actual, register),
        memory=GroupMemory(
            peaks=brake.peaks,
            announced=scene.notices,
            superseded=removals.superseded,
            zones=zones,
            released=removals.released,
        ),
        hold_id=removals.hold_id,
        serving=serving,
        base=brake.base,
        floor=brake.floor,
    )


def _wanted(desired: Desired, actual: GroupState) -> frozenset[Target]:
    if actual.port is None:
        return frozenset()
    port = actual.port
    return frozenset(Target(instance, port) for instance in desired.wanted)


def _registrations(scene: Scene) -> tuple[tuple[Target, ...], list[Target], dict[Target, Why]]:
    """What to register now, what waits for a place, and what is held for which reason."""
    actual, desired = scene.actual, scene.desired
    listed = {target for target, health in actual.targets.items() if health.registered}
    held = {
        target: actual.set_aside[target] for target in scene.wanted - listed if target in actual.set_aside
    }
    if actual.port is not None:
        over = {Target(instance, actual.port) for instance in desired.over_quota}
        held.update(dict.fromkeys(over - listed, Why.QUOTA))
    missing = sorted(scene.wanted - listed - held.keys())
    limit = limit_of(scene.policy.target_limit, actual)
    free = len(missing) if limit is None else max(0, limit - len(listed))
    if free < len(missing):
        order = {instance: n for n, instance in enumerate(by_weight(t.id for t in missing))}
        missing.sort(key=lambda target: order[target.id])
        held.update(dict.fromkeys(missing[free:], Why.QUOTA))
    return tuple(sorted(missing[:free])), missing[free:], held


def _removals(
    scene: Scene, brake: Brake, zone_of: Callable[[Target], str], missing: Collection[Target], *, full: bool
) -> Removals:
    found = unwanted(scene)
    removals = Removals(scene, brake, zone_of)
    removals.announced(found.announced)
    removals.replaced(found.superseded)
    if missing:
        step = _step(scene) if full and not removals.going else 0
        removals.make_way(found.displaced, step)
        removals.doubtful(found.doubtful)
    else:
        # More places taken than there are, and nobody waits for one: a limit set too low would empty the
        # group, so these are doubtful.
        removals.doubtful([*found.doubtful, *found.displaced])
    removals.held.update(found.held)
    return removals


def _step(scene: Scene) -> int:
    limit = limit_of(scene.policy.target_limit, scene.actual) or 0
    return max(1, int(limit * SWAP_SHARE))


def _zones(desired: Desired, actual: GroupState) -> dict[InstanceId, str]:
    """Where each listed instance is: as its Node says, as AWS says, or where it was last seen."""
    zones: dict[InstanceId, str] = {}
    for target, health in actual.targets.items():
        wish = desired.wishes.get(target.id)
        known = (wish.zone if wish is not None else "") or health.zone
        known = known or actual.memory.zones.get(target.id, "")
        if known:
            zones[target.id] = known
    return zones


def _zone_of(zones: dict[InstanceId, str]) -> Callable[[Target], str]:
    return lambda target: zones.get(target.id, GROUP)
