"""Target groups as the tests of peers have them, through `plan`: what is sent, what is held, in each mode."""

from typing import Any

import pytest

from tests.conformance.conftest import Ask
from tests.conformance.documents import PORT, ZONE, Json, health, instance, listed, node, target
from tests.conformance.group_differences import DIFFERENCES, OTHERS
from tests.conformance.situation import DEREGISTER, REGISTER, Situation
from tests.conformance.target_states import NODES, STATES


def said(answer: dict[str, Any]) -> dict[str, str]:
    """The one group of the answer, written as a Plan."""
    (group,) = answer["groups"]
    held = {shown(each): each["why"] for each in group["held"]}
    assert all(set(each) == {"id", "port"} for each in [*group["register"], *group["deregister"]])
    sent = {shown(each): REGISTER for each in group["register"]}
    gone = {shown(each): DEREGISTER for each in group["deregister"]}
    assert len(held) + len(sent) + len(gone) == len(held | sent | gone)
    return held | sent | gone


def shown(target: dict[str, Any]) -> str:
    letters = {instance(letter): letter for letter in "abcdef"}
    who = letters.get(target["id"], target["id"])
    return who if target["port"] == PORT else f"{who}:{target['port']}"


@pytest.mark.parametrize("mode", ["exclusive", "tracked", "add-only"])
@pytest.mark.parametrize(
    "situation", [*DIFFERENCES, *STATES, *NODES, *OTHERS], ids=lambda each: each.known_by
)
def test_a_group_is_planned(ask: Ask, situation: Situation, mode: str) -> None:
    nodes = (node(each) if isinstance(each, str) else each for each in situation.nodes)
    targets = (target(each) if isinstance(each, str) else each for each in situation.targets)
    files = ("--nodes", listed(*nodes, **situation.list_metadata), "--targets", health(targets))
    answer = ask("plan", *files, "--port", str(PORT), "--ownership", mode, *situation.words)
    assert said(answer) == situation.expected(mode)


def elsewhere(letter: str) -> Json:
    """A node in a zone that the load balancer does not serve."""
    return node(letter, spec={"providerID": f"aws:///eu-central-1b/{instance(letter)}"})


NOT_IN_USE = [target("a"), *(target(each, "unused", "Target.NotInUse") for each in "bcd")]


def plan(ask: Ask, nodes: list[Json], targets: list[Json]) -> dict[str, str]:
    files = ("--nodes", listed(*nodes), "--targets", health(targets))
    return said(ask("plan", *files, "--port", str(PORT), "--ownership", "exclusive"))


def test_in_a_zone_that_is_not_enabled_one_target_stays_as_a_witness(ask: Ask) -> None:
    """CCM issue 206: such targets are unused for ever, and nobody says so."""
    nodes = [node("a"), *(elsewhere(each) for each in "bcd")]
    gone = plan(ask, nodes, NOT_IN_USE)
    assert set(gone) < {"b", "c", "d"}
    assert list(gone.values()) == [DEREGISTER] * 2


def test_a_zone_that_people_do_not_name_keeps_no_witness(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLB_SYNC_ZONES", ZONE)
    nodes = [node("a"), *(elsewhere(each) for each in "bcd")]
    assert plan(ask, nodes, NOT_IN_USE) == dict.fromkeys("bcd", DEREGISTER)


def test_a_node_in_such_a_zone_is_explained_as_it_is_planned(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = listed(node("a"), *(elsewhere(each) for each in "bcd"))
    answer = ask("explain", "-f", nodes, "--targets", health(NOT_IN_USE))
    (witness,) = {"b", "c", "d"} - set(plan(ask, nodes["items"], NOT_IN_USE))
    out = {f"node-{each}": ("out", "ZoneNotEnabled") for each in "bcd" if each != witness}
    assert {each["node"]: (each["verdict"], each["reason"]) for each in answer} == {
        "node-a": ("in", "Ready"),
        f"node-{witness}": ("in", "Ready"),
        **out,
    }
    monkeypatch.setenv("NLB_SYNC_ZONES", ZONE)
    said = [(each["verdict"], each["reason"]) for each in ask("explain", "-f", nodes)]
    assert said == [("in", "Ready"), *[("out", "ZoneNotEnabled")] * 3]


def test_a_group_without_a_listener_keeps_all_its_targets(ask: Ask) -> None:
    unused = [target(each, "unused", "Target.NotInUse") for each in "abc"]
    assert plan(ask, [node("a"), *(elsewhere(each) for each in "bc")], unused) == {}


def test_where_nodes_outnumber_the_places_some_wait_and_are_named(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LBC issue 4025: the first group took all places, and the last ones stayed empty."""
    monkeypatch.setenv("NLB_SYNC_TARGET_LIMIT", "2")
    first = plan(ask, [node(each) for each in "abcd"], [])
    assert sorted(first.values()) == ["Quota", "Quota", REGISTER, REGISTER]
    assert plan(ask, [node(each) for each in "dcba"], []) == first


def test_no_nodes_are_explained_by_an_empty_list(ask: Ask) -> None:
    assert ask("explain", "-f", listed()) == []
