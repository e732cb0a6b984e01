"""Whose word counts for a node's zone, everywhere a zone is used; and rules that put every node out."""

from dataclasses import replace
from typing import Any

import pytest

from syncer.decide.desired import choose, final_verdicts, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.decide.zones import is_enabled, zone_text
from syncer.model import Desired, GroupState, NodeView, Target, TargetHealth, Verdict, Why
from tests.simulation.stories import TAINT, some
from tests.unit.decide.world import (
    HTTPS,
    NOON,
    Aws,
    decide,
    group,
    health,
    held,
    instance,
    node,
    pass_once,
    target,
)

ENABLED = PlanPolicy(zones=frozenset({"us-east-2a", "us-east-2b"}))
ELSEWHERE = PlanPolicy(zones=frozenset({"us-east-2x"}))


def placed(number: int, zone: str, source: str, **changes: Any) -> NodeView:
    return node(number, zone=zone, zone_source=source, **changes)


def listed_in(number: int, zone: str, state: str = "healthy") -> TargetHealth:
    return replace(health(number, state), zone=zone)


def chosen(
    nodes: list[NodeView], policy: PlanPolicy, *groups: GroupState
) -> tuple[Desired, tuple[Verdict, ...]]:
    states = groups or (group(),)
    evaluation = evaluate(nodes, registered_instances(states), NodePolicy())
    desired = choose(evaluation, states, policy)
    return desired, final_verdicts(evaluation, desired)


PLACES = [
    (("us-east-2a", "provider-id"), "", ("in", "Ready", "us-east-2a", "provider-id")),
    (("us-east-2c", "provider-id"), "", ("out", "ZoneNotEnabled", "us-east-2c", "provider-id")),
    (("us-east-2c", "label"), "", ("out", "ZoneNotEnabled", "us-east-2c", "label")),
    (("us-east-2c", "provider-id"), "us-east-2a", ("in", "Ready", "us-east-2a", "aws")),
    (("us-east-2c", "label"), "us-east-2b", ("in", "Ready", "us-east-2b", "aws")),
    (("use2-az1", "label"), "us-east-2a", ("in", "Ready", "us-east-2a", "aws")),
    (("us-east-2a", "provider-id"), "us-east-2c", ("out", "ZoneNotEnabled", "us-east-2c", "aws")),
    (("us-east-2-chi-1a", "provider-id"), "", ("out", "ZoneNotEnabled", "us-east-2-chi-1a", "provider-id")),
    (("use2-az1", "label"), "", ("in", "Ready", "use2-az1", "label")),
    (("us-east-2", "provider-id"), "", ("in", "Ready", "us-east-2", "provider-id")),
    (("rack-7", "label"), "", ("in", "Ready", "rack-7", "label")),
    (("", ""), "", ("in", "Ready", "", "")),
    (("", ""), "us-east-2c", ("out", "ZoneNotEnabled", "us-east-2c", "aws")),
]


@pytest.mark.parametrize(("node_says", "aws_lists", "expected"), PLACES)
def test_b3_the_verdict_names_the_zone_and_its_source(
    node_says: tuple[str, str], aws_lists: str, expected: tuple[str, str, str, str]
) -> None:
    state = group(*([listed_in(1, aws_lists)] if aws_lists else []))
    _, (said,) = chosen([placed(1, *node_says)], ENABLED, state)
    assert (said.standing, said.reason, said.zone, said.zone_source) == expected


def test_b3_what_any_group_lists_counts_for_all_groups() -> None:
    groups = (group(), group(listed_in(1, "us-east-2a"), target_group=HTTPS))
    desired, _ = chosen([placed(1, "us-east-2c", "label")], ENABLED, *groups)
    assert desired.wanted == {instance(1)}


def test_b3_the_places_of_a_quota_are_dealt_to_the_zones_that_aws_lists() -> None:
    """By their labels all nodes are in one zone."""
    nodes = [placed(n, "us-east-2a", "label") for n in range(8)]
    state = group(*(listed_in(n, "us-east-2" + "ab"[n % 2]) for n in range(8)))
    desired, _ = chosen(nodes, PlanPolicy(target_limit=4), state)
    assert sorted(int(i[-1], 16) % 2 for i in desired.wanted) == [0, 0, 1, 1]


