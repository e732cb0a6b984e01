"""A ConfigMap in memory that keeps the API server's rules: versions, and its largest size."""

import asyncio
from collections.abc import Mapping

from syncer.errors import ClusterError, ConflictError, DeniedError
from syncer.interfaces import RecordState


class MemoryRecord:
    """What the API server holds, and each moment at which it was written."""

    def __init__(self) -> None:
        self.state: RecordState | None = None
        self.writes: list[float] = []
        self.ever: set[tuple[str, str]] = set()  # each line that was ever stored, by its key and a word of it
        self.away = False
        self.denied = False
        self.latency = 0.01
        self._version = 0

    def store(self, changes: Mapping[str, str | None], version: str) -> RecordState:
        """Keep the changes, if they are of the version that is there."""
        if version != (self.state.version if self.state else ""):
            raise ConflictError("the object has been modified")
        values = {**(self.state.values if self.state else {}), **changes}
        kept = {key: text for key, text in values.items() if text is not None}
        assert sum(map(len, kept.values())) < 1 << 20
        self._version += 1
        for key, text in kept.items():
            lines = (line.split() for line in text.splitlines())
            self.ever.update((key, f"{words[0]} {word}") for words in lines if words for word in words[1:])
        self.state = RecordState(values=kept, version=str(self._version))
        self.writes.append(asyncio.get_running_loop().time())
        return self.state


class MemoryRecords:
    """`syncer.interfaces.Records` of one replica."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def read(self) -> RecordState | None:
        await self._call()
        return self._record.state

    async def write(self, changes: Mapping[str, str | None], version: str) -> RecordState:
        await self._call()
        return self._record.store(changes, version)

    async def _call(self) -> None:
        await asyncio.sleep(self._record.latency)
        if self._record.denied:
            raise DeniedError("configmaps is forbidden")
        if self._record.away:
            raise ClusterError("no answer")
