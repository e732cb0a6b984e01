"""ConfigMaps in memory that keep the API server's rules: versions, and their largest size."""

import asyncio
from collections.abc import Iterator, Mapping

from syncer.errors import ClusterError, ConflictError, DeniedError
from syncer.interfaces import RecordState
from syncer.model import Target, TargetGroupArn
from syncer.reconcile.registry_format import (
    MARKER,
    decoded,
    decoded_group,
    encoded,
    key_of,
    parsed,
    place,
    shard_key,
    shard_path,
)


class MemoryRecord:
    """What the API server holds, by number of the ConfigMap, and each moment at which it was written."""

    def __init__(self) -> None:
        self.states: dict[int, RecordState] = {}
        self.writes: list[float] = []
        self.written: list[int] = []  # the bytes of each change
        self.ever: set[tuple[str, Target]] = set()  # each target that was ever stored, by its group's key
        self.away = False
        self.denied = False
        self.latency = 0.01
        self._version = 0

    @property
    def state(self) -> RecordState | None:
        """The first ConfigMap."""
        return self.states.get(0)

    def store(self, changes: Mapping[str, str | None], version: str, number: int = 0) -> str:
        """Keep the changes, if they are of the version that is there."""
        before = self.states.get(number)
        if version != (before.version if before else ""):
            raise ConflictError("the object has been modified")
        values = {**(before.values if before else {}), **changes}
        kept = {key: text for key, text in values.items() if text is not None}
        assert sum(map(len, kept.values())) < 1 << 20
        self._version += 1
        self.ever.update(_entries({key: text for key, text in changes.items() if text is not None}))
        self.states[number] = RecordState(values=kept, version=str(self._version))
        self.written.append(sum(len(key) + len(text or "null") for key, text in changes.items()))
        self.writes.append(asyncio.get_running_loop().time())
        return str(self._version)

    def add(self, group: TargetGroupArn, target: Target) -> None:
        """Another writer adds a target."""
        assert self.state is not None
        entries = decoded(self.state.values.get(shard_key(""), ""))
        where = place(key_of(group), target.port)
        entries[target.id] = entries.get(target.id, frozenset()) | {where}
        self.store({shard_key(""): encoded(entries), key_of(group): MARKER}, self.state.version)

    def lose(self) -> None:
        """Delete every ConfigMap."""
        self.states.clear()

    def targets(self, group: TargetGroupArn) -> frozenset[Target]:
        """The targets that a replica of this version would read, whichever version has written them."""
        key = key_of(group)
        text = self.state.values.get(key, "") if self.state else ""
        if text != MARKER:
            return decoded_group(text)
        states = self.states.values()
        return frozenset(
            target for state in states for where, target in _entries(state.values) if where == key
        )


def _entries(values: Mapping[str, str]) -> Iterator[tuple[str, Target]]:
    for key, text in values.items():
        if shard_path(key) is None:
            yield from ((key, target) for target in decoded_group(text))
        for instance, places in decoded(text).items() if shard_path(key) is not None else ():
            for where, port in map(parsed, places):
                yield where, Target(instance, port)


class MemoryRecords:
    """`syncer.interfaces.Records` of one replica."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def read(self, number: int = 0) -> RecordState | None:
        await self._call()
        return self._record.states.get(number)

    async def write(self, changes: Mapping[str, str | None], version: str, number: int = 0) -> str:
        await self._call()
        return self._record.store(changes, version, number)

    async def _call(self) -> None:
        await asyncio.sleep(self._record.latency)
        if self._record.denied:
            raise DeniedError("configmaps is forbidden")
        if self._record.away:
            raise ClusterError("no answer")