def test_b3_with_cross_zone_off_the_zone_that_aws_lists_keeps_its_last_target() -> None:
    """By its label node 0 is in the zone of the others, which could spare it."""
    nodes = [placed(n, "us-east-2b", "label", **(TAINT if n == 0 else {})) for n in range(4)]
    state = group(listed_in(0, "us-east-2a"), *(listed_in(n, "us-east-2b") for n in range(1, 4)))
    assert held(decide(nodes, state, PlanPolicy(cross_zone=False))) == {target(0): Why.LAST_SERVING}


def test_b3_removals_are_spread_over_the_zones_that_aws_lists() -> None:
    nodes = [placed(n, "us-east-2a", "label", **(TAINT if n < 4 else {})) for n in range(8)]
    zones = ["us-east-2a", "us-east-2a", "us-east-2b", "us-east-2c", *["us-east-2a"] * 4]
    planned = decide(nodes, group(*(listed_in(n, zone) for n, zone in enumerate(zones))))
    assert set(planned.deregister[:3]) == {target(0), target(2), target(3)}


def test_b3_rewritten_labels_let_a_roll_over_replace_every_node() -> None:
    """Report cloud-provider-aws 1185: labels are zone IDs; the group once went from six to none."""
    aws = Aws()
    aws.put(range(6))
    aws.record = frozenset(map(target, range(6)))
    for step in range(60):
        aws.tick(NOON + 30 * step)
        old = [n for n in range(6) if n >= step // 8]
        leaving = {n: TAINT if n == step // 8 else {} for n in old}
        nodes = [
            *(placed(n, "us-east-2" + "ab"[n % 2], "provider-id", **leaving[n]) for n in old),
            *(placed(10 + n, "us-east-2" + "ab"[n % 2], "provider-id") for n in range(step // 8 + 1)),
        ]
        pass_once(aws, nodes, ENABLED, NOON + 30 * step)
        assert aws.serving() >= 3
    assert {t.id for t in aws.registered()} >= {instance(10 + n) for n in range(6)}


FORMS = [
    ("us-east-2a", {"us-east-2a"}, True),
    ("us-east-2c", {"us-east-2a"}, False),
    ("", {"us-east-2a"}, True),
    ("use2-az1", {"us-east-2a"}, True),
    ("use2-az1", {"use2-az1"}, True),
    ("use2-az2", {"use2-az1"}, False),
    ("us-east-2a", {"use2-az1"}, True),
    ("us-west-2-lax-1a", {"us-west-2a"}, False),
    ("usw2-lax1-az1", {"us-west-2a"}, True),
    ("us-east-1-wl1-bos-wlz-1", {"us-east-1a"}, False),
    ("use1-wl1-bos-wlz1", {"us-east-1a"}, True),
    ("eusc-de-east-1b", {"eusc-de-east-1a"}, False),
]


@pytest.mark.parametrize(("zone", "enabled", "may"), FORMS)
def test_b3_names_compare_with_names_and_ids_with_ids(zone: str, enabled: set[str], may: bool) -> None:
    assert is_enabled(zone, frozenset(enabled)) is may


def test_b3_a_place_is_a_phrase() -> None:
    assert zone_text("us-east-2c", "label") == "us-east-2c, by its label"
    assert zone_text("us-east-2c", "aws") == "us-east-2c, by AWS's target list"
    assert zone_text("", "") == ""


# Rules that put every node out.

OUT: dict[str, tuple[list[NodeView], PlanPolicy]] = {
    "zones": (some(range(6)), ELSEWHERE),
    "selector": (some(range(6), selected=False), PlanPolicy()),
    "half by the selector, half by zones": (
        [
            *(placed(n, "us-east-2a", "label", selected=False) for n in range(3)),
            *(placed(n, "us-east-2c", "label") for n in range(3, 6)),
        ],
        ENABLED,
    ),
    "rule 1": (some(range(6), instance_id=None), PlanPolicy()),
    "rule 2": (some(range(6), instance_id=None, has_provider_id=False), PlanPolicy()),
    "rule 1, and the selector": (
        [*some(range(3), instance_id=None), *some(range(3, 6), selected=False)],
        PlanPolicy(),
    ),
    "all that are registered": ([*some(range(6), selected=False), *some(range(10, 14))], PlanPolicy()),
    "all but one that joins": ([*some(range(6), selected=False), *some([10], ready=False)], PlanPolicy()),
    "all but one that leaves": ([*some(range(5), selected=False), *some([5], **TAINT)], PlanPolicy()),
    "no node is listed": ([], PlanPolicy()),
}


@pytest.mark.parametrize("ownership", [Ownership.TRACKED, Ownership.EXCLUSIVE])
@pytest.mark.parametrize("case", OUT)
def test_b3_where_rules_put_every_node_out_no_serving_one_is_removed(case: str, ownership: Ownership) -> None:
    """Through a day of restarts and new leaders."""
    nodes, policy = OUT[case]
    policy = replace(policy, ownership=ownership)
    aws = Aws(record=frozenset(map(target, range(6))))
    aws.put(range(6))
    announced = {n.instance_id for n in nodes if n.leaving_taint}
    for hour in range(24):
        if hour % 3 == 0:
            aws.restart()
        planned = pass_once(aws, nodes, policy, NOON + 3600 * hour)
        gone = {each.id for each in planned.deregister}
        assert gone <= announced
    assert {target(n) for n in range(5)} <= aws.registered()
    assert planned.hold_id


@pytest.mark.parametrize("case", OUT)
def test_b3_in_add_only_they_stay_for_that_reason(case: str) -> None:
    nodes, policy = OUT[case]
    planned = decide(
        nodes, group(*(health(n) for n in range(6))), replace(policy, ownership=Ownership.ADD_ONLY)
    )
    assert planned.deregister == ()
    assert set(held(planned).values()) == {Why.ADD_ONLY}


@pytest.mark.parametrize("case", ["zones", "selector", "half by the selector, half by zones"])
@pytest.mark.parametrize("state", ["unhealthy", "initial", "unhealthy.draining", "unavailable"])
def test_b3_where_rules_put_every_node_out_idle_targets_are_held_too(case: str, state: str) -> None:
    nodes, policy = OUT[case]
    targets = [health(n, "healthy" if n < 2 else state) for n in range(6)]
    owned = frozenset(map(target, range(6)))
    first = decide(nodes, group(*targets, ours=owned), policy)
    assert first.deregister == ()
    assert set(held(first)) == owned
    confirmed = decide(nodes, group(*targets, ours=owned, confirmed=frozenset({first.hold_id})), policy)
    assert len(confirmed.deregister) == 5
    assert set(held(confirmed).values()) == {Why.LAST_SERVING}


@pytest.mark.parametrize("only_selected", [True, False])
def test_where_the_api_server_selects_no_node_idle_targets_are_held_too(*, only_selected: bool) -> None:
    targets = [health(n, "healthy" if n < 2 else "unhealthy") for n in range(6)]
    owned = frozenset(map(target, range(6)))
    planned = decide([], group(*targets, ours=owned), PlanPolicy(only_selected=only_selected))
    assert len(planned.deregister) == (0 if only_selected else 4)
    assert set(held(planned)) == owned - set(planned.deregister)


def test_b3_where_only_some_are_put_out_an_idle_one_leaves_at_once() -> None:
    targets = [health(0), health(1), health(2, "unhealthy")]
    nodes = [*some([0, 1]), *some([2], selected=False)]
    planned = decide(nodes, group(*targets, ours=frozenset({target(2)})))
    assert planned.deregister == (target(2),)


def test_b3_a_partial_list_removes_nothing() -> None:
    owned = frozenset(map(target, range(6)))
    actual = group(*(health(n) for n in range(6)), ours=owned)
    evaluation = evaluate(
        some(range(2), selected=False), registered_instances([actual]), NodePolicy(), complete=False
    )
    planned = plan(choose(evaluation, [actual], PlanPolicy()), actual, PlanPolicy(), NOON)
    assert planned.deregister == ()
    assert set(held(planned).values()) == {Why.NO_NODE_LIST}


def test_b3_the_floor_lets_them_go_once_enough_others_serve() -> None:
    """The selector moves to other nodes: the old ones leave together when the new ones are healthy."""
    old, new = range(4), range(10, 14)
    nodes = [*some(old, selected=False), *some(new)]
    aws = Aws(record=frozenset(map(target, old)))
    aws.put(old)
    gone: tuple[Target, ...] = ()
    for step in range(6):
        aws.tick(NOON + 30 * step)
        planned = pass_once(aws, nodes, PlanPolicy(), NOON + 30 * step)
        assert planned.deregister in {(), tuple(map(target, old))}
        assert aws.serving() >= 4
        gone += planned.deregister
    assert gone == tuple(map(target, old))
