"""The brake over ten minutes: each sentence of rule 2 by itself; tests/simulation plays its stories."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from syncer.decide.capacity import floor_of
from syncer.decide.policy import NodePolicy, PlanPolicy
from syncer.model import GroupMemory, NodeView, Target, Why
from tests.simulation.stories import LABEL, TAINT, ZONAL, some
from tests.unit.decide.world import NOON, Aws, decide, group, health, held, node, pass_once, target


@dataclass
class Three:
    """Two of three nodes leave, as the first plan sees it."""

    nodes: list[NodeView] = field(default_factory=lambda: [*some([0, 1], **TAINT), *some([2])])
    aws: Aws = field(default_factory=Aws)

    def __post_init__(self) -> None:
        self.aws.put(range(3))


def test_a_deadline_waits_for_the_share_at_most_a_minute() -> None:
    three = Three()
    first = pass_once(three.aws, three.nodes, PlanPolicy(), NOON)
    assert first.deregister == (target(0),)
    assert held(first) == {target(1): Why.SHARE}
    assert first.look_again_in == 60
    assert pass_once(three.aws, three.nodes, PlanPolicy(), NOON + 59).empty
    assert pass_once(three.aws, three.nodes, PlanPolicy(), NOON + 60).deregister == (target(1),)


def test_a_deletion_timestamp_counts_from_its_own_time_so_a_restart_forgets_nothing() -> None:
    nodes = [*some([0, 1], deleting_since=NOON - 61), *some([2])]
    aws = Aws()
    aws.put(range(3))
    assert pass_once(aws, nodes, PlanPolicy(), NOON).deregister == (target(0), target(1))


def test_a_label_has_no_deadline_and_waits_for_the_share() -> None:
    nodes = [*some([0, 1], **LABEL), *some([2])]
    aws = Aws()
    aws.put(range(3))
    pass_once(aws, nodes, PlanPolicy(), NOON)
    assert pass_once(aws, nodes, PlanPolicy(), NOON + 120).empty


def test_a_label_that_becomes_a_taint_waits_its_minute_from_then() -> None:
    aws = Aws()
    aws.put(range(3))
    pass_once(aws, [*some([0, 1], **LABEL), *some([2])], PlanPolicy(), NOON)
    tainted = [*some([0, 1], **TAINT), *some([2])]
    assert pass_once(aws, tainted, PlanPolicy(), NOON + 100).empty
    assert pass_once(aws, tainted, PlanPolicy(), NOON + 159).empty
    assert pass_once(aws, tainted, PlanPolicy(), NOON + 160).deregister == (target(1),)


def test_a_held_announced_target_is_still_announced_when_its_node_is_gone() -> None:
    three = Three()
    pass_once(three.aws, three.nodes, PlanPolicy(), NOON)
    assert pass_once(three.aws, some([2]), PlanPolicy(), NOON + 30).empty
    assert pass_once(three.aws, some([2]), PlanPolicy(), NOON + 60).deregister == (target(1),)


def test_what_is_overdue_goes_first_so_that_the_others_keep_their_share() -> None:
    overdue = some([0, 3], deleting_since=NOON - 61)
    nodes = [*overdue, node(4, **TAINT), *some([1, 2])]
    planned = decide(nodes, group(*(health(n) for n in range(5))))
    assert set(planned.deregister) == {target(0), target(3)}
    assert held(planned) == {target(4): Why.SHARE}


def test_deadlines_go_before_labels_and_labels_before_cordons() -> None:
    policy = PlanPolicy()
    kinds: list[dict[str, Any]] = [{"cordoned": True}, LABEL, TAINT, {}, {}]
    nodes = [node(n, **changes) for n, changes in enumerate(kinds)]
    actual = group(*(health(n) for n in range(5)))
    planned = decide(nodes, actual, policy, node_policy=NodePolicy(cordon_leaves=True))
    assert planned.deregister == (target(2), target(1))
    assert held(planned) == {target(0): Why.SHARE}


@pytest.mark.parametrize(
    ("base", "share", "floor"),
    [(0, 0.5, 1), (1, 0.5, 1), (3, 0.5, 2), (4, 0.5, 2), (100, 0.07, 7), (5, 1, 5)],
)
def test_the_floor_is_the_share_rounded_up_and_never_less_than_one(
    base: int, share: float, floor: int
) -> None:
    assert floor_of(base, share) == floor


def test_of_equal_urgency_they_go_from_each_zone_in_turn() -> None:
    nodes = [*some([0, 3, 6, 9, 1, 2], **TAINT), *some([4, 5, 7, 8])]
    planned = decide(nodes, group(*(health(n) for n in range(10))))
    assert {n.zone for n in nodes if target_of(n) in planned.deregister[:3]} == {
        "eu-central-1a",
        "eu-central-1b",
        "eu-central-1c",
    }


def target_of(view: NodeView) -> Target:
    assert view.instance_id is not None
    return Target(view.instance_id, 30080)


def test_doubtful_targets_go_all_together_where_enough_others_serve() -> None:
    owned = frozenset(map(target, range(10)))
    planned = decide(some(range(5, 10)), group(*(health(n) for n in range(10)), ours=owned))
    assert planned.deregister == tuple(map(target, range(5)))


def test_doubtful_targets_stay_all_together_where_too_few_would_serve() -> None:
    owned = frozenset(map(target, range(10)))
    planned = decide(some(range(6, 10)), group(*(health(n) for n in range(10)), ours=owned))
    assert planned.empty
    assert set(held(planned).values()) == {Why.SHARE}
    assert len(planned.held) == 6


def test_of_doubtful_targets_those_that_do_not_serve_go_at_once() -> None:
    owned = frozenset(map(target, range(10)))
    actual = group(*(health(n) for n in range(9)), health(9, "unhealthy"), ours=owned)
    planned = decide(some(range(2)), actual)
    assert planned.deregister == (target(9),)


def test_draining_targets_count_into_the_base_because_they_are_recent_removals() -> None:
    owned = frozenset(map(target, range(10)))
    draining = [health(n, "draining") for n in range(5)]
    actual = group(*draining, *(health(n) for n in range(5, 10)), ours=owned)
    planned = decide(some(range(6, 10)), actual)
    assert (planned.base, planned.floor, planned.serving) == (10, 5, 5)
    assert held(planned) == {target(5): Why.SHARE}


def test_what_has_drained_for_ten_minutes_counts_no_more_however_long_it_may_drain() -> None:
    aws = Aws(delay=3600)
    aws.put(range(12))
    nodes = [*some(range(12), **LABEL), *some(range(12, 20))]
    for second in range(0, 1300, 10):
        aws.tick(NOON + second)
        pass_once(aws, nodes, PlanPolicy(), NOON + second)
    assert aws.registered() == set(map(target, range(12, 20)))


def test_the_base_covers_ten_minutes_and_no_more() -> None:
    aws = Aws(delay=0)
    aws.put(range(10))
    everyone, half = some(range(10)), some(range(5))
    aws.record = frozenset(map(target, range(10)))
    pass_once(aws, everyone, PlanPolicy(), NOON)
    pass_once(aws, half, PlanPolicy(), NOON + 1)
    aws.tick(NOON + 1)
    assert pass_once(aws, half, PlanPolicy(), NOON + 2).base == 10
    fewer = pass_once(aws, half[:4], PlanPolicy(), NOON + 600)
    assert held(fewer) == {target(4): Why.SHARE}
    assert fewer.look_again_in == pytest.approx(2, abs=0.01)
    assert pass_once(aws, half[:4], PlanPolicy(), NOON + 603).deregister == (target(4),)


def test_what_served_until_it_was_seen_to_fall_is_remembered_from_then() -> None:
    aws = Aws()
    aws.put(range(10))
    pass_once(aws, some(range(10)), PlanPolicy(), NOON)
    aws.targets = {t: h for t, h in aws.targets.items() if t <= target(3)}
    bases = {at: pass_once(aws, some(range(4)), PlanPolicy(), NOON + at).base for at in (60, 659, 661)}
    assert bases == {60: 10, 659: 10, 661: 4}


def shrunk(aws: Aws, policy: PlanPolicy) -> float:
    """When zone a's leaving node went, in seconds, with passes only when the plan before asks for them.

    Zone a shrinks from four nodes to two at the start; the group is largest five minutes later.
    """
    aws.put(range(12))
    zone_a, zone_b = some(range(4), zone="a"), some(range(4, 20), zone="b")
    pass_once(aws, [*zone_a, *zone_b[:8]], policy, NOON)
    for gone in (2, 3):
        del aws.targets[target(gone)]
    pass_once(aws, [*zone_a[:2], *zone_b], policy, NOON + 300)
    leaving = [replace(zone_a[0], excluded=True), zone_a[1], *zone_b]
    now = NOON + 301
    while target(0) in aws.registered():
        assert now < NOON + 2000
        aws.tick(now)
        plan = pass_once(aws, leaving, policy, now)
        now += min(60, plan.look_again_in or 60)
    return aws.changed[target(0)] - NOON


def test_a_zones_share_is_asked_about_again_as_soon_as_its_base_sinks() -> None:
    assert shrunk(Aws(delay=0), PlanPolicy()) == 301
    assert shrunk(Aws(delay=0), ZONAL) == pytest.approx(900, abs=0.1)


def test_a_plan_made_just_when_the_base_sinks_asks_for_the_next_moment() -> None:
    aws = Aws(delay=0)
    aws.put(range(10))
    aws.record = frozenset(map(target, range(10)))
    pass_once(aws, some(range(10)), PlanPolicy(), NOON)
    del aws.targets[target(9)], aws.targets[target(8)]
    pass_once(aws, some(range(4)), PlanPolicy(), NOON)
    on_time = pass_once(aws, some(range(4)), PlanPolicy(), NOON + 600)
    assert on_time.empty
    assert on_time.look_again_in == pytest.approx(0, abs=0.01)
    assert on_time.look_again_in


def test_a_clock_that_jumps_back_holds_nothing_for_longer_than_the_window() -> None:
    aws = Aws(delay=0)
    aws.put(range(10))
    aws.record = frozenset(map(target, range(10)))
    pass_once(aws, some(range(10)), PlanPolicy(), NOON + 86400)
    aws.targets = {t: h for t, h in aws.targets.items() if t <= target(4)}
    pass_once(aws, some(range(5)), PlanPolicy(), NOON)
    assert pass_once(aws, some(range(4)), PlanPolicy(), NOON + 601).deregister == (target(4),)


class TestConfirm:
    """A held set of doubtful targets is let go by its id, and only this very set."""

    owned = frozenset(map(target, range(10)))
    full = group(*(health(n) for n in range(10)), ours=owned)

    def test_the_id_names_the_set(self) -> None:
        first, again = (decide(some(range(3)), self.full).hold_id for _ in range(2))
        assert first == again != ""
        assert decide(some(range(2)), self.full).hold_id != first

    def test_a_confirmed_set_goes(self) -> None:
        asked = decide(some(range(3)), self.full).hold_id
        planned = decide(some(range(3)), replace(self.full, confirmed=frozenset({asked})))
        assert planned.deregister == tuple(map(target, range(3, 10)))
        assert planned.hold_id == ""

    def test_another_set_does_not(self) -> None:
        asked = decide(some(range(3)), self.full).hold_id
        planned = decide(some(range(2)), replace(self.full, confirmed=frozenset({asked})))
        assert planned.empty
        assert planned.hold_id

    def test_the_last_serving_one_stays_even_so(self) -> None:
        asked = decide([], self.full).hold_id
        planned = decide([], replace(self.full, confirmed=frozenset({asked})))
        assert planned.deregister == tuple(map(target, range(9)))
        assert held(planned) == {target(9): Why.LAST_SERVING}

    def test_the_last_serving_one_stays_even_beside_others_that_do_not_serve(self) -> None:
        mixed = group(health(1), health(2), health(3), health(4, "initial"), ours=self.owned)
        nodes = [node(4)]
        asked = decide(nodes, mixed).hold_id
        planned = decide(nodes, replace(mixed, confirmed=frozenset({asked})))
        assert held(planned) == {target(3): Why.LAST_SERVING}

    def test_what_was_let_go_stays_let_go_when_the_group_cannot_be_read_for_a_while(self) -> None:
        asked = decide(some(range(3)), self.full).hold_id
        first = decide(some(range(3)), replace(self.full, confirmed=frozenset({asked})))
        rest = replace(self.full, targets={t: h for t, h in self.full.targets.items() if t != target(9)})
        unread = decide(some(range(3)), replace(rest, memory=first.memory, fresh=False))
        assert unread.empty
        after = decide(some(range(3)), replace(rest, memory=unread.memory))
        assert after.deregister == tuple(map(target, range(3, 9)))

    def test_what_was_let_go_and_is_wanted_again_is_asked_for_anew(self) -> None:
        asked = decide(some(range(3)), self.full).hold_id
        first = decide(some(range(3)), replace(self.full, confirmed=frozenset({asked})))
        again = decide(some(range(10)), replace(self.full, memory=first.memory))
        after = decide(some(range(3)), replace(self.full, memory=again.memory))
        assert after.empty
        assert after.hold_id == asked

    def test_what_was_let_go_stays_let_go_when_a_part_of_it_went_already(self) -> None:
        asked = decide(some(range(3)), self.full).hold_id
        first = decide(some(range(3)), replace(self.full, confirmed=frozenset({asked})))
        rest = group(
            *(health(n) for n in range(8)), health(8, "draining"), health(9, "draining"), ours=self.owned
        )
        after = decide(some(range(3)), replace(rest, memory=first.memory), now=NOON + 5)
        assert after.deregister == tuple(map(target, range(3, 8)))


def test_with_cross_zone_off_each_zone_keeps_its_share() -> None:
    nodes = [*some([0, 3], **TAINT), *some([6, 1, 2, 4, 5])]
    actual = group(*(health(n) for n in range(7)))
    assert decide(nodes, actual, PlanPolicy()).deregister == (target(0), target(3))
    planned = decide(nodes, actual, ZONAL)
    assert planned.deregister == (target(0),)
    assert held(planned) == {target(3): Why.SHARE}


def test_with_cross_zone_off_a_zone_that_cannot_spare_its_own_holds_up_no_other() -> None:
    # Zone c has one target, and its Node is gone; zone a can spare one of three.
    owned = frozenset(map(target, range(10)))
    actual = group(*(health(n) for n in (0, 3, 6, 1, 4, 2)), ours=owned)
    assert decide(some([0, 3, 1, 4]), actual, PlanPolicy()).deregister == (target(2), target(6))
    zones = {target(0).id: "a", target(3).id: "a", target(6).id: "a", target(2).id: "c"}
    known = replace(actual, memory=GroupMemory(zones=zones))
    planned = decide(some([0, 3, 1, 4], zone="a"), known, ZONAL)
    assert planned.deregister == (target(6),)
    assert held(planned) == {target(2): Why.SHARE}
    # A person may give the zone up.
    confirmed = replace(known, confirmed=frozenset({planned.hold_id}))
    assert decide(some([0, 3, 1, 4], zone="a"), confirmed, ZONAL).deregister == (target(6), target(2))


def test_the_zone_of_a_target_is_remembered_from_its_registration() -> None:
    aws = Aws()
    aws.put([0, 1, 3, 4])
    pass_once(aws, some(range(5)), ZONAL, NOON)
    assert held(pass_once(aws, some([0, 1, 3, 4]), ZONAL, NOON + 1)) == {target(2): Why.SHARE}


def test_a_zone_that_the_load_balancer_does_not_serve_keeps_no_share() -> None:
    policy = PlanPolicy(cross_zone=False, zones=frozenset({"eu-central-1a", "eu-central-1b"}))
    unused = [health(n, "unused", "Target.NotInUse") for n in (2, 5)]
    actual = group(*(health(n) for n in (0, 1, 3, 4)), *unused, ours=frozenset(map(target, range(6))))
    assert decide(some(range(6)), actual, policy).deregister == (target(2), target(5))


def test_where_none_is_healthy_those_of_a_zone_that_is_not_served_do_not_serve_either() -> None:
    nodes = [node(0, **LABEL), *some([2, 5])]
    unused = [health(n, "unused", "Target.NotInUse") for n in (2, 5)]
    assert held(decide(nodes, group(health(0, "unhealthy"), *unused))) == {target(0): Why.LAST_SERVING}


def test_a_group_without_a_listener_keeps_its_share_as_well() -> None:
    nodes = [*some(range(3), **LABEL), node(3)]
    actual = group(*(health(n, "unused", "Target.NotInUse") for n in range(4)))
    assert decide(nodes, actual).deregister == (target(0), target(1))


@pytest.mark.parametrize(("share", "going"), [(0.0, 9), (0.1, 9), (0.25, 7), (0.5, 5), (1.0, 0)])
def test_the_share_is_configurable(share: float, going: int) -> None:
    nodes = [*some(range(10), **LABEL)]
    planned = decide(nodes, group(*(health(n) for n in range(10))), PlanPolicy(share=share))
    assert len(planned.deregister) == going
