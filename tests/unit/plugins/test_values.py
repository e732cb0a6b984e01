"""Property values survive the way to the engine and back, and secrets are never lost on it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.plugins.protocol import struct_pb2
from sandbox.plugins.values import (
    UNKNOWN,
    Asset,
    ResourceReference,
    Secret,
    decode,
    encode,
    has_secret,
    has_unknown,
    keep_secrets,
    reveal,
)

_KEYS = st.text(max_size=8)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
    st.text(max_size=12),
    st.just(UNKNOWN),
    st.builds(Asset, st.booleans(), st.dictionaries(st.sampled_from(["text", "path"]), st.text())),
    st.builds(ResourceReference, st.text(min_size=1), st.one_of(st.text(min_size=1), st.just(UNKNOWN))),
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3), st.builds(Secret, inner)
    ),
    max_leaves=12,
)
_MAPS = st.dictionaries(_KEYS, _VALUES, max_size=4)


@given(_MAPS)
def test_what_is_encoded_is_decoded_to_the_same(properties: dict[str, Any]) -> None:
    assert decode(encode(properties)) == properties


@given(_MAPS)
def test_revealing_leaves_no_secret_and_keeps_what_is_unknown(properties: dict[str, Any]) -> None:
    assert not has_secret(reveal(properties))
    assert has_unknown(reveal(properties)) == has_unknown(properties)


@given(_MAPS)
def test_an_output_that_equals_a_secret_input_becomes_secret_and_keeps_its_value(
    inputs: dict[str, Any],
) -> None:
    kept = keep_secrets(reveal(inputs), inputs)

    assert reveal(kept) == reveal(inputs)
    assert has_secret(kept) == has_secret(inputs)


def test_a_secret_in_a_list_hides_the_whole_list() -> None:
    kept = keep_secrets({"env": [{"value": "x"}], "plain": 1}, {"env": [{"value": Secret("x")}], "plain": 1})

    assert kept == {"env": Secret([{"value": "x"}]), "plain": 1}


def test_every_kind_of_unknown_is_unknown() -> None:
    struct = struct_pb2.Struct()
    struct.update(
        {
            "number": "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
            "array": "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
            "object": "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        }
    )

    assert decode(struct) == {"number": UNKNOWN, "array": UNKNOWN, "object": UNKNOWN}


def test_an_output_value_is_its_value_or_unknown_and_may_be_secret() -> None:
    signature = {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    struct = struct_pb2.Struct()
    struct.update({"later": signature, "hidden": {**signature, "value": 7, "secret": True}})

    assert decode(struct) == {"later": UNKNOWN, "hidden": Secret(7)}
