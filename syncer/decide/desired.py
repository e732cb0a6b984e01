"""One set of instances for all groups, so that the groups never differ."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from syncer.decide.ownership import ours
from syncer.decide.policy import PlanPolicy
from syncer.decide.quota import limit_of, room, subset
from syncer.model import Desired, Evaluation, GroupState, InstanceId, Standing, Wish

ZONE_NOT_ENABLED = "ZoneNotEnabled"


def registered_instances(groups: Iterable[GroupState]) -> frozenset[InstanceId]:
    """The instances that AWS lists as targets in any of the groups."""
    return frozenset(
        health.target.id for group in groups for health in group.targets.values() if health.registered
    )


def choose(evaluation: Evaluation, groups: Collection[GroupState], policy: PlanPolicy) -> Desired:
    """The instances that every group should hold, within the quota of the group that has the least room.

    An instance in a zone that the load balancer does not serve is out (`ZoneNotEnabled`): AWS would keep it
    unused for ever and say nothing.
    """
    wishes = dict(evaluation.instances)
    for instance, wish in evaluation.instances.items():
        if wish.standing is Standing.IN and not _enabled(wish, policy):
            wishes[instance] = replace(wish, standing=Standing.OUT, reason=ZONE_NOT_ENABLED)
    wanted = frozenset(i for i, wish in wishes.items() if wish.standing is Standing.IN)
    everything = Desired(wanted=wanted, wishes=wishes, complete=evaluation.complete)
    places = _places(everything, groups, policy)
    if places is None or places >= len(wanted):
        return everything
    chosen = subset({i: wishes[i].zone for i in wanted}, places)
    return replace(everything, wanted=chosen, over_quota=wanted - chosen)


def _enabled(wish: Wish, policy: PlanPolicy) -> bool:
    return policy.zones is None or not wish.zone or wish.zone in policy.zones


def _places(desired: Desired, groups: Collection[GroupState], policy: PlanPolicy) -> int | None:
    rooms = (room(limit_of(policy.target_limit, g), g, ours(desired, g)) for g in groups)
    return min((r for r in rooms if r is not None), default=None)
