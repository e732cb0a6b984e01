"""Whose a target is, and what the ownership record must say (safety rule 6)."""

from collections.abc import Iterable

from syncer.model import Desired, GroupState, Standing, Target, TargetState


def adopted(desired: Desired, actual: GroupState, targets: Iterable[Target]) -> set[Target]:
    """Those of these registered targets that are ours on sight, recorded or not.

    It is what sits on our port and belongs to a Node that rules 1 to 3 leave to us, wanted or leaving: a
    restart in the middle of a drain must not turn our own target into somebody else's.
    """
    return {
        target
        for target in targets
        if target.port == actual.port
        and (wish := desired.wishes.get(target.id)) is not None
        and wish.standing is not Standing.OUT
    }


def record(actual: GroupState, owned: frozenset[Target], register: tuple[Target, ...]) -> frozenset[Target]:
    """The record as it must stand before `register` is sent: what is still listed, and what will be.

    A target is struck off when AWS no longer lists it, not when it begins to drain, and never after a failed
    read. Where AWS may not be read, what we deregistered is struck off once we have.
    """
    if actual.blind:
        drained = {target for target in owned if _drains(actual, target)}
        return owned.difference(drained).union(register)
    if not actual.fresh:
        return owned.union(register)
    gone = {target for target in owned if not _listed(actual, target)}
    return owned.difference(gone).union(register) if gone or register else owned


def _drains(actual: GroupState, target: Target) -> bool:
    health = actual.targets.get(target)
    return health is not None and health.state is TargetState.DRAINING


def _listed(actual: GroupState, target: Target) -> bool:
    health = actual.targets.get(target)
    return health is not None and (health.registered or health.state is TargetState.DRAINING)
