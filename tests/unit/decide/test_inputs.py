"""Changes of a group that leave the desired state as it is: certain, or it is computed again."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.decide.desired import choose, final_verdicts, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.inputs import inputs_of, is_same_for_plans, is_unaffected
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.model import Desired, GroupState, Target, TargetGroupArn, TargetHealth, TargetState, Verdict
from tests.unit.decide.world import PORT, instance, node

ZONES = ("", "eu-central-1a", "eu-central-1b")
REASONS = ("", "Target.NotInUse", "Target.NotRegistered")
POLICIES = [
    PlanPolicy(),
    PlanPolicy(target_limit=3),
    PlanPolicy(target_limit=3, ownership=Ownership.EXCLUSIVE),
    PlanPolicy(zones=frozenset(ZONES[1:2])),
]


def health(rng: random.Random, n: int, port: int) -> TargetHealth:
    return TargetHealth(
        target=Target(instance(n), port),
        state=rng.choice(list(TargetState)),
        reason=rng.choice([*REASONS[:1] * 8, *REASONS]),
        zone=rng.choice(ZONES),
    )


def group(rng: random.Random, name: str) -> GroupState:
    listed = [health(rng, n, port) for n in range(6) for port in (PORT, 30081) if rng.random() < 0.5]
    return GroupState(
        target_group=TargetGroupArn(name),
        targets={each.target: each for each in listed},
        fresh=True,
        port=PORT,
        blind=rng.random() < 0.1,
        unsettled=rng.random() < 0.1,
        refused=frozenset({instance(rng.randrange(6))} if rng.random() < 0.2 else ()),
        ours=frozenset(each.target for each in listed if rng.random() < 0.5),
    )


def changed(rng: random.Random, state: GroupState) -> GroupState:
    """Like a write or a read: some targets in another state, some gone, sometimes more than that."""
    targets = dict(state.targets)
    for _ in range(rng.choice([1, 1, 2])):
        new = health(rng, rng.randrange(6), PORT)
        if rng.random() < 0.3:
            targets.pop(new.target, None)
        else:
            targets[new.target] = new
    other = group(rng, state.target_group)
    if rng.random() < 0.2:
        return replace(other, targets=targets)
    return replace(state, targets=targets, ours=rng.choice([state.ours, other.ours]))


def desired(rng: random.Random, states: list[GroupState], policy: PlanPolicy) -> Desired:
    nodes = [node(n, ready=rng.random() < 0.6, zone=ZONES[1 + n % 2]) for n in range(5)]
    return choose(evaluate(nodes, registered_instances(states), NodePolicy()), states, policy)


@given(st.integers(0, 10**9))
def test_final_verdicts_with_an_earlier_result_are_those_without(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    known: tuple[Verdict, ...] = ()
    for _ in range(10):
        nodes = [
            node(
                n,
                ready=rng.random() < 0.6,
                zone=rng.choice(ZONES[1:]),
                instance_id=instance(rng.randrange(3)),
            )
            for n in range(4)
        ]
        states, policy = [group(rng, "a")], rng.choice(POLICIES)
        evaluation = evaluate(nodes, registered_instances(states), NodePolicy())
        wanted = choose(evaluation, states, policy)
        again = final_verdicts(evaluation, wanted, known)
        known = final_verdicts(evaluation, wanted)
        assert again == known


@given(st.integers(0, 10**9), st.sampled_from(POLICIES), st.integers(1, 4))
def test_a_desired_state_that_is_kept_is_the_one_that_would_be_computed(
    seed: int, policy: PlanPolicy, count: int
) -> None:
    rng = random.Random(seed)  # noqa: S311
    for _ in range(20):
        states = [group(rng, f"g{n}") for n in range(count)]
        nodes_seed = rng.random()
        before = desired(random.Random(nodes_seed), states, policy)  # noqa: S311
        after = changed(rng, states[0])
        known, new = inputs_of(states[0], policy), inputs_of(after, policy)
        others = [inputs_of(each, policy) for each in states[1:]]
        if is_unaffected(before, known, new, others):
            again = desired(random.Random(nodes_seed), [after, *states[1:]], policy)  # noqa: S311
            assert again == before
            assert is_same_for_plans(before, again)


def test_a_second_group_that_follows_the_first_changes_nothing() -> None:
    joined = {
        Target(instance(1), PORT): TargetHealth(
            target=Target(instance(1), PORT), state=TargetState.INITIAL, zone=ZONES[1]
        )
    }
    empty = GroupState(target_group=TargetGroupArn("a"), targets={}, fresh=True, port=PORT)
    full = replace(empty, targets=joined)
    policy = PlanPolicy()
    known = choose(
        evaluate([node(1)], registered_instances([full, empty]), NodePolicy()), [full, empty], policy
    )
    before, after = inputs_of(empty, policy), inputs_of(full, policy)
    assert is_unaffected(known, before, after, [inputs_of(full, policy)])
    assert not is_unaffected(known, before, after, [before])


@pytest.mark.parametrize("part", ["wanted", "over_quota", "complete", "all_out", "unsettled"])
def test_plans_depend_on_every_part_of_the_desired_state_but_the_source_of_a_zone(part: str) -> None:
    one = choose(evaluate([node(1)], frozenset(), NodePolicy()), [], PlanPolicy())
    other: dict[str, Any] = {part: {"wanted": frozenset(), "over_quota": one.wanted}.get(part)}
    if other[part] is None:
        other = {part: not getattr(one, part)}
    assert not is_same_for_plans(one, replace(one, **other))
    (intent,) = one.intents.values()
    changes: list[tuple[dict[str, Any], bool]] = [({"zone_source": "aws"}, True), ({"zone": "x"}, False)]
    for change, same in [*changes, ({"deadline": True}, False)]:
        assert is_same_for_plans(one, replace(one, intents={instance(1): replace(intent, **change)})) is same
