"""Backoffs and refusals: nothing is tried tightly, nothing waits for ever."""

import random
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncer.decide.nodes import node_view
from syncer.decide.policy import NodePolicy
from syncer.model import InstanceId, NodeView, Target, TargetHealth, TargetState
from syncer.reconcile.backoff import Backoff
from syncer.reconcile.observed_state import ObservedState
from syncer.reconcile.quarantine import Refusals


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311


@given(st.integers(0, 1000), st.integers(1, 30))
def test_a_backoff_doubles_to_its_cap_with_jitter_in_its_upper_half(seed: int, failures: int) -> None:
    backoff = Backoff(seeded(seed), base=1.0, cap=30.0)
    waits = [backoff.next() for _ in range(failures)]
    for number, wait in enumerate(waits):
        full = min(30.0, 2.0**number)
        assert full / 2 <= wait <= full
    backoff.reset()
    assert backoff.next() <= 1.0
    assert backoff.next(slow=True) >= 15.0


BAD, GOOD = Target(InstanceId("i-bad"), 80), Target(InstanceId("i-good"), 80)


def test_a_refused_target_is_set_aside_for_longer_each_time_and_no_longer_than_15_minutes() -> None:
    refusals = Refusals(seeded(1))
    now, waits = 0.0, []
    for _ in range(12):
        refusals.refuse([BAD], now, {})
        waits.append(refusals.releases(now)[BAD])
        now += waits[-1]
    assert 30 <= waits[0] <= 36
    assert waits[-1] == 900
    refusals.refuse([BAD, GOOD], now, {})
    assert refusals.releases(now).keys() == {BAD, GOOD}
    refusals.accepted([GOOD])
    assert refusals.releases(now).keys() == {BAD}
    assert refusals.releases(now + 901) == {}


def a_node(**changes: Any) -> NodeView:
    view = node_view({"metadata": {"name": "n"}}, NodePolicy())
    return replace(view, **{"ready": True, "ready_since": 5.0, **changes})


def test_a_refusal_is_forgotten_when_the_node_turns_ready_or_is_another_one() -> None:
    for change in ({"ready_since": 6.0}, {"name": "another"}, {"created": 9.0}):
        refusals = Refusals(seeded(1))
        refusals.refuse([BAD], 0.0, {BAD.id: a_node()})
        refusals.look({BAD.id: a_node()}, 1.0)
        assert refusals.releases(1.0)
        refusals.look({BAD.id: a_node(**change)}, 1.0)
        assert not refusals.releases(1.0)


def test_a_node_that_turns_not_ready_and_ready_again_is_tried_again() -> None:
    refusals = Refusals(seeded(1))
    refusals.refuse([BAD], 0.0, {BAD.id: a_node()})
    refusals.look({BAD.id: replace(a_node(), ready=False, ready_since=None)}, 1.0)
    assert refusals.releases(1.0)
    refusals.look({BAD.id: a_node()}, 2.0)
    assert not refusals.releases(2.0)


def test_the_refusal_of_a_node_that_is_gone_is_kept_until_its_time_is_over() -> None:
    refusals = Refusals(seeded(1))
    refusals.refuse([BAD], 0.0, {BAD.id: a_node()})
    refusals.look({}, 1.0)
    assert refusals.releases(1.0)
    refusals.look({}, 100.0)
    assert not refusals.instances


def test_at_most_16_calls_a_minute_are_spent_on_finding_bad_targets() -> None:
    refusals = Refusals(seeded(1))
    assert [refusals.may_search(10.0, calls=2) for _ in range(9)] == [True] * 8 + [False]
    assert refusals.may_search(71.0, calls=2)


def listed(target: Target, state: TargetState) -> TargetHealth:
    return TargetHealth(target=target, state=state)


def test_a_write_is_drawn_over_reads_that_do_not_show_it_for_a_minute() -> None:
    actual = ObservedState()
    actual.read(0.0, [listed(BAD, TargetState.HEALTHY)])
    actual.registered([GOOD], 11.0)
    actual.deregistered([BAD], 11.0)
    for began in (10.0, 12.0, 70.0):
        actual.read(began, [listed(BAD, TargetState.HEALTHY)])
        assert actual.targets[GOOD].state is TargetState.INITIAL
        assert actual.targets[BAD].state is TargetState.DRAINING
    actual.read(71.0, [listed(BAD, TargetState.HEALTHY)])
    assert actual.targets == {BAD: listed(BAD, TargetState.HEALTHY)}


def test_a_read_that_says_nothing_new_is_no_news() -> None:
    actual = ObservedState()
    assert actual.read(0.0, [listed(GOOD, TargetState.HEALTHY)])
    assert not actual.read(30.0, [listed(GOOD, TargetState.HEALTHY)])
    assert actual.read_failed("Rate exceeded")
    assert not actual.read_failed("Rate exceeded")
    assert actual.read(90.0, [listed(GOOD, TargetState.HEALTHY)])


def test_a_draining_target_that_is_registered_again_counts_as_registered() -> None:
    actual = ObservedState()
    actual.read(0.0, [listed(GOOD, TargetState.DRAINING)])
    actual.registered([GOOD], 1.0)
    assert actual.targets[GOOD].registered
    assert actual.awaits_health
