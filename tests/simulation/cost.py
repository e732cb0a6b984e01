"""CPU of the controller's loop for an event, without sockets: `python -m tests.simulation.cost 1000 50`.

The rows of `python -m bench` have two groups, and include the reading of the API server and of AWS. Here the
Nodes, the targets and the results of calls are in memory, so that one figure shows the cost of the decisions.
"""

import asyncio
import logging
import random
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median

from syncer.clock import SystemClock
from syncer.config.settings import load
from syncer.interfaces import RecordState
from syncer.model import InstanceId, NodeView, Target, TargetGroupArn, TargetHealth, TargetState
from syncer.reconcile.controller import Controller
from syncer.telemetry.counters import Counters

_ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
_EVENTS = 9
_REST_S = 0.4  # a pass is over, and the next event is a first event again


class _Cluster:
    """Nodes in memory; `join` reports a Ready Node."""

    problems: Collection[str] = ()

    def __init__(self, count: int) -> None:
        self.nodes: dict[str, NodeView] = {each.name: each for each in map(_node, range(count))}
        self._changed: Callable[[], None] = lambda: None

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
        self.nodes = {**self.nodes, node.name: node}
        self._changed()


class _Elb:
    """Healthy targets in memory; every call succeeds at once."""

    def __init__(self) -> None:
        self.targets: dict[TargetGroupArn, dict[Target, TargetHealth]] = {}
        self.writes = 0

    async def describe(self, group: TargetGroupArn) -> Sequence[TargetHealth]:
        return list(self.targets.get(group, {}).values())

    async def target_types(self, groups: Collection[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:  # noqa: ARG002
        return {}

    async def default_port(self, group: TargetGroupArn) -> int:  # noqa: ARG002
        return 80

    async def register(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        self.writes += 1
        known = self.targets.setdefault(group, {})
        for target in targets:
            zone = _ZONES[int(target.id.removeprefix("i-"), base=16) % len(_ZONES)]
            known[target] = TargetHealth(target=target, state=TargetState.HEALTHY, zone=zone)

    async def deregister(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        self.writes += 1
        for target in targets:
            self.targets[group].pop(target, None)


class _Records:
    """The ConfigMap in memory."""

    def __init__(self) -> None:
        self._state = RecordState(values={}, version="1")

    async def read(self) -> RecordState:
        return self._state

    async def write(self, changes: Mapping[str, str | None], version: str) -> RecordState:
        values = {**self._state.values, **changes}
        kept = {key: text for key, text in values.items() if text is not None}
        self._state = RecordState(values=kept, version=f"{version}1"[-9:])
        return self._state


def _node(number: int) -> NodeView:
    return NodeView(
        name=f"node-{number}",
        instance_id=InstanceId(f"i-{number:017x}"),
        has_provider_id=True,
        zone=_ZONES[number % len(_ZONES)],
        created=1.0,
        deleting_since=None,
        selected=True,
        excluded=False,
        leaving_taint=None,
        cordoned=False,
        ready=True,
        ready_since=2.0,
        zone_source="provider-id",
    )


def _settings(groups: int) -> Mapping[str, str]:
    arns = (
        f"arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/g{n}/{n:016x}=:{30000 + n}"
        for n in range(groups)
    )
    return {
        "NLB_SYNC_TARGET_GROUPS": ",".join(arns),
        "NLB_SYNC_OWNERSHIP": "exclusive",
        "NLB_SYNC_ZONES": ",".join(_ZONES),
    }


async def measure(nodes: int, groups: int, events: int = _EVENTS) -> tuple[float, float]:
    """Return the median CPU in seconds of a node that turns Ready and of a leaving taint, in all groups."""
    cluster, elb, settings = _Cluster(nodes), _Elb(), load(_settings(groups))
    for each in settings.groups:
        port = each.port
        assert isinstance(port, int)
        await elb.register(each.group.arn, [Target(InstanceId(f"i-{n:017x}"), port) for n in range(nodes)])
    controller = Controller(
        settings=settings,
        cluster=cluster,
        elb=elb,
        clock=SystemClock(),
        rng=random.Random(1),  # noqa: S311
        counters=Counters(),
        records=_Records(),
    )
    controller._writer.buckets._rate = replace(controller._writer.buckets._rate, a_second=1e6, burst=10**6)
    running = asyncio.create_task(controller.run())
    await asyncio.sleep(_REST_S)
    ready, taint = list[float](), list[float]()
    for turn in range(events):
        node = _node(nodes + turn)
        for costs, changed in (
            (ready, node),
            (taint, replace(_node(turn), leaving_taint="karpenter.sh/disrupted")),
        ):
            written, began = elb.writes, time.process_time()
            cluster.put(changed)
            while elb.writes < written + groups:  # noqa: ASYNC110 - the polling is a part of the rest below
                await asyncio.sleep(0.02)
            await asyncio.sleep(_REST_S)
            costs.append(time.process_time() - began)
    controller.stop()
    await running
    return median(ready), median(taint)


def main() -> None:
    """Print the figures for NODES, GROUPS and, if given, the number of events of the command line."""
    logging.disable(logging.CRITICAL)
    nodes, groups, *events = map(int, sys.argv[1:])
    ready, taint = asyncio.run(measure(nodes, groups, *events))
    sys.stdout.write(
        f"{nodes} nodes, {groups} groups: Ready {ready * 1e3:.0f} ms, taint {taint * 1e3:.0f} ms of CPU\n"
    )


if __name__ == "__main__":
    main()
