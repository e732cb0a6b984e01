"""Chooses nodes when AWS has fewer places than there are nodes (safety rule 5)."""

import hashlib
from collections.abc import Iterable, Mapping

from syncer.model import GroupState, InstanceId


def limit_of(target_limit: int | None, actual: GroupState) -> int | None:
    """Return the maximum number of targets of the group: the lower of the configured and the learnt limit."""
    known = [limit for limit in (target_limit, actual.limit) if limit is not None]
    return min(known, default=None)


def subset(zones: Mapping[InstanceId, str], places: int) -> frozenset[InstanceId]:
    """Choose as many instances as `places`, evenly by zone; within a zone by rendezvous hash.

    The choice depends only on the instances and the places, so all groups and replicas choose the same
    instances, and a node that comes or goes moves at most one other node.
    """
    if len(zones) <= places:
        return frozenset(zones)
    queues: dict[str, list[InstanceId]] = {}
    for instance in sorted(zones, key=_weight):
        queues.setdefault(zones[instance], []).append(instance)
    shares = _dealt({zone: len(queue) for zone, queue in queues.items()}, places)
    return frozenset(i for zone, queue in queues.items() for i in queue[: shares[zone]])


def _dealt(sizes: Mapping[str, int], places: int) -> dict[str, int]:
    """Distribute the places over the zones in turn until no place is left or all zones are served.

    The remainder goes to the first zones by name, so that a node of one zone moves no place between others.
    """
    shares = dict.fromkeys(sorted(sizes), 0)
    open_zones = list(shares)
    while open_zones and places > 0:
        for zone in open_zones[:places]:
            shares[zone] += 1
        places -= len(open_zones[:places])
        open_zones = [zone for zone in open_zones if shares[zone] < sizes[zone]]
    return shares


def by_weight(instances: Iterable[InstanceId]) -> list[InstanceId]:
    """Return the instances in the order of places, the same for every group."""
    return sorted(instances, key=_weight)


def _weight(instance: InstanceId) -> bytes:
    return hashlib.blake2b(instance.encode(), digest_size=8).digest()
