"""The safety rules that every plan obeys, one sentence each."""

from dataclasses import replace
from typing import Any

import pytest

from syncer.decide.desired import choose
from syncer.decide.evaluate import evaluate
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.model import GroupState, NodeView, Target, TargetHealth, Why
from tests.unit.decide.world import (
    HTTP,
    HTTPS,
    NOON,
    PORT,
    decide,
    group,
    health,
    held,
    node,
    target,
)

TRACKED = PlanPolicy(ownership=Ownership.TRACKED)
EXCLUSIVE = PlanPolicy(ownership=Ownership.EXCLUSIVE)
ADD_ONLY = PlanPolicy(ownership=Ownership.ADD_ONLY)
GONE_AWAY = {"leaving_taint": "karpenter.sh/disrupted"}


def of(numbers: range | list[int], **changes: object) -> list[NodeView]:
    return [node(n, **changes) for n in numbers]


def healthy(numbers: range | list[int], port: int = PORT) -> list[TargetHealth]:
    return [health(n, port=port) for n in numbers]


def test_a_ready_node_that_is_no_target_is_registered_on_the_groups_port() -> None:
    planned = decide(of([1, 2]), group(port=31000))
    assert planned.register == (target(1, 31000), target(2, 31000))
    assert planned.deregister == ()


def test_a_group_that_holds_what_is_wanted_gets_an_empty_plan() -> None:
    planned = decide(of(range(5)), group(*healthy(range(5))))
    assert planned.empty
    assert planned.held == ()


def test_nothing_is_deregistered_before_a_complete_node_list_was_read() -> None:
    planned = decide(None, group(*healthy(range(4)), ours=frozenset(map(target, range(4)))), EXCLUSIVE)
    assert planned.empty
    assert held(planned) == dict.fromkeys(map(target, range(4)), Why.NO_NODE_LIST)


def test_a_part_of_the_node_list_registers_but_removes_nothing() -> None:
    actual = group(*healthy([1, 2, 3]))
    evaluation = evaluate(
        [node(1), node(2, **GONE_AWAY), node(9)], {target(1).id}, NodePolicy(), complete=False
    )
    planned = plan(choose(evaluation, [actual], EXCLUSIVE), actual, EXCLUSIVE, NOON)
    assert planned.register == (target(9),)
    assert planned.deregister == ()
    assert held(planned) == {target(2): Why.NO_NODE_LIST, target(3): Why.NO_NODE_LIST}


def test_a_draining_target_that_is_wanted_again_is_registered_again() -> None:
    planned = decide(of([1, 2]), group(health(1, "draining"), health(2)))
    assert planned.register == (target(1),)


def test_an_unhealthy_draining_target_is_registered_and_left_alone() -> None:
    planned = decide(of([1, 2]), group(health(1, "unhealthy.draining"), health(2)))
    assert planned.empty


def test_a_target_that_aws_calls_not_registered_is_registered() -> None:
    planned = decide(of([1]), group(health(1, "unused", "Target.NotRegistered")))
    assert planned.register == (target(1),)


@pytest.mark.parametrize("reason", ["Target.NotInUse", "Target.InvalidState", "Target.IpUnusable"])
def test_an_unused_target_of_any_other_reason_is_not_registered_again(reason: str) -> None:
    assert decide(of([1]), group(health(1, "unused", reason))).empty


def test_a_leaving_node_is_deregistered_while_enough_others_serve() -> None:
    planned = decide([node(0, **GONE_AWAY), *of([1, 2])], group(*healthy(range(3))))
    assert planned.deregister == (target(0),)


def test_a_node_that_turns_not_ready_keeps_its_target() -> None:
    assert decide(of(range(3), ready=False), group(*healthy(range(3)))).empty


def test_the_last_serving_target_stays_although_its_node_leaves() -> None:
    planned = decide([node(1, **GONE_AWAY)], group(health(1)))
    assert planned.empty
    assert held(planned) == {target(1): Why.LAST_SERVING}


def test_the_last_registered_target_stays_even_if_it_does_not_serve() -> None:
    planned = decide([node(1, **GONE_AWAY)], group(health(1, "unused", "Target.InvalidState")))
    assert held(planned) == {target(1): Why.LAST_SERVING}


def test_a_target_that_does_not_serve_goes_at_once() -> None:
    nodes = [node(0, **GONE_AWAY), node(1, **GONE_AWAY), node(2)]
    planned = decide(nodes, group(health(0, "unhealthy"), health(1, "initial"), health(2)))
    assert planned.deregister == (target(0), target(1))


