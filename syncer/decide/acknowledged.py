"""What AWS has acknowledged, drawn into the last reading, so that a plan needs no read before each write."""

from collections.abc import Iterable
from dataclasses import replace

from syncer.model import GroupState, Target, TargetHealth, TargetState


def with_registered(actual: GroupState, targets: Iterable[Target]) -> GroupState:
    """The group after RegisterTargets succeeded: what was not registered is `initial` now."""
    listed = dict(actual.targets)
    for target in targets:
        known = listed.get(target)
        if known is None or not known.registered:
            listed[target] = TargetHealth(
                target=target,
                state=TargetState.INITIAL,
                reason="Elb.RegistrationInProgress",
                zone="" if known is None else known.zone,
            )
    return replace(actual, targets=listed)


def with_deregistered(actual: GroupState, targets: Iterable[Target]) -> GroupState:
    """The group after DeregisterTargets succeeded: what was registered is `draining` now."""
    listed = dict(actual.targets)
    for target in targets:
        known = listed.get(target)
        if known is not None and known.registered:
            listed[target] = replace(
                known, state=TargetState.DRAINING, reason="Target.DeregistrationInProgress"
            )
    return replace(actual, targets=listed)
