"""Where nodes outnumber the places: a stable subset, even over the zones, the same in every group."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from syncer.decide.desired import choose
from syncer.decide.evaluate import evaluate
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.decide.quota import Queues
from syncer.decide.quota import subset as subset_of
from syncer.model import Desired, GroupState, InstanceId, NodeView, Standing, Why
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

NODES = [node(n) for n in range(12)]


def chosen(nodes: list[NodeView], policy: PlanPolicy, *groups: GroupState) -> Desired:
    return choose(evaluate(nodes, set(), NodePolicy()), groups or (group(),), policy)


def zoned(**sizes: int) -> dict[InstanceId, str]:
    return {instance(100 * z + n): zone for z, (zone, size) in enumerate(sizes.items()) for n in range(size)}


def subset(zones: Mapping[InstanceId, str], places: int) -> frozenset[InstanceId]:
    return subset_of(Queues(zones), places)


def dealt(places: int, **sizes: int) -> dict[str, int]:
    zones = zoned(**sizes)
    return dict(Counter(zones[i] for i in subset(zones, places)))


def test_all_nodes_have_a_place_where_there_are_enough() -> None:
    assert chosen(NODES, PlanPolicy(target_limit=12)).over_quota == frozenset()


def test_the_rest_are_held_and_reported() -> None:
    plan = decide(NODES, group(), PlanPolicy(target_limit=9))
    assert len(plan.register) == 9
    assert list(held(plan).values()) == [Why.QUOTA] * 3


def test_what_aws_refuses_keeps_no_place_from_a_node_that_it_would_take() -> None:
    policy = PlanPolicy(target_limit=9)
    before = chosen(NODES, policy)
    refused = frozenset(sorted(before.wanted)[:2])
    after = chosen(NODES, policy, group(refused=refused), group())
    assert len(after.wanted) == 9
    assert after.wanted > before.wanted - refused
    assert after.over_quota > refused
    many = frozenset(sorted(before.wanted)[:5])
    assert len(chosen(NODES, policy, group(refused=many)).wanted & many) == 2
    assert chosen(NODES, PlanPolicy(target_limit=12), group(refused=many)).over_quota == frozenset()


def test_places_are_dealt_evenly_to_the_zones() -> None:
    assert dealt(6, a=10, b=10, c=10) == {"a": 2, "b": 2, "c": 2}
    assert dealt(7, a=10, b=1, c=10) == {"a": 3, "b": 1, "c": 3}
    assert sorted(dealt(5, a=2, b=3, c=4).values()) == [1, 2, 2]
    assert dealt(20, a=4, b=4) == {"a": 4, "b": 4}


def test_a_node_that_comes_to_one_zone_moves_no_place_between_zones() -> None:
    for places in range(1, 12):
        before = subset(zoned(a=5, b=5, c=5), places)
        for zone in "abc":
            after = subset(zoned(a=5, b=5, c=5) | {instance(777): zone}, places)
            zones = {i: zone for i, zone in zoned(a=5, b=5, c=5).items() if i in before - after}
            assert set(zones.values()) <= {zone}


def test_zero_places_choose_nobody() -> None:
    assert subset(zoned(a=3), 0) == frozenset()


def test_a_node_that_goes_leaves_its_place_to_one_other_and_moves_nobody() -> None:
    zones = zoned(a=20, b=20)
    before = subset(zones, 8)
    for gone in zones:
        rest = {i: zone for i, zone in zones.items() if i != gone}
        assert before - {gone} <= subset(rest, 8)


def test_the_choice_prefers_neither_low_ids_nor_names() -> None:
    zones = zoned(a=40)
    assert subset(zones, 20) != frozenset(sorted(zones)[:20])


def test_every_group_gets_the_choice_of_the_one_with_the_least_room() -> None:
    roomy = group()
    learnt = GroupState(target_group=HTTPS, targets={}, fresh=True, port=30443, limit=5)
    found = chosen(NODES, PlanPolicy(target_limit=9), roomy, learnt)
    assert len(found.wanted) == 5
    assert len(found.over_quota) == 7


def test_foreign_targets_take_places_and_our_own_do_not() -> None:
    ours = [health(n) for n in range(4)]
    foreign = [health(n) for n in (50, 51)]
    found = chosen(NODES, PlanPolicy(target_limit=9), group(*ours, *foreign))
    assert len(found.wanted) == 7


def test_in_exclusive_they_take_none_because_they_go() -> None:
    """Else each that another writer adds to a full group would push one of our own out, and in again."""
    actual = group(*(health(n) for n in [*range(4), 50]))
    policy = PlanPolicy(ownership=Ownership.EXCLUSIVE, target_limit=4)
    assert decide(NODES[:4], actual, policy).deregister == (target(50),)


def test_while_a_groups_port_is_not_known_its_targets_take_no_place_from_the_others() -> None:
    http = group(*(health(n) for n in range(12)))
    https = replace(http, target_group=HTTPS, port=None)
    assert chosen(NODES, PlanPolicy(target_limit=20), http, https).over_quota == frozenset()


def test_a_learnt_limit_counts_like_a_said_one() -> None:
    plan = decide(NODES, group(limit=3))
    assert len(plan.register) == 3


def test_a_full_group_swaps_the_displaced_for_the_chosen_one_at_a_time() -> None:
    policy = PlanPolicy(target_limit=6)
    choice = chosen(NODES, policy).wanted
    inside = [n for n in range(12) if instance(n) in choice]
    outside = [n for n in range(12) if instance(n) not in choice]
    actual = group(*(health(n) for n in [*inside[:4], *outside[:2]]))
    plan = decide(NODES, actual, policy)
    assert plan.register == ()
    assert len(plan.deregister) == 1
    assert plan.deregister[0].id not in choice
    assert set(held(plan).values()) == {Why.QUOTA}


def test_what_drains_beside_its_successors_does_not_stop_the_swaps_of_a_full_group() -> None:
    policy = PlanPolicy(target_limit=2)
    choice = sorted(chosen(NODES, policy).wanted)
    inside = [n for n in range(12) if instance(n) == choice[0]]
    outside = [n for n in range(12) if instance(n) not in choice][:2]
    actual = group(health(inside[0]), health(outside[0]), health(outside[1], "draining"))
    plan = decide(NODES, actual, policy)
    assert (plan.base, plan.floor) == (2, 1)
    assert plan.deregister == (target(outside[0]),)


def test_a_limit_set_far_too_low_empties_no_group() -> None:
    actual = group(*(health(n) for n in range(12)))
    plan = decide(NODES, actual, PlanPolicy(target_limit=2))
    assert plan.empty
    assert list(held(plan).values()) == [Why.SHARE] * 10


def test_nor_does_it_step_by_step_while_a_chosen_node_waits_for_a_place() -> None:
    # Those that are beyond the limit free no place for anybody: this is no swap, and nobody announced it.
    aws = Aws()
    aws.put(range(100))
    policy = PlanPolicy(target_limit=2)
    nodes = [node(n) for n in range(130)]
    for second in range(0, 1300, 20):
        aws.tick(NOON + second)
        plan = pass_once(aws, nodes, policy, NOON + second)
    assert aws.serving() == 100
    assert plan.hold_id
    assert Why.SHARE in held(plan).values()


def test_what_a_group_had_before_its_limit_was_lowered_counts_for_ten_minutes() -> None:
    aws = Aws(delay=0)
    aws.put(range(12))
    nodes = [node(n) for n in range(12)]
    pass_once(aws, nodes, PlanPolicy(), NOON)
    assert len(pass_once(aws, nodes, PlanPolicy(target_limit=6), NOON + 1).deregister) == 6
    aws.tick(NOON + 2)
    after = pass_once(aws, nodes, PlanPolicy(target_limit=6), NOON + 2)
    assert (after.serving, after.base, after.floor) == (6, 12, 6)


def test_a_target_without_a_place_stays_while_aws_refuses_the_one_that_is_to_have_it() -> None:
    policy = PlanPolicy(target_limit=6)
    choice = chosen(NODES, policy).wanted
    inside = [n for n in range(12) if instance(n) in choice]
    outside = next(n for n in range(12) if instance(n) not in choice)
    full = group(*(health(n) for n in [*inside[:5], outside]))
    refused = replace(full, set_aside={target(inside[5]): Why.POISON})
    plan = decide(NODES, refused, policy)
    assert plan.empty
    assert held(plan)[target(outside)] is Why.QUOTA
    assert decide(NODES, full, policy).deregister == (target(outside),)


def test_a_limit_set_a_little_lower_is_obeyed() -> None:
    actual = group(*(health(n) for n in range(12)))
    assert len(decide(NODES, actual, PlanPolicy(target_limit=10)).deregister) == 2


class TestZones:
    policy = PlanPolicy(zones=frozenset({"eu-central-1a", "eu-central-1b"}))

    def test_a_node_in_a_zone_that_the_load_balancer_does_not_serve_is_out(self) -> None:
        found = chosen(NODES, self.policy)
        assert {found.intents[i].reason for i in found.intents if i not in found.wanted} == {"ZoneNotEnabled"}
        assert found.intents[instance(2)].standing is Standing.OUT
        assert len(found.wanted) == 8

    def test_a_node_of_unknown_zone_is_given_the_benefit_of_the_doubt(self) -> None:
        assert instance(1) in chosen([node(1, zone="")], self.policy).wanted

    def test_its_unused_target_goes_at_once(self) -> None:
        actual = group(
            health(0), health(1), health(2, "unused", "Target.NotInUse"), ours=frozenset({target(2)})
        )
        assert decide(NODES[:3], actual, self.policy).deregister == (target(2),)


class TestZonesThatNobodyNamed:
    """Without NLB_SYNC_ZONES the zones show by what AWS leaves unused; one witness a zone stays."""

    unused = tuple(health(n, "unused", "Target.NotInUse") for n in (2, 5, 8))
    used = tuple(health(n) for n in (0, 1, 3, 4))

    def test_nodes_of_an_idle_zone_are_out_but_for_a_witness(self) -> None:
        found = chosen(NODES, PlanPolicy(), group(*self.unused, *self.used))
        out = {i for i, intent in found.intents.items() if intent.reason == "ZoneNotEnabled"}
        idle = {instance(n) for n in (2, 5, 8, 11)}
        assert out < idle
        assert len(idle - out) == 1
        assert found.wanted == {n.instance_id for n in NODES} - out

    def test_the_witness_keeps_the_others_out_for_good(self) -> None:
        actual = group(*self.unused, *self.used, ours=frozenset(h.target for h in self.unused))
        first = decide(NODES, actual)
        assert len(first.deregister) == 2
        rest = [h for h in self.unused if h.target not in first.deregister]
        again = decide(NODES, group(*rest, *self.used))
        assert again.deregister == ()
        assert {t.id for t in again.register}.isdisjoint(instance(n) for n in (2, 5, 8, 11))

    def test_a_witness_in_use_lets_the_whole_zone_in(self) -> None:
        witness = [health(2)]
        assert not chosen(NODES, PlanPolicy(), group(*witness, *self.used)).wanted ^ {
            n.instance_id for n in NODES
        }

    def test_a_group_without_a_listener_says_nothing_about_zones(self) -> None:
        assert len(chosen(NODES, PlanPolicy(), group(*self.unused)).wanted) == len(NODES)

    def test_nor_does_it_where_one_of_its_instances_is_stopped(self) -> None:
        stopped = health(0, "unused", "Target.InvalidState")
        assert len(chosen(NODES, PlanPolicy(), group(stopped, *self.unused)).wanted) == len(NODES)

    def test_nor_does_it_beside_a_group_that_has_one(self) -> None:
        """That group has just been told of the zone's targets: AWS knows nothing of them yet."""
        joining = [health(n, "initial", "Elb.RegistrationInProgress") for n in (2, 5, 8)]
        without = [health(n, "unused", "Target.NotInUse", 30443) for n in range(9)]
        groups = (group(*self.used, *joining), group(*without, target_group=HTTPS, port=30443))
        assert len(chosen(NODES, PlanPolicy(), *groups).wanted) == len(NODES)

    def test_nor_does_it_beside_one_that_may_not_be_read(self) -> None:
        believed = [health(n, "unavailable") for n in (0, 1)]
        without = [health(n, "unused", "Target.NotInUse", 30443) for n in range(9)]
        groups = (group(*believed, blind=True), group(*without, target_group=HTTPS, port=30443))
        assert len(chosen(NODES, PlanPolicy(), *groups).wanted) == len(NODES)
