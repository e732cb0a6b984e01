"""The whole syncer beside an API server that is sick in one part: how often each kind is asked meanwhile."""

import asyncio
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from kubernetes.client.configuration import Configuration

from syncer.clock import SystemClock
from syncer.cluster.adapter import KubernetesCluster
from syncer.cluster.api import Api
from syncer.cluster.events import KubernetesEvents, Workload
from syncer.cluster.lease import KubernetesLeases
from syncer.cluster.record import KubernetesRecords
from syncer.config.settings import load
from syncer.decide.nodes import node_view
from syncer.reconcile.controller import Controller
from syncer.reconcile.leader_election import LeaderElection
from syncer.reconcile.observe import snapshot
from syncer.telemetry.counters import Counters
from syncer.telemetry.status import status
from tests.integration.syncer.faulty import (
    Answer,
    FaultyServer,
    Handler,
    Request,
    a_document,
    a_raw_document,
    a_refusal,
    hang_up,
    say_nothing,
)
from tests.simulation.cloud import MemoryCloud
from tests.simulation.cluster import node
from tests.simulation.elb import MemoryElb
from tests.simulation.world import PORTS, SERVICE, instance

# How long a fault is watched, and how late a request may come beside the time that the machine itself lost.
_FAULT_S = 5.0
_SLACK_S = 1.0
# How often the event loop's lateness is read.
_TICK_S = 0.05
NODES = tuple(f"node-{number}" for number in range(12))
NAMED = dict(zip(("http", "https"), PORTS.values(), strict=True))
KINDS = {
    "nodes and services": ("nodes", "services"),
    "leases": ("leases",),
    "configmaps": ("configmaps",),
    "events": ("events",),
    "everything": ("nodes", "services", "leases", "configmaps", "events"),
}


def _only_writes(handler: Handler, request: Request) -> None:
    """What is read is right, what is written is refused."""
    (handler.faulty.keep if request.method == "GET" else a_refusal(500))(handler, request)


FAULTS: dict[str, Answer] = {
    **{str(status): a_refusal(status) for status in (401, 403, 429, 500)},
    "hangs-up": hang_up,
    "garbage": a_raw_document(b"<html>not an API server</html>"),
    "says-nothing": say_nothing,
    "500-on-writes": _only_writes,
}


def _lists(handler: Handler, request: Request) -> None:
    """Twelve Nodes, and the one Service."""
    items: list[Mapping[str, Any]] = [node(name, instance(name)) for name in NODES]
    if request.plural == "services":
        ports = [{"name": name, "nodePort": port} for name, port in NAMED.items()]
        items = [{"metadata": {"name": SERVICE.partition("/")[2]}, "spec": {"ports": ports}}]
    a_document({"metadata": {"resourceVersion": "100"}, "items": items})(handler, request)


class Patient:
    """A syncer, and the API server that it depends on."""

    def __init__(self, server: FaultyServer, plurals: tuple[str, ...]) -> None:
        self.server, self.plurals = server, plurals
        configuration = Configuration(host=server.url)
        configuration.retries = False
        api, clock, rng, counters = Api(configuration), SystemClock(), random.Random(1), Counters()  # noqa: S311
        groups = ",".join(f"{arn}={SERVICE}:{name}" for arn, name in zip(PORTS, NAMED, strict=True))
        settings = load({"NLB_SYNC_TARGET_GROUPS": groups})
        self.cloud = MemoryCloud(PORTS)
        for name in NODES:
            self.cloud.launch(instance(name))
        leadership = LeaderElection(KubernetesLeases(api, "default", "nlb-sync"), "me", clock, rng)
        self.controller = Controller(
            settings=settings,
            cluster=KubernetesCluster(api, partial(node_view, policy=settings.node_policy), [SERVICE]),
            elb=MemoryElb(self.cloud, may_write=leadership.may_write),
            clock=clock,
            rng=rng,
            counters=counters,
            leadership=leadership,
            events=KubernetesEvents(api, Workload(namespace="default", deployment="nlb-sync", pod="me")),
            records=KubernetesRecords(api, "default", "nlb-sync"),
        )

    def kinds(self) -> dict[str, list[float]]:
        """When each kind of the sick requests came."""
        return {
            f"{kind} {plural}": starts
            for plural in self.plurals
            for kind, starts in self.server.starts(plural).items()
        }

    def longest_wait(self, until: float) -> float:
        """The longest time in which nothing sick was asked for, since the first time that it was."""
        waits = [0.0]
        for plural in self.plurals:
            starts = sorted(each for starts in self.server.starts(plural).values() for each in starts)
            waits += [later - earlier for earlier, later in pairwise([*starts, until])] if starts else []
        return max(waits)

    @property
    def filled(self) -> bool:
        return all(len(self.cloud.registered(arn)) == len(NODES) for arn in PORTS)

    @property
    def problems(self) -> list[str]:
        problems: list[str] = status(snapshot(self.controller))["problems"]
        return problems

    @property
    def well(self) -> bool:
        return self.filled and not self.problems


