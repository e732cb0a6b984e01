"""The ownership registry (safety rule 6) in ConfigMaps, with the confirmed holds.

The text is in `registry_format`, the entries in `registry_shards`, the ConfigMaps in `registry_parts`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto

from syncer.errors import ClusterError, ConflictError, DeniedError
from syncer.interfaces import Clock, Records
from syncer.model import InstanceId, Target, TargetGroupArn
from syncer.reconcile.confirmations import confirmations, expired, only_confirmations
from syncer.reconcile.registry_format import (
    MARKER,
    decoded,
    decoded_group,
    key_of,
    marked,
    parsed,
    place,
    shard_key,
    shard_path,
)
from syncer.reconcile.registry_parts import Parts
from syncer.reconcile.registry_shards import Shards

log = logging.getLogger(__name__)

# Changes that no registration waits for (removals, adoptions) are written together, at most this often. While
# a hold waits for a confirmation, the registry is read at the same interval.
_LATER_S = 5.0
# Retry interval after a denied permission.
_DENIED_S = 300.0
_TRIES = 3
# Shards that are encoded in one step of the loop: 10 ms for 10 groups.
_STEP = 16


class _Store(Enum):
    """Where the registry is kept: not read yet, in the ConfigMaps, or only in memory."""

    UNREAD = auto()
    STORED = auto()
    MEMORY_ONLY = auto()


class Registry:
    """The owned targets, in memory and as stored; a single write for all changed groups.

    `loads` counts the reads from the ConfigMaps. Without `records`, or without the permission, the registry
    lives as long as the process. The loss of the registry can only leave targets behind.
    """

    def __init__(
        self,
        records: Records | None,
        clock: Clock,
        *,
        may_write: Callable[[], bool] = lambda: True,
        awaited: Callable[[], bool] = lambda: False,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._parts = None if records is None else Parts(records)
        self._clock = clock
        self._may_write = may_write
        self._awaited = awaited
        self._on_change = on_change
        self._store = self._initial()
        self._denied_until = 0.0
        self.loads = 0
        self._wanted: dict[TargetGroupArn, frozenset[Target]] = {}
        self._shards = Shards()
        self._lock = asyncio.Lock()
        self._confirmed_in: Mapping[str, str] = {}
        self._confirmations: Mapping[str, str] = {}
        self.problem = ""

    def _initial(self) -> _Store:
        return _Store.MEMORY_ONLY if self._parts is None else _Store.UNREAD

    def ours(self, group: TargetGroupArn) -> frozenset[Target]:
        """Return the owned targets of the group."""
        return self._wanted.get(group, frozenset())

    @property
    def loaded(self) -> bool:
        """Whether the registry has been read, or need not be read."""
        return self._store is not _Store.UNREAD

    def want(self, group: TargetGroupArn, targets: frozenset[Target]) -> None:
        """Set the group's targets in the registry; written soon, or at once by `save`."""
        before = self._wanted.get(group, frozenset())
        self._wanted[group] = targets
        if targets is before or self._store is _Store.MEMORY_ONLY:
            return
        added = targets - before
        removed = before - targets if len(targets) - len(added) != len(before) else frozenset()
        self._shards.change(key_of(group), added, removed)

    def confirmed(self, now: float) -> frozenset[str]:
        """Return the holds confirmed within the last 15 minutes; `now` is epoch seconds."""
        if self._parts is None:
            return frozenset()
        if self._parts.first is not self._confirmed_in:  # each pass of each group asks
            self._confirmed_in = self._parts.first
            self._confirmations = only_confirmations(self._confirmed_in)
        return confirmations(self._confirmations, now)

    def forget(self) -> None:
        """Read the registry again before the next use: another replica may have written it."""
        self._store = self._initial()

    async def load(self, groups: Iterable[TargetGroupArn]) -> None:
        """Read the registry, unless already loaded.

        Raises:
            ClusterError: without a response.

        """
        if not self.loaded:
            async with self._lock:
                await self._load(groups)

    async def _load(self, groups: Iterable[TargetGroupArn]) -> None:
        if not self.loaded and await self._read():
            self._wanted.update(await self._stored_targets(groups))
            self.loads += 1
            self._store = _Store.STORED

    async def save(self) -> None:
        """Write unsaved changes.

        Raises:
            ClusterError: if the write fails.

        """
        async with self._lock:
            await self._clock.sleep(0)  # other groups react to the same event: a single write for all
            for attempt in range(_TRIES):
                try:
                    await self._write()
                except ConflictError:
                    if attempt == _TRIES - 1:
                        raise
                    await self._merge()
                else:
                    return

    async def run(self) -> None:
        """Write deferred changes, and poll for an awaited confirmation, until cancelled."""
        while True:
            await self._clock.sleep(_LATER_S)
            if not (self.loaded and self._may_write()):
                continue
            try:
                if self._store is _Store.MEMORY_ONLY:
                    await self._ask_again()
                    continue
                if self._awaited():
                    await self._look()
                await self.save()
            except ClusterError as error:
                self._report(f"cannot write the ownership registry: {error}")

    async def _ask_again(self) -> None:
        """Retry a denied permission; once granted, the stored targets are owned too."""
        if self._parts is None or self._clock.monotonic() < self._denied_until:
            return
        async with self._lock:
            if await self._read():
                stored = await self._stored_targets(list(self._wanted))
                for group, targets in self._wanted.items():
                    known = stored.get(group, frozenset())
                    self._shards.change(key_of(group), targets - known, ())
                    self._wanted[group] = targets | known
                self._store = _Store.STORED
                self._report("")
                self._on_change()

    async def _look(self) -> None:
        before = self.confirmed(self._clock.now())
        async with self._lock:
            await self._merge(first_only=True)
        if self.confirmed(self._clock.now()) != before:
            self._on_change()

    async def _read(self, *, first_only: bool = False) -> bool:
        """Return whether the read succeeded; without the permission, keep the registry in memory."""
        if self._parts is None:
            return False
        try:
            await self._parts.read(first_only=first_only)
        except DeniedError as error:
            self._in_memory(error)
            return False
        return True

    async def _stored_targets(
        self, groups: Iterable[TargetGroupArn]
    ) -> dict[TargetGroupArn, frozenset[Target]]:
        """Return the stored targets of each group, and replace the shards with the stored ones."""
        shards, keys = Shards(), {key_of(group): group for group in groups}
        first, stored = (self._parts.first, self._parts.shards) if self._parts else ({}, {})
        counting = marked(first)
        paths = [(shard_path(key) or "", text) for (_, key), text in stored.items()]
        shards.divide_as(path for path, _ in paths)
        for path, text in paths:
            shards.load(path, text, counting)
            await self._clock.sleep(0)  # 5 ms a shard
        for key in keys:
            for target in decoded_group(first.get(key, "")):
                shards.add(target.id, place(key, target.port))
            await self._clock.sleep(0)
        found: dict[str, set[Target]] = {key: set() for key in keys}
        for path in list(shards.paths):
            for key, some in shards.targets(path, keys):
                found[key].update(some)
            await self._clock.sleep(0)
        targets: dict[TargetGroupArn, frozenset[Target]] = {}
        for key, each in found.items():
            targets[keys[key]] = frozenset(each)
            await self._clock.sleep(0)
        self._shards = shards
        return targets

    async def _write(self) -> None:
        """Write unsaved changes once, or return without a write if this replica may not write."""
        if self._parts is None or self._store is _Store.MEMORY_ONLY or not self._may_write():
            return
        shards, unsaved = self._shards, True
        paths, texts = set[str](), dict[str, str]()
        try:
            while shards.dirty:  # also what changes between two steps: all texts are of one moment
                path = shards.dirty.pop()
                paths.add(path)
                texts[shard_key(path)] = shards.text(path)
                if not len(paths) % _STEP:
                    await self._clock.sleep(0)
            writes = self._parts.writes(texts, self._markers(self._parts.first))
            for number, changes in writes:
                if not self._may_write():
                    return
                if number == 0:
                    gone = expired(self._parts.first, self._clock.now())
                    changes.update(dict.fromkeys(gone))
                await self._parts.write(number, changes)
            unsaved = False
        except DeniedError as error:
            self._in_memory(error)
            return
        finally:
            if unsaved:
                shards.dirty |= paths
        if writes:
            self._report("")

    def _markers(self, first: Mapping[str, str]) -> dict[str, str]:
        """Return the entries of the groups' own keys, which make the entries of the shards count."""
        keys = ((key_of(group), targets) for group, targets in self._wanted.items())
        return {key: MARKER for key, targets in keys if targets or key in first}

    async def _merge(self, *, first_only: bool = False) -> None:
        """Merge changes by another writer: added targets are owned until AWS no longer lists them."""
        if self._parts is None:
            return
        before, first = self._parts.shards, self._parts.first
        if not await self._read(first_only=first_only):
            return
        added = self._added(before, self._parts.shards)
        for group, targets in self._wanted.items():
            key = key_of(group)
            more = added.get(key, set())
            if (text := self._parts.first.get(key, "")) != first.get(key, ""):
                more.update(decoded_group(text))
            if not more <= targets:
                self.want(group, targets | more)
                self._on_change()

    def _added(
        self, before: Mapping[tuple[int, str], str], after: Mapping[tuple[int, str], str]
    ) -> dict[str, set[Target]]:
        """Take over the entries that another writer has added to shards; return the targets by group key."""
        changed = {each for each in (*before, *after) if before.get(each) != after.get(each)}
        self._shards.dirty.update(shard_path(key) or "" for _, key in changed)
        known = _entries(before.get(each, "") for each in changed)
        added: dict[str, set[Target]] = {}
        for instance, where in _entries(after.get(each, "") for each in changed) - known:
            self._shards.add(instance, where)
            key, port = parsed(where)
            added.setdefault(key, set()).add(Target(instance, port))
        return added

    def _in_memory(self, error: DeniedError) -> None:
        self._store = _Store.MEMORY_ONLY
        self._denied_until = self._clock.monotonic() + _DENIED_S
        self._report(f"the ownership registry is lost at the next start: {error}")

    def _report(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.warning("%s", problem)
        self.problem = problem


def _entries(texts: Iterable[str]) -> set[tuple[InstanceId, str]]:
    return {
        (instance, each) for text in texts for instance, places in decoded(text).items() for each in places
    }
