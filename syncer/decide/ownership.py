"""Ownership of targets, and the content of the ownership registry (safety rule 6)."""

from collections.abc import Iterable

from syncer.model import Desired, GroupState, Standing, Target, TargetState


def adopted(desired: Desired, actual: GroupState, targets: Iterable[Target]) -> set[Target]:
    """Return the registered targets that are owned even if not in the registry.

    A target is adopted if it has the syncer's port and its Node is wanted or leaving (not excluded by rules 1
    to 3): a restart in the middle of a drain must not turn an owned target into a foreign target.
    """
    return {
        target
        for target in targets
        if target.port == actual.port
        and (intent := desired.intents.get(target.id)) is not None
        and intent.standing is not Standing.OUT
    }


def joining(desired: Desired, actual: GroupState) -> frozenset[Target]:
    """Return targets to be owned once their Nodes are Ready; recorded early, so that no registration waits.

    Blind, the set is empty: the registry then has only registered targets. After a failed read the set is
    empty too, because the group may turn out to be blind.
    """
    if actual.port is None or not actual.fresh:
        return frozenset()
    return frozenset(Target(instance, actual.port) for instance in desired.joining)


def record(
    actual: GroupState, owned: frozenset[Target], coming: frozenset[Target], unlisted: Iterable[Target]
) -> frozenset[Target]:
    """Return the registry to write before `coming` is registered: listed owned targets, and `coming`.

    `unlisted` are the owned targets that are not registered.

    An owned target is removed when AWS no longer lists it, not when it begins to drain. No target is removed
    after a failed read, or while AWS may not show another process's registrations (`inherited`). Blind, a
    target is removed after the syncer has deregistered it.
    """
    if actual.blind:
        drained = {target for target in owned if _drains(actual, target)}
        return owned.difference(drained).union(coming)
    if not actual.fresh:
        return owned.union(coming)
    gone = {
        target
        for target in unlisted
        if target not in coming and target not in actual.inherited and not _listed(actual, target)
    }
    return owned if not gone and coming <= owned else owned.difference(gone).union(coming)


def _drains(actual: GroupState, target: Target) -> bool:
    health = actual.targets.get(target)
    return health is not None and health.state is TargetState.DRAINING


def _listed(actual: GroupState, target: Target) -> bool:
    health = actual.targets.get(target)
    return health is not None and (health.registered or health.state is TargetState.DRAINING)
