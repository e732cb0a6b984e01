"""Whatever a variable or a flag holds: it is taken, or refused in one printable line of bounded length."""

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.commands.cli import parse
from syncer.config.settings import TABLE, load
from syncer.config.variables import Setting
from syncer.errors import MisconfiguredError
from syncer.text.hosts import is_host, is_url
from syncer.text.numbers import decimal, whole
from tests.simulation.world import HTTP

ONE = {"NLB_SYNC_TARGET_GROUPS": str(HTTP)}
LONGEST = 1500
NASTY = (
    *("nan", "inf", "-inf", "1e309", "-0", "+5", "1e2", "0x50", "8_0", " 8080", "8080.0", "9" * 4301),
    *(
        "\uff18\uff10\uff18\uff10",
        "\u0665",
        "\u2461",
        "80\u00b2",
        "\u202e0808",
        "0" * 5000,
        "[" * 1000,
        "{" * 1000,
        "\x00",
        "\x7f",
        "\ud800",
    ),
    *(
        "a" * 64,
        "a..b",
        ".",
        "..",
        "::1%eth0",
        "::1%",
        "[::1]",
        "127.0.0.1:80",
        "b\u00fccher.example",
        "x" * 100_000,
    ),
    *(
        "\n",
        "a\nb",
        "\x1b[31m",
        "null",
        "~",
        "!!python/object",
        "*",
        "=",
        ",",
        ";",
        "'",
        '"',
        "\\",
        "%s",
        "{}",
    ),
)
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(), max_size=40),
    st.from_regex(r"[\d_+\-.eE]{1,20}", fullmatch=True),
    st.sampled_from(NASTY).map(lambda text: f"{HTTP}=:{text}"),
    st.sampled_from(NASTY).map(lambda text: f"{HTTP}=edge/ingress:{text}"),
)


def is_one_line(said: str) -> bool:
    return bool(said) and said.isprintable() and len(said) <= LONGEST


def refused(name: str, text: str) -> str | None:
    """What is said of the value; None where it is taken."""
    try:
        load({**ONE, name: text})
    except MisconfiguredError as error:
        return str(error)
    return None


@given(row=st.sampled_from(TABLE), text=texts)
def test_s5_any_value_of_any_variable_is_taken_or_refused_in_one_line(row: Setting, text: str) -> None:
    said = refused(row.name, text)
    assert said is None or is_one_line(said), said[:200]


@given(name=texts)
def test_s5_a_variable_of_any_name_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(MisconfiguredError) as refused:
        load({**ONE, f"NLB_SYNC_{name}_": "x"})
    assert is_one_line(str(refused.value))


@pytest.mark.parametrize(
    "address",
    [
        "a..b",
        "a" * 64,
        f"{'a.' * 130}a",
        "::1%",
        "::1%/x",
        "[::1]",
        "127.0.0.1:80",
        "b\u00fccher",
        "1",
        "127.1",
        "-a",
    ],
)
def test_s5_an_address_that_is_none_is_refused_before_anything_listens(address: str) -> None:
    with pytest.raises(
        MisconfiguredError, match=r"^NLB_SYNC_ADDRESS is .*; allowed: an IP address or a name"
    ):
        load({**ONE, "NLB_SYNC_ADDRESS": address})
    assert address == "[::1]" or not is_url(f"http://{address}:8080/")


@pytest.mark.parametrize(
    "address", ["::1%eth0", "::1", "127.0.0.1", "10.0.0.1", "localhost", "my_pod.ns.svc."]
)
def test_s5_an_address_is_taken_as_people_write_it(address: str) -> None:
    assert is_host(address)
    assert load({**ONE, "NLB_SYNC_ADDRESS": address}).address == address


NUMBERS = ("NLB_SYNC_PORT", "NLB_SYNC_TARGET_LIMIT", "NLB_SYNC_SERVING_SHARE", "NLB_SYNC_READ_SECONDS")
ODD = (
    "\uff18\uff10\uff18\uff10",
    "\u0668\u0660",
    "80_80",
    "1_0",
    "+8",
    "1e1",
    "1E1",
    "0x10",
    "inf",
    "nan",
    "-1",
    "5\u00b2",
    "\u00a08",
    "9" * 4301,
)


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("name", [*NUMBERS, "NLB_SYNC_READ_AWAITED_SECONDS"])
def test_s6_a_number_is_of_ascii_digits(name: str, text: str) -> None:
    with pytest.raises(MisconfiguredError, match=f"^{name} is "):
        load({**ONE, name: text})


@pytest.mark.parametrize("text", ODD)
def test_s6_the_port_of_a_group_is_of_ascii_digits(text: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"^NLB_SYNC_TARGET_GROUPS is "):
        load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=:{text}"})


def test_s6_an_arn_is_of_ascii_digits() -> None:
    for arn in (
        str(HTTP).replace(
            "123456789012", "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11\uff12"
        ),
        str(HTTP).replace("-1:", "-\u0661:"),
    ):
        with pytest.raises(MisconfiguredError, match="is not the ARN"):
            load({"NLB_SYNC_TARGET_GROUPS": arn})


def refusal(*words: str) -> str:
    """What is said of wrong flags; the process ends with 2."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    (line,) = said.getvalue().splitlines()
    return line


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--nodes", "n", "--targets", "t", "--port"),
        ("wait", "i-0123456789abcdef0", "--drained", "--timeout"),
        ("wait", "i-0123456789abcdef0", "--drained", "--every"),
        ("wait", "i-0123456789abcdef0", "--drained", "--settle"),
        ("status", "--stale-after"),
        ("leave", "--timeout"),
    ],
)
def test_s6_the_number_of_a_flag_is_of_ascii_digits(words: tuple[str, ...], text: str) -> None:
    assert f"argument {words[-1]}" in refusal(*words, text)


@given(
    words=st.lists(
        st.one_of(texts, st.sampled_from(["explain", "plan", "--port", "--url", "wait"])), max_size=4
    )
)
def test_s5_any_flags_are_taken_or_refused_in_one_line(words: list[str]) -> None:
    said = io.StringIO()
    with (
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.suppress(SystemExit),
    ):
        parse(words)
    assert said.getvalue() == "" or said.getvalue().rstrip("\n").isprintable()
    assert len(said.getvalue()) <= LONGEST * 2


def test_s6_plain_numbers_are_taken_as_before() -> None:
    assert [whole(text, 0, 70_000) for text in ("0", "8080", "08080", "65535")] == [0, 8080, 8080, 65535]
    assert [decimal(text, 0, 9) for text in ("0", ".5", "0.5", "5.", "007")] == [0, 0.5, 0.5, 5, 7]
