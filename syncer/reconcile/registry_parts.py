"""The ConfigMaps of the ownership registry: the place of each shard, and the order of writes (ADR 0038)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from syncer.errors import DeniedError
from syncer.interfaces import Records, RecordState
from syncer.manifests.rbac import STATE_MAPS
from syncer.reconcile.registry_format import COUNT, shard_path

# The API server refuses a ConfigMap above 1 MiB; a shard that is divided is stored twice for a moment.
MAX_BYTES = 900_000

_MISSING = RecordState(values={}, version="")
Changes = dict[str, str | None]


class Parts:
    """The stored content by ConfigMap, as of the last read or write.

    The first ConfigMap has everything but shards. A shard stays where it is while it fits.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._states: list[RecordState] = [_MISSING]

    @property
    def first(self) -> Mapping[str, str]:
        """The content of the first ConfigMap."""
        return self._states[0].values

    @property
    def shards(self) -> dict[tuple[int, str], str]:
        """The text of every stored shard, by ConfigMap and key."""
        return {
            (number, key): text
            for number, state in enumerate(self._states)
            for key, text in state.values.items()
            if shard_path(key) is not None
        }

    async def read(self, *, first_only: bool = False) -> None:
        """Read all ConfigMaps, or the first only.

        Raises:
            ClusterError: without a response; nothing is changed then.

        """
        first = await self._records.read() or _MISSING
        if first_only and _count(first) == len(self._states):
            self._states[0] = first
            return
        others = [await self._records.read(number) for number in range(1, _count(first))]
        self._states = [first, *(state or _MISSING for state in others)]

    def writes(self, texts: Mapping[str, str], others: Mapping[str, str]) -> list[tuple[int, Changes]]:
        """Return the patches, in order, for the shards in `texts` ("": no ids) and `others` in the first.

        A single patch where one ConfigMap is enough. Else every new text is stored before an old text is
        deleted, and the first ConfigMap, which makes the content of the others count, last of them.

        Raises:
            DeniedError: if the registry is full.

        """
        sets: dict[int, Changes] = {}
        deletes: dict[int, Changes] = {}
        left = [MAX_BYTES - _size(state.values) for state in self._states]
        left += [MAX_BYTES] * (STATE_MAPS - len(left))
        for key, value in others.items():
            if self.first.get(key) != value:
                sets.setdefault(0, {})[key] = value
                left[0] -= _size({key: value}) - self._stored_size(0, key)
        for key, text in sorted(texts.items()):
            holders = [number for number, state in enumerate(self._states) if key in state.values]
            home = self._home(key, text, holders, left) if text else None
            if home is not None and (home not in holders or self._states[home].values[key] != text):
                sets.setdefault(home, {})[key] = text
                left[home] -= _size({key: text}) - self._stored_size(home, key)
            for number in holders:
                if number != home:
                    deletes.setdefault(number, {})[key] = None
        highest = max(sets, default=0)
        if highest >= _count(self._states[0]):
            sets.setdefault(0, {})[COUNT] = str(highest + 1)
        if len(touched := sets.keys() | deletes.keys()) == 1:
            (number,) = touched
            return [(number, {**deletes.get(number, {}), **sets.get(number, {})})]
        return list(_in_order(sets, deletes))

    def _home(self, key: str, text: str, holders: Sequence[int], left: Sequence[int]) -> int:
        """Return the ConfigMap for a shard: where it is, or the first with enough room."""
        for number in chain(holders, range(STATE_MAPS)):
            if _size({key: text}) - self._stored_size(number, key) <= left[number]:
                return number
        raise DeniedError(f"the ownership registry is full: {STATE_MAPS} ConfigMaps of {MAX_BYTES} bytes")

    def _stored_size(self, number: int, key: str) -> int:
        text = self._states[number].values.get(key) if number < len(self._states) else None
        return 0 if text is None else len(key) + len(text)

    async def write(self, number: int, changes: Changes) -> None:
        """Write a patch of `writes`.

        Raises:
            ConflictError: if another writer has changed the ConfigMap since the last read.
            ClusterError: if the write fails.

        """
        while number >= len(self._states):
            self._states.append(await self._records.read(len(self._states)) or _MISSING)
        state = self._states[number]
        if number >= _count(self._states[0]):  # the content is of a registry that was deleted
            changes = {**dict.fromkeys(state.values), **changes}
        version = await self._records.write(changes, state.version, number)
        values = {**state.values, **changes}
        kept = {key: text for key, text in values.items() if text is not None}
        self._states[number] = RecordState(values=kept, version=version)


def _in_order(sets: Mapping[int, Changes], deletes: Mapping[int, Changes]) -> Iterator[tuple[int, Changes]]:
    for changes in (sets, deletes):
        for number in sorted(changes, reverse=True):
            yield number, changes[number]


def _count(first: RecordState) -> int:
    """Return the number of ConfigMaps; a malformed number counts as one."""
    text = first.values.get(COUNT, "")
    return max(1, min(STATE_MAPS, int(text))) if re.fullmatch(r"[0-9]{1,4}", text) else 1


def _size(values: Mapping[str, str]) -> int:
    return sum(len(key) + len(text) for key, text in values.items())
