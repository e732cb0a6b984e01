"""Which nodes get a place where AWS has fewer places than there are nodes (safety rule 5)."""

import hashlib
from collections.abc import Iterable, Mapping

from syncer.model import GroupState, InstanceId


def limit_of(target_limit: int | None, actual: GroupState) -> int | None:
    """How many targets the group may hold: what people said or what AWS was seen to accept, the smaller."""
    known = [limit for limit in (target_limit, actual.limit) if limit is not None]
    return min(known, default=None)


def subset(zones: Mapping[InstanceId, str], places: int) -> frozenset[InstanceId]:
    """As many instances as there are places, dealt evenly to the zones; within a zone by rendezvous hash.

    It depends on nothing but the instances and the places, so every group and every replica chooses the same,
    and a node that comes or goes moves at most one other.
    """
    if len(zones) <= places:
        return frozenset(zones)
    queues: dict[str, list[InstanceId]] = {}
    for instance in sorted(zones, key=_weight):
        queues.setdefault(zones[instance], []).append(instance)
    shares = _dealt({zone: len(queue) for zone, queue in queues.items()}, places)
    return frozenset(i for zone, queue in queues.items() for i in queue[: shares[zone]])


def _dealt(sizes: Mapping[str, int], places: int) -> dict[str, int]:
    """Places for each zone, one after another until none is left or all zones are served.

    The odd ones go to the first zones by name, so that a node of one zone moves no place between others.
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
    """Instances in the order in which they get places, the same for every group."""
    return sorted(instances, key=_weight)


def _weight(instance: InstanceId) -> bytes:
    return hashlib.blake2b(instance.encode(), digest_size=8).digest()
