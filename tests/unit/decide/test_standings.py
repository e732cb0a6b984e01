"""The desired state and a listing from changes are those of a full computation, whatever changes."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.decide.desired import choose, final_verdicts, outcome, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.explanation import explanations
from syncer.decide.listing import _KEPT, Listing
from syncer.decide.next_action import Action
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.decide.standings import Standings, is_same_for_plans
from syncer.model import (
    GroupState,
    Intent,
    NodeView,
    Standing,
    Target,
    TargetGroupArn,
    TargetHealth,
    TargetState,
    Why,
)
from tests.unit.decide.world import NOON, PORT, instance, node

ZONES = ("", "eu-central-1a", "eu-central-1b")
REASONS = ("", "Target.NotInUse", "Target.NotRegistered", "Target.InvalidState")
OVERRIDES = ("", "unknown", "zonal_shift_active")
POLICIES = [
    PlanPolicy(),
    PlanPolicy(cross_zone=False),
    PlanPolicy(target_limit=3),
    PlanPolicy(target_limit=3, ownership=Ownership.EXCLUSIVE),
    PlanPolicy(zones=frozenset(ZONES[1:2]), only_selected=True),
]
COUNT = 8


def health(rng: random.Random) -> TargetHealth:
    return TargetHealth(
        target=Target(instance(rng.randrange(COUNT)), rng.choice([PORT, PORT, PORT + 1])),
        state=rng.choice([*[TargetState.HEALTHY] * 6, *TargetState]),
        reason=rng.choice([*REASONS[:1] * 8, *REASONS]),
        zone=rng.choice(ZONES),
        override=rng.choice([*OVERRIDES[:1] * 8, *OVERRIDES]),
    )


def view(rng: random.Random) -> NodeView:
    """A Node of any name; two Nodes may have the same instance, and a Node may get another one."""
    number = rng.randrange(COUNT)
    return node(
        number,
        instance_id=rng.choice([instance(number)] * 6 + [instance(rng.randrange(COUNT)), None]),
        ready=rng.random() < 0.7,
        selected=rng.random() < 0.9,
        cordoned=rng.random() < 0.1,
        deleting_since=rng.choice([None] * 6 + [NOON - rng.random()]),
        created=NOON - rng.randrange(3),
        zone=rng.choice(ZONES),
    )


class World:
    """Nodes and groups that change, with what is kept of them."""

    def __init__(self, rng: random.Random, policy: PlanPolicy, groups: int) -> None:
        self.rng, self.policy = rng, policy
        self.nodes: dict[str, NodeView] = {}
        self.listings = [Listing() for _ in range(groups)]
        self.standings = Standings(NodePolicy(cordon_leaves=True), policy, self.listings)
        self.states = [
            GroupState(target_group=TargetGroupArn(f"g{n}"), targets={}, fresh=True, port=PORT)
            for n in range(groups)
        ]

    def change(self) -> None:
        rng = self.rng
        new = view(rng)
        if rng.random() < 0.2:
            self.nodes.pop(new.name, None)
        elif rng.random() < 0.7:
            self.nodes[new.name] = new
        self.standings.put(new.name, self.nodes.get(new.name))
        at = rng.randrange(len(self.states))
        listing, state = self.listings[at], self.states[at]
        targets = dict(listing.targets)
        for _ in range(rng.choice([0, 0, 1, 3])):
            if rng.random() < 0.3 and targets:
                targets.pop(rng.choice(sorted(targets)))
            else:
                changed = health(rng)
                targets[changed.target] = changed
        listing.take(targets)
        self.states[at] = replace(
            state,
            targets=listing.targets,
            blind=rng.random() < 0.1,
            unsettled=rng.random() < 0.1,
            limit=rng.choice([None, None, None, 4]),
            port=rng.choice([PORT, PORT, PORT, None]),
            refused=frozenset({instance(rng.randrange(COUNT))} if rng.random() < 0.2 else ()),
            ours=frozenset(each for each in targets if rng.random() < 0.5),
        )
        self.standings.listed(listing.changed)
        listing.changed.clear()


@given(st.integers(0, 10**9), st.sampled_from(POLICIES), st.integers(1, 3))
def test_the_standings_after_any_changes_are_those_of_a_full_computation(
    seed: int, policy: PlanPolicy, groups: int
) -> None:
    rng = random.Random(seed)  # noqa: S311
    world = World(rng, policy, groups)
    for _ in range(25):
        for _ in range(rng.choice([1, 1, 2])):
            world.change()
        world.standings.decide()
        evaluation = evaluate(
            world.nodes.values(), registered_instances(world.states), NodePolicy(cordon_leaves=True)
        )
        full = choose(evaluation, world.states, policy)
        kept = world.standings.desired(world.states, complete=True)
        assert kept == full
        verdicts = final_verdicts(evaluation, full)
        assert sorted(world.standings.verdicts(), key=lambda v: v.node) == sorted(
            verdicts, key=lambda v: v.node
        )
        assert +world.standings.outcomes == Counter(map(outcome, verdicts))
        for state, listing in zip(world.states, world.listings, strict=True):
            assert plan(kept, state, policy, NOON, listing) == plan(full, state, policy, NOON)


@given(st.integers(0, 10**9))
def test_a_change_for_plans_is_noticed(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    world = World(rng, PlanPolicy(), 1)
    world.standings.desired(world.states, complete=True)
    for _ in range(25):
        before = dict(world.standings.intents)
        world.change()
        world.standings.decide()
        after = world.standings.intents
        same = before.keys() == after.keys() and all(is_same_for_plans(before[i], after[i]) for i in before)
        assert same or world.standings.changed
        world.standings.desired(world.states, complete=True)
        assert not world.standings.changed


def test_the_instances_of_a_zone_that_becomes_idle_are_decided_again() -> None:
    listing, policy = Listing(), PlanPolicy()
    standings = Standings(NodePolicy(), policy, [listing])
    nodes = [node(n, zone=ZONES[1 + n % 2]) for n in range(COUNT)]
    for each in nodes:
        standings.put(each.name, each)
    state = GroupState(target_group=TargetGroupArn("a"), targets={}, fresh=True, port=PORT)
    for reason, out in (("", 0), ("Target.NotInUse", COUNT // 2 - 1), ("", 0)):
        unused = TargetState.UNUSED if reason else TargetState.HEALTHY
        healths = [
            TargetHealth(target=Target(instance(0), PORT), state=TargetState.HEALTHY),
            TargetHealth(target=Target(instance(1), PORT), state=unused, reason=reason),
        ]
        listing.take({each.target: each for each in healths})
        state = replace(state, targets=listing.targets)
        standings.listed(listing.changed)
        standings.decide()
        kept = standings.desired([state], complete=True)
        assert kept == choose(evaluate(nodes, registered_instances([state]), NodePolicy()), [state], policy)
        assert sum(each.reason == "ZoneNotEnabled" for each in kept.intents.values()) == out


def test_a_step_decides_no_more_than_it_may() -> None:
    standings = Standings(NodePolicy(), PlanPolicy())
    for number in range(COUNT):
        standings.put(f"node-{number}", node(number))
    standings.decide(3)
    assert (len(standings.intents), len(standings.outdated)) == (3, COUNT - 3)


def test_99_000_nodes_over_the_quota_are_counted_and_the_first_ones_named() -> None:
    count, places = 3000, 20
    listing = Listing()
    standings = Standings(NodePolicy(), PlanPolicy(target_limit=places), [listing])
    for number in range(count):
        standings.put(f"node-{number}", node(number))
    standings.decide()
    state = GroupState(target_group=TargetGroupArn("a"), targets={}, fresh=True, port=PORT)
    wanted = standings.desired([state], complete=True)
    planned = plan(wanted, state, PlanPolicy(target_limit=places), NOON)
    assert len(planned.register) == places
    assert len(planned.held) + planned.more_over_quota == count - places
    assert len(planned.held) <= 100
    gone = next(each for each in standings.nodes.values() if each.instance_id in wanted.wanted)
    standings.put(gone.name, None)
    standings.decide()
    after = standings.desired([state], complete=True)
    (successor,) = after.wanted - wanted.wanted
    zones = {each.instance_id: each.zone for each in standings.nodes.values()}
    assert successor == next(each for each in wanted.next_in_line if zones[each] == gone.zone)


def test_a_node_without_a_place_is_explained_whether_a_plan_names_it_or_not() -> None:
    nodes, policy = [node(n) for n in range(130)], PlanPolicy(target_limit=5)
    state = GroupState(target_group=TargetGroupArn("a"), targets={}, fresh=True, port=PORT)
    evaluation = evaluate(nodes, frozenset(), NodePolicy())
    wanted = choose(evaluation, [state], policy)
    planned = plan(wanted, state, policy, NOON)
    assert planned.more_over_quota == 25
    told = explanations(evaluation, wanted, [state], [planned], {})
    actions = Counter((each.groups[0].next, each.groups[0].why, each.groups[0].port) for each in told)
    assert actions == {(Action.REGISTER, None, PORT): 5, (Action.HOLD, Why.QUOTA, PORT): 125}


SAME = Intent(standing=Standing.IN, reason="Ready")


@pytest.mark.parametrize(
    "other",
    [
        None,
        replace(SAME, standing=Standing.OUT),
        replace(SAME, reason="KeptNotReady"),
        replace(SAME, zone="a"),
        replace(SAME, deadline=True),
        replace(SAME, since=1.0),
    ],
)
def test_plans_depend_on_every_part_of_an_intent_but_the_source_of_its_zone(other: Intent | None) -> None:
    assert not is_same_for_plans(SAME, other)
    assert is_same_for_plans(SAME, replace(SAME, zone_source="aws"))


@given(st.integers(0, 10**9))
def test_a_listing_from_changes_is_the_one_of_its_targets(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    kept, targets = Listing(), dict[Target, TargetHealth]()
    for _ in range(25):
        before = {i: (kept.is_registered(i), kept.zone(i)) for i in map(instance, range(COUNT))}
        for _ in range(rng.choice([0, 1, 4])):
            new = health(rng)
            if rng.random() < 0.4:
                targets.pop(new.target, None)
            else:
                targets[new.target] = new
        kept.changed.clear()
        kept.take(dict(targets))
        full = Listing(targets)
        assert kept.changed == {i for i in before if before[i] != (full.is_registered(i), full.zone(i))}
        assert (kept.targets, kept._comparable()) == (full.targets, full._comparable())
        for each in map(instance, range(COUNT)):
            assert (kept.zone(each), kept.is_registered(each)) == (full.zone(each), full.is_registered(each))


@given(st.integers(0, 10**9))
def test_a_comparison_from_changes_is_the_difference_of_both_sets(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    kept, targets = Listing(), dict[Target, TargetHealth]()
    for _ in range(15):
        for new in [health(rng) for _ in range(rng.choice([0, 1, 4]))]:
            targets[new.target] = new
            if rng.random() < 0.4:
                del targets[new.target]
        kept.take(dict(targets))
        wanted = frozenset(i for i in map(instance, range(COUNT)) if rng.random() < 0.7)
        ours = frozenset(health(rng).target for _ in range(rng.choice([0, 1, 4])))
        record, port = kept.beside_record(ours), rng.choice([PORT, PORT + 1])
        assert (record.beyond, record.lacking) == (kept.registered - ours, set(ours - kept.registered))
        own, here = kept.beside_wanted(wanted, port), kept.on_port.get(port, set())
        assert (own.beyond, own.lacking) == (here - wanted, set(wanted - here))
        assert not kept.repair()


@pytest.mark.parametrize("name", _KEPT)
def test_a_wrong_listing_is_found_and_corrected(name: str) -> None:
    rng = random.Random(1)  # noqa: S311
    targets = {each.target: each for each in (health(rng) for _ in range(40))}
    listing = Listing(targets)
    listing.beside_wanted(frozenset(), PORT)
    listing.changed.clear()
    assert not listing.repair()
    if name == "_wanted":
        listing.beside_wanted(frozenset(), PORT).beyond.clear()
    else:
        setattr(listing, name, type(getattr(listing, name))())
    assert listing.repair()
    assert (listing.repair(), listing.changed) == (False, {each.id for each in targets})