async def _watch(seconds: float) -> float:
    """Wait for so long. Return the seconds by which a busy machine made this event loop late meanwhile."""
    lost, end = 0.0, time.monotonic() + seconds
    while (before := time.monotonic()) < end:
        await asyncio.sleep(_TICK_S)
        lost += time.monotonic() - before - _TICK_S
    return lost


def _too_often(starts: list[float], lost: float) -> bool:
    """More than once a second. A busy machine may hand over one request late, so that two come together."""
    burst = any(third - first < 1.0 - lost for first, third in zip(starts, starts[2:], strict=False))
    return burst or len(starts) > _FAULT_S + lost + 1


@pytest.fixture
def sick() -> Iterator[dict[str, tuple[FaultyServer, tuple[str, ...]]]]:
    """A server for each part that is sick in each way, all at the same time: each is watched for seconds."""
    with ExitStack() as servers:
        made = {}
        for part, plurals in KINDS.items():
            for name, fault in FAULTS.items():
                if fault is _only_writes and "nodes" in plurals:
                    continue  # nothing is written there
                server = servers.enter_context(FaultyServer(lists=_lists))
                server.sick = dict.fromkeys(plurals, fault)
                made[f"{part}: {name}"] = (server, plurals)
        yield made


def test_each_kind_is_asked_once_a_second_at_most_and_all_is_right_again_soon_after(
    sick: dict[str, tuple[FaultyServer, tuple[str, ...]]],
) -> None:
    asyncio.run(_be_ill_and_recover(sick))


async def _be_ill_and_recover(sick: dict[str, tuple[FaultyServer, tuple[str, ...]]]) -> None:
    patients = {name: Patient(server, plurals) for name, (server, plurals) in sick.items()}
    loop = asyncio.get_running_loop()
    running = [asyncio.create_task(each.controller.run()) for each in patients.values()]
    lost = await _watch(_FAULT_S)
    asked = {
        f"{name}: {kind}": starts for name, each in patients.items() for kind, starts in each.kinds().items()
    }
    waits = {name: each.longest_wait(time.monotonic()) for name, each in patients.items()}
    for each in patients.values():
        each.server.sick.clear()
    assert len(asked) > len(patients)
    assert {kind: starts for kind, starts in asked.items() if _too_often(starts, lost)} == {}
    # A right that is missing is asked for slowly where the syncer can do without it.
    retried = {name: wait for name, wait in waits.items() if not name.endswith(("403", "says-nothing"))}
    assert {name: wait for name, wait in retried.items() if wait > 2.0 + _SLACK_S + lost} == {}
    deadline = loop.time() + 30
    while not all(each.filled if name.endswith("403") else each.well for name, each in patients.items()):
        ill = {name: each.problems for name, each in patients.items() if not each.well}
        assert loop.time() < deadline, ill
        await asyncio.sleep(0.05)
    for each in patients.values():
        each.controller.stop()
    await asyncio.gather(*running)
