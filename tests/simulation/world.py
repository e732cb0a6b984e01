"""A whole world on virtual time: one cloud, one cluster, any number of replicas of the syncer."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

from syncer.config.settings import Settings, load
from syncer.interfaces import Leadership
from syncer.model import InstanceId, Target, TargetGroupArn
from syncer.reconcile.controller import Controller
from syncer.reconcile.leader_election import LeaderElection, Unelected
from syncer.reconcile.observe import snapshot
from syncer.telemetry.counters import Counters
from syncer.telemetry.metrics import exposition
from syncer.telemetry.snapshot import Snapshot
from syncer.telemetry.status import status, unready
from tests.simulation.agreement import Agreement, DisagreementError
from tests.simulation.cloud import MemoryCloud
from tests.simulation.cluster import MemoryCluster, MemoryWorld, node
from tests.simulation.elb import MemoryElb
from tests.simulation.events import MemoryEvents
from tests.simulation.frost import Frost, FrozenClock
from tests.simulation.leases import MemoryLease, MemoryLeases
from tests.simulation.records import MemoryRecord, MemoryRecords

SERVICE = "ingress-traefik/traefik-ingress-service-nlb"
HTTP = TargetGroupArn(
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
)
HTTPS = TargetGroupArn(
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/https/fedcba9876543210"
)
PORTS = {HTTP: 30080, HTTPS: 30443}


class Replica:
    """One syncer of a world: may be stopped (SIGTERM) or killed (SIGKILL) at any moment."""

    def __init__(
        self,
        world: "World",
        settings: Settings,
        seed: int,
        *,
        once: bool = False,
        elected: bool = False,
        checked: bool = True,
    ) -> None:
        rng = random.Random(seed)  # noqa: S311
        self.name = f"replica-{seed}"
        self.frost = Frost()
        clock = FrozenClock(self.frost)
        self.leases = MemoryLeases(world.lease, self.frost)
        self.leadership: Leadership = Unelected()
        if elected:
            self.leadership = LeaderElection(self.leases, self.name, clock, rng)
        self.elb = MemoryElb(world.cloud, self.frost, self.leadership.may_write)
        self.cluster = MemoryCluster(world.cluster, settings.node_policy)
        self.events = MemoryEvents()
        self.counters = Counters()
        self.controller = Controller(
            settings=settings,
            cluster=self.cluster,
            elb=self.elb,
            clock=clock,
            rng=rng,
            counters=self.counters,
            leadership=self.leadership,
            records=MemoryRecords(world.stored),
            events=self.events,
        )
        if checked:
            Agreement(self.controller)
        self._task = asyncio.create_task(self.controller.run(once=once))

    @property
    def leads(self) -> bool:
        """Whether it may write now."""
        return self.leadership.may_write()

    def observe(self) -> Snapshot:
        """Return the state at this moment."""
        return snapshot(self.controller, nodes=True)

    def status(self) -> Mapping[str, Any]:
        """Return /status."""
        return status(self.observe())

    def unready(self) -> str:
        """Return the missing condition of /readyz."""
        return unready(self.observe())

    def metrics(self) -> str:
        """Return /metrics."""
        return exposition(self.observe(), self.counters).decode()

    async def wait(self) -> None:
        """Until it ends by itself."""
        await self._task

    async def stop(self) -> None:
        """SIGTERM."""
        self.controller.stop()
        await self._task

    async def kill(self) -> None:
        """SIGKILL: whatever is under way is never heard of again; what is on the wire arrives."""
        self._task.cancel()
        self.frost.thaw()
        (ended,) = await asyncio.gather(self._task, return_exceptions=True)
        if isinstance(ended, DisagreementError):
            raise ended


class World:
    """Both groups follow the ingress Service's NodePorts, as the stack sets it up."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.cloud = MemoryCloud(PORTS)
        self.cluster = MemoryWorld()
        self.lease = MemoryLease()
        self.stored = MemoryRecord()
        self.cluster.expose(SERVICE, "http", PORTS[HTTP])
        self.cluster.expose(SERVICE, "https", PORTS[HTTPS])
        self.settings = load(
            {
                "NLB_SYNC_TARGET_GROUPS": f"{HTTP}={SERVICE}:http,{HTTPS}={SERVICE}:https",
                "NLB_SYNC_OWNERSHIP": "exclusive",
                **(environment or {}),
            }
        )
        self._seed = 0

    def replica(self, *, once: bool = False, elected: bool = False, checked: bool = True) -> Replica:
        """Start one more syncer; all that are `elected` share the one Lease.

        `checked`: what it keeps is compared with a full computation at each use, slow with many nodes.
        """
        self._seed += 1
        return Replica(self, self.settings, self._seed, once=once, elected=elected, checked=checked)

    def join(self, *names: str) -> None:
        """Instances start and their Nodes turn Ready."""
        for name in names:
            self.cloud.launch(instance(name))
            self.cluster.put(node(name, instance(name)))

    def targets(self, *names: str, arn: TargetGroupArn = HTTP) -> set[Target]:
        """The targets that these nodes should be in a group."""
        return {Target(instance(name), PORTS[arn]) for name in names}

    def filled_with(self, *names: str) -> bool:
        """Whether exactly these nodes are registered in both groups."""
        return all(self.cloud.registered(arn) == self.targets(*names, arn=arn) for arn in PORTS)

    async def until(self, holds: Callable[[], bool], within: float) -> float:
        """Wait for a state of the world; the virtual seconds it took. AssertionError when it takes longer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not holds():
            assert loop.time() - began <= within, f"not within {within} s: {self.cloud.healths(HTTP)}"
            await asyncio.sleep(0.05)
        return loop.time() - began


def instance(name: str) -> InstanceId:
    """The instance of a node, by the node's name."""
    return InstanceId("i-" + name.encode().hex().ljust(17, "0")[:17])