def test_without_a_healthy_target_all_serve_because_aws_fails_open() -> None:
    nodes = [*of([0, 1, 2], **GONE_AWAY), node(3)]
    planned = decide(nodes, group(*(health(n, "unhealthy") for n in range(4))))
    assert planned.deregister == (target(0), target(1))
    assert held(planned) == {target(2): Why.SHARE}


def test_a_stopped_instance_does_not_serve_even_where_aws_fails_open() -> None:
    nodes = [node(0, **GONE_AWAY), node(1)]
    planned = decide(nodes, group(health(0, "unhealthy"), health(1, "unused", "Target.InvalidState")))
    assert held(planned) == {target(0): Why.LAST_SERVING}


def test_after_a_failed_read_nothing_is_removed_and_new_nodes_are_registered() -> None:
    nodes = [node(0, **GONE_AWAY), *of([1, 2, 3])]
    planned = decide(nodes, group(*healthy(range(3)), fresh=False))
    assert planned.register == (target(3),)
    assert planned.deregister == ()
    assert held(planned) == {target(0): Why.SHARE}


def test_without_a_port_nothing_is_registered_and_nothing_wanted_is_removed() -> None:
    nodes = [node(0, **GONE_AWAY), *of([1, 2, 3])]
    owned = frozenset(map(target, range(3)))
    planned = decide(nodes, group(*healthy(range(3)), port=None, ours=owned))
    assert planned.register == ()
    assert planned.deregister == (target(0),)


def test_a_target_removed_by_another_writer_is_registered_again() -> None:
    before = group(*healthy(range(3)), ours=frozenset(map(target, range(3))))
    del (targets := dict(before.targets))[target(1)]
    assert decide(of(range(3)), replace(before, targets=targets)).register == (target(1),)


class TestOwnership:
    def test_a_foreign_target_survives_in_tracked(self) -> None:
        planned = decide(of(range(3)), group(*healthy(range(4))), TRACKED)
        assert planned.empty
        assert held(planned) == {target(3): Why.FOREIGN}

    def test_a_recorded_target_whose_node_is_gone_is_removed_in_tracked(self) -> None:
        owned = frozenset(map(target, range(4)))
        assert decide(of(range(3)), group(*healthy(range(4)), ours=owned), TRACKED).deregister == (target(3),)

    def test_what_sits_on_our_port_with_a_node_of_ours_is_adopted_on_sight(self) -> None:
        seen = decide(of(range(4)), group(*healthy(range(4))), TRACKED)
        assert seen.ours == frozenset(map(target, range(4)))
        later = group(*healthy(range(4)), ours=seen.ours)
        assert decide(of(range(3)), later, TRACKED).deregister == (target(3),)

    def test_a_node_of_ours_on_another_port_is_foreign_unless_recorded(self) -> None:
        actual = group(*healthy(range(3)), health(0, port=9999))
        assert held(decide(of(range(3)), actual, TRACKED)) == {target(0, 9999): Why.FOREIGN}

    def test_a_node_that_the_selector_leaves_to_others_is_not_adopted(self) -> None:
        nodes = [*of(range(3)), node(3, selected=False)]
        planned = decide(nodes, group(*healthy(range(4))), TRACKED)
        assert planned.empty
        assert held(planned) == {target(3): Why.FOREIGN}

    def test_a_leaving_node_met_right_after_a_start_is_ours(self) -> None:
        nodes = [*of(range(3)), node(3, **GONE_AWAY)]
        assert decide(nodes, group(*healthy(range(4))), TRACKED).deregister == (target(3),)

    def test_a_foreign_target_is_removed_in_exclusive(self) -> None:
        assert decide(of(range(3)), group(*healthy(range(4))), EXCLUSIVE).deregister == (target(3),)

    def test_in_exclusive_foreign_targets_stay_until_one_of_our_own_is_healthy(self) -> None:
        ours_starting = [health(0, "initial"), health(1, "unhealthy")]
        planned = decide(
            of(range(2)), group(*ours_starting, *healthy([7]), health(8, "unhealthy")), EXCLUSIVE
        )
        assert planned.empty
        assert held(planned) == {target(7): Why.FOREIGN, target(8): Why.FOREIGN}

    def test_in_exclusive_they_do_not_wait_for_ever_where_they_take_the_places_of_our_own(self) -> None:
        full = group(health(0), health(7, "unhealthy"), health(8, "unhealthy"), health(9, "unhealthy"))
        planned = decide(of(range(1)), full, replace(EXCLUSIVE, target_limit=3))
        assert planned.deregister == (target(7), target(8), target(9))

    def test_in_exclusive_this_holds_for_a_leaving_nodes_foreign_target_too(self) -> None:
        nodes = [node(0), node(5, **GONE_AWAY)]
        starting = group(health(0, "initial"), health(5, port=9999), *healthy([7]))
        assert held(decide(nodes, starting, EXCLUSIVE)) == {
            target(5, 9999): Why.FOREIGN,
            target(7): Why.FOREIGN,
        }
        settled = group(*healthy([0]), health(5, port=9999), *healthy([7]))
        assert target(5, 9999) in decide(nodes, settled, EXCLUSIVE).deregister

    def test_add_only_removes_nothing(self) -> None:
        nodes = [node(0, **GONE_AWAY), *of([1, 2])]
        owned = frozenset(map(target, range(4)))
        planned = decide(nodes, group(*healthy(range(4)), ours=owned), ADD_ONLY)
        assert planned.empty
        assert held(planned) == {target(0): Why.ADD_ONLY, target(3): Why.ADD_ONLY}

    def test_the_record_holds_what_will_be_registered_before_it_is(self) -> None:
        assert decide(of([1]), group()).ours == {target(1)}

    def test_a_target_leaves_the_registry_when_it_is_gone_and_not_when_it_drains(self) -> None:
        owned = frozenset({target(1), target(2), target(3)})
        planned = decide([], group(health(1), health(2, "draining"), ours=owned))
        assert planned.ours == {target(1), target(2)}

    def test_a_failed_read_strikes_nothing_off_the_record(self) -> None:
        owned = frozenset({target(1), target(2)})
        assert decide([], group(health(1), ours=owned, fresh=False)).ours == owned


