"""Rule 2 during a zonal shift: what serves, what may leave, and what the end of a shift changes."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.decide.documents import read_target
from syncer.decide.policy import Ownership, PlanPolicy
from syncer.decide.serving import serving_of
from syncer.model import GroupPlan, GroupState, NodeView, Target, TargetHealth, Why
from tests.simulation.stories import LABEL, TAINT, some
from tests.unit.decide.world import NOON, PORT, Aws, decide, group, health, held, node, pass_once, target

ACTIVE, DNS, UNKNOWN = "zonal_shift_active", "zonal_shift_delegated_to_dns", "unknown"
# Nodes 0 to 3 run in zone a, which is shifted; 4 and 5 are the others.
ZONES = ["a", "a", "a", "a", "b", "c"]
A, OTHERS = range(4), (4, 5)


def nodes(leaving: Iterable[int] = (), **how: Any) -> list[NodeView]:
    """Six nodes in zones a, a, a, a, b, c; those that leave do so by a taint, unless `how` says otherwise."""
    changes = dict.fromkeys(leaving, how or TAINT)
    return [node(n, zone=f"eu-central-1{zone}", **changes.get(n, {})) for n, zone in enumerate(ZONES)]


def shifted(override: str = ACTIVE, others: str = "", state: str = "healthy") -> list[TargetHealth]:
    """Six targets, of which those in zone a have this override."""
    return [replace(health(n, state), override=override if n in A else others) for n in range(6)]


@pytest.mark.parametrize("override", [ACTIVE, DNS, UNKNOWN, "a_word_of_tomorrow"])
def test_z1_the_last_two_that_get_traffic_do_not_both_leave(override: str) -> None:
    planned = decide(nodes(OTHERS), group(*shifted(override)))
    assert planned.serving == 2
    assert len(planned.deregister) == 1
    assert set(planned.deregister) <= {target(4), target(5)}
    (kept,) = held(planned)
    assert held(planned) == {kept: Why.LAST_SERVING}


@pytest.mark.parametrize("override", [ACTIVE, DNS, UNKNOWN])
def test_z1_the_last_one_that_gets_traffic_stays_for_as_long_as_the_shift(override: str) -> None:
    aws = Aws()
    aws.targets = {h.target: h for h in shifted(override)}
    gone: set[Target] = set()
    for second in range(0, 3600, 30):
        gone |= set(pass_once(aws, nodes(OTHERS), PlanPolicy(), NOON + second).deregister)
    assert len(gone) == 1
    aws.targets = {each: replace(known, override="") for each, known in aws.targets.items()}
    pass_once(aws, nodes(OTHERS), PlanPolicy(), NOON + 3600)
    assert not aws.registered() & {target(4), target(5)}


def test_z1_all_targets_are_unhealthy_and_the_two_outside_the_shift_do_not_both_leave() -> None:
    planned = decide(nodes(OTHERS), group(*shifted(state="unhealthy")))
    assert len(planned.deregister) == 1
    assert set(held(planned).values()) == {Why.LAST_SERVING}


def test_z1_no_healthy_target_is_outside_the_shift_and_the_last_one_there_stays() -> None:
    """How AWS fails open then is not documented: the unhealthy ones may get everything."""
    outside = [health(n, "unhealthy") for n in OTHERS]
    planned = decide(nodes(range(6)), group(*shifted()[:4], *outside), now=NOON)
    assert set(planned.deregister) & {target(4), target(5)} != {target(4), target(5)}
    assert len({target(n) for n in A} - set(planned.deregister)) >= 1


def test_z1_one_that_has_just_been_registered_outside_the_shift_lets_none_leave() -> None:
    targets = [*shifted()[:4], health(4, "initial")]
    planned = decide(nodes(A)[:5], group(*targets))
    assert len({target(n) for n in A} - set(planned.deregister)) >= 1
    assert Why.SHARE in held(planned).values()


@pytest.mark.parametrize("override", [ACTIVE, DNS])
def test_z1_what_gets_no_traffic_leaves_at_once(override: str) -> None:
    planned = decide(nodes(A, **LABEL), group(*shifted(override)))
    assert set(planned.deregister) == {target(n) for n in A}


def test_z1_one_in_doubt_leaves_only_as_a_serving_one_does() -> None:
    """After ten minutes in which six served, two sure ones are below the floor of three."""
    aws = Aws()
    aws.put(range(6))
    pass_once(aws, nodes(), PlanPolicy(), NOON)
    aws.targets = {h.target: h for h in shifted(UNKNOWN)}
    planned = pass_once(aws, nodes([0], **LABEL), PlanPolicy(), NOON + 30)
    assert planned.deregister == ()
    assert held(planned) == {target(0): Why.SHARE}
    aws.targets = {h.target: h for h in shifted(ACTIVE)}
    assert pass_once(aws, nodes([0], **LABEL), PlanPolicy(), NOON + 60).deregister == (target(0),)


@pytest.mark.parametrize("override", [ACTIVE, DNS, UNKNOWN])
@pytest.mark.parametrize("cross_zone", [True, False])
def test_z1_where_all_have_the_override_the_group_counts_as_without(override: str, cross_zone: bool) -> None:
    """`zonal_shift_delegated_to_dns` may stand at every target: it must neither freeze nor empty a group."""
    policy = PlanPolicy(cross_zone=cross_zone)
    plain = decide(nodes(range(6), **LABEL), group(*shifted("")), policy)
    planned = decide(nodes(range(6), **LABEL), group(*shifted(override, override)), policy)
    assert (planned.deregister, planned.held) == (plain.deregister, plain.held)
    assert (planned.serving, planned.base, planned.floor) == (plain.serving, plain.base, plain.floor)


def test_z1_with_cross_zone_off_a_shifted_zone_keeps_its_share() -> None:
    """Its address is gone from DNS, and clients that keep it still come."""
    planned = decide(nodes(A, **LABEL), group(*shifted(DNS)), PlanPolicy(cross_zone=False))
    assert len(planned.deregister) == 2


def test_z1_a_shift_that_begins_frees_nothing_for_ten_minutes_and_freezes_nothing_after() -> None:
    aws = Aws()
    aws.put(range(6))
    pass_once(aws, nodes(), PlanPolicy(), NOON)
    aws.targets = {h.target: h for h in shifted()}
    leaving = nodes([4], **LABEL)
    assert held(pass_once(aws, leaving, PlanPolicy(), NOON + 30)) == {target(4): Why.SHARE}
    assert pass_once(aws, leaving, PlanPolicy(), NOON + 640).deregister == (target(4),)


def test_z1_a_shift_that_ends_gives_its_capacity_back() -> None:
    aws = Aws()
    aws.targets = {h.target: h for h in shifted()}
    assert pass_once(aws, nodes(), PlanPolicy(), NOON).serving == 2
    aws.targets = {h.target: h for h in shifted("")}
    planned = pass_once(aws, nodes(OTHERS), PlanPolicy(), NOON + 30)
    assert (planned.serving, planned.base) == (6, 6)
    assert set(planned.deregister) == {target(4), target(5)}


def test_z1_a_restart_during_a_shift_keeps_the_last_one_with_traffic() -> None:
    aws = Aws()
    aws.targets = {h.target: h for h in shifted()}
    for second in range(0, 300, 30):
        aws.restart()
        pass_once(aws, nodes(OTHERS, deleting_since=NOON - 3600), PlanPolicy(), NOON + second)
    assert len(aws.registered() & {target(4), target(5)}) == 1


def test_z1_doubtful_ones_are_held_where_only_shifted_ones_would_stay() -> None:
    owned = frozenset(map(target, range(6)))
    planned = decide(nodes()[:4], group(*shifted(), ours=owned))
    assert planned.deregister == ()
    assert set(held(planned)) == {target(4), target(5)}


def test_z1_confirming_gives_no_last_target_with_traffic_away() -> None:
    owned = frozenset(map(target, range(6)))
    first = decide(nodes()[:4], group(*shifted(), ours=owned))
    confirmed = frozenset({first.hold_id} - {""})
    planned = decide(nodes()[:4], group(*shifted(), ours=owned, confirmed=confirmed))
    assert len(planned.deregister) <= 1


def test_z1_a_successor_without_traffic_lets_no_serving_target_leave() -> None:
    """The two are on one instance; AWS may report the shift of one of them first."""
    old = [health(n, port=30099) for n in range(3)]
    new = [replace(health(n), override=ACTIVE) for n in range(3)]
    planned = decide(nodes()[:3], group(*old, *new, ours=frozenset(h.target for h in [*old, *new])))
    assert planned.deregister == ()
    assert set(held(planned).values()) == {Why.AWAITING_SUCCESSOR}
    both = [replace(each, override=ACTIVE) for each in old]
    planned = decide(nodes()[:3], group(*both, *new, ours=frozenset(h.target for h in [*old, *new])))
    assert set(planned.deregister) == {each.target for each in old}


def test_z1_in_exclusive_no_foreign_target_leaves_for_one_without_traffic() -> None:
    foreign = [health(n) for n in (40, 41, 42, 43)]
    policy = PlanPolicy(ownership=Ownership.EXCLUSIVE)
    planned = decide(nodes()[:4], group(*shifted()[:4], *foreign), policy)
    assert planned.deregister == ()
    assert {held(planned)[each.target] for each in foreign} == {Why.FOREIGN}


def test_z1_a_full_group_swaps_no_serving_target_for_one_without_traffic() -> None:
    old = [health(4, port=30099), health(5, port=30099)]
    new = [replace(health(n), override=ACTIVE) for n in range(4)]
    actual = group(*old, *new, ours=frozenset(h.target for h in [*old, *new]))
    left = {each.target for each in old} - set(decide(nodes(), actual, PlanPolicy(target_limit=6)).deregister)
    assert left


OVERRIDES = st.sampled_from(["", "", ACTIVE, DNS, UNKNOWN])
STATES = st.sampled_from(["healthy", "healthy", "unhealthy", "initial", "unhealthy.draining", "draining"])
KINDS = st.sampled_from([{}, TAINT, LABEL, {"deleting_since": NOON - 90}, {"selected": False}, None])


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[NodeView], GroupState, PlanPolicy]:
    count = draw(st.integers(1, 7))
    targets = [
        replace(health(n, draw(STATES)), override=draw(OVERRIDES), zone=f"eu-central-1{'abc'[n % 3]}")
        for n in range(count)
    ]
    kinds = [draw(KINDS) for _ in range(count + 1)]
    policy = PlanPolicy(
        ownership=draw(st.sampled_from(Ownership)),
        share=draw(st.sampled_from([0.0, 0.5])),
        cross_zone=draw(st.booleans()),
        target_limit=draw(st.sampled_from([None, 4])),
    )
    owned = frozenset(h.target for h in targets if draw(st.booleans()))
    return (
        [node(n, **kind) for n, kind in enumerate(kinds) if kind is not None],
        group(*targets, ours=owned),
        policy,
    )


@settings(max_examples=100, deadline=None)
@given(situations(), st.booleans())
def test_z1_no_plan_removes_the_last_target_that_gets_traffic(
    situation: tuple[list[NodeView], GroupState, PlanPolicy], confirm: bool
) -> None:
    listed, actual, policy = situation
    planned = decide(listed, actual, policy)
    if confirm and planned.hold_id:
        planned = decide(listed, replace(actual, confirmed=frozenset({planned.hold_id})), policy)
    _assert_traffic_arrives(actual, planned)


def _assert_traffic_arrives(actual: GroupState, planned: GroupPlan) -> None:
    """Each guess of whom AWS sends traffic to is kept: one of every non-empty set stays."""
    listed = {t: h for t, h in actual.targets.items() if h.registered}
    sure = {t for t, h in listed.items() if h.state == "healthy" and not h.override}
    outside = {t for t, h in listed.items() if not h.shifted}
    guesses = [sure] if sure else [outside, {t for t, h in listed.items() if h.state == "healthy"}]
    gone = set(planned.deregister)
    if not sure and outside and not any(listed[t].state == "healthy" for t in outside):
        guesses = [outside]
    for guess in guesses:
        assert not guess or guess - gone, (guess, gone)


FIELDS = [
    ({}, ""),
    ({"AdministrativeOverride": None}, ""),
    ({"AdministrativeOverride": {}}, ""),
    ({"AdministrativeOverride": ""}, ""),
    ({"AdministrativeOverride": {"State": "no_override", "Reason": "AdministrativeOverride.NoOverride"}}, ""),
    ({"AdministrativeOverride": {"State": ACTIVE, "Description": "x"}}, ACTIVE),
    ({"AdministrativeOverride": {"State": DNS}}, DNS),
    ({"AdministrativeOverride": {"State": UNKNOWN}}, UNKNOWN),
    ({"AdministrativeOverride": {"State": "new_word"}}, "new_word"),
    ({"AdministrativeOverride": {"Reason": "AdministrativeOverride.ZonalShiftActive"}}, UNKNOWN),
    ({"AdministrativeOverride": {"State": None}}, UNKNOWN),
    ({"AdministrativeOverride": {"State": 7}}, UNKNOWN),
    ({"AdministrativeOverride": {"State": "\x1b[2J"}}, UNKNOWN),
    ({"AdministrativeOverride": ["zonal_shift_active"]}, UNKNOWN),
    ({"AdministrativeOverride": "zonal_shift_active"}, UNKNOWN),
]


@pytest.mark.parametrize(("extra", "override"), FIELDS)
def test_z1_the_override_is_read_and_what_cannot_be_read_is_in_doubt(
    extra: dict[str, Any], override: str
) -> None:
    line = {"Target": {"Id": "i-0a", "Port": PORT}, "TargetHealth": {"State": "healthy"}, **extra}
    assert read_target(0, line).override == override


def test_z1_without_an_override_the_two_sets_are_the_healthy_or_the_registered_ones() -> None:
    for states in product(["healthy", "unhealthy", "initial", "draining"], repeat=3):
        listed = [health(n, state) for n, state in enumerate(states)]
        healthy = {h.target for h in listed if h.state == "healthy"}
        found = serving_of(listed)
        assert found.counted == (healthy or {h.target for h in listed if h.registered})
        assert (found.exposed, found.shifted) == (frozenset(), False)


def test_z1_nodes_of_the_quota_are_not_chosen_by_a_shift() -> None:
    """A shift ends: who has a place must not change for it, or every shift would move targets twice."""
    policy = PlanPolicy(target_limit=3)
    plain = decide(some(range(6)), group(), policy).register
    registered = [replace(health(n), override=ACTIVE) for n in range(6) if target(n) in plain]
    planned = decide(some(range(6)), group(*registered), policy)
    assert (planned.register, planned.deregister) == ((), ())
