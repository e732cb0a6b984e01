"""Pages of /status: each row is on one page, and all pages together are the whole answer."""

from collections import Counter
from collections.abc import Mapping
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.telemetry import status_pages
from syncer.telemetry.status_pages import LISTS, PAGE_ROWS, StatusPages
from tests.unit.page.example import example

PORT = 30080
IDS = st.integers(0, 12).map(lambda number: f"i-{number:017x}")
STATES = st.sampled_from(["healthy", "unhealthy", "initial", "draining"])
HELD = st.sampled_from(["Share", "Quota", "Foreign"])


def target(identity: str, **changes: Any) -> dict[str, Any]:
    made = {"id": identity, "port": PORT, "state": "healthy", "reason": "", "override": ""}
    return {**made, "zone": "eu-central-1a", "next": "nothing", "why": "", **changes}


def node(name: str, identity: str | None, verdict: str = "in", reason: str = "Ready") -> dict[str, Any]:
    return {
        "node": name,
        "instance_id": identity,
        "zone": "eu-central-1a",
        "verdict": verdict,
        "reason": reason,
    }


def group(**lists: Any) -> dict[str, Any]:
    return {"name": "http", "blind": False, "port": PORT, **dict.fromkeys(LISTS, ()), **lists}


def answer(nodes: list[Any], *groups: dict[str, Any], ownership: str = "exclusive") -> dict[str, Any]:
    return {"now": 1.0, "ownership": ownership, "nodes": nodes, "groups": list(groups)}


named = st.fixed_dictionaries({"id": IDS, "port": st.just(PORT)})
held = st.fixed_dictionaries({"id": IDS, "port": st.just(PORT), "why": HELD})
targets = st.builds(
    lambda identity, state, port: target(identity, state=state, port=port),
    IDS,
    STATES,
    st.sampled_from([PORT, 1]),
)
groups = st.builds(
    group,
    targets=st.lists(targets, max_size=9),
    register=st.lists(named, max_size=4),
    deregister=st.lists(named, max_size=4),
    held=st.lists(held, max_size=4),
    quarantined=st.lists(held, max_size=2),
    contested=st.lists(st.builds(lambda each: {**each, "cause": "another"}, named), max_size=2),
)
nodes = st.lists(
    st.builds(
        node,
        st.integers(0, 200).map("n-{}".format),
        IDS | st.none(),
        st.sampled_from(["in", "leaving", "out"]),
        st.sampled_from(["Ready", "KeptNotReady", "NotReadyYet", "ExcludedByLabel"]),
    ),
    max_size=12,
    unique_by=lambda each: each["node"],
)
answers = st.builds(
    lambda nodes, groups, ownership: answer(nodes, *groups, ownership=ownership),
    nodes,
    st.lists(groups, max_size=2),
    st.sampled_from(["exclusive", "tracked"]),
)


def every(found: StatusPages, **query: Any) -> list[Mapping[str, Any]]:
    """All pages in their order; the one behind the last is empty."""
    first = found.page(1, **query)
    count = first["paging"]["pages"]
    behind = found.page(count + 1, **query)
    assert behind["rows"] == behind["nodes"] == []
    assert all(each[name] == [] for each in behind["groups"] for name in LISTS)
    return [first, *(found.page(number, **query) for number in range(2, count + 1))]


def keys(pages: list[Mapping[str, Any]]) -> list[tuple[str | None, str | None]]:
    return [(row["node"], row["instance_id"]) for page in pages for row in page["rows"]]


def frozen(element: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(element.items(), key=str))


