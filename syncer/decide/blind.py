"""Registrations of a group that AWS does not let the syncer read: no read shows a missing target."""

from collections.abc import Collection
from typing import NamedTuple

from syncer.model import GroupState, InstanceId, Target

# Interval of re-registering all targets (the predecessor: at its start only).
REGISTER_AGAIN_S = 600.0


class Again(NamedTuple):
    """Targets to register again now and until AWS accepts them; when all are due again (epoch seconds)."""

    unacknowledged: frozenset[Target] = frozenset()
    at: float | None = None


def registered_again(actual: GroupState, wanted: Collection[InstanceId], now: float) -> Again:
    """Return targets of wanted instances to register again: in a blind group, at first and every ten minutes.

    At first, because a target in the registry may never have been registered: the registry is written
    earlier. Only targets that are believed to be registered are returned; the plan registers the others.
    """
    if not actual.blind or actual.port is None:
        return Again()
    memory, at = actual.memory, actual.memory.register_again_at
    due = at is None or now >= at
    targets = actual.targets if due else memory.unacknowledged.difference(actual.acknowledged)
    again = frozenset(each for each in targets if each.port == actual.port and each.id in wanted)
    return Again(again, now + REGISTER_AGAIN_S if due else at)
