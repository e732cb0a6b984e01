"""The kept desired state: when it is computed, what a full pass repairs, and whom a change wakes."""

import logging
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from syncer.config.settings import load
from syncer.interfaces import Cluster
from syncer.model import NodeView, TargetHealth, TargetState
from syncer.reconcile.desired_state import FULL_EVERY_S, DesiredState
from syncer.reconcile.group import Group, GroupConfig
from syncer.telemetry.counters import Counters
from tests.simulation.world import HTTP, HTTPS
from tests.unit.decide.world import instance, node, target

SETTINGS = load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=:30080,{HTTPS}=:30080"})


class Nodes:
    """The part of a Cluster that the desired state reads."""

    def __init__(self, *numbers: int) -> None:
        self.nodes: Mapping[str, NodeView] = {each.name: each for each in map(node, numbers)}


class Kept:
    """A desired state of two groups, and what its full passes count."""

    def __init__(self, *numbers: int, limit: int | None = None) -> None:
        self.cluster, self.counters = Nodes(*numbers), Counters()
        settings = replace(SETTINGS, target_limit=limit)
        self.state = DesiredState(settings, cast("Cluster", self.cluster), self.counters)
        rng = random.Random(1)  # noqa: S311
        self.groups = [Group(GroupConfig(each), rng) for each in SETTINGS.groups]
        self.state.take_nodes()

    def wanted(self, now: float) -> set[str]:
        self.state.refresh(self.groups, now)
        return set(self.state.result()[1].wanted)

    def lists(self, group: int, now: float, *numbers: int, **health: Any) -> None:
        """AWS lists these targets of a group."""
        healths = [
            TargetHealth(**{"target": target(n), "state": TargetState.HEALTHY, **health}) for n in numbers
        ]
        self.groups[group].observed.read(now, healths)

    def corrupt(self) -> None:
        """A fault: a kept verdict is another Node's, and is used at every change."""
        judgements = cast("Any", self.state._judge)._judged
        judgements["node-1"] = judgements["node-2"].__class__(
            *(judgements["node-1"].node, judgements["node-1"].authoritative, False),
            judgements["node-3"].result,
        )


def test_a_full_pass_finds_and_repairs_a_wrong_kept_verdict_and_wakes_every_group(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = Kept(1, 2, 3)
    kept.cluster.nodes |= {"node-3": node(3, ready=False)}  # type: ignore[operator]
    kept.state.take_nodes()
    right = {instance(1), instance(2)}
    assert kept.wanted(0) == right
    kept.corrupt()
    kept.state.take_nodes()
    assert kept.wanted(FULL_EVERY_S - 1) == {instance(2)}
    with caplog.at_level(logging.ERROR):
        assert kept.state.refresh(kept.groups, FULL_EVERY_S)
    assert kept.wanted(FULL_EVERY_S) == right
    assert kept.counters.disagreements.total() == 1
    assert f"{instance(1)} out NotReadyYet" in caplog.text
    assert "in Ready" in caplog.text
    assert "Node name=node-1" in caplog.text
    kept.state.take_nodes()
    assert not kept.state.refresh(kept.groups, 2 * FULL_EVERY_S)
    assert kept.counters.disagreements.total() == 1


def test_changes_of_nodes_do_not_delay_the_full_pass() -> None:
    kept = Kept(1, 2, 3)
    kept.cluster.nodes |= {"node-3": node(3, ready=False)}  # type: ignore[operator]
    kept.state.take_nodes()
    kept.wanted(0)
    kept.corrupt()
    for now in range(1, int(FULL_EVERY_S) + 1):
        kept.state.take_nodes()
        kept.wanted(now)
    assert kept.counters.disagreements.total() == 1


def test_a_doubt_leads_to_a_full_pass_at_the_next_use() -> None:
    kept = Kept(1, 2, 3)
    kept.wanted(0)
    kept.corrupt()
    kept.state.take_nodes()
    kept.state.doubt()
    assert len(kept.wanted(1)) == 3


def test_a_full_pass_that_agrees_wakes_nobody() -> None:
    kept = Kept(1, 2)
    kept.wanted(0)
    assert not kept.state.refresh(kept.groups, FULL_EVERY_S)
    assert kept.counters.disagreements.total() == 0


def test_the_loss_of_the_only_registration_wakes_every_group_and_the_second_one_none() -> None:
    kept = Kept(1)
    kept.cluster.nodes = {"node-1": node(1, ready=False)}
    kept.lists(0, 1, 1)
    kept.lists(1, 1, 1)
    kept.state.take_nodes()
    assert kept.wanted(1) == {instance(1)}  # KeptNotReady
    kept.lists(1, 2)
    assert not kept.state.refresh(kept.groups, 2)
    kept.lists(0, 3)
    assert kept.state.refresh(kept.groups, 3)
    assert kept.wanted(3) == set()
    kept.lists(0, 4, 1)  # compared with the group of the last computation, not with an earlier one
    assert kept.state.refresh(kept.groups, 4)
    assert kept.wanted(4) == {instance(1)}


def test_a_refusal_in_one_group_wakes_every_group_where_places_are_few() -> None:
    kept = Kept(1, 2, limit=1)
    (chosen,) = kept.wanted(0)
    number = next(n for n in (1, 2) if instance(n) == chosen)
    kept.groups[1].quarantine.registrations.refuse([target(number)], 1, {})
    assert kept.state.refresh(kept.groups, 1)
    assert kept.wanted(1) == {instance(3 - number)}


def test_a_failed_computation_is_repeated_at_the_next_use(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(1)
    kept.lists(0, 1, 1)
    kept.wanted(1)
    kept.cluster.nodes = {"node-1": node(1, ready=False)}
    kept.state.take_nodes()
    kept.lists(0, 2)
    with monkeypatch.context() as patch:
        patch.setattr("syncer.reconcile.desired_state.choose", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            kept.state.refresh(kept.groups, 2)
    assert kept.wanted(2) == set()
