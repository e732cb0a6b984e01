"""The text of the registry: what is stored is what is read, and whatever a person has written is read."""

from hypothesis import given
from hypothesis import strategies as st

from syncer.model import InstanceId, Target, TargetGroupArn
from syncer.reconcile.registry_format import (
    COUNT,
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

IDS = st.from_regex(r"i-[0-9a-f]{8,17}", fullmatch=True).map(InstanceId)
PLACES = st.builds(place, st.sampled_from(["http.0a", "https.0b", "udp-53.0c"]), st.integers(1, 65535))
FEW = st.builds(place, st.sampled_from(["http.0a", "https.0b"]), st.sampled_from([30080, 30443]))


@given(st.dictionaries(IDS, st.frozensets(PLACES | FEW, min_size=1, max_size=5), max_size=30))
def test_what_is_stored_is_what_is_read(entries: dict[InstanceId, frozenset[str]]) -> None:
    assert decoded(encoded(entries)) == entries


def test_ids_in_the_same_groups_share_a_line() -> None:
    both = frozenset({"https.0b:30443", "http.0a:30080"})
    entries = {
        InstanceId("i-2"): both,
        InstanceId("i-1"): both,
        InstanceId("i-3"): frozenset({"http.0a:30080"}),
    }
    assert encoded(entries) == "http.0a:30080 3\nhttp.0a:30080,https.0b:30443 1 2"


def test_where_every_id_has_other_places_the_text_is_not_longer_than_a_line_for_each_place() -> None:
    keys = [f"group-{number}.{number:016x}" for number in range(10)]
    entries = {
        InstanceId(f"i-{number:017x}"): frozenset(
            place(key, 30080) for bit, key in enumerate(keys) if number >> bit & 1
        )
        for number in range(1, 512)
    }
    assert decoded(encoded(entries)) == entries
    assert len(encoded(entries)) < 10 * (40 + 256 * 18)


@given(st.integers(1, 60), st.integers(1, 512))
def test_an_id_of_the_same_groups_costs_18_bytes(groups: int, ids: int) -> None:
    places = frozenset(place(f"{'g' * 32}.{number:016x}", 65535) for number in range(groups))
    text = encoded({InstanceId(f"i-{number:017x}"): places for number in range(ids)})
    assert len(text) < 56 * groups + 18 * ids


def test_a_malformed_line_or_place_costs_itself_only() -> None:
    text = "nonsense\n\nhttp.0a:30080,x,:1,y:z,http.0a:2\u00b2 00ab 00cd\n http.0a:1 00ab\r\n:5 00ef"
    assert decoded(text) == {
        InstanceId("i-00ab"): {"http.0a:30080", "http.0a:1"},
        InstanceId("i-00cd"): {"http.0a:30080"},
    }


@given(st.text(max_size=40), st.text("0123456789\u00b2\u0663:, -", max_size=40))
def test_whatever_a_person_has_written_is_read(text: str, numbers: str) -> None:
    for each in (text, numbers, f"{numbers} 00ab", "1" * 5000 + " 00ab", f"a:{numbers} 00ab"):
        assert all(target.id.startswith("i-") for target in decoded_group(each))
        for places in decoded(each).values():
            assert all(port >= 0 for _, port in map(parsed, places))


def test_the_lines_of_version_0_1_are_read() -> None:
    assert decoded_group("nonsense\n\n30080 00ab 00cd\nx y\n30443 00ab") == {
        Target(InstanceId("i-00ab"), 30080),
        Target(InstanceId("i-00cd"), 30080),
        Target(InstanceId("i-00ab"), 30443),
    }
    assert not decoded_group(MARKER)


@given(st.text("01", max_size=16))
def test_a_shard_has_a_key_of_its_own(path: str) -> None:
    assert shard_path(shard_key(path)) == path


def test_no_other_key_is_a_shard() -> None:
    group = key_of(TargetGroupArn("arn:aws:elasticloadbalancing:r:1:targetgroup/targets/0101010101010101"))
    for key in (group, COUNT, "confirmed.010", "targets-", "targets-2", "targets-" + "0" * 17, "targets.0"):
        assert shard_path(key) is None
