"""The ownership record (safety rule 6), kept in a ConfigMap, and the holds that people have confirmed."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping

from syncer.errors import ClusterError, ConflictError, DeniedError
from syncer.interfaces import Clock, Records
from syncer.model import InstanceId, Target, TargetGroupArn

log = logging.getLogger(__name__)

# A confirmed hold is let go for this long; after it the cluster may look quite different.
CONFIRMED_S = 900.0
# What no registration waits for (cuts, adoptions) is written together, this often at most. While a hold
# waits to be confirmed the record is read as often.
_LATER_S = 5.0
# How often it is asked for again where the right to it was missing.
_DENIED_S = 300.0
_CONFIRMED = "confirmed."
# Of a port or of seconds; `str.isdigit` also takes what `int` does not.
_NUMBER = re.compile(r"[0-9]{1,12}")
_TRIES = 3


class Registry:
    """Which targets are ours, in memory and as it is stored; one write for all groups that changed.

    `loads` counts how often it was read from there. Without `records`, or without the right to them, it
    lives as long as the process: what is lost with it can only leave targets behind.
    """

    def __init__(
        self,
        records: Records | None,
        clock: Clock,
        *,
        may_write: Callable[[], bool] = lambda: True,
        awaited: Callable[[], bool] = lambda: False,
        news: Callable[[], None] = lambda: None,
    ) -> None:
        self._records = records
        self._clock = clock
        self._may_write = may_write
        self._awaited = awaited
        self._news = news
        self._kept = records is not None
        self._denied_until = 0.0
        self._loaded = records is None
        self.loads = 0
        self._wanted: dict[TargetGroupArn, frozenset[Target]] = {}
        self._stored: Mapping[str, str] = {}
        self._decoded: dict[str, tuple[str, frozenset[Target]]] = {}
        self._version = ""
        self._lock = asyncio.Lock()
        self.problem = ""

    def ours(self, group: TargetGroupArn) -> frozenset[Target]:
        """The targets of the group that are ours."""
        return self._wanted.get(group, frozenset())

    @property
    def loaded(self) -> bool:
        """Whether it has been read, or need not be."""
        return self._loaded

    def want(self, group: TargetGroupArn, targets: frozenset[Target]) -> None:
        """What the record is to say of the group; written soon, or by `save` at once."""
        self._wanted[group] = targets

    def confirmed(self, now: float) -> frozenset[str]:
        """The holds that a person has let go within the last 15 minutes; `now` is epoch seconds."""
        return frozenset(_confirmations(self._stored, now))

    def forget(self) -> None:
        """Another replica may have written it: it is read again before it is used."""
        self._kept = self._records is not None
        self._loaded = self._records is None

    async def load(self, groups: Iterable[TargetGroupArn]) -> None:
        """Read it, unless that is done; ClusterError when nobody answers."""
        if not self._loaded:
            async with self._lock:
                await self._load(groups)

    async def _load(self, groups: Iterable[TargetGroupArn]) -> None:
        if not self._loaded and await self._read():
            for group in groups:
                self._wanted[group] = decoded(self._stored.get(key_of(group), ""))
            self.loads += 1
        self._loaded = True

    async def save(self) -> None:
        """Write what is not stored yet; ClusterError when that fails."""
        async with self._lock:
            await self._clock.sleep(0)  # the other groups have seen the same event: one write for all
            for attempt in range(_TRIES):
                changes = self._changes()
                if not (changes and self._kept and self._may_write()):
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
        """Write what nobody waits for, and look for confirmations while one is awaited, until cancelled."""
        while True:
            await self._clock.sleep(_LATER_S)
            if not (self._loaded and self._may_write()):
                continue
            try:
                if not self._kept:
                    await self._ask_again()
                    continue
                if self._awaited():
                    await self._look()
                await self.save()
            except ClusterError as error:
                self._report(f"the record is not written: {error}")

    async def _ask_again(self) -> None:
        """Where the right was missing it may have been granted: what is stored is ours too then."""
        if self._records is None or self._clock.monotonic() < self._denied_until:
            return
        async with self._lock:
            if await self._read():
                self._kept = True
                for group, targets in self._wanted.items():
                    self._wanted[group] = targets | decoded(self._stored.get(key_of(group), ""))
                self._report("")

    async def _look(self) -> None:
        before = self.confirmed(self._clock.now())
        async with self._lock:
            await self._merge()
        if self.confirmed(self._clock.now()) != before:
            self._news()

    async def _merge(self) -> None:
        """Take what another hand has stored: what it added is ours too, until AWS does not list it."""
        before = self._stored
        if not await self._read():
            return
        for group, targets in self._wanted.items():
            added = decoded(self._stored.get(key_of(group), "")) - decoded(before.get(key_of(group), ""))
            self._wanted[group] = targets | added

    async def _read(self) -> bool:
        """Whether it could be read; without the right to it, it is kept in memory from now on."""
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
            state = await self._records.write(changes, self._version)
        except DeniedError as error:
            self._in_memory(error)
            return
        self._stored, self._version = state.values, state.version
        self._report("")

    def _recorded(self, key: str) -> frozenset[Target]:
        """What is stored under this key, decoded once for each text: of 5,000 targets it takes 4 ms."""
        text = self._stored.get(key, "")
        known = self._decoded.get(key)
        if known is None or known[0] != text:
            known = self._decoded[key] = (text, decoded(text))
        return known[1]

    def _changes(self) -> dict[str, str | None]:
        """What is stored otherwise than wanted; with it go the confirmations that have expired."""
        changes: dict[str, str | None] = {}
        for group, targets in self._wanted.items():
            key = key_of(group)
            if self._recorded(key) != targets:
                text = encoded(targets)
                changes[key] = text or None
                self._decoded[key] = (text, targets)  # once it is stored, no second copy of each target
        if changes:
            valid = _confirmations(self._stored, self._clock.now())
            expired = (key for key in self._stored if key.startswith(_CONFIRMED))
            changes.update((key, None) for key in expired if key.removeprefix(_CONFIRMED) not in valid)
        return changes

    def _in_memory(self, error: DeniedError) -> None:
        self._kept = False
        self._denied_until = self._clock.monotonic() + _DENIED_S
        self._report(f"what is ours is remembered until the next start only: {error}")

    def _report(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.warning("%s", problem)
        self.problem = problem


async def confirm(records: Records, hold: str, now: float) -> None:
    """Let a hold go, by its id, for 15 minutes from `now` (epoch seconds). ClusterError when it fails."""
    for attempt in range(_TRIES):
        state = await records.read()
        try:
            await records.write({f"{_CONFIRMED}{hold}": f"{now:.0f}"}, state.version if state else "")
        except ConflictError:
            if attempt == _TRIES - 1:
                raise
        else:
            return


def _confirmations(values: Mapping[str, str], now: float) -> set[str]:
    """The ids whose time is not over. A clock that is ahead of ours by less than that does no harm."""
    return {
        key.removeprefix(_CONFIRMED)
        for key, text in values.items()
        if key.startswith(_CONFIRMED) and _NUMBER.fullmatch(text) and abs(now - int(text)) < CONFIRMED_S
    }


def key_of(group: TargetGroupArn) -> str:
    """The group's key in the ConfigMap: NAME.ID, for names of groups in two regions may be the same."""
    return group.rpartition(":targetgroup/")[2].replace("/", ".")


def encoded(targets: Iterable[Target]) -> str:
    """A line for each port, `PORT ID ID …`, the ids without their `i-`: 90 KB for 5,000 of them."""
    ports: dict[int, list[str]] = {}
    for target in sorted(targets):
        ports.setdefault(target.port, []).append(target.id.removeprefix("i-"))
    return "\n".join(f"{port} {' '.join(ids)}" for port, ids in sorted(ports.items()))


def decoded(text: str) -> frozenset[Target]:
    """The targets in `text`; a line that is none is passed over, which can only leave targets behind."""
    targets: set[Target] = set()
    for line in text.splitlines():
        port, *ids = line.split() or [""]
        if _NUMBER.fullmatch(port):
            targets.update(Target(InstanceId(f"i-{each}"), int(port)) for each in ids)
    return frozenset(targets)
