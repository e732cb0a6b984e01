"""Chooses nodes when AWS has fewer places than there are nodes (safety rule 5)."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from heapq import merge
from itertools import islice

from syncer.model import GroupState, InstanceId

# Parts of a queue, by the first byte of the weight: only the parts that are read are sorted.
_PARTS = 256
_Entry = tuple[bytes, InstanceId]


def limit_of(target_limit: int | None, actual: GroupState) -> int | None:
    """Return the maximum number of targets of the group: the lower of the configured and the learnt limit."""
    known = [limit for limit in (target_limit, actual.limit) if limit is not None]
    return min(known, default=None)


class Queues:
    """Instances that may be targets, by zone in the order of places; a change costs no new sort."""

    def __init__(self, zones: Mapping[InstanceId, str] | None = None) -> None:
        self._queues: dict[str, _Queue] = {}
        for instance, zone in (zones or {}).items():
            self.put(instance, zone)

    def put(self, instance: InstanceId, zone: str, *, present: bool = True) -> None:
        """Add an absent instance to the queue of its zone, or remove a present one."""
        queue = self._queues.get(zone)
        if queue is None:
            queue = self._queues[zone] = _Queue()
        queue.put(instance, present=present)

    def first(self, places: int, without: Collection[InstanceId] = ()) -> set[InstanceId]:
        """Choose as many instances as `places`, evenly by zone, from those not in `without`.

        The choice depends only on the instances and the places, so all groups and replicas choose the same
        instances, and a node that comes or goes moves at most one other node.
        """
        sizes = {
            zone: len(queue) - sum(instance in queue for instance in without)
            for zone, queue in self._queues.items()
        }
        shares = sizes if sum(sizes.values()) <= places else _dealt(sizes, places)
        return {
            instance
            for zone, queue in self._queues.items()
            for instance in islice((i for _, i in queue if i not in without), shares[zone])
        }

    def among(self, instances: Iterable[InstanceId]) -> "Queues":
        """Return queues of only these instances."""
        zones = {i: zone for i in instances for zone, queue in self._queues.items() if i in queue}
        return Queues(zones)

    def waiting(self, chosen: Collection[InstanceId], count: int) -> tuple[InstanceId, ...]:
        """Return the first `count` instances without a place, in the order of places."""
        rest = merge(*self._queues.values())
        return tuple(islice((instance for _, instance in rest if instance not in chosen), count))


class _Queue:
    """The instances of a zone in the order of places."""

    def __init__(self) -> None:
        self._parts: list[list[_Entry]] = [[] for _ in range(_PARTS)]
        self._unsorted: set[int] = set()
        self._length = 0

    def put(self, instance: InstanceId, *, present: bool) -> None:
        weight = _weight(instance)
        part = weight[0]
        if present:
            self._parts[part].append((weight, instance))
            self._unsorted.add(part)
        else:
            self._parts[part].remove((weight, instance))
        self._length += 1 if present else -1

    def __contains__(self, instance: InstanceId) -> bool:
        weight = _weight(instance)
        return (weight, instance) in self._parts[weight[0]]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[_Entry]:
        for number, part in enumerate(self._parts):
            if number in self._unsorted:
                part.sort()
                self._unsorted.discard(number)
            yield from part


def subset(queues: Queues, places: int, refused: Collection[InstanceId] = ()) -> frozenset[InstanceId]:
    """Choose as many instances as `places`; refused instances take only places that would be free."""
    chosen = queues.first(places, without=refused)
    if refused and len(chosen) < places:
        chosen |= queues.among(refused).first(places - len(chosen))
    return frozenset(chosen)


def _dealt(sizes: Mapping[str, int], places: int) -> dict[str, int]:
    """Distribute the places over the zones in turn until no place is left or all zones are served.

    The remainder goes to the first zones by name, so that a node of one zone moves no place between others.
    """
    shares = dict.fromkeys(sorted(sizes), 0)
    open_zones = [zone for zone in shares if sizes[zone]]
    while open_zones and places > 0:
        room = [sizes[zone] - shares[zone] for zone in open_zones]
        turns = min(places // len(open_zones), *room)
        if turns:  # as many whole turns as every zone can take
            for zone in open_zones:
                shares[zone] += turns
            places -= turns * len(open_zones)
        else:
            for zone in open_zones[:places]:
                shares[zone] += 1
            places = 0
        open_zones = [zone for zone in open_zones if shares[zone] < sizes[zone]]
    return shares


def by_weight(instances: Iterable[InstanceId]) -> list[InstanceId]:
    """Return the instances in the order of places, the same for every group."""
    return sorted(instances, key=_weight)


def _weight(instance: InstanceId) -> bytes:
    return hashlib.blake2b(instance.encode(), digest_size=8).digest()
