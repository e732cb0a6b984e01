"""The shards of the registry: every id in its own, whatever happens to it, and a change in one or two."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from syncer.model import InstanceId, Target
from syncer.reconcile.registry_format import decoded, encoded, place, shard_key
from syncer.reconcile.registry_shards import MAX_IDS, Shards

KEYS = ("http.0a", "https.0b")
CHANGES = st.lists(
    st.tuples(st.booleans(), st.sampled_from(KEYS), st.integers(0, 60), st.sampled_from([30080, 30443])),
    max_size=200,
)


def instance(number: int) -> InstanceId:
    return InstanceId(f"i-{number * 0x9E3779B97F4A7C15 % (1 << 68):017x}")


def texts(shards: Shards) -> dict[str, str]:
    return {path: text for path in list(shards.paths) if (text := shards.text(path))}


def read(stored: Mapping[str, str]) -> set[tuple[str, Target]]:
    shards = loaded(stored)
    return {
        (key, target)
        for path in list(shards.paths)
        for key, targets in shards.targets(path, KEYS)
        for target in targets
    }


def loaded(stored: Mapping[str, str]) -> Shards:
    shards = Shards()
    shards.divide_as(stored)
    for path, text in stored.items():
        shards.load(path, text, KEYS)
    return shards


def filled(count: int) -> Shards:
    shards = Shards()
    for key in KEYS:
        shards.change(key, (Target(instance(number), 30080) for number in range(count)), ())
    return shards


@given(CHANGES)
def test_the_stored_texts_have_the_targets_after_any_changes(
    changes: list[tuple[bool, str, int, int]],
) -> None:
    shards, stored = Shards(), dict[str, str]()
    expected = set[tuple[str, Target]]()
    for number, (added, key, which, port) in enumerate(changes):
        target = Target(instance(which), port)
        shards.change(key, [target] if added else [], [] if added else [target])
        (expected.add if added else expected.discard)((key, target))
        if number % 7 == 0 or number == len(changes) - 1:
            stored.update((path, shards.text(path)) for path in shards.dirty)
            shards.dirty.clear()
            stored = {path: text for path, text in stored.items() if text}
    assert read(stored) == expected


@given(st.integers(0, 1500), st.sets(st.integers(0, 1999), max_size=30))
def test_a_change_makes_its_own_shards_dirty_only(count: int, joining: set[int]) -> None:
    shards = filled(count)
    stored = texts(shards)
    again = loaded(stored)
    assert not again.dirty
    assert texts(again) == stored
    again.change(KEYS[0], (Target(instance(each), 30443) for each in joining), ())
    assert {path for path in stored if again.text(path) != stored[path]} <= again.dirty
    assert len(again.dirty) <= 3 * len(joining)


def test_a_joining_node_changes_10_kb_at_most_among_5_000() -> None:
    shards = filled(5000)
    assert all(len(decoded(text)) <= MAX_IDS for text in texts(shards).values())
    largest = 0
    for number in range(5000, 6000):
        shards.dirty.clear()
        shards.add(instance(number), place(KEYS[0], 30080))
        largest = max(largest, sum(len(shard_key(path) + shards.text(path)) for path in shards.dirty))
    assert largest < 10_000


def test_ids_in_a_wrong_shard_or_twice_move_to_their_own() -> None:
    stored = texts(filled(1200))
    paths = sorted(stored)
    moved = {**stored, paths[0]: f"{stored[paths[0]]}\n{stored[paths[-1]]}", "": stored[paths[1]]}
    assert read(moved) == read(stored)
    shards = loaded(moved)
    assert {"", paths[0]} <= shards.dirty
    assert {path: text for path in paths if (text := shards.text(path))} == stored
    assert not shards.text("")


def test_a_stored_shard_with_too_many_ids_is_divided() -> None:
    entries = {instance(number): frozenset({place(KEYS[0], 30080)}) for number in range(MAX_IDS + 1)}
    shards = loaded({"": encoded(entries)})
    assert shards.dirty == {"", "0", "1"}
    assert decoded(shards.text("0")) | decoded(shards.text("1")) == entries
    assert not shards.text("")


def test_places_of_a_group_that_does_not_count_are_dropped() -> None:
    here, gone = place(KEYS[0], 30080), place("gone.0c", 30080)
    stored = {
        "": encoded({InstanceId("i-01"): frozenset({here, gone}), InstanceId("i-02"): frozenset({gone})})
    }
    shards = loaded(stored)
    assert shards.dirty == {""}
    assert decoded(shards.text("")) == {InstanceId("i-01"): {here}}