@given(answers, st.integers(1, 4))
def test_the_pages_are_the_whole_answer(whole: dict[str, Any], rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(status_pages, "PAGE_ROWS", rows)
        pages = every(StatusPages(whole))
        unwell = every(StatusPages(whole), unwell=True)
    assert Counter(frozen(each) for page in pages for each in page["nodes"]) == Counter(
        map(frozen, whole["nodes"])
    )
    for index, each in enumerate(whole["groups"]):
        for name in LISTS:
            # As sets: a target whose instance has two Nodes is with each of them.
            parts = chain.from_iterable(page["groups"][index][name] for page in pages)
            assert set(map(frozen, parts)) == set(map(frozen, each[name]))
    found = keys(pages)
    assert len(found) == len(set(found)) == pages[0]["totals"]["rows"]
    assert all(len(page["rows"]) <= rows for page in pages)
    # The unwell rows are the first ones, in the same order.
    assert keys(unwell) == found[: len(keys(unwell))]
    assert len(keys(unwell)) == pages[0]["totals"]["unwell"] == unwell[0]["paging"]["rows"]
    flags = [row["unwell"] for page in pages for row in page["rows"]]
    assert flags == sorted(flags, reverse=True)


@given(answers)
def test_all_else_is_as_in_the_whole_answer(whole: dict[str, Any]) -> None:
    page = StatusPages(whole).page(1)
    assert {name: page[name] for name in ("now", "ownership")} == {
        "now": 1.0,
        "ownership": whole["ownership"],
    }
    assert page["totals"]["nodes"] == len(whole["nodes"])
    assert page["totals"]["verdicts"] == {
        each: sum(node["verdict"] == each for node in whole["nodes"]) for each in ("in", "leaving", "out")
    }
    for part, each in zip(page["groups"], whole["groups"], strict=True):
        assert part["totals"]["register"] == len(each["register"])
        assert part["totals"]["held_by"] == Counter(held["why"] for held in each["held"])


def test_a_page_has_the_members_of_the_whole_answer_and_sums() -> None:
    whole = example()
    page = StatusPages(whole).page(1)
    assert set(page) == {*whole, "paging", "totals", "rows"}
    assert set(page["groups"][0]) == {*whole["groups"][0], "totals"}
    assert page["paging"] == {"page": 1, "pages": 1, "page_rows": PAGE_ROWS, "rows": 3}
    assert [row["unwell"] for row in page["rows"]] == [True, True, True]


def test_rows_are_in_the_order_of_people() -> None:
    known = ["n-10", "n-9", "n-2", "m-30"]
    whole = answer(
        [node(name, f"i-{name}") for name in known],
        group(targets=[target("i-0"), *(target(f"i-{name}") for name in known[1:])]),
    )
    assert keys([StatusPages(whole).page(1)]) == [
        (None, "i-0"),  # unwell, and without a Node
        ("n-10", "i-n-10"),  # unwell: no target
        ("m-30", "i-m-30"),
        ("n-2", "i-n-2"),
        ("n-9", "i-n-9"),
    ]


NAMED = {"id": "i-1", "port": PORT}


@pytest.mark.parametrize(
    ("seen", "of_group", "well"),
    [
        (node("a", "i-1"), group(targets=[target("i-1")]), True),
        (node("a", "i-1"), group(), False),
        (node("a", "i-1"), group(register=[NAMED]), False),
        (node("a", "i-1"), group(held=[{**NAMED, "why": "Quota"}]), False),
        (node("a", "i-1", reason="KeptNotReady"), group(targets=[target("i-1")]), False),
        (node("a", "i-1"), group(targets=[target("i-1", state="unhealthy")]), False),
        (node("a", "i-1"), group(targets=[target("i-1", state="initial")]), False),
        (node("a", "i-1"), group(targets=[target("i-1", state="initial")], blind=True), True),
        (node("a", "i-1"), group(targets=[target("i-1", state="draining")], blind=True), False),
        (node("a", "i-1"), group(targets=[target("i-1", next="deregister")]), False),
        (node("a", "i-1"), group(targets=[target("i-1", port=1)]), False),
        (node("a", "i-1"), group(targets=[target("i-1", port=1)], port=None), True),
        (node("a", "i-1"), group(targets=[target("i-1"), target("i-1", port=1)]), False),
        (node("a", "i-1", "out", "ExcludedByLabel"), group(), True),
        (node("a", None, "out", "NoProviderID"), group(), False),
        (node("a", "i-1", "out", "NotReadyYet"), group(), False),
        (node("a", "i-1", "leaving", "ExcludedByLabel"), group(targets=[target("i-1")]), False),
        (node("a", "i-1", "leaving", "ExcludedByLabel"), group(deregister=[NAMED]), False),
    ],
)
def test_what_is_well(seen: dict[str, Any], of_group: dict[str, Any], *, well: bool) -> None:
    assert StatusPages(answer([seen], of_group)).page(1)["totals"]["unwell"] == (not well)


@pytest.mark.parametrize(("ownership", "unwell"), [("tracked", 0), ("exclusive", 1)])
def test_another_clusters_target_is_well_where_it_is_ignored(ownership: str, unwell: int) -> None:
    foreign = group(targets=[target("i-1", next="hold", why="Foreign")])
    assert StatusPages(answer([], foreign, ownership=ownership)).page(1)["totals"]["unwell"] == unwell


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("n-1",), ["n-1"]),
        (("healthy",), ["n-1", "n-2"]),
        (("unhealthy", "n-"), ["n-1"]),
        (("eu-central-1a", "nonode"), [None]),
        (("timeout",), ["n-1"]),
        (("hold", "share"), [None]),
        (("n-1", "n-2"), []),
    ],
)
def test_all_words_must_occur_in_a_row(words: tuple[str, ...], found: list[str | None]) -> None:
    whole = answer(
        [node("n-1", "i-1"), node("n-2", "i-2")],
        group(
            targets=[
                target("i-1", state="unhealthy", reason="Target.Timeout"),
                target("i-2"),
                target("i-3", state="draining", next="hold", why="Share"),
            ]
        ),
    )
    page = StatusPages(whole).page(1, words=words)
    assert [row["node"] for row in page["rows"]] == found
    assert page["paging"]["rows"] == len(found)
    assert page["totals"]["rows"] == 3
    unwell = StatusPages(whole).page(1, unwell=True, words=words)
    assert [row["node"] for row in unwell["rows"]] == [name for name in found if name != "n-2"]
