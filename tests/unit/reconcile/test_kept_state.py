"""The kept desired state: when it is computed, what a full pass repairs, and whom a change wakes."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from syncer.clock import SystemClock
from syncer.config.settings import load
from syncer.decide.policy import Ownership
from syncer.decide.standings import Standings
from syncer.interfaces import Cluster
from syncer.model import NodeView, TargetHealth, TargetState
from syncer.reconcile.desired_state import FULL_EVERY_S, DesiredState
from syncer.reconcile.group import Group, GroupConfig
from syncer.telemetry.counters import Counters
from tests.simulation.virtual import run_virtually
from tests.simulation.world import HTTP, HTTPS
from tests.unit.decide.world import NOON, instance, node, target

SETTINGS = load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=:30080,{HTTPS}=:30080"})


class Nodes:
    """The part of a Cluster that the desired state reads."""

    def __init__(self, *numbers: int) -> None:
        self.nodes: dict[str, NodeView] = {each.name: each for each in map(node, numbers)}
        self.changes: set[str] | None = None

    def take_changes(self) -> set[str] | None:
        names, self.changes = self.changes, set()
        return names

    def put(self, number: int, view: NodeView, *, reported: bool = True) -> None:
        """A Node changes; a fault may lose the report."""
        self.nodes[f"node-{number}"] = view
        if reported and self.changes is not None:
            self.changes.add(f"node-{number}")


class Kept:
    """A desired state of two groups, and what its full passes count."""

    def __init__(self, *numbers: int, limit: int | None = None, exclusive: bool = False) -> None:
        self.cluster, self.counters, self.woken = Nodes(*numbers), Counters(), 0
        settings = replace(SETTINGS, target_limit=limit)
        if exclusive:
            settings = replace(settings, ownership=Ownership.EXCLUSIVE)
        rng = random.Random(1)  # noqa: S311
        self.groups = [Group(GroupConfig(each), rng) for each in SETTINGS.groups]
        self.state = DesiredState(
            settings, cast("Cluster", self.cluster), self.counters, SystemClock(), self.groups
        )
        self.state.take_nodes()

    def wanted(self, now: float) -> set[str]:
        self.state.refresh(now)
        return set(self.state.result().wanted)

    def full_passes(self, count: int = 1, *, between: Callable[[], None] = lambda: None) -> None:
        """Virtual time for `count` full passes; `between` is called in the middle of each."""

        async def story() -> None:
            task = asyncio.create_task(self.state.run(self._wake))
            await asyncio.sleep(FULL_EVERY_S)
            for _ in range(count):
                between()
                await asyncio.sleep(FULL_EVERY_S)
            task.cancel()

        run_virtually(story())

    def _wake(self) -> None:
        self.woken += 1

    def lists(self, group: int, now: float, *numbers: int, **health: Any) -> None:
        """AWS lists these targets of a group."""
        healths = [
            TargetHealth(**{"target": target(n), "state": TargetState.HEALTHY, **health}) for n in numbers
        ]
        self.groups[group].observed.read(now, healths)

    def corrupt(self) -> None:
        """A fault: the kept intent of an instance is another one's."""
        intents = cast("Any", self.state._kept).intents
        intents[instance(1)] = intents[instance(3)]
        cast("Any", self.state._kept)._candidates.discard(instance(1))
        cast("Any", self.state._kept)._wanted = None
        self.state._kept.changed = True


