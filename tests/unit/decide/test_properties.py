"""What holds of every plan, whatever the nodes, the group and the history."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.decide.desired import choose, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.model import (
    InstanceId,
    NodeView,
    Standing,
    Target,
    TargetHealth,
)
from tests.unit.decide.world import NOON, PORT, Aws, decide, health, held, node, target

KINDS: list[dict[str, Any]] = [
    {},
    {"ready": False},
    {"leaving_taint": "karpenter.sh/disrupted"},
    {"deleting_since": NOON - 30},
    {"excluded": True},
    {"selected": False},
    {"instance_id": None},
]
STATES = [
    ("initial", "Elb.RegistrationInProgress"),
    ("healthy", ""),
    ("healthy", ""),
    ("unhealthy", "Target.FailedHealthChecks"),
    ("unhealthy.draining", "Target.FailedHealthChecks"),
    ("draining", "Target.DeregistrationInProgress"),
    ("unused", "Target.InvalidState"),
    ("unused", "Target.NotInUse"),
    ("unused", "Target.NotRegistered"),
]


@st.composite
def node_lists(draw: st.DrawFn) -> list[NodeView]:
    numbers = draw(st.lists(st.integers(0, 14), unique=True, max_size=12))
    return [node(n, **draw(st.sampled_from(KINDS))) for n in numbers]


@st.composite
def target_lists(draw: st.DrawFn) -> list[TargetHealth]:
    wanted = draw(st.lists(st.integers(0, 19), unique=True, max_size=14))
    old = draw(st.lists(st.integers(0, 14), unique=True, max_size=3))
    return [
        *(health(n, *draw(st.sampled_from(STATES))) for n in wanted),
        *(health(n, *draw(st.sampled_from(STATES)), port=30099) for n in old),
    ]


POLICIES = st.builds(
    PlanPolicy,
    ownership=st.sampled_from(Ownership),
    share=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    target_limit=st.sampled_from([None, None, 3, 6]),
    cross_zone=st.booleans(),
)


def aws_with(targets: Sequence[TargetHealth], recorded: frozenset[Target]) -> Aws:
    aws = Aws(record=recorded)
    aws.targets = {h.target: h for h in targets}
    aws.dead = {h.target.id for h in targets if h.reason == "Target.InvalidState"}
    return aws


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[NodeView], Aws, PlanPolicy]:
    targets = draw(target_lists())
    recorded = frozenset(h.target for h in targets if draw(st.booleans()))
    return draw(node_lists()), aws_with(targets, recorded), draw(POLICIES)


def judged(nodes: list[NodeView], aws: Aws, standing: Standing) -> set[InstanceId]:
    intents = evaluate(nodes, registered_instances([aws.read()]), NodePolicy()).instances
    return {i for i, intent in intents.items() if intent.standing is standing}


@settings(max_examples=75, deadline=None)
@given(worlds(), st.sampled_from([None, PORT, PORT, PORT]), st.booleans(), st.booleans())
def test_whatever_is_not_as_it_should_be_is_sent_or_held_and_never_both(
    world: tuple[list[NodeView], Aws, PlanPolicy], port: int | None, fresh: bool, complete: bool
) -> None:
    nodes, aws, policy = world
    state = replace(aws.read(), port=port, fresh=fresh)
    evaluation = evaluate(nodes, registered_instances([state]), NodePolicy(), complete=complete)
    desired = choose(evaluation, [state], policy)
    planned = plan(desired, state, policy, NOON)
    wanted = {Target(i, port) for i in desired.wanted} if port else set()
    known = {t for t in aws.registered() if port is None and t.id in desired.wanted}
    assert set(planned.register).isdisjoint(aws.registered())
    assert set(planned.deregister) <= aws.registered()
    assert set(planned.deregister).isdisjoint(wanted)
    sent, kept = {*planned.register, *planned.deregister}, set(held(planned))
    assert len(planned.register) + len(planned.deregister) == len(sent)
    assert sent.isdisjoint(kept)
    assert wanted ^ (aws.registered() - known) <= sent | kept
    if not (fresh and complete):
        assert planned.deregister == ()


@settings(max_examples=40, deadline=None)
@given(worlds(), st.randoms())
def test_a_plan_depends_on_nothing_but_its_arguments(
    world: tuple[list[NodeView], Aws, PlanPolicy], random: Random
) -> None:
    nodes, aws, policy = world
    state = aws.read()
    first = decide(nodes, state, policy)
    shuffled_nodes, shuffled = nodes[:], list(state.targets.items())
    random.shuffle(shuffled_nodes)
    random.shuffle(shuffled)
    assert decide(shuffled_nodes, replace(state, targets=dict(shuffled)), policy) == first


def test_a_node_that_comes_moves_at_most_one_other_out_of_the_quota() -> None:
    for new in range(100, 130):
        state = Aws().read()
        policy = PlanPolicy(target_limit=6)
        nodes = [node(n, zone="a") for n in range(20)]
        before = set(decide(nodes, state, policy).register)
        after = set(decide([*nodes, node(new, zone="a")], state, policy).register)
        assert after - before <= {target(new)}
        assert len(before - after) <= 1
