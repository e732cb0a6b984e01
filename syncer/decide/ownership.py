"""Whose a target is, and what the ownership record must say (safety rule 6)."""

from collections.abc import Iterable

from syncer.decide.evaluate import JOINING
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


def joining(desired: Desired, actual: GroupState) -> frozenset[Target]:
    """What will be ours as soon as its Node is Ready. It is recorded before, so that nothing waits for that.

    Where AWS may not be read the record says what is registered, and this is not. A group that cannot be read
    now may turn out to be one of these.
    """
    if actual.port is None or not actual.fresh:
        return frozenset()
    return frozenset(
        Target(instance, actual.port) for instance, wish in desired.wishes.items() if wish.reason == JOINING
    )


def record(actual: GroupState, owned: frozenset[Target], coming: frozenset[Target]) -> frozenset[Target]:
    """The record as it must stand before any of `coming` is registered: what is still listed, and those.

    A target is struck off when AWS no longer lists it, not when it begins to drain, and never after a failed
    read, nor while AWS may not show what another process has registered (`inherited`). Where AWS may not be
    read, what we deregistered is struck off once we have.
    """
    if actual.blind:
        drained = {target for target in owned if _drains(actual, target)}
        return owned.difference(drained).union(coming)
    if not actual.fresh:
        return owned.union(coming)
    gone = {target for target in owned.difference(coming, actual.inherited) if not _listed(actual, target)}
    return owned if not gone and coming <= owned else owned.difference(gone).union(coming)


def _drains(actual: GroupState, target: Target) -> bool:
    health = actual.targets.get(target)
    return health is not None and health.state is TargetState.DRAINING


def _listed(actual: GroupState, target: Target) -> bool:
    health = actual.targets.get(target)
    return health is not None and (health.registered or health.state is TargetState.DRAINING)
