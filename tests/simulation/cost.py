"""Cost of an event, without sockets: `python -m tests.simulation.cost 1000 50` (see --help).

The rows of `python -m bench` have two groups, and include the reading of the API server and of AWS. Here the
Nodes, the targets and the results of calls are in memory, so that one figure shows the cost of the decisions.
"""

import argparse
import asyncio
import logging
import random
import resource
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from syncer.clock import SystemClock
from syncer.config.settings import load
from syncer.interfaces import RecordState
from syncer.model import InstanceId, NodeView, Target, TargetGroupArn, TargetHealth, TargetState
from syncer.reconcile.controller import Controller
from syncer.telemetry.counters import Counters

_ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
_MINUTE_S = 31.0  # one full pass and one read of every group
_REST_S = 0.4  # a pass is over, and the next event is a first event again
_SETTLED_S = 62.0  # a read compares the writes of the last minute with AWS's list


class _Cluster:
    """Nodes in memory; `join` reports a Ready Node."""

    problems: Collection[str] = ()

    def __init__(self, count: int, selected: int) -> None:
        nodes = (_node(number, selected=number < selected) for number in range(count))
        self.nodes: dict[str, NodeView] = {each.name: each for each in nodes}
        self._names: set[str] | None = None
        self._changed: Callable[[], None] = lambda: None

    def take_changes(self) -> Collection[str] | None:
        names, self._names = self._names, set()
        return names

    def behind(self, service: str = "") -> float:  # noqa: ARG002
        return 0.0

    def node_port(self, service: str, port: str) -> int | None:  # noqa: ARG002
        return None

    def node_ports(self, service: str) -> Mapping[str, int]:  # noqa: ARG002
        return {}

    def knows(self, service: str) -> bool:  # noqa: ARG002
        return True

    async def run(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        changed()
        await asyncio.Event().wait()

    def put(self, node: NodeView) -> None:
        self.nodes[node.name] = node
        if self._names is not None:
            self._names.add(node.name)
        self._changed()


class _Elb:
    """Healthy targets in memory; every call succeeds at once."""

    def __init__(self) -> None:
        self.targets: dict[TargetGroupArn, dict[Target, TargetHealth]] = {}
        self._expected, self._written = 0, asyncio.Event()

    def expect(self, writes: int) -> asyncio.Event:
        """Return an event that is set after so many writes."""
        self._expected, self._written = writes, asyncio.Event()
        return self._written

    def _wrote(self) -> None:
        self._expected -= 1
        if self._expected == 0:
            self._written.set()

    async def describe(self, group: TargetGroupArn) -> Sequence[TargetHealth]:
        return list(self.targets.get(group, {}).values())

    async def target_types(self, groups: Collection[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:  # noqa: ARG002
        return {}

    async def default_port(self, group: TargetGroupArn) -> int:  # noqa: ARG002
        return 80

    async def register(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        self._wrote()
        known = self.targets.setdefault(group, {})
        for target in targets:
            zone = _ZONES[int(target.id.removeprefix("i-"), base=16) % len(_ZONES)]
            known[target] = TargetHealth(target=target, state=TargetState.HEALTHY, zone=zone)

    async def deregister(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        self._wrote()
        for target in targets:
            self.targets[group].pop(target, None)


class _Records:
    """The ConfigMap in memory."""

    def __init__(self) -> None:
        self._state = RecordState(values={}, version="1")

    async def read(self, number: int = 0) -> RecordState:  # noqa: ARG002
        return self._state

    async def write(self, changes: Mapping[str, str | None], version: str, number: int = 0) -> str:  # noqa: ARG002
        values = {**self._state.values, **changes}
        kept = {key: text for key, text in values.items() if text is not None}
        self._state = RecordState(values=kept, version=f"{version}1"[-9:])
        return self._state.version


def _node(number: int, *, selected: bool = True) -> NodeView:
    return NodeView(
        name=f"node-{number}",
        instance_id=InstanceId(f"i-{number:017x}"),
        has_provider_id=True,
        zone=_ZONES[number % len(_ZONES)],
        created=1.0,
        deleting_since=None,
        selected=selected,
        excluded=False,
        leaving_taint=None,
        cordoned=False,
        ready=True,
        ready_since=2.0,
        zone_source="provider-id",
    )


def _settings(groups: int, limit: int | None, *, zonal: bool) -> Mapping[str, str]:
    arns = (
        f"arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/g{n}/{n:016x}=:{30000 + n}"
        for n in range(groups)
    )
    return {
        "NLB_SYNC_TARGET_GROUPS": ",".join(arns),
        "NLB_SYNC_OWNERSHIP": "exclusive",
        "NLB_SYNC_ZONES": ",".join(_ZONES),
        "NLB_SYNC_CROSS_ZONE": str(not zonal).lower(),
        **({} if limit is None else {"NLB_SYNC_TARGET_LIMIT": str(limit)}),
    }


@dataclass(slots=True)
class Cost:
    """CPU in seconds of a node that turns Ready and of a leaving taint, in all groups; and of the start.

    `reaction` is the time until every group has its call, `blocked` the longest step of the loop.
    """

    ready: list[float] = field(default_factory=list)
    taint: list[float] = field(default_factory=list)
    reaction: list[float] = field(default_factory=list)
    start: float = 0.0
    blocked: float = 0.0
    minute: float = 0.0


async def measure(
    nodes: int,
    groups: int,
    *,
    events: int = 9,
    limit: int | None = None,
    selected: int | None = None,
    zonal: bool = False,
) -> Cost:
    """Measure a settled controller whose nodes are all targets, as far as limit and selector let them."""
    targets = nodes if selected is None else selected
    cluster, elb, settings = _Cluster(nodes, targets), _Elb(), load(_settings(groups, limit, zonal=zonal))
    counters, clock, cost = Counters(), SystemClock(), Cost()
    controller = Controller(
        settings=settings,
        cluster=cluster,
        elb=elb,
        clock=clock,
        rng=random.Random(1),  # noqa: S311
        counters=counters,
        records=_Records(),
    )
    controller._writer.buckets._rate = replace(controller._writer.buckets._rate, a_second=1e6, burst=10**6)
    lag = asyncio.create_task(_watch(cost))
    running = asyncio.create_task(controller.run())
    began = time.process_time()
    full = min(targets, targets if limit is None else limit)
    while any(len(elb.targets.get(each.group.arn, ())) < full for each in settings.groups):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    cost.start = time.process_time() - began
    while any(group.observed.awaits_health for group in controller.groups):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    await asyncio.sleep(_SETTLED_S)
    chosen = [int(each.id.removeprefix("i-"), base=16) for each in elb.targets[settings.groups[0].group.arn]]
    for turn in range(events):
        left = replace(_node(chosen[turn]), leaving_taint="karpenter.sh/disrupted")
        for costs, changed in ((cost.ready, _node(nodes + turn)), (cost.taint, left)):
            if limit is not None and costs is cost.ready:
                continue  # it may have no place
            began, reported = time.process_time(), time.perf_counter()
            written = elb.expect(groups)
            cluster.put(changed)
            await written.wait()
            cost.reaction.append(time.perf_counter() - reported)
            await asyncio.sleep(_REST_S)
            costs.append(time.process_time() - began)
    began = time.process_time()
    await asyncio.sleep(_MINUTE_S)
    cost.minute = (time.process_time() - began) * 60 / _MINUTE_S
    controller.stop()
    await running
    lag.cancel()
    return cost


async def _watch(cost: Cost) -> None:
    """Record the longest delay of a short timer."""
    while True:
        due = time.perf_counter() + 0.05
        await asyncio.sleep(0.05)
        cost.blocked = max(cost.blocked, time.perf_counter() - due)


def main() -> None:
    """Print the figures of the situation on the command line."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", type=int)
    parser.add_argument("groups", type=int)
    parser.add_argument("--events", type=int, default=9)
    parser.add_argument("--limit", type=int, help="NLB_SYNC_TARGET_LIMIT")
    parser.add_argument("--selected", type=int, help="number of Nodes that the selector matches")
    parser.add_argument("--zonal", action="store_true", help="NLB_SYNC_CROSS_ZONE=false")
    given = parser.parse_args()
    cost = asyncio.run(
        measure(
            given.nodes,
            given.groups,
            events=given.events,
            limit=given.limit,
            selected=given.selected,
            zonal=given.zonal,
        )
    )
    figures = {
        "Ready": cost.ready and median(cost.ready) * 1e3,
        "taint": median(cost.taint) * 1e3,
        "reaction": median(cost.reaction) * 1e3,
        "start": cost.start * 1e3,
        "a minute without events": cost.minute * 1e3,
        "longest step": cost.blocked * 1e3,
    }
    shown = ", ".join(f"{name} {value:.1f}" for name, value in figures.items() if value)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{given.nodes} nodes, {given.groups} groups: {shown} ms; {memory:.0f} MiB\n")


if __name__ == "__main__":
    main()
