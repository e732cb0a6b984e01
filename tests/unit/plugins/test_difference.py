"""Differences name exactly the paths that changed, in the engine's own spelling."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.plugins.difference import Change, compare, parse, show, without
from sandbox.plugins.values import UNKNOWN, Secret

_JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)
_PARTS = st.one_of(st.integers(0, 99), st.text(min_size=1).filter(lambda text: "\\" not in text))


@given(_JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert compare(value, value) == {}


@given(st.lists(_PARTS, min_size=1, max_size=5).map(tuple))
def test_a_path_that_is_shown_is_parsed_to_the_same(path: tuple[str | int, ...]) -> None:
    assert parse(show(path)) == path


def test_each_changed_leaf_is_named_with_its_kind_of_change() -> None:
    old = {"ports": [{"port": 80}, {"port": 443}], "labels": {"a/b": "1"}, "gone": 1}
    new = {"ports": [{"port": 81}], "labels": {"a/b": "1", "c": "2"}}

    assert {show(path): change for path, change in compare(old, new).items()} == {
        "ports[0].port": Change.UPDATE,
        "ports[1]": Change.DELETE,
        "labels.c": Change.ADD,
        "gone": Change.DELETE,
    }


def test_an_unknown_value_may_differ_and_so_does() -> None:
    assert compare({"arn": "a"}, {"arn": UNKNOWN}) == {("arn",): Change.UPDATE}


def test_a_secret_is_compared_by_what_it_holds() -> None:
    assert compare({"key": "a"}, {"key": Secret("a")}) == {}
    assert compare({"key": Secret("a")}, {"key": Secret("b")}) == {("key",): Change.UPDATE}


def test_true_is_not_one() -> None:
    assert compare({"flag": 1}, {"flag": True}) == {("flag",): Change.UPDATE}


def test_ignored_paths_and_all_below_them_do_not_count() -> None:
    changes = compare(
        {"a": {"b": 1, "c": 1}, "list": [{"x": 1}]}, {"a": {"b": 2, "c": 2}, "list": [{"x": 2}]}
    )

    assert set(without(changes, ["a.b", "list[*].x"])) == {("a", "c")}
    assert set(without(changes, ["a"])) == {("list", 0, "x")}
