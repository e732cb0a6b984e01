"""Make before break: a target on an old port goes after its successor on the new one serves (rule 4)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from syncer.decide.desired import choose
from syncer.decide.evaluate import evaluate
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.decide.quota import by_weight
from syncer.model import GroupPlan, GroupState, Target, TargetHealth, TargetState, Why
from tests.unit.decide.world import (
    HTTP,
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

OLD, NEW = 30099, 30080
NODES = [node(n) for n in range(3)]
RECORD = frozenset(target(n, OLD) for n in range(3))


def old(numbers: range | list[int] = range(3), state: str = "healthy") -> list[TargetHealth]:
    return [health(n, state, port=OLD) for n in numbers]


def new(states: str) -> list[TargetHealth]:
    words = {"h": "healthy", "i": "initial", "u": "unhealthy", "d": "draining"}
    return [health(n, words[s], port=NEW) for n, s in enumerate(states) if s != "-"]


def planned(*targets: TargetHealth, policy: PlanPolicy | None = None) -> GroupPlan:
    return decide(NODES, group(*targets, ours=RECORD), policy)


def test_a_changed_port_registers_the_new_targets_and_keeps_the_old_ones() -> None:
    plan = planned(*old())
    assert plan.register == tuple(target(n, NEW) for n in range(3))
    assert plan.deregister == ()
    assert held(plan) == dict.fromkeys(RECORD, Why.AWAITING_SUCCESSOR)


def test_an_old_target_goes_when_its_own_successor_is_healthy() -> None:
    plan = planned(*old(), *new("hiu"))
    assert plan.deregister == (target(0, OLD),)
    assert set(held(plan)) == {target(1, OLD), target(2, OLD)}


def test_an_old_target_that_does_not_serve_waits_for_its_successor_too() -> None:
    assert planned(*old([0, 1]), *old([2], "unhealthy"), *new("iii")).empty


def test_all_old_targets_go_when_all_new_ones_are_healthy() -> None:
    assert planned(*old(), *new("hhh")).deregister == tuple(sorted(RECORD))


def later(state: GroupState, first: GroupPlan, seconds: float) -> GroupPlan:
    return decide(
        NODES,
        group(*state.targets.values(), ours=RECORD, memory=first.memory),
        now=NOON + seconds,
    )


def test_the_wait_for_a_successor_is_bounded_by_five_minutes() -> None:
    state = group(*old(), *new("hhu"), ours=RECORD)
    first = decide(NODES, state)
    assert first.look_again_in == 300
    assert target(2, OLD) in held(later(state, first, 299))
    assert target(2, OLD) in later(state, first, 300).deregister


@pytest.mark.parametrize(
    "seen", [{"fresh": False}, {"ours": frozenset()}], ids=["a failed read", "a standby"]
)
def test_the_wait_goes_on_meanwhile_whatever_else_keeps_the_old_target(seen: dict[str, Any]) -> None:
    state = group(*old(), *new("hhu"), ours=RECORD)
    first = decide(NODES, state)
    meanwhile = decide(NODES, replace(state, memory=first.memory, **seen), now=NOON + 200)
    assert meanwhile.empty
    assert target(2, OLD) in later(state, meanwhile, 300).deregister


def test_an_instance_that_serves_on_both_ports_counts_once() -> None:
    plan = planned(*old(), *new("hhh"))
    assert (plan.serving, plan.base, plan.floor) == (3, 3, 2)


def test_an_instance_whose_old_target_drains_while_the_new_one_serves_counts_once() -> None:
    plan = planned(*old(state="draining"), *new("hhh"))
    assert (plan.serving, plan.base, plan.floor) == (3, 3, 2)


def test_where_no_new_target_is_healthy_the_old_ones_stay_for_the_check_is_at_fault() -> None:
    state = group(*old(), *new("uuu"), ours=RECORD)
    assert later(state, decide(NODES, state), 3600).empty


@pytest.mark.parametrize("why", [Why.POISON, Why.CONTESTED])
def test_a_successor_that_aws_refuses_or_another_writer_removes_is_waited_for_as_long(why: Why) -> None:
    state = group(*old(), *new("hhd"), ours=RECORD, set_aside={target(2, NEW): why})
    first = decide(NODES, state)
    waiting = replace(state, memory=first.memory)
    assert target(2, OLD) in held(decide(NODES, waiting, now=NOON + 299))
    assert target(2, OLD) in decide(NODES, waiting, now=NOON + 300).deregister


def test_a_successor_whose_registration_does_not_get_through_is_waited_for_without_end() -> None:
    state = group(*old(), *new("hhd"), ours=RECORD)
    plan = later(state, decide(NODES, state), 3600)
    assert target(2, NEW) in plan.register
    assert target(2, OLD) not in plan.deregister


def test_the_wait_for_a_successor_begins_when_it_is_registered() -> None:
    late = decide(NODES, group(*old(), *new("hh"), ours=RECORD), now=NOON)
    state = group(*old(), *new("hhi"), ours=RECORD, memory=late.memory)
    first = decide(NODES, state, now=NOON + 290)
    assert target(2, OLD) in held(later(state, first, 589))
    assert target(2, OLD) in later(state, first, 590).deregister


def test_in_exclusive_old_targets_are_replaced_though_the_record_was_lost() -> None:
    policy = PlanPolicy(ownership=Ownership.EXCLUSIVE)
    unrecorded = group(*old(), *new("hii"))
    assert decide(NODES, unrecorded, policy).deregister == (target(0, OLD),)


def test_the_old_target_of_a_leaving_node_goes_with_its_node() -> None:
    nodes = [node(0, leaving_taint="karpenter.sh/disrupted"), *NODES[1:]]
    assert decide(nodes, group(*old(), ours=RECORD)).deregister == (target(0, OLD),)


# What the Service says every five seconds: the NodePort from each of these moments on.
PORTS = [
    ("changed once", {0: 30099, 60: 30080}),
    ("changed twice before the first is healthy", {0: 30099, 60: 30081, 70: 30080}),
    ("changed and back before the new ones are healthy", {0: 30080, 60: 30099, 70: 30080}),
    ("changed and back while the old ones drain", {0: 30080, 60: 30099, 120: 30080}),
    ("unknown for a while, then another", {0: 30099, 60: None, 400: 30080}),
    ("unknown for a while, then the same", {0: 30080, 60: None, 400: 30080}),
]


@pytest.mark.parametrize(("story", "ports"), PORTS, ids=[name.replace(" ", "-") for name, _ in PORTS])
@pytest.mark.parametrize("policy", [PlanPolicy(), PlanPolicy(cross_zone=False)], ids=["group", "zones"])
def test_a_moving_port_costs_no_instance_and_leaves_nothing_behind(
    story: str, ports: dict[int, int | None], policy: PlanPolicy
) -> None:
    aws = Aws(port=ports[0])
    aws.put(range(3), port=ports[0] or 0)
    aws.record = frozenset(aws.targets)
    for second in range(0, 900, 5):
        aws.port = ports.get(second, aws.port)
        aws.tick(NOON + second)
        plan = pass_once(aws, NODES, policy, NOON + second)
        assert len({t.id for t, h in aws.targets.items() if h.state is TargetState.HEALTHY}) == 3, story
        if second in ports and aws.port is not None:
            assert aws.registered() >= {target(n, aws.port) for n in range(3)}  # in the same pass
    assert aws.registered() == {target(n, NEW) for n in range(3)}
    assert plan.empty
    assert plan.held == ()


def test_ports_that_two_groups_swap_are_followed_by_each_for_itself() -> None:
    groups = [Aws(HTTP, port=30080), Aws(HTTPS, port=30443)]
    for aws in groups:
        aws.put(range(3), port=aws.port or 0)
        aws.record = frozenset(aws.targets)
    groups[0].port, groups[1].port = groups[1].port, groups[0].port
    for second in range(60):
        for aws in groups:
            aws.tick(NOON + second)
            pass_once(aws, NODES, PlanPolicy(), NOON + second)
            assert len({t.id for t, h in aws.targets.items() if h.state is TargetState.HEALTHY}) == 3
    assert [{t.port for t in aws.registered()} for aws in groups] == [{30443}, {30080}]


class TestAtTheQuota:
    policy = PlanPolicy(target_limit=4)

    def test_the_order_turns_round_one_step_at_a_time(self) -> None:
        aws = Aws(limit=4, delay=1e6)
        aws.put(range(4), port=OLD)
        aws.record = frozenset(aws.targets)
        nodes = [node(n) for n in range(4)]
        for second in range(0, 4000, 40):
            aws.tick(NOON + second)
            before = len(aws.registered())
            plan = pass_once(aws, nodes, self.policy, NOON + second)
            assert len(plan.deregister) <= 1 or before > 4
            assert not (plan.register and plan.deregister)
            assert aws.serving() >= 2
        assert aws.registered() == {target(n, NEW) for n in range(4)}

    def test_the_next_removal_waits_until_the_last_steps_registration_succeeded(self) -> None:
        three = group(*old(), ours=RECORD)
        nodes = [node(n) for n in range(4)]
        plan = decide(nodes, three, self.policy)
        assert len(plan.register) == 1
        assert plan.deregister == ()

    def test_a_new_port_that_nobody_answers_costs_three_places_and_not_the_group(self) -> None:
        assert self.moved(sick=lambda _: True).serving() == 17

    def test_a_node_on_which_the_new_port_is_not_answered_keeps_the_others_waiting_for_five_minutes(
        self,
    ) -> None:
        first: list[Target] = []

        def is_sick(new: Target) -> bool:
            first.append(new)
            return new == first[0]

        aws = self.moved(sick=is_sick)
        assert aws.serving() == 19
        assert {t.port for t in aws.registered()} == {NEW}

    def test_a_node_that_is_sick_on_both_ports_keeps_nobody_waiting(self) -> None:
        aws = Aws(limit=20)

        def dies(new: Target) -> bool:
            aws.dead = aws.dead or {new.id}
            return False

        self.moved(sick=dies, aws=aws, lasts=1200)
        assert {t.port for t in aws.registered()} == {NEW}
        assert aws.serving() == 19

    def test_in_exclusive_no_foreign_target_makes_way_before_one_of_our_own_is_healthy(self) -> None:
        policy = replace(self.policy, ownership=Ownership.EXCLUSIVE)
        full = group(*old(), health(9), ours=frozenset({target(9)}))
        assert decide(NODES, replace(full, set_aside={target(9): Why.CONTESTED}), policy).empty

    def test_a_zone_that_is_not_served_keeps_nobody_waiting_though_it_is_the_smallest(self) -> None:
        full = group(*old([0, 1, 3]), health(2, "unused", "Target.NotInUse", port=NEW))
        nodes = [node(n) for n in range(4)]
        plan = decide(nodes, replace(full, ours=frozenset(full.targets)), self.policy)
        assert plan.deregister == (target(0, OLD),)

    def moved(self, sick: Callable[[Target], bool], aws: Aws | None = None, lasts: int = 3600) -> Aws:
        """A full group of 20 whose port changed; targets on the new one that are `sick` are not healthy."""
        policy = PlanPolicy(target_limit=20)
        nodes = [node(n) for n in range(20)]
        aws = aws or Aws(limit=20)
        aws.put(range(20), port=OLD)
        aws.record = frozenset(aws.targets)
        for second in range(0, lasts, 10):
            aws.tick(NOON + second)
            aws.targets |= {
                t: replace(h, state=TargetState.UNHEALTHY)
                for t, h in sorted(aws.targets.items(), key=lambda each: aws.changed.get(each[0], 0))
                if t.port == NEW and sick(t)
            }
            pass_once(aws, nodes, policy, NOON + second)
        return aws

    def test_where_nothing_is_healthy_the_port_is_changed_all_the_same(self) -> None:
        aws = Aws(limit=4, dead=set(map(instance, range(4))))
        aws.put(range(4), "unhealthy", port=OLD)
        aws.record = frozenset(aws.targets)
        for second in range(0, 1200, 5):
            aws.tick(NOON + second)
            pass_once(aws, [node(n) for n in range(4)], self.policy, NOON + second)
        assert aws.registered() == {target(n, NEW) for n in range(4)}

    def test_with_cross_zone_off_a_zone_of_one_node_gets_its_successor_before_the_others(self) -> None:
        policy = PlanPolicy(target_limit=6, cross_zone=False)
        alone = by_weight(map(instance, range(7)))[-1]  # the last to get a free place
        zones = {instance(n): "c" if instance(n) == alone else "ab"[n % 2] for n in range(7)}
        nodes = [node(n, zone=zones[instance(n)]) for n in range(7)]
        wanted = choose(evaluate(nodes, set(), NodePolicy()), [group()], policy).wanted
        aws = Aws(limit=6)
        aws.put((n for n in range(7) if instance(n) in wanted), port=OLD)
        aws.record = frozenset(aws.targets)
        for second in range(0, 1200, 5):
            aws.tick(NOON + second)
            pass_once(aws, nodes, policy, NOON + second)
            assert aws.serving() >= 3
        assert aws.registered() == {Target(i, NEW) for i in wanted}
        assert alone in wanted

    def test_a_step_is_five_percent_of_many_places(self) -> None:
        nodes = [node(n) for n in range(100)]
        full = [health(n, port=OLD) for n in range(100)]
        plan = decide(
            nodes, group(*full, ours=frozenset(h.target for h in full)), PlanPolicy(target_limit=100)
        )
        assert len(plan.deregister) == 5
        assert plan.register == ()
