"""The ConfigMaps of a large registry: an interrupted series of writes loses nothing that had been stored."""

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import ConflictError, DeniedError
from syncer.interfaces import RecordState
from syncer.manifests.rbac import STATE_MAPS
from syncer.reconcile import registry_parts
from syncer.reconcile.registry_format import COUNT, shard_key
from syncer.reconcile.registry_parts import Parts

KEYS = [shard_key(path) for path in ("0", "10", "110", "111")]
TEXTS = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 60).map("x".__mul__), min_size=1)


class Store:
    """ConfigMaps in memory."""

    def __init__(self) -> None:
        self.maps: dict[int, dict[str, str]] = {}
        self.versions: dict[int, int] = {}
        self.writes = 0

    async def read(self, number: int = 0) -> RecordState | None:
        if number not in self.maps:
            return None
        return RecordState(values=dict(self.maps[number]), version=str(self.versions[number]))

    async def write(self, changes: Mapping[str, str | None], version: str, number: int = 0) -> str:
        if version != str(self.versions.get(number, "")):
            raise ConflictError("changed")
        values = {**self.maps.get(number, {}), **changes}
        self.maps[number] = {key: text for key, text in values.items() if text is not None}
        self.versions[number] = self.versions.get(number, 0) + 1
        self.writes += 1
        return str(self.versions[number])


async def read(store: Store) -> Parts:
    parts = Parts(store)
    await parts.read()
    return parts


async def shards(store: Store) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for (_, key), text in (await read(store)).shards.items():
        found.setdefault(key, set()).add(text)
    return found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_parts, "MAX_BYTES", 160)


def test_a_small_registry_is_one_config_map_and_a_change_one_write() -> None:
    async def story() -> None:
        store = Store()
        parts = await read(store)
        for texts in ({KEYS[0]: "a"}, {KEYS[0]: "", KEYS[1]: "b", KEYS[2]: "c"}, {KEYS[1]: "d"}):
            writes = parts.writes(texts, {"http.0a": "in targets"})
            assert len(writes) == 1
            await parts.write(*writes[0])
        assert store.maps == {0: {"http.0a": "in targets", KEYS[1]: "d", KEYS[2]: "c"}}
        assert not parts.writes({KEYS[1]: "d", KEYS[0]: ""}, {"http.0a": "in targets"})

    asyncio.run(story())


@pytest.mark.usefixtures("small")
@given(st.lists(TEXTS, max_size=12), st.integers(0, 6))
def test_an_interrupted_series_of_writes_keeps_every_old_or_new_text(
    series: list[dict[str, str]], last: int
) -> None:
    async def story() -> None:
        store, expected = Store(), dict[str, str]()
        parts = await read(store)
        for texts in series:
            for number, changes in parts.writes(texts, {}):
                await parts.write(number, changes)
                now = await shards(store)
                for key, text in {**expected, **texts}.items():
                    kept = {expected.get(key, ""), text}
                    assert not text or now.get(key, {""}) & kept, "neither the old nor the new text"
            expected = {key: text for key, text in {**expected, **texts}.items() if text}
            assert await shards(store) == {key: {text} for key, text in expected.items()}
        writes = parts.writes(dict.fromkeys(KEYS, "y" * 60), {})
        for number, changes in writes[:last]:
            await parts.write(number, changes)
        again = await read(store)  # the process ended meanwhile
        for number, changes in again.writes(dict.fromkeys(KEYS, "y" * 60), {}):
            await again.write(number, changes)
        assert await shards(store) == {key: {"y" * 60} for key in KEYS}
        assert all(sum(len(k) + len(t) for k, t in kept.items()) < 200 for kept in store.maps.values())

    asyncio.run(story())


@pytest.mark.usefixtures("small")
def test_the_first_config_map_which_makes_the_others_count_is_written_last() -> None:
    async def story() -> None:
        store = Store()
        parts = await read(store)
        writes = parts.writes(dict.fromkeys(KEYS[:2], "x" * 70), {"http.0a": "in targets"})
        assert [number for number, _ in writes] == [1, 0]
        await parts.write(*writes[0])
        assert not await shards(store)
        await parts.write(*writes[1])
        assert (await shards(store)).keys() == set(KEYS[:2])
        assert store.maps[0][COUNT] == "2"

    asyncio.run(story())


@pytest.mark.usefixtures("small")
def test_a_config_map_of_a_deleted_registry_is_of_no_value() -> None:
    async def story() -> None:
        store = Store()
        store.maps[1], store.versions[1] = {shard_key("000"): "old", COUNT: "9"}, 7
        parts = await read(store)
        assert not parts.shards
        for number, changes in parts.writes(dict.fromkeys(KEYS, "x" * 70), {}):
            await parts.write(number, changes)
        assert await shards(store) == {key: {"x" * 70} for key in KEYS}

    asyncio.run(story())


@pytest.mark.usefixtures("small")
def test_more_than_the_config_maps_hold_is_refused() -> None:
    async def story() -> None:
        parts = await read(Store())
        many = {shard_key(f"{number:05b}"): "x" * 140 for number in range(STATE_MAPS + 1)}
        with pytest.raises(DeniedError, match="full"):
            parts.writes(many, {})

    asyncio.run(story())


@pytest.mark.parametrize("text", ["", "0", "x", "\u00b2", "-1", "99999999999", "1.0"])
def test_a_malformed_number_of_config_maps_counts_as_one(text: str) -> None:
    async def story() -> None:
        store = Store()
        store.maps, store.versions = {0: {COUNT: text}, 1: {KEYS[0]: "x"}}, {0: 1, 1: 1}
        assert not await shards(store)

    asyncio.run(story())


def test_a_read_of_the_first_reads_all_where_their_number_has_changed() -> None:
    async def story() -> None:
        store = Store()
        store.maps, store.versions = {0: {KEYS[0]: "x"}}, {0: 1}
        parts = await read(store)
        store.maps, store.versions = {0: {COUNT: "2"}, 1: {KEYS[0]: "x"}}, {0: 2, 1: 1}
        await parts.read(first_only=True)
        assert parts.shards == {(1, KEYS[0]): "x"}

    asyncio.run(story())
