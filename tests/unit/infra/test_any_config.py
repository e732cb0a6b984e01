"""Whatever a key of the stack configuration holds: it is read, or refused in printable lines."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.keys import ROOT
from infra.problems import SettingsError
from infra.settings import load
from infra.shapes import camel

MINIMAL = {
    "vpcId": "vpc-0123456789abcdef0",
    "nodeSecurityGroupId": "sg-0123456789abcdef0",
    "zones": {"eu-central-1a": {"subnetId": "subnet-0123456789abcdef0"}},
    "syncer": {"image": "node-nlb-sync:dev"},
}
KEYS = tuple(camel(name) for name in ROOT.fields)
NASTY = (
    *(
        "9" * 4301,
        "-" + "9" * 4301,
        "1e309",
        "-0",
        "NaN",
        "Infinity",
        "[" * 1000 + "]" * 1000,
        "[" * 900 + "]" * 900,
    ),
    *(
        '{"a":' * 1000 + "1" + "}" * 1000,
        '[{"a":' * 400 + "1" + "}]" * 400,
        "[" * 100_000,
        "\x00",
        "\x7f",
        "\ud800",
    ),
    *(
        '"\\ud800"',
        '"\\u0000"',
        "\uff18\uff10",
        '["\uff18\uff10"]',
        "8_0",
        "0x50",
        "\u202e",
        "x" * 100_000,
        "",
        "null",
        "~",
        "true",
    ),
)
LONGEST = 700


def refused(config: dict[str, str]) -> list[str]:
    """The lines of a refusal; none where it is taken."""
    whole = {
        f"node-nlb-sync:{key}": text if isinstance(text, str) else json.dumps(text)
        for key, text in MINIMAL.items()
    }
    try:
        load(whole | {f"node-nlb-sync:{key}": text for key, text in config.items()}, "eu-central-1")
    except SettingsError as wrong:
        return str(wrong).split("\n")
    return []


def assert_lines(lines: list[str]) -> None:
    for line in lines:
        assert line.replace("…", "").isprintable(), line[:200]
        assert len(line) <= LONGEST, line[:200]
        assert line.startswith("node-nlb-sync:")


@pytest.mark.parametrize("key", KEYS)
def test_s5_any_text_in_any_key_is_read_or_refused_in_one_line_each(key: str) -> None:
    for text in NASTY:
        assert_lines(refused({key: text}))


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(), max_size=80), inner, max_size=3)
    ),
    max_leaves=8,
)
RECORDS = {name: ROOT.fields[name] for name in ("syncer", "ingress", "health_check")}
FIELDS = [(camel(key), camel(field)) for key, record in RECORDS.items() for field in record.fields]  # type: ignore[attr-defined]


@given(key=st.sampled_from(KEYS), value=values)
def test_s5_any_json_in_any_key_is_read_or_refused_in_one_line_each(key: str, value: Any) -> None:
    assert_lines(refused({key: json.dumps(value)}))


@given(place=st.sampled_from(FIELDS), value=values)
def test_s5_any_json_in_any_nested_key_is_read_or_refused_in_one_line_each(
    place: tuple[str, str], value: Any
) -> None:
    key, field = place
    assert_lines(
        refused({key: json.dumps({"image": "x", field: value} if key == "syncer" else {field: value})})
    )


@pytest.mark.parametrize("number", ["\uff19", "0\uff19", '"9"', '"\uff19"', "9.0", "9e0", "9_0"])
def test_s6_a_number_of_the_configuration_is_of_ascii_digits(number: str) -> None:
    (line,) = refused({"healthCheck": f'{{"interval": {number}}}'})
    assert line.startswith("node-nlb-sync:healthCheck")


@pytest.mark.parametrize("field", ["env", "nodeSelector"])
@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800"])
def test_s5_what_no_environment_and_no_utf8_may_hold_is_refused(field: str, text: str) -> None:
    (line,) = refused({"syncer": json.dumps({"image": "x", field: {"KEY": text}})})
    assert line.startswith(f"node-nlb-sync:syncer.{field}.KEY: read ")


def test_s5_of_thousands_of_wrong_rows_the_first_are_shown() -> None:
    lines = refused({"listeners": json.dumps([7] * 10_000)})
    assert len(lines) == 51
    assert lines[-1] == "node-nlb-sync: 9950 more problems; fix these first"