def test_a_plan_does_not_depend_on_the_order_of_nodes_and_targets() -> None:
    nodes = [*of(range(20)), *of(range(20, 40), **GONE_AWAY)]
    targets = healthy(range(10, 45))
    forward = decide(nodes, group(*targets), EXCLUSIVE)
    assert decide(nodes[::-1], group(*targets[::-1]), EXCLUSIVE) == forward


def test_two_groups_with_different_contents_end_with_the_same_instances() -> None:
    nodes = [*of(range(6)), node(6, ready=False), node(7, **GONE_AWAY)]
    http = group(*healthy([0, 1, 6, 7]))
    https = GroupState(target_group=HTTPS, targets={}, fresh=True, port=30443)
    evaluation = evaluate(nodes, {target(6).id, target(0).id}, NodePolicy())
    desired = choose(evaluation, [http, https], TRACKED)
    plans = [plan(desired, actual, TRACKED, NOON) for actual in (http, https)]
    ends = [
        ({t.id for t in actual.targets} | {t.id for t in p.register}) - {t.id for t in p.deregister}
        for actual, p in zip((http, https), plans, strict=True)
    ]
    assert ends[0] == ends[1] == {target(n).id for n in range(7)}
    assert plans[0].target_group == HTTP


def test_a_contested_target_is_left_alone_either_way() -> None:
    aside = {target(0): Why.CONTESTED, target(9): Why.CONTESTED}
    planned = decide(of([1, 2, 9]), group(*healthy(range(3)), ours=frozenset({target(0)}), set_aside=aside))
    assert planned.empty
    assert held(planned) == aside


@pytest.mark.parametrize("fault", [{"set_aside": {target(0): Why.CONTESTED}}, {}])
def test_b4_a_conflict_holds_back_no_announced_removal(fault: dict[str, Any]) -> None:
    for leaving in (GONE_AWAY, {"excluded": True}):
        planned = decide([node(0, **leaving), *of([1, 2])], group(*healthy(range(3)), **fault))
        assert planned.deregister == (target(0),)


def test_l2_a_target_that_aws_refuses_to_deregister_is_held_and_not_about_to_leave() -> None:
    stuck = frozenset({target(0)})
    planned = decide([node(0, **GONE_AWAY), *of([1, 2])], group(*healthy(range(3)), stuck=stuck))
    assert planned.empty
    assert held(planned) == {target(0): Why.POISON}


def test_a_poisoned_target_is_held_and_the_others_get_through() -> None:
    planned = decide(of([1, 2]), group(set_aside={target(1): Why.POISON}))
    assert planned.register == (target(2),)
    assert held(planned) == {target(1): Why.POISON}


def test_a_poisoned_target_that_leaves_is_still_deregistered() -> None:
    nodes = [node(0, **GONE_AWAY), *of([1, 2])]
    planned = decide(nodes, group(*healthy(range(3)), set_aside={target(0): Why.POISON}))
    assert planned.deregister == (Target(target(0).id, PORT),)
