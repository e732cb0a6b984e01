"""The explanation of a Node that the API server does not list, because it evaluates the label selector."""

import pytest

from syncer.decide.desired import choose, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.explanation import Explanation, explain_unlisted, explanations
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.model import GroupState, NodeView, Standing, Why
from tests.unit.decide.world import HTTPS, NOON, group, health, instance, node

POLICY = PlanPolicy(ownership=Ownership.EXCLUSIVE)
# Nodes 0 to 3 are targets, of which the API server lists the first two.
LISTED = [node(0), node(1)]


def _groups() -> list[GroupState]:
    http = group(*(health(number) for number in range(4)))
    https = group(*(health(number) for number in range(4)), target_group=HTTPS)
    return [http, https]


def _unlisted(view: NodeView, states: list[GroupState], listed: list[NodeView] = LISTED) -> Explanation:
    evaluation = evaluate(listed, registered_instances(states), NodePolicy())
    desired = choose(evaluation, states, POLICY)
    plans = [plan(desired, state, POLICY, NOON) for state in states]
    known = explanations(evaluation, desired, states, plans, {})
    return explain_unlisted(view, known, states, NodePolicy())


def test_its_target_is_removed_as_a_target_without_a_node() -> None:
    found = _unlisted(node(2, selected=False), _groups())
    assert (found.node, found.instance_id, found.unread) == ("node-2", instance(2), True)
    assert (found.standing, found.reason) == (Standing.OUT, "SelectorMismatch")
    assert [at.next for at in found.groups] == ["deregister", "deregister"]  # two of four are the floor


def test_its_target_is_held_where_too_few_others_serve() -> None:
    found = _unlisted(node(2, selected=False), _groups(), [node(0)])
    assert [(at.next, at.why) for at in found.groups] == [("hold", Why.SHARE)] * 2


def test_without_a_target_nothing_happens_to_it() -> None:
    states = [group(health(0)), group(fresh=False, target_group=HTTPS)]
    found = _unlisted(node(7, selected=False), states)
    assert [(at.target_group, at.port, at.state, at.next) for at in found.groups] == [
        (states[0].target_group, None, "absent", "nothing"),
        (HTTPS, None, "unknown", "nothing"),
    ]


def test_a_listed_node_of_its_instance_decides() -> None:
    found = _unlisted(node(9, selected=False, instance_id=instance(1)), _groups())
    assert (found.node, found.authoritative, found.unread) == ("node-9", "node-1", True)
    assert (found.standing, found.reason) == (Standing.IN, "Ready")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"instance_id": None}, "NotAnInstance"),
        ({"excluded": True}, "SelectorMismatch"),
        ({"selected": True, "excluded": True}, "ExcludedByLabel"),
    ],
)
def test_its_rule_is_the_rule_of_a_listed_node(facts: dict[str, object], reason: str) -> None:
    view = node(7, **{"selected": False, **facts})
    found = _unlisted(view, _groups())
    assert found.reason == reason
    assert found.unread is not view.selected  # one that has just been labelled will be read
