"""What holds of series of plans, whatever the nodes, the group and the history."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.decide.desired import choose, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.model import (
    GroupPlan,
    GroupState,
    NodeView,
    Standing,
    Target,
    TargetHealth,
    TargetState,
    Urgency,
    Why,
)
from tests.unit.decide.test_properties import aws_with, judged, node_lists, target_lists, worlds
from tests.unit.decide.world import HTTPS, NOON, PORT, Aws, held, node, pass_once


def run_to_rest(nodes: list[NodeView], aws: Aws, policy: PlanPolicy) -> GroupPlan:
    """Passes until nothing is sent any more; what is held is confirmed, waits are waited out."""
    now, idle = NOON, 0
    while idle < 16:  # longer than targets drain and the brake remembers, one after the other
        assert now < NOON + 120 * 61, "no rest in two hours"
        aws.tick(now)
        planned = pass_once(aws, nodes, policy, now)
        aws.confirmed = frozenset({planned.hold_id} - {""})
        idle = idle + 1 if planned.empty else 0
        now += 61
    return planned


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_applied_plans_reach_what_is_wanted_and_then_a_plan_is_empty(
    world: tuple[list[NodeView], Aws, PlanPolicy],
) -> None:
    nodes, aws, policy = world
    foreign = {t for t in aws.registered() if t not in aws.record}
    last = run_to_rest(nodes, aws, replace(policy, target_limit=None, share=min(policy.share, 0.5)))
    wanted = {Target(i, PORT) for i in judged(nodes, aws, Standing.IN)}
    registered = aws.registered()
    assert wanted <= registered
    for extra in registered - wanted:
        why = held(last)[extra]
        if why is Why.FOREIGN:
            assert extra in foreign
            assert policy.ownership is Ownership.TRACKED or not any(_alive(aws, t) for t in wanted)
        elif why is Why.ADD_ONLY:
            assert policy.ownership is Ownership.ADD_ONLY
        elif why is Why.AWAITING_SUCCESSOR:
            assert not _alive(aws, Target(extra.id, PORT))
        else:
            assert why is Why.LAST_SERVING or not any(_alive(aws, t) for t in registered - {extra})


def _alive(aws: Aws, asked: Target) -> bool:
    return asked.id not in aws.dead


@settings(max_examples=40, deadline=None)
@given(worlds(), st.lists(st.integers(0, 700), min_size=1, max_size=6), st.data())
def test_no_plan_lowers_serving_targets_below_what_the_brake_allows(
    world: tuple[list[NodeView], Aws, PlanPolicy], pauses: list[int], data: st.DataObject
) -> None:
    nodes, aws, policy = world
    now, seen = NOON, list[tuple[float, int]]()
    for pause in pauses:
        now += pause
        if pause > 30:
            nodes = data.draw(node_lists())
        if data.draw(st.integers(0, 4), label="restart at 0") == 0:
            aws.restart()
            seen.clear()
        aws.tick(now)
        before = aws.read()
        planned = pass_once(aws, nodes, policy, now)
        serving = _serving(before)
        serves = {t.id for t in serving}
        going = serves - {t.id for t in serving.difference(planned.deregister)}
        draining = {t.id for t, h in before.targets.items() if h.state is TargetState.DRAINING}
        seen.append((now, len(serves | draining)))
        base = max(count for when, count in seen if when >= now - 600)
        if policy.target_limit is not None:
            base = min(base, max(policy.target_limit, sum(h.registered for h in before.targets.values())))
        floor = max(1, -int(-policy.share * base // 1))
        left = len(serves) - len(going)
        overdue = {
            i
            for i in going
            if (notice := planned.memory.announced.get(i)) is not None
            and notice.urgency is Urgency.DEADLINE
            and now - notice.since >= 60
        }
        if going:
            assert left >= 1
            assert left >= floor or (overdue and len(going - overdue) <= max(0, len(serves) - floor))
        if planned.deregister:
            assert set(aws.registered()) - set(planned.register), "a group was emptied"


def _serving(state: GroupState) -> set[Target]:
    """The brake's own words, written a second time."""
    listed = {t: h for t, h in state.targets.items() if h.registered}
    healthy = {t for t, h in listed.items() if h.state is TargetState.HEALTHY}
    return healthy or {t for t, h in listed.items() if h.reason != "Target.InvalidState"}


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_foreign_targets_survive_in_tracked(world: tuple[list[NodeView], Aws, PlanPolicy]) -> None:
    nodes, aws, policy = world
    named = judged(nodes, aws, Standing.IN) | judged(nodes, aws, Standing.LEAVING)
    foreign = {t for t in aws.registered() - aws.record if t.port != PORT or t.id not in named}
    run_to_rest(nodes, aws, replace(policy, ownership=Ownership.TRACKED, share=min(policy.share, 0.5)))
    assert foreign <= aws.registered()


@settings(max_examples=25, deadline=None)
@given(node_lists(), target_lists(), target_lists(), st.sampled_from([None, 3, 6]))
def test_groups_of_one_syncer_end_with_the_same_instances(
    nodes: list[NodeView], http: list[TargetHealth], https: list[TargetHealth], limit: int | None
) -> None:
    policy = PlanPolicy(ownership=Ownership.EXCLUSIVE, target_limit=limit)
    groups = [aws_with(http, frozenset()), aws_with(https, frozenset())]
    groups[1].arn, groups[0].dead, groups[1].dead = HTTPS, set(), set()
    now, idle = NOON, 0
    while idle < 16:
        assert now < NOON + 120 * 61, "no rest in two hours"
        states = []
        for aws in groups:
            aws.tick(now)
            aws.targets = {t: replace(h, reason="") for t, h in aws.targets.items()}
            states.append(aws.read())
        desired = choose(evaluate(nodes, registered_instances(states), NodePolicy()), states, policy)
        plans = [plan(desired, state, policy, now) for state in states]
        for aws, planned in zip(groups, plans, strict=True):
            aws.apply(planned, now)
            aws.confirmed = frozenset({planned.hold_id} - {""})
        idle = idle + 1 if all(planned.empty for planned in plans) else 0
        now += 61
    for aws, planned in zip(groups, plans, strict=True) if desired.wanted else ():
        if Why.FOREIGN in held(planned).values():  # full before one of ours came: nobody may go (rule 6)
            assert limit is not None
            assert len(aws.registered()) >= limit
            assert not aws.registered() & {Target(i, PORT) for i in desired.wanted}
        else:
            assert {t.id for t in aws.registered()} == desired.wanted


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 40), unique=True, min_size=8, max_size=20),
    st.integers(2, 7),
    st.lists(st.integers(0, 40), unique=True, max_size=7),
)
def test_a_full_group_changes_its_nodes_and_its_port_without_a_refused_call(
    numbers: list[int], limit: int, before: list[int]
) -> None:
    aws = Aws(limit=limit)
    aws.put(before[:limit], port=30099)
    aws.record = frozenset(aws.targets)
    policy = PlanPolicy(target_limit=limit)
    nodes = [node(n) for n in numbers]
    run_to_rest(nodes, aws, policy)
    assert len(aws.registered()) == limit
    assert {t.port for t in aws.registered()} == {PORT}
    assert {t.id for t in aws.registered()} <= {n.instance_id for n in nodes}
