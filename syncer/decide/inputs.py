"""What `evaluate` and `choose` read of a group: most changes of a group leave the desired state as it is.

The functions only save time: where they are not certain, the desired state is computed again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from syncer.decide.desired import NOT_IN_USE
from syncer.decide.policy import Ownership, PlanPolicy
from syncer.decide.quota import limit_of
from syncer.model import Desired, GroupState, InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The part of a GroupState that the desired state depends on.

    `listed` has for every instance whether it is registered, and the zone in AWS's list. `special`: the
    desired state depends on more than that, because AWS reports unused targets, or because foreign targets
    take places of a limit.
    """

    listed: Mapping[InstanceId, tuple[bool, str]]
    limit: int | None
    refused: frozenset[InstanceId]
    blind: bool
    unsettled: bool
    special: bool


def inputs_of(group: GroupState, policy: PlanPolicy) -> Inputs:
    """Return the inputs in the state of a group."""
    listed: dict[InstanceId, tuple[bool, str]] = {}
    places: dict[tuple[bool, str], tuple[bool, str]] = {}  # 5,000 instances share a few places
    for target, health in group.targets.items():
        registered, zone = listed.get(target.id, _ABSENT)
        place = registered or health.registered, zone or health.zone
        listed[target.id] = places.setdefault(place, place)
    limit = limit_of(policy.target_limit, group)
    unused = policy.zones is None and any(h.reason == NOT_IN_USE for h in group.targets.values())
    return Inputs(
        listed=listed,
        limit=limit,
        refused=group.refused,
        blind=group.blind,
        unsettled=group.unsettled,
        special=unused or (limit is not None and policy.ownership is not Ownership.EXCLUSIVE),
    )


_ABSENT = (False, "")


def is_unaffected(desired: Desired, before: Inputs, after: Inputs, others: Collection[Inputs]) -> bool:
    """Whether `desired`, computed from `before` and `others`, is the result for `after` and `others` too."""
    if any(each.special for each in (before, after, *others)):
        return False
    if (before.limit, before.refused, before.blind, before.unsettled) != (
        *(after.limit, after.refused, after.blind, after.unsettled),
    ):
        return False
    changed = {instance for instance, _ in before.listed.items() ^ after.listed.items()}
    return all(
        _is_same(
            before.listed.get(i, _ABSENT), after.listed.get(i, _ABSENT), [o.listed.get(i) for o in others]
        )
        for i in changed
        if i in desired.intents
    )


def _is_same(
    before: tuple[bool, str], after: tuple[bool, str], elsewhere: Collection[tuple[bool, str] | None]
) -> bool:
    """Whether other groups list the instance in the same zone, registered where the change is about that."""
    known = [each for each in elsewhere if each is not None]
    if before[0] != after[0] and not any(registered for registered, _ in known):
        return False
    zones = {zone for _, zone in known if zone}
    return before[1] == after[1] or zones == {before[1] or after[1]} == {after[1] or before[1]}


def is_same_for_plans(before: Desired, after: Desired) -> bool:
    """Whether both give the same plans: only the source of a zone may differ."""
    if (before.wanted, before.over_quota, before.complete, before.all_out, before.unsettled) != (
        *(after.wanted, after.over_quota, after.complete, after.all_out, after.unsettled),
    ):
        return False
    old, new = before.intents, after.intents
    return len(old) == len(new) and all(
        (known := old.get(instance)) is intent
        or (
            known is not None
            and (known.standing, known.reason, known.zone, known.deadline, known.since)
            == (intent.standing, intent.reason, intent.zone, intent.deadline, intent.since)
        )
        for instance, intent in new.items()
    )
