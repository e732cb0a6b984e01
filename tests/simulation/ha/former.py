"""The registry of version 0.1, for a rollout and for the way back: a group's key has all its targets."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import Any

from syncer.errors import ClusterError, ConflictError, DeniedError
from syncer.interfaces import Clock, RecordState
from syncer.model import InstanceId, Target, TargetGroupArn
from tests.simulation.records import MemoryRecords
from tests.simulation.world import Replica, World

log = logging.getLogger(__name__)

# Validity of a confirmation; later the cluster may look quite different.
CONFIRMED_S = 900.0
# Changes that no registration waits for (removals, adoptions) are written together, at most this often. While
# a hold waits for a confirmation, the registry is read at the same interval.
_LATER_S = 5.0
# Retry interval after a denied permission.
_DENIED_S = 300.0
_CONFIRMED = "confirmed."
# A port or seconds; `str.isdigit` also accepts digits that `int` rejects.
_NUMBER = re.compile(r"[0-9]{1,12}")
_TRIES = 3


class _Store(Enum):
    """Where the registry is kept: not read yet, in the ConfigMap, or only in memory."""

    UNREAD = auto()
    STORED = auto()
    MEMORY_ONLY = auto()


class Records(MemoryRecords):
    """The answer to a write has the content."""

    async def put(self, changes: Mapping[str, str | None], version: str) -> RecordState:
        await self.write(changes, version)
        state = self._record.state
        assert state is not None
        return state


def former(world: World) -> Replica:
    """Start a replica with the registry of version 0.1."""
    replica = world.replica(elected=True)
    controller = replica.controller
    now = controller.record
    registry: Any = Registry(
        Records(world.stored),
        controller.clock,
        may_write=now._may_write,
        awaited=now._awaited,
        on_change=now._on_change,
    )
    controller.record = registry
    return replica


class Registry:
    """The owned targets, in memory and as stored; a single write for all changed groups.

    `loads` counts the reads from the ConfigMap. Without `records`, or without the permission, the registry
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
        self._records = records
        self._clock = clock
        self._may_write = may_write
        self._awaited = awaited
        self._on_change = on_change
        self._store = self._initial()
        self._denied_until = 0.0
        self.loads = 0
        self._wanted: dict[TargetGroupArn, frozenset[Target]] = {}
        self._stored: Mapping[str, str] = {}
        self._decoded: dict[str, tuple[str, frozenset[Target]]] = {}
        self._version = ""
        self._lock = asyncio.Lock()
        self.problem = ""

    def _initial(self) -> _Store:
        return _Store.MEMORY_ONLY if self._records is None else _Store.UNREAD

    def ours(self, group: TargetGroupArn) -> frozenset[Target]:
        """Return the owned targets of the group."""
        return self._wanted.get(group, frozenset())

    @property
    def loaded(self) -> bool:
        """Whether the registry has been read, or need not be read."""
        return self._store is not _Store.UNREAD

    def want(self, group: TargetGroupArn, targets: frozenset[Target]) -> None:
        """Set the group's targets in the registry; written soon, or at once by `save`."""
        self._wanted[group] = targets

    def confirmed(self, now: float) -> frozenset[str]:
        """Return the holds confirmed within the last 15 minutes; `now` is epoch seconds."""
        return frozenset(_confirmations(self._stored, now))

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
            for group in groups:
                self._wanted[group] = decoded(self._stored.get(key_of(group), ""))
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
                if self._store is _Store.MEMORY_ONLY or not self._may_write():
                    return
                changes = self._changes()
                if not changes:
                    return
                try:
                    await self._write(changes)
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
        if self._records is None or self._clock.monotonic() < self._denied_until:
            return
        async with self._lock:
            if await self._read():
                self._store = _Store.STORED
                for group, targets in self._wanted.items():
                    self._wanted[group] = targets | decoded(self._stored.get(key_of(group), ""))
                self._report("")
                self._on_change()

    async def _look(self) -> None:
        before = self.confirmed(self._clock.now())
        async with self._lock:
            await self._merge()
        if self.confirmed(self._clock.now()) != before:
            self._on_change()

    async def _merge(self) -> None:
        """Merge changes by another writer: added targets are owned until AWS no longer lists them."""
        before = self._stored
        if not await self._read():
            return
        for group, targets in self._wanted.items():
            added = decoded(self._stored.get(key_of(group), "")) - decoded(before.get(key_of(group), ""))
            if not added <= targets:
                self._wanted[group] = targets | added
                self._on_change()

    async def _read(self) -> bool:
        """Return whether the read succeeded; without the permission, keep the registry in memory."""
        if self._records is None:
            return False
        try:
            state = await self._records.read()
        except DeniedError as error:
            self._in_memory(error)
            return False
        self._stored, self._version = (state.values, state.version) if state else ({}, "")
        return True

    async def _write(self, changes: Mapping[str, str | None]) -> None:
        if self._records is None:
            return
        try:
            state = await self._records.put(changes, self._version)
        except DeniedError as error:
            self._in_memory(error)
            return
        self._stored, self._version = state.values, state.version
        self._report("")

    def _recorded(self, key: str) -> frozenset[Target]:
        """Return the targets under this key, decoded once per text: decoding 5,000 targets takes 4 ms."""
        text = self._stored.get(key, "")
        known = self._decoded.get(key)
        if known is None or known[0] != text:
            known = self._decoded[key] = (text, decoded(text))
        return known[1]

    def _changes(self) -> dict[str, str | None]:
        """Return the entries that differ from the stored entries, with expired confirmations to delete."""
        changes: dict[str, str | None] = {}
        for group, targets in self._wanted.items():
            key = key_of(group)
            recorded = self._recorded(key)
            if recorded is not targets and recorded != targets:
                text = encoded(targets)
                changes[key] = text or None
                self._decoded[key] = (text, targets)  # once stored, avoid a second copy of every target
        if changes:
            valid = _confirmations(self._stored, self._clock.now())
            expired = (key for key in self._stored if key.startswith(_CONFIRMED))
            changes.update((key, None) for key in expired if key.removeprefix(_CONFIRMED) not in valid)
        return changes

    def _in_memory(self, error: DeniedError) -> None:
        self._store = _Store.MEMORY_ONLY
        self._denied_until = self._clock.monotonic() + _DENIED_S
        self._report(f"the ownership registry is lost at the next start: {error}")

    def _report(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.warning("%s", problem)
        self.problem = problem


def _confirmations(values: Mapping[str, str], now: float) -> set[str]:
    """Return the ids of valid confirmations; a fast clock of another machine does no harm below 15 min."""
    return {
        key.removeprefix(_CONFIRMED)
        for key, text in values.items()
        if key.startswith(_CONFIRMED) and _NUMBER.fullmatch(text) and abs(now - int(text)) < CONFIRMED_S
    }


def key_of(group: TargetGroupArn) -> str:
    """Return the group's key in the ConfigMap: NAME.ID, because names may repeat in another Region."""
    return group.rpartition(":targetgroup/")[2].replace("/", ".")


def encoded(targets: Iterable[Target]) -> str:
    """Encode targets as a line per port, `PORT ID ID …`, ids without `i-`: 90 KB for 5,000 targets."""
    ports: dict[int, list[str]] = {}
    for target in sorted(targets):
        ports.setdefault(target.port, []).append(target.id.removeprefix("i-"))
    return "\n".join(f"{port} {' '.join(ids)}" for port, ids in sorted(ports.items()))


def decoded(text: str) -> frozenset[Target]:
    """Decode the targets in `text`; a malformed line is skipped, at worst leaving targets behind."""
    targets: set[Target] = set()
    for line in text.splitlines():
        port, *ids = line.split() or [""]
        if _NUMBER.fullmatch(port):
            targets.update(Target(InstanceId(f"i-{each}"), int(port)) for each in ids)
    return frozenset(targets)
