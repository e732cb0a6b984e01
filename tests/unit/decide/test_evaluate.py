"""The nine rules, in their order, and what peers' own tests say of the same nodes."""

from itertools import pairwise
from typing import Any

import pytest

from syncer.decide.evaluate import RULES, evaluate
from syncer.decide.policy import NodePolicy
from syncer.model import NodeView, Standing
from tests.unit.decide.world import NOON, instance, node

CORDON_LEAVES = NodePolicy(cordon_leaves=True)
NOTHING: set[Any] = set()


def answer(view: NodeView, *, registered: bool = False, policy: NodePolicy | None = None) -> tuple[str, str]:
    listed = {view.instance_id} if registered and view.instance_id else set()
    verdict = evaluate([view], listed, policy or NodePolicy()).verdicts[0]
    return verdict.standing.value, verdict.reason


# Facts that call for each rule; a node with several of them obeys the first rule of the list.
CALLS: list[tuple[dict[str, Any], str, str]] = [
    ({"instance_id": None}, "out", "NotAnInstance"),
    ({"selected": False}, "out", "SelectorMismatch"),
    ({"excluded": True}, "leaving", "ExcludedByLabel"),
    ({"deleting_since": NOON}, "leaving", "Deleting"),
    ({"leaving_taint": "karpenter.sh/disrupted"}, "leaving", "Taint:karpenter.sh/disrupted"),
    ({"cordoned": True}, "leaving", "Cordoned"),
    ({"ready": False}, "out", "NotReadyYet"),
    ({}, "in", "Ready"),
]


@pytest.mark.parametrize(("facts", "standing", "reason"), CALLS)
def test_each_rule_speaks_for_its_node(facts: dict[str, Any], standing: str, reason: str) -> None:
    assert answer(node(1, **facts), policy=CORDON_LEAVES) == (standing, reason)


@pytest.mark.parametrize("first", range(len(CALLS)))
def test_an_earlier_rule_wins_over_all_later_ones(first: int) -> None:
    facts: dict[str, Any] = {}
    for later, _, _ in CALLS[first:]:
        facts |= later
    assert answer(node(1, **facts), policy=CORDON_LEAVES) == CALLS[first][1:]


def test_the_rules_stand_in_the_order_of_their_numbers_and_the_last_one_always_applies() -> None:
    assert all(a.number <= b.number for a, b in pairwise(RULES))
    assert {rule.number for rule in RULES} == set(range(1, 10))
    assert RULES[-1].applies(None)  # type: ignore[arg-type]


def test_a_node_without_a_provider_id_is_looked_at_again_before_its_labels_are() -> None:
    young = node(1, instance_id=None, has_provider_id=False, selected=False)
    assert answer(young) == ("out", "NoProviderID")


def test_cordon_does_not_mean_leave_unless_the_policy_says_so() -> None:
    assert answer(node(1, cordoned=True)) == ("in", "Ready")


def test_a_not_ready_node_is_kept_if_it_is_registered_in_any_group() -> None:
    assert answer(node(1, ready=False), registered=True) == ("in", "KeptNotReady")
    assert answer(node(1, ready=False), registered=False) == ("out", "NotReadyYet")


def test_being_registered_saves_no_leaving_node() -> None:
    assert answer(node(1, ready=False, excluded=True), registered=True) == ("leaving", "ExcludedByLabel")


def test_a_deadline_is_known_whatever_rule_spoke() -> None:
    karpenter = node(1, excluded=True, deleting_since=NOON, leaving_taint="karpenter.sh/disrupted")
    intent = evaluate([karpenter], NOTHING, NodePolicy()).instances[instance(1)]
    assert (intent.reason, intent.deadline, intent.since) == ("ExcludedByLabel", True, NOON)
    labelled = evaluate([node(1, excluded=True)], NOTHING, NodePolicy()).instances[instance(1)]
    assert not labelled.deadline


class TestSeveralNodesOfOneInstance:
    old = node(1, name="old", created=NOON - 100)
    new = node(1, name="new", created=NOON)

    def both(self, *nodes: NodeView) -> list[tuple[str, str, str]]:
        found = evaluate(nodes, NOTHING, NodePolicy()).verdicts
        return [(v.node, v.standing.value, v.reason) for v in found]

    def test_the_newest_speaks_for_all_of_them(self) -> None:
        leaving = node(1, name="old", created=NOON - 100, deleting_since=NOON)
        assert self.both(leaving, self.new) == [("old", "in", "Ready"), ("new", "in", "Ready")]
        assert self.both(self.new, leaving) == [("new", "in", "Ready"), ("old", "in", "Ready")]

    def test_the_newest_speaks_when_it_leaves_too(self) -> None:
        leaving = node(1, name="new", created=NOON, excluded=True)
        assert [v[1] for v in self.both(self.old, leaving)] == ["leaving", "leaving"]

    def test_a_deleted_node_takes_nothing_away_that_another_still_names(self) -> None:
        intents = evaluate([self.old], NOTHING, NodePolicy()).instances
        assert intents[instance(1)].standing is Standing.IN

    def test_of_two_of_one_second_the_one_that_is_not_being_deleted_speaks(self) -> None:
        twin = node(1, name="zzz", created=NOON, deleting_since=NOON)
        assert [v[1] for v in self.both(twin, self.new)] == ["in", "in"]


def test_one_instance_has_one_wish_and_every_node_a_verdict_in_the_order_given() -> None:
    nodes = [node(3), node(1), node(2, instance_id=None), node(1, name="twin")]
    found = evaluate(nodes, NOTHING, NodePolicy())
    assert [v.node for v in found.verdicts] == ["node-3", "node-1", "node-2", "twin"]
    assert set(found.instances) == {instance(1), instance(3)}


def test_no_list_yet_is_not_an_empty_list() -> None:
    assert not evaluate(None, NOTHING, NodePolicy()).complete
    assert evaluate([], NOTHING, NodePolicy()).complete


# (facts, registered, what cloud-provider's stable node set says, what the AWS Load Balancer Controller's
# IsNodeSuitableAsTrafficProxy says, what we say). Where we differ the reason stands beside it.
PEERS: list[tuple[dict[str, Any], bool, bool, bool, bool]] = [
    ({}, False, True, True, True),
    ({}, True, True, True, True),
    # The last peer drops NotReady nodes: with all of them NotReady it emptied its groups.
    ({"ready": False}, True, True, False, True),
    # The first registers nodes that never were Ready; ours join when they are.
    ({"ready": False}, False, True, False, False),
    ({"cordoned": True}, True, True, True, True),
    ({"excluded": True}, True, False, False, False),
    ({"leaving_taint": "ToBeDeletedByClusterAutoscaler"}, True, False, False, False),
    # The first ignores Karpenter's taint and waits for the deletionTimestamp.
    ({"leaving_taint": "karpenter.sh/disrupted"}, True, True, False, False),
    # The last looks at no deletionTimestamp.
    ({"deleting_since": NOON}, True, False, True, False),
    # Both ignore the termination handler's taints: the spot instance is gone two minutes later.
    ({"leaving_taint": "aws-node-termination-handler/spot-itn"}, True, True, True, False),
]


@pytest.mark.parametrize(("facts", "registered", "stable", "lbc", "ours"), PEERS)
def test_we_say_what_peers_say_but_where_we_have_a_reason(
    facts: dict[str, Any], *, registered: bool, stable: bool, lbc: bool, ours: bool
) -> None:
    del stable, lbc  # the peers' columns are there to be read
    assert (answer(node(1, **facts), registered=registered)[0] == "in") is ours
