"""Nodes beside others, beside targets and behind a selector, as the tests of peers have them."""

from typing import Any

import pytest

from tests.conformance.conftest import Ask
from tests.conformance.documents import Json, health, instance, listed, node, not_ready, tainted, target

SOON = {"deletionTimestamp": "2026-11-23T09:00:00Z"}
OLDER, NEWER = "2026-11-23T07:00:00Z", "2026-11-23T08:30:00Z"


def verdicts(answer: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["verdict"], each["reason"]) for each in answer]


# DescribeTargetHealth's states and reasons; whether the instance of a Node that is not Ready stays for it.
STATES = [
    ("initial", "Elb.RegistrationInProgress", True),
    ("initial", "Elb.InitialHealthChecking", True),
    ("healthy", None, True),
    ("unhealthy", "Target.FailedHealthChecks", True),
    ("unhealthy", "Target.ResponseCodeMismatch", True),
    ("unhealthy", "Target.Timeout", True),
    ("unhealthy.draining", "Target.FailedHealthChecks", True),
    ("unavailable", "Elb.InternalError", True),
    ("unavailable", "Target.HealthCheckDisabled", True),
    ("unused", "Target.NotInUse", True),
    ("unused", "Target.InvalidState", True),
    ("unused", "Target.IpUnusable", True),
    ("unused", None, True),
    ("unused", "Target.NotRegistered", False),
    ("draining", "Target.DeregistrationInProgress", False),
    ("draining", None, False),
    (None, None, True),
]


@pytest.mark.parametrize("status", ["False", "Unknown"])
@pytest.mark.parametrize(("state", "reason", "registered"), STATES)
def test_a_target_whose_node_is_not_ready_stays(
    ask: Ask, status: str, state: str | None, reason: str | None, *, registered: bool
) -> None:
    """LBC drops it ("suitable node changed from ready to notReady"); CCM's stable node set keeps it."""
    targets = health([target("a", state, reason)])
    answer = ask("explain", "-f", node(status=not_ready(status)), "--targets", targets)
    expected = ("in", "KeptNotReady") if registered else ("out", "NotReadyYet")
    assert verdicts(answer) == [expected]


def test_a_target_in_one_group_counts_for_all(ask: Ask) -> None:
    words = ("explain", "-f", node(status=not_ready()), "--targets", health([]))
    assert verdicts(ask(*words, "--targets", health([target("a")]))) == [("in", "KeptNotReady")]


def test_a_target_on_another_port_counts_too(ask: Ask) -> None:
    """The instance is known to work; LBC and CCM tell targets apart by id and port."""
    targets = health([target("a", port=31111)])
    assert verdicts(ask("explain", "-f", node(status=not_ready()), "--targets", targets)) == [
        ("in", "KeptNotReady")
    ]


def test_the_control_plane_loses_sight_of_all_nodes_and_all_targets_stay(ask: Ask) -> None:
    """LBC keeps the nodes of unknown readiness when no other is there, and drops those not Ready."""
    nodes = listed(*(node(each, status=not_ready("Unknown")) for each in "abc"))
    answer = ask("explain", "-f", nodes, "--targets", health(target(each) for each in "abc"))
    assert verdicts(answer) == [("in", "KeptNotReady")] * 3


# (whose, the labels of the Node, the selector, whether it matches)
SELECTORS = [
    ("CCM target node labels: no filter", {"k1": "v1"}, "", True),
    ("CCM target node labels: both pairs", {"k1": "v1", "k2": "v2"}, "k1=v1,k2=v2", True),
    ("CCM target node labels: both keys", {"k1": "v1", "k2": "v2"}, "k1,k2", True),
    ("CCM target node labels: one of two", {"k1": "v1"}, "k1=v1,k2", False),
    ("CCM target node labels: none", {"k1": "v1", "k2": "v2"}, "k3=v3", False),
    ("LBC selector: a pair", {"key": "value"}, "key=value", True),
    ("LBC selector: master does not exist", {}, "!node-role.kubernetes.io/master", True),
    (
        "LBC selector: a master",
        {"node-role.kubernetes.io/master": ""},
        "!node-role.kubernetes.io/master",
        False,
    ),
    ("LBC selector: not Fargate", {}, "eks.amazonaws.com/compute-type notin (fargate)", True),
    (
        "predecessor: its filter",
        {"kops.k8s.io/instancegroup": "ingress"},
        "kops.k8s.io/instancegroup=ingress",
        True,
    ),
    (
        "predecessor: its filter",
        {"kops.k8s.io/instancegroup": "nodes"},
        "kops.k8s.io/instancegroup=ingress",
        False,
    ),
    (
        "EKS: one node group",
        {"eks.amazonaws.com/nodegroup": "edge"},
        "eks.amazonaws.com/nodegroup in (edge, edge-2)",
        True,
    ),
    ("Karpenter: one pool", {"karpenter.sh/nodepool": "edge"}, "karpenter.sh/nodepool!=edge", False),
]


