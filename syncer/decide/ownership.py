"""Whose a target is, and what the ownership record must say (safety rule 6)."""

from syncer.model import Desired, GroupState, Standing, Target, TargetState


def ours(desired: Desired, actual: GroupState) -> frozenset[Target]:
    """The targets that are ours: recorded, or adopted on sight.

    Adopted is what sits on our port and belongs to a Node that rules 1 to 3 leave to us, wanted or leaving:
    a restart in the middle of a drain must not turn our own target into somebody else's.
    """
    adopted = (
        target
        for target, health in actual.targets.items()
        if target.port == actual.port
        and health.registered
        and (wish := desired.wishes.get(target.id)) is not None
        and wish.standing is not Standing.OUT
    )
    return actual.ours.union(adopted)


def record(owned: frozenset[Target], actual: GroupState, register: tuple[Target, ...]) -> frozenset[Target]:
    """The record as it must stand before `register` is sent: what is still listed, and what will be.

    A target is struck off when AWS no longer lists it, not when it begins to drain, and never after a failed
    read.
    """
    if not actual.fresh:
        return owned.union(register)
    return frozenset(target for target in owned if _listed(actual, target)).union(register)


def _listed(actual: GroupState, target: Target) -> bool:
    health = actual.targets.get(target)
    return health is not None and (health.registered or health.state is TargetState.DRAINING)
