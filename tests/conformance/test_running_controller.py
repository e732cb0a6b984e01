"""The same situations before the running controller: it sends and holds what `plan` says of the files."""

import asyncio
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.cluster.known import Known
from syncer.config.settings import load
from syncer.decide.documents import read_targets
from syncer.decide.nodes import node_view
from syncer.decide.policy import NodePolicy
from syncer.model import NodeView, Target, TargetGroupArn, TargetHealth
from syncer.reconcile.controller import Controller
from syncer.reconcile.group import Group
from syncer.telemetry.counters import Counters
from tests.conformance.documents import PORT, Json, health, instance, node, tainted, target
from tests.conformance.group_differences import DIFFERENCES, OTHERS
from tests.conformance.odd import ODD, Path_, changed, paths
from tests.conformance.situation import DEREGISTER, REGISTER, Situation
from tests.conformance.target_states import CA, NODES, STATES
from tests.simulation.frost import Frost, FrozenClock
from tests.simulation.virtual import run_virtually

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
# A page of a longer list is known to files only: the cluster's cache has no list until it has all pages.
SITUATIONS = [each for each in (*DIFFERENCES, *STATES, *NODES, *OTHERS) if not each.list_metadata]


class StillElb:
    """`syncer.interfaces.Elb` of one group that stays as `answer` describes it; `sent`: the calls."""

    def __init__(self, answer: Json) -> None:
        self._answer = answer
        self.sent: dict[Target, str] = {}

    async def describe(self, _group: TargetGroupArn) -> Sequence[TargetHealth]:
        await asyncio.sleep(0.05)
        return read_targets(self._answer)

    async def target_types(self, groups: Collection[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:
        return dict.fromkeys(groups, "instance")

    async def default_port(self, _group: TargetGroupArn) -> int:
        return PORT

    async def register(self, _group: TargetGroupArn, targets: Iterable[Target]) -> None:
        self.sent |= dict.fromkeys(targets, REGISTER)

    async def deregister(self, _group: TargetGroupArn, targets: Iterable[Target]) -> None:
        self.sent |= dict.fromkeys(targets, DEREGISTER)


class StillCluster:
    """`syncer.interfaces.Cluster` of these Nodes, read as the API server's list is."""

    problems: Collection[str] = ()

    def __init__(self, nodes: Iterable[Json], policy: NodePolicy) -> None:
        self.nodes: Mapping[str, NodeView] | None = None
        known = Known("nodes", partial(node_view, policy=policy), self)
        known.take_page(nodes)
        known.complete("1")

    def take_changes(self) -> Collection[str] | None:
        return None

    def replaced(self, views: Mapping[str, NodeView]) -> None:
        self.nodes = views

    def changed(self, name: str, view: NodeView | None) -> None:
        raise AssertionError(name, view)

    def restarted(self, plural: str, reason: str) -> None:
        raise AssertionError(plural, reason)

    def node_port(self, service: str, port: str) -> int | None:
        raise AssertionError(service, port)

    def node_ports(self, service: str) -> Mapping[str, int]:
        raise AssertionError(service)

    def behind(self, service: str = "") -> float:
        assert not service
        return 0.0

    def knows(self, service: str) -> bool:
        raise AssertionError(service)

    async def run(self, changed: Callable[[], None]) -> None:
        changed()
        await asyncio.Event().wait()


async def one_pass(nodes: Iterable[Json], answer: Json, **variables: str) -> tuple[Group, dict[str, str]]:
    """The group after one pass, and what was sent and held, written as a Plan."""
    elb = StillElb(answer)
    named = {f"NLB_SYNC_{name}": text for name, text in variables.items()}
    chosen = load({"NLB_SYNC_TARGET_GROUPS": f"{ARN}=:{PORT}", **named})
    controller = Controller(
        settings=chosen,
        cluster=StillCluster(nodes, chosen.node_policy),
        elb=elb,
        clock=FrozenClock(Frost()),
        rng=random.Random(1),  # noqa: S311
        counters=Counters(),
    )
    await controller.run(once=True)
    (group,) = controller.groups
    assert group.plan is not None
    held = {shown(each.target): each.why.value for each in group.plan.held}
    return group, held | {shown(each): what for each, what in elb.sent.items()}


def shown(target: Target) -> str:
    letters = {instance(letter): letter for letter in "abcdef"}
    who = letters.get(target.id, target.id)
    return who if target.port == PORT else f"{who}:{target.port}"


@pytest.mark.parametrize("mode", ["exclusive", "tracked", "add-only"])
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.known_by)
def test_what_is_planned_from_files_is_what_is_sent(
    situation: Situation, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "syncer.reconcile.unshown.LAG_S", 0.0
    )  # as after the first minute (tests/simulation/test_lag.py)
    nodes = (node(each) if isinstance(each, str) else each for each in situation.nodes)
    targets = (target(each) if isinstance(each, str) else each for each in situation.targets)
    selector = situation.words[1] if situation.words else ""
    answer = health(targets)
    group, done = run_virtually(one_pass(nodes, answer, OWNERSHIP=mode, NODE_SELECTOR=selector))
    assert done == situation.expected(mode)
    assert (group.report.problem, group.observed.problem) == ("", "")


ODD_ONE = node(
    "a",
    labels={"node.kubernetes.io/exclude-from-external-load-balancers": "false"},
    metadata={"deletionTimestamp": None},
    spec=tainted("process"),
)


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(list(paths(ODD_ONE))[1:]), odd=st.sampled_from(ODD))
def test_one_odd_node_harms_only_itself(place: Path_, odd: Any) -> None:
    """Whatever becomes of `a`: `b` and `c` stay, `d` joins, `e` leaves, and the pass is a good one."""
    nodes = [changed(ODD_ONE, place, odd), node("b"), node("c"), node("d"), node("e", spec=tainted(CA))]
    group, done = run_virtually(one_pass(nodes, health(map(target, "abce")), OWNERSHIP="exclusive"))
    assert {who: what for who, what in done.items() if who != "a"} == {"d": REGISTER, "e": DEREGISTER}
    assert (group.report.problem, group.observed.problem) == ("", "")