@pytest.mark.parametrize(("known_by", "labels", "selector", "matches"), SELECTORS)
def test_a_selector_chooses_nodes(
    ask: Ask, known_by: str, labels: dict[str, str], selector: str, *, matches: bool
) -> None:
    answer = ask("explain", "-f", node(labels=labels), "--node-selector", selector)
    assert verdicts(answer) == [("in", "Ready") if matches else ("out", "SelectorMismatch")], known_by


def test_the_predecessors_filter_is_one_of_both_variables_or_none(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLB_SYNC_LABELFILTERKEY", "role")
    assert verdicts(ask("explain", "-f", node())) == [("in", "Ready")]
    monkeypatch.setenv("NLB_SYNC_LABELFILTERVALUE", "ingress")
    assert verdicts(ask("explain", "-f", node())) == [("out", "SelectorMismatch")]
    assert verdicts(ask("explain", "-f", node(labels={"role": "ingress"}))) == [("in", "Ready")]


def test_a_node_that_the_selector_does_not_match_is_not_asked_whether_it_leaves(ask: Ask) -> None:
    leaving = node(metadata=SOON, spec=tainted("karpenter.sh/disrupted"))
    assert verdicts(ask("explain", "-f", leaving, "--node-selector", "role")) == [("out", "SelectorMismatch")]


def twin(created: str | None, **changes: Any) -> Json:
    """A Node of instance `a` that was created then."""
    metadata = {"name": f"twin-of-{created}", "creationTimestamp": created} | changes.pop("metadata", {})
    return node("a", metadata=metadata, **changes)


@pytest.mark.parametrize(
    ("known_by", "old", "new", "expected"),
    [
        ("a rename: the old one goes", twin(OLDER, metadata=SOON), twin(NEWER), ("in", "Ready")),
        ("a rename: the old one never went", twin(OLDER), twin(NEWER), ("in", "Ready")),
        (
            "a re-creation: not Ready yet",
            twin(OLDER),
            twin(NEWER, status=not_ready()),
            ("out", "NotReadyYet"),
        ),
        ("the new one goes", twin(OLDER), twin(NEWER, metadata=SOON), ("leaving", "Deleting")),
        (
            "of one second: the one that stays",
            twin(NEWER, metadata={"name": "z"} | SOON),
            twin(NEWER),
            ("in", "Ready"),
        ),
        ("no time at all is the oldest", twin(None, metadata=SOON), twin(OLDER), ("in", "Ready")),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_two_nodes_of_one_instance_have_one_verdict(
    ask: Ask, known_by: str, old: Json, new: Json, expected: tuple[str, str], *, turned: bool
) -> None:
    answer = ask("explain", "-f", listed(new, old) if turned else listed(old, new))
    assert verdicts(answer) == [expected] * 2, known_by
    assert {each["instance_id"] for each in answer} == {instance("a")}


@pytest.mark.parametrize("part", ["metadata", "spec", "status"])
@pytest.mark.parametrize("odd", [None, [], "text", 7])
def test_a_part_of_another_shape_harms_only_its_node(ask: Ask, part: str, odd: Any) -> None:
    answer = ask("explain", "-f", listed(node("b") | {part: odd}, node("c")))
    assert verdicts(answer)[1] == ("in", "Ready")
    expected = {
        "metadata": ("in", "Ready"),
        "spec": ("out", "NoProviderID"),
        "status": ("out", "NotReadyYet"),
    }
    assert verdicts(answer)[0] == expected[part]


def test_the_api_servers_own_list_is_understood(ask: Ask) -> None:
    """KIA reads a NodeList, whose items have no kind of their own."""
    items = [{key: value for key, value in node(each).items() if key != "kind"} for each in "ab"]
    answer = ask("explain", "-f", {"kind": "NodeList", "apiVersion": "v1", "items": items})
    assert verdicts(answer) == [("in", "Ready")] * 2