def test_a_full_pass_finds_and_repairs_a_wrong_kept_intent_and_wakes_every_group(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = Kept(1, 2, 3)
    kept.cluster.put(3, node(3, ready=False))
    kept.state.take_nodes()
    right = {instance(1), instance(2)}
    assert kept.wanted(0) == right
    kept.corrupt()
    assert kept.wanted(1) == {instance(2)}
    with caplog.at_level(logging.ERROR):
        kept.full_passes()
    assert kept.woken == 1
    assert kept.wanted(2) == right
    assert kept.counters.disagreements.total() == 1
    assert f"{instance(1)} out NotReadyYet" in caplog.text
    assert "in Ready" in caplog.text
    assert "Node name=node-1" in caplog.text
    kept.full_passes(2)
    assert (kept.counters.disagreements.total(), kept.woken) == (1, 1)


def test_a_full_pass_finds_a_node_whose_change_was_not_reported() -> None:
    kept = Kept(1, 2)
    kept.wanted(0)
    kept.cluster.put(2, node(2, selected=False), reported=False)
    kept.state.take_nodes()
    assert len(kept.wanted(1)) == 2
    kept.full_passes()
    assert kept.wanted(2) == {instance(1)}
    assert kept.counters.disagreements.total() == 1


@pytest.mark.parametrize(
    "changed", [node(2, ready_since=NOON), node(2, zone="eu-central-1a")], ids=["facts", "intent"]
)
def test_a_full_pass_compares_every_node_and_intent_wanted_or_not(changed: NodeView) -> None:
    kept = Kept(1, 2)
    kept.wanted(0)
    kept.cluster.put(2, changed, reported=False)
    if changed.zone == "eu-central-1a":  # a fault of the kept intent, not of the Node
        kept.cluster.put(2, node(2), reported=False)
        kept.cluster.nodes["node-2"] = kept.state.nodes["node-2"]
        intents = cast("Any", kept.state._kept).intents
        intents[instance(2)] = replace(intents[instance(2)], zone="eu-central-1a")
    kept.full_passes()
    assert kept.counters.disagreements.total() == 1
    assert kept.state.nodes_of([instance(2)])[instance(2)].ready_since == (
        kept.cluster.nodes["node-2"].ready_since
    )


def test_a_change_during_a_full_pass_counts_in_both_results() -> None:
    count = 1700  # more than one step
    kept = Kept(*range(count))
    kept.wanted(0)
    numbers = [3, 900, 1600]

    async def story() -> None:
        passing = asyncio.create_task(kept.state._pass_fully())
        while not passing.done():
            await asyncio.sleep(0)
            if numbers:
                number = numbers.pop()
                kept.cluster.put(number, node(number, selected=False))
                kept.lists(0, 1, number)
                kept.state.take_nodes()
                await kept.state.catch_up()

    run_virtually(story())
    assert numbers == []
    assert len(kept.wanted(2)) == count - 3
    kept.full_passes()
    assert kept.counters.disagreements.total() == 0


def test_a_full_pass_corrects_a_wrong_listing_and_wakes_every_group(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept(1, 2)
    kept.lists(0, 1, 1, 2)
    kept.wanted(1)
    listing = kept.groups[0].observed.listing
    listing.beside_record(frozenset({target(1)})).beyond.clear()
    with caplog.at_level(logging.ERROR):
        kept.full_passes()
    assert listing.beside_record(frozenset({target(1)})).beyond == {target(2)}
    assert (kept.counters.disagreements, kept.woken) == ({"listing": 1}, 1)
    assert f"the kept listing was wrong and is corrected; please report: {kept.groups[0].name}" in caplog.text


def test_a_doubt_leads_to_a_full_computation_at_the_next_use() -> None:
    kept = Kept(1, 2, 3)
    kept.wanted(0)
    kept.corrupt()
    kept.state.doubt()
    assert len(kept.wanted(1)) == 3


def test_a_full_pass_that_agrees_wakes_nobody() -> None:
    kept = Kept(1, 2)
    kept.wanted(0)
    kept.full_passes(2)
    assert not kept.state.refresh(FULL_EVERY_S)
    assert (kept.counters.disagreements.total(), kept.woken) == (0, 0)


def test_many_nodes_are_taken_into_account_in_steps() -> None:
    kept, steps = Kept(*range(1700)), 0

    async def story() -> None:
        nonlocal steps
        catching_up = asyncio.create_task(kept.state.catch_up())
        while not catching_up.done():
            steps += 1
            await asyncio.sleep(0)

    assert kept.state.is_far_behind
    run_virtually(story())
    assert steps >= 4
    assert len(kept.wanted(0)) == 1700


def test_the_loss_of_the_only_registration_wakes_every_group_and_the_second_one_none() -> None:
    kept = Kept(1)
    kept.cluster.put(1, node(1, ready=False))
    kept.lists(0, 1, 1)
    kept.lists(1, 1, 1)
    kept.state.take_nodes()
    assert kept.wanted(1) == {instance(1)}  # KeptNotReady
    kept.lists(1, 2)
    assert not kept.state.refresh(2)
    kept.lists(0, 3)
    assert kept.state.refresh(3)
    assert kept.wanted(3) == set()
    kept.lists(0, 4, 1)  # compared with the group of the last computation, not with an earlier one
    assert kept.state.refresh(4)
    assert kept.wanted(4) == {instance(1)}


def test_a_refusal_in_one_group_wakes_every_group_where_places_are_few() -> None:
    kept = Kept(1, 2, limit=1)
    (chosen,) = kept.wanted(0)
    number = next(n for n in (1, 2) if instance(n) == chosen)
    kept.groups[1].quarantine.registrations.refuse([target(number)], 1, {})
    assert kept.state.refresh(1)
    assert kept.wanted(1) == {instance(3 - number)}


def test_the_end_of_a_learnt_limit_is_found_at_the_pass_of_any_group() -> None:
    kept = Kept(1, 2, exclusive=True)
    first, second = kept.groups
    assert len(kept.wanted(0)) == 2
    second.calls.limit.learn(1, 1.0)
    assert kept.state.refresh(1.0, [second])
    assert len(kept.state.result().wanted) == 1
    assert kept.state.refresh(602.0, [first])
    assert len(kept.state.result().wanted) == 2


def test_a_failed_computation_is_repeated_at_the_next_use(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(1)
    kept.lists(0, 1, 1)
    kept.wanted(1)
    kept.cluster.put(1, node(1, ready=False))
    kept.state.take_nodes()
    kept.lists(0, 2)
    with monkeypatch.context() as patch:
        patch.setattr(Standings, "desired", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            kept.state.refresh(2)
    assert kept.wanted(2) == set()
