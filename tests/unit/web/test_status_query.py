"""What /status takes as a query; all else is refused in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.telemetry.status_route import StatusQuery, parse_query
from syncer.telemetry.web import RefusedError


def refusal(query: str) -> str:
    with pytest.raises(RefusedError) as raised:
        parse_query(query)
    assert raised.value.answer.status == 400
    return raised.value.answer.body.decode().removesuffix("\n")


@pytest.mark.parametrize(
    ("query", "parsed"),
    [
        ("", None),
        ("page=1", StatusQuery()),
        ("page=20", StatusQuery(20)),
        ("unwell=1", StatusQuery(1, unwell=True)),
        ("unwell=1&page=2", StatusQuery(2, unwell=True)),
        ("find=B+a&page=3", StatusQuery(3, words=("a", "b"))),
        ("find=%C3%84%20%c3%a4", StatusQuery(words=("\u00e4",))),
        ("find=+", StatusQuery()),
        ("find=a%26b%3D1", StatusQuery(words=("a&b=1",))),
        ("find=" + "x" * 200, StatusQuery(words=("x" * 200,))),
    ],
)
def test_a_page_its_filter_and_its_words_are_read(query: str, parsed: StatusQuery | None) -> None:
    assert parse_query(query) == parsed


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("now=1", "unknown parameter: 'now'; allowed: page, unwell, find"),
        ("Page=1", "unknown parameter: 'Page'; allowed: page, unwell, find"),
        ("page=1&", "unknown parameter: ''; allowed: page, unwell, find"),
        ("page=1&page=1", "parameter is repeated: page; allowed: once"),
        ("page", "page is ''; allowed: 1 to 9999999"),
        ("page=0", "page is '0'; allowed: 1 to 9999999"),
        ("page=-1", "page is '-1'; allowed: 1 to 9999999"),
        ("page=01", "page is '01'; allowed: 1 to 9999999"),
        ("page=1.0", "page is '1.0'; allowed: 1 to 9999999"),
        ("page=10000000", "page is '10000000'; allowed: 1 to 9999999"),
        ("page=%D9%A1", "page is '\\u0661'; allowed: 1 to 9999999"),
        ("page=1%0A", "page is '1\\n'; allowed: 1 to 9999999"),
        ("unwell=true", "unwell is 'true'; allowed: 1"),
        ("unwell=0", "unwell is '0'; allowed: 1"),
        ("find=", "find is ''; allowed: 1 to 200 characters in UTF-8"),
        ("find=%ff", "find is '%ff'; allowed: 1 to 200 characters in UTF-8"),
        ("find=" + "x" * 201, f"find is '{'x' * 80}'; allowed: 1 to 200 characters in UTF-8"),
    ],
)
def test_s1_all_else_is_refused_with_what_is_allowed(query: str, line: str) -> None:
    assert refusal(query) == line


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_s1_no_query_does_more_than_be_refused(query: str) -> None:
    try:
        parse_query(query)
    except RefusedError as refused:
        line = refused.answer.body.decode()
        assert line.isascii()
        assert line.count("\n") == 1
        assert len(line) < 500
