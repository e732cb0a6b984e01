"""The label selector is evaluated by the real API server: what is read, removed, held and explained."""

import json
from typing import Any

import pytest

from tests.integration.syncer.account import Account
from tests.integration.syncer.household import Household, Syncer
from tests.integration.syncer.questions import Ask

pytestmark = pytest.mark.toolchain

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
SENT = {"NLB_SYNC_NODE_SELECTOR": "pool=web,!spot", "NLB_SYNC_SERVER_SIDE_SELECTOR": "true"}
WEB = ("a", "b", "c", "d")
UNREAD = (
    "a node that the label selector does not match (pool=web,!spot); the syncer does not read the Node: "
    "NLB_SYNC_SERVER_SIDE_SELECTOR is true; the removal of its target is doubtful"
)


def _join(home: Household, *names: str) -> None:
    home.join(*names)
    for name in names:
        home.label(name, "pool", "web")


def _serving(home: Household) -> Syncer:
    """Four nodes of the pool as healthy targets, and a node of another pool."""
    _join(home, *WEB)
    home.join("other")
    syncer = home.syncer(**SENT)
    home.until(lambda: home.filled_with(*WEB) and syncer.ready, within=25)
    home.until(lambda: all(each["healthy"] == len(WEB) for each in syncer.status["groups"]), within=15)
    return syncer


def _nodes(syncer: Syncer) -> dict[str, str]:
    return {each["node"]: each["reason"] for each in syncer.status["nodes"]}


def _explained(ask: Ask, *words: str) -> dict[str, Any]:
    code, out, err = ask("explain", *words, "--json", **SENT)
    assert (code, err) == (0, "")
    (story,) = json.loads(out)
    return dict(story)


def test_only_selected_nodes_are_read_and_a_node_without_its_label_is_a_doubtful_removal(
    home: Household, ask: Ask
) -> None:
    syncer = _serving(home)
    assert _nodes(syncer) == dict.fromkeys(WEB, "Ready")
    home.label("a", "spot", "yes")
    home.until(lambda: home.filled_with("b", "c", "d"), within=15)  # the others keep the floor
    home.label("c", "pool", "db")
    home.until(lambda: home.filled_with("b", "d"), within=15)
    home.label("d", "pool", "db")
    home.until(lambda: all(group["hold_id"] for group in syncer.status["groups"]), within=15)
    home.stays(lambda: home.filled_with("b", "d"), for_s=3)
    assert _nodes(syncer) == {"b": "Ready"}
    story = _explained(ask, "d")
    assert (story["node"], story["instance_id"]) == ("d", home.instances["d"])
    assert (story["verdict"], story["reason"], story["says"]) == ("out", "SelectorMismatch", UNREAD)
    assert [(at["state"], at["next"], at["why"]) for at in story["groups"]] == [
        ("healthy", "hold", "Share"),
        ("healthy", "hold", "Share"),
    ]
    story = _explained(ask, home.instances["d"])
    assert (story["node"], story["reason"]) == ("", "NoNode")
    assert story["says"] == "a target without a Node that the label selector matches (pool=web,!spot)"
    home.label("d", "pool", "web")
    home.until(lambda: not any(group["held"] for group in syncer.status["groups"]), within=15)
    assert home.filled_with("b", "d")


def test_the_exclusion_label_announces_a_removal_as_without_the_setting(home: Household, ask: Ask) -> None:
    syncer = _serving(home)
    home.label("a", EXCLUDED, "true")
    home.until(lambda: home.filled_with("b", "c", "d"), within=15)
    assert _nodes(syncer)["a"] == "ExcludedByLabel"
    assert _explained(ask, "a")["reason"] == "ExcludedByLabel"
    home.label("a", EXCLUDED, "false")
    home.until(lambda: home.filled_with(*WEB), within=15)


def test_explain_gets_a_node_by_name_that_is_not_read(home: Household, ask: Ask) -> None:
    home.join("other")
    story = _explained(ask, "node/other")
    assert (story["node"], story["reason"], story["says"]) == ("other", "SelectorMismatch", UNREAD)
    assert [(at["port"], at["state"], at["next"]) for at in story["groups"]] == [
        (None, "absent", "nothing")
    ] * 2
    code, out, _ = ask("explain", "other", **SENT)
    assert code == 0
    assert out.splitlines()[:2] == [
        f"other ({home.instances['other']}): out, SelectorMismatch",
        f"  {UNREAD}",
    ]


def test_an_unknown_name_is_answered_as_before_and_an_instance_is_not_looked_for(
    home: Household, ask: Ask
) -> None:
    _join(home, "a")
    home.join("other")
    code, out, err = ask("explain", "nobody", **SENT)
    assert (code, out) == (3, "")
    assert err == "nlb-sync: nobody is neither a Node of this cluster nor a target of its groups\n"
    instance = home.instances["other"]
    code, out, err = ask("explain", instance, **SENT)
    assert (code, out) == (3, "")
    assert err == (
        f"nlb-sync: {instance} is neither the instance of a Node that the label selector matches nor a "
        "target; give the name of the Node\n"
    )


def test_a_node_that_may_not_be_read_by_name_is_a_failed_read(home: Household, ask: Ask) -> None:
    account = Account(home)
    account.grant("list", "watch")
    home.join("other")
    outside = account.outside(account.mount(account.token()), home.layout.apiserver_port)
    code, _, err = ask("explain", "other", **SENT, **outside)
    assert code == 1
    assert 'cannot get resource "nodes"' in err
    assert "other is unknown, with failed reads" in err


def _check_of_nodes(ask: Ask) -> list[str]:
    _, out, _ = ask("doctor", "--json", **SENT)
    return [each["says"] for each in json.loads(out)["checks"] if each["check"] == "nodes"]


def test_doctor_and_explain_read_the_nodes_that_the_syncer_reads(home: Household, ask: Ask) -> None:
    home.join(*WEB, "other")
    (none,) = _check_of_nodes(ask)
    assert none == (
        "0 nodes are listed, but the cluster has nodes: the API server selects none by the label selector "
        "pool=web,!spot (NLB_SYNC_SERVER_SIDE_SELECTOR is true); correct the selector"
    )
    for name in WEB:
        home.label(name, "pool", "web")
    assert _check_of_nodes(ask) == ["4 nodes are listed"]
    _, out, _ = ask("explain", "--json", **SENT)
    assert [story["node"] for story in json.loads(out)] == list(WEB)
    _, out, _ = ask("explain", "--json", **{**SENT, "NLB_SYNC_NODE_SELECTOR": "!pool"})
    assert [story["node"] for story in json.loads(out)] == ["other"]


def test_a_cluster_without_nodes_does_not_fail_the_check_of_nodes(home: Household, ask: Ask) -> None:
    home.delete_all_nodes()
    assert _check_of_nodes(ask) == ["0 nodes are listed"]
