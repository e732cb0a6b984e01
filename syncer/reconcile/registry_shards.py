"""The registry's entries in memory: instances with their places, in shards by a hash of the id (ADR 0038)."""

import zlib
from collections.abc import Collection, Iterable, Iterator

from syncer.model import InstanceId, Target
from syncer.reconcile.registry_format import Places, decoded, encoded, parsed, place

# The ids of a shard, before the shard is divided: 9 KB, to which a line of each 10 groups adds 0.6 KB.
MAX_IDS = 512
_DEEPEST = 16
_NOWHERE: Places = frozenset()


class Shards:
    """A binary tree of shards: the ids of a shard share the first bits of their hash, the shard's path.

    `dirty` are the paths whose stored text may differ. A stored id in a wrong shard moves to its own, so that
    any stored text is accepted: of another writer, of an interrupted write, or of a person.
    """

    def __init__(self) -> None:
        self.dirty: set[str] = set()
        self._divided: set[str] = set()
        self._paths: dict[int, str] = {}  # the path by the hash of an id, until a shard is divided
        self._shards: dict[str, dict[InstanceId, Places]] = {}
        self._known: dict[Places, Places] = {}  # one object for equal places: 100,000 ids have few
        self._more: dict[tuple[Places, str], Places] = {}
        self._less: dict[tuple[Places, str], Places] = {}

    @property
    def paths(self) -> Collection[str]:
        """The paths of all shards."""
        return self._shards.keys()

    def divide_as(self, paths: Iterable[str]) -> None:
        """Divide the empty tree as the stored one is."""
        self._divided.update(path[:bits] for path in paths for bits in range(len(path)))

    def load(self, path: str, text: str, keys: Collection[str]) -> None:
        """Add a stored shard; only the places of groups with one of `keys` count."""
        entries = decoded(text)
        kept = {
            places: self._same(each for each in places if parsed(each)[0] in keys)
            for places in set(entries.values())
        }
        if path in self._divided or self._shards.get(path) or any(a != b for a, b in kept.items()):
            self.dirty.add(path)
        for instance, stored in entries.items():
            places = kept[stored]
            if self._path(instance) != path:
                self.dirty.add(path)
                for each in places:
                    self.add(instance, each)
            elif places:
                shard = self._shards.setdefault(path, {})
                shard[instance] = self._same(places | shard[instance]) if instance in shard else places
        if len(self._shards.get(path, ())) > MAX_IDS:
            self._divide(path)

    def add(self, instance: InstanceId, each: str) -> None:
        """Add a place of an instance."""
        path = self._path(instance)
        shard = self._shards.setdefault(path, {})
        before = shard.get(instance, _NOWHERE)
        if each in before:
            return
        after = self._more.get((before, each))
        if after is None:
            after = self._more[before, each] = self._same((*before, each))
        shard[instance] = after
        self.dirty.add(path)
        if len(shard) > MAX_IDS:
            self._divide(path)

    def remove(self, instance: InstanceId, each: str) -> None:
        """Remove a place of an instance, and the instance with its last place."""
        path = self._path(instance)
        shard = self._shards.get(path, {})
        before = shard.get(instance, _NOWHERE)
        if each not in before:
            return
        after = self._less.get((before, each))
        if after is None:
            after = self._less[before, each] = self._same(before - {each})
        if after:
            shard[instance] = after
        else:
            del shard[instance]
        self.dirty.add(path)

    def change(self, key: str, added: Iterable[Target], removed: Iterable[Target]) -> None:
        """Add and remove targets of the group with this key."""
        for target in added:
            self.add(target.id, place(key, target.port))
        for target in removed:
            self.remove(target.id, place(key, target.port))

    def text(self, path: str) -> str:
        """Return the text of a shard to store, "" if empty."""
        return encoded(self._shards.get(path, {}))

    def targets(self, path: str, keys: Collection[str]) -> Iterator[tuple[str, list[Target]]]:
        """Yield the targets of a shard with the key of their group, for the groups with one of `keys`."""
        ids: dict[Places, list[InstanceId]] = {}
        for instance, places in self._shards[path].items():
            ids.setdefault(places, []).append(instance)
        for places, instances in ids.items():
            for key, port in map(parsed, places):
                if key in keys:
                    yield key, [Target(instance, port) for instance in instances]

    def _path(self, instance: InstanceId) -> str:
        hashed = _hash(instance)
        path = self._paths.get(hashed)
        if path is None:
            bits, length = _bits(hashed), 0
            while bits[:length] in self._divided:
                length += 1
            path = self._paths[hashed] = bits[:length]
        return path

    def _divide(self, path: str) -> None:
        if len(path) == _DEEPEST:
            return
        self._divided.add(path)
        self._paths.clear()
        halves = (path + "0", path + "1")
        self._shards.update((half, {}) for half in halves)
        for instance, places in self._shards.pop(path).items():
            self._shards[_bits(_hash(instance))[: len(path) + 1]][instance] = places
        self.dirty.update((path, *halves))
        for half in halves:
            if len(self._shards[half]) > MAX_IDS:
                self._divide(half)

    def _same(self, places: Iterable[str]) -> Places:
        """Return the one object for equal places."""
        made = frozenset(places)
        return self._known.setdefault(made, made)


def _hash(instance: InstanceId) -> int:
    return zlib.crc32(instance.encode()) >> (32 - _DEEPEST)


def _bits(hashed: int) -> str:
    return format(hashed, f"0{_DEEPEST}b")
