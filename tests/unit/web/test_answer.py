"""Documents are what json.dumps makes of them, and keep their ETag while only clocks change."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.telemetry.web import Answer, document, text
from syncer.telemetry.web.answer import encoded

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
ROWS = st.dictionaries(st.text(max_size=3), SCALARS | st.lists(SCALARS, max_size=2), max_size=3)
LISTS = st.lists(SCALARS | ROWS, max_size=3) | st.tuples(ROWS, st.integers(99, 202)).map(
    lambda made: [made[0]] * made[1]
)
GROUPS = st.lists(st.dictionaries(st.text(max_size=3), SCALARS | LISTS, max_size=3), max_size=3)


@given(st.dictionaries(st.text(max_size=3), SCALARS | ROWS | LISTS | GROUPS, max_size=4))
def test_s1_a_document_in_pieces_is_the_document(value: dict[str, Any]) -> None:
    assert document(value).body == json.dumps(value).encode() + b"\n"


def state(**changes: Any) -> dict[str, Any]:
    nodes = [{"node": f"n-{index}", "reason": "Ready"} for index in range(1000)]
    group = {"name": "http", "last_good_pass_age": 1.5, "targets": [{"id": "i-1"}], "hold_id": ""}
    return {"now": 1.25, "ready": True, "nodes": nodes, "groups": [group], **changes}


def test_s1_the_etag_is_of_the_state_and_not_of_its_clocks() -> None:
    first = document(state())
    later = document(state(now=2.5, groups=[{**state()["groups"][0], "last_good_pass_age": None}]))
    assert later.etag == first.etag
    assert later.body != first.body
    for changed in (
        state(ready=False),
        state(nodes=[]),
        state(groups=[{**state()["groups"][0], "hold_id": "x"}]),
    ):
        assert document(changed).etag != first.etag


@pytest.mark.parametrize("held", ["{}", 'W/"other", {}', '{}, W/"other"', "*"])
def test_s1_who_has_this_version_gets_no_body(held: str) -> None:
    answer = document(state())
    head, body = encoded(answer, {"if-none-match": held.format(answer.etag)}, with_body=True)
    assert head.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert body == b""
    assert b"200 OK" in encoded(answer, {"if-none-match": 'W/"other"'}, with_body=True)[0]


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.00, br", False),
        ("x-gzipped", False),
        ("", False),
    ],
)
def test_s1_gzip_is_sent_to_who_takes_it(accepted: str, *, compressed: bool) -> None:
    answer = document(state())
    head, body = encoded(answer, {"accept-encoding": accepted}, with_body=True)
    assert (b"Content-Encoding: gzip" in head) is compressed
    assert (gzip.decompress(body) if compressed else body) == answer.body
    assert f"Content-Length: {len(body)}\r\n".encode() in head


def test_s1_many_clients_share_one_compressed_body() -> None:
    answer = document(state())
    bodies = [encoded(answer, {"accept-encoding": "gzip"}, with_body=True)[1] for _ in range(3)]
    assert len({id(body) for body in bodies}) == 1
    plain = [encoded(answer, {}, with_body=True)[1] for _ in range(3)]
    assert len({id(body) for body in plain}) == 1


def test_small_answers_are_not_compressed() -> None:
    head, body = encoded(text(200, "ok"), {"accept-encoding": "gzip"}, with_body=True)
    assert body == b"ok\n"
    assert b"Cache-Control: no-store" in head
    assert (
        b"Content-Encoding"
        not in encoded(Answer(200, b"x" * 1400), {"accept-encoding": "gzip"}, with_body=True)[0]
    )
