"""A world and all that may happen to it: Nodes, instances, targets, faults, restarts, people."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from syncer.model import InstanceId, Target, TargetGroupArn, Why
from syncer.record import confirm
from tests.sim.cloud import CALLS, Entry, MemoryGroup
from tests.sim.cluster import node
from tests.sim.records import MemoryRecords
from tests.sim.virtual import EPOCH
from tests.sim.world import HTTP, PORTS, SERVICE, Replica, World, instance
from tests.unit.machine.faults import FAULTS, TROUBLES
from tests.unit.machine.known import SELECTOR
from tests.unit.machine.oversight import Oversight

NAMES = tuple("abcdefgh")
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
STRANGERS = ("x", "y")
ARNS = tuple(PORTS)
PORT_NAMES = {HTTP: "http", ARNS[1]: "https"}


def zone_of(instance_id: InstanceId) -> str:
    """Where an instance runs, whether it runs or not."""
    return _ZONES.get(instance_id, ZONES[0])


_ZONES = {instance(name): ZONES[n % 3] for n, name in enumerate((*NAMES, *STRANGERS))}


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a life begins with. `old` nodes are targets already, `stale` targets have no Node any more."""

    ownership: str = "exclusive"
    share: float = 0.5
    cross_zone: bool = True
    limit: int | None = None
    elected: bool = False
    replicas: int = 1
    nodes: int = 4
    old: int = 0
    stale: int = 0
    recorded: bool = True


@dataclass
class Life:
    """One world on the running loop. `wrong` is what the oversight found."""

    start: Start
    wrong: list[str] = field(default_factory=list)
    crew: list[Oversight] = field(default_factory=list)
    foreign: dict[TargetGroupArn, set[Target]] = field(default_factory=lambda: {arn: set() for arn in ARNS})
    ours: dict[TargetGroupArn, set[Target]] = field(default_factory=lambda: {arn: set() for arn in ARNS})
    strange: set[Target] = field(default_factory=set)
    confirmed: dict[tuple[TargetGroupArn, Target], float] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    record_lost: bool = False
    hands: list[asyncio.Task[None]] = field(default_factory=list)
    faces: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        start = self.start
        self.world = World(
            {
                "NLB_SYNC_OWNERSHIP": start.ownership,
                "NLB_SYNC_SERVING_SHARE": str(start.share),
                "NLB_SYNC_CROSS_ZONE": str(start.cross_zone).lower(),
                "NLB_SYNC_TARGET_LIMIT": str(start.limit or ""),
                "NLB_SYNC_NODE_SELECTOR": SELECTOR,
            }
        )
        for name in NAMES[: start.nodes]:
            self.join(name)
        before = [*NAMES[: start.old], *NAMES[len(NAMES) - start.stale :]]
        for arn in ARNS:
            entries = self.world.cloud.groups[arn].entries
            for name in before:
                self.world.cloud.launch(instance(name), zone_of(instance(name)))
                self.world.cloud.started_at[instance(name)] = -600.0
                entries[Target(instance(name), PORTS[arn])] = Entry(-600.0)
            if start.recorded:
                self.ours[arn].update(entries)
            else:
                self._is_strange(arn, entries)
        if start.recorded and before:
            ids = " ".join(sorted(instance(name).removeprefix("i-") for name in before))
            keys = {arn: arn.rpartition(":targetgroup/")[2].replace("/", ".") for arn in ARNS}
            self.world.stored.store({keys[arn]: f"{PORTS[arn]} {ids}" for arn in ARNS}, "")
        for _ in range(start.replicas):
            self.hire()

    def _is_strange(self, arn: TargetGroupArn, targets: Iterable[Target]) -> None:
        """Another hand has put them there: foreign, unless they were ours before and may be recorded."""
        self.foreign[arn].update(set(targets) - self.ours[arn])
        self.strange.update(targets)

    # Nodes

    def face(self, name: str, **changes: Any) -> None:
        """Change how the Node of `name` looks, if there is one."""
        if name in self.world.cluster.nodes:
            self.faces[name] |= changes
            self.world.cluster.put(
                node(name, instance(name), zone=zone_of(instance(name)), **self.faces[name])
            )

    def join(self, name: str, *, ready: bool = True) -> None:
        """An instance starts and its Node appears; the Node is as new if it was there."""
        self.world.cloud.launch(instance(name), zone_of(instance(name)))
        self.faces[name] = {"ready": ready}
        self.world.cluster.put(node(name, instance(name), zone=zone_of(instance(name)), **self.faces[name]))

    def taint(self, name: str, key: str) -> None:
        self.face(name, taints=[key])

    def label(self, name: str, key: str) -> None:
        self.face(name, labels={key: "true"})

    def forgive(self, name: str) -> None:
        """Whatever made it leave is taken back."""
        self.face(name, taints=[], labels={}, cordoned=False)

    def delete(self, name: str, *, announced: bool) -> None:
        """Its deletion is asked for, or it is gone at once."""
        if announced:
            self.face(name, deleting=datetime.fromtimestamp(int(EPOCH + now()), UTC).isoformat())
        elif name in self.world.cluster.nodes:
            self.world.cluster.delete(name)

    def twin(self, name: str) -> None:
        """A second, newer Node of the same instance, as after a rename."""
        if name in self.world.cluster.nodes:
            twin = node(
                name + "2", instance(name), zone=zone_of(instance(name)), created="2026-02-01T00:00:00Z"
            )
            self.world.cluster.put(twin)

    def untwin(self, name: str) -> None:
        if name + "2" in self.world.cluster.nodes:
            self.world.cluster.delete(name + "2")

    def expose(self, arn: TargetGroupArn, port: int) -> None:
        """The Service gets another NodePort."""
        self.world.cluster.expose(SERVICE, PORT_NAMES[arn], port)

    # Instances and targets

    def halt(self, name: str) -> None:
        """The machine stops."""
        self.world.cloud.running.pop(instance(name), None)

    def sicken(self, name: str) -> None:
        self.world.cloud.sick.add(instance(name))

    def cure(self, name: str) -> None:
        self.world.cloud.sick.discard(instance(name))

    def put_by_hand(self, arn: TargetGroupArn, name: str, port: int) -> None:
        """Another hand registers a target."""
        target = Target(instance(name), port)
        if arn in self.world.cloud.groups and target not in self.world.cloud.registered(arn):
            self.world.cloud.launch(target.id, zone_of(target.id))
            quota, self.world.cloud.quota = self.world.cloud.quota, None
            if len(self.world.cloud.groups[arn].entries) < self.world.cloud.groups[arn].quota:
                self.world.cloud.crowded.discard(target.id)
                self.world.cloud.register(arn, [target])
                self._is_strange(arn, [target])
            self.world.cloud.quota = quota

    def remove_by_hand(self, arn: TargetGroupArn, name: str) -> None:
        if arn in self.world.cloud.groups:
            self.world.cloud.deregister(arn, [Target(instance(name), PORTS[arn])])

    def undo(self, arn: TargetGroupArn, name: str) -> None:
        """Another hand goes on removing a target whenever it sees it."""

        async def hand() -> None:
            while True:
                await asyncio.sleep(20)
                self.remove_by_hand(arn, name)

        self.hands.append(asyncio.create_task(hand()))

    # Faults

    def fail(self, kind: str, operation: str, *, lost: bool = False) -> None:
        """Every such call fails for the replicas that there are; `lost` ones take effect."""
        for each in self.crew:
            for arn in ARNS:
                calls = each.replica.elb.lost if lost else each.replica.elb.broken
                calls[operation, arn] = FAULTS[kind](CALLS[operation])

    def trouble(self, what: str) -> None:
        """Something is wrong at AWS, one of TROUBLES."""
        TROUBLES[what](self.world.cloud)

    def heal(self) -> None:
        """AWS answers again."""
        for each in self.crew:
            each.replica.elb.broken.clear()
            each.replica.elb.lost.clear()
        self.world.cloud.confused = False
        self.world.cloud.latency = 0.05

    def cut(self, index: int) -> None:
        self.crew[index % len(self.crew)].replica.cluster.cut = True

    def connect(self) -> None:
        for each in self.crew:
            each.replica.cluster.cut = False
        self.world.cluster.expose("any/thing", "else", 1)  # a change, so that what was cut off catches up

    def lose_group(self, arn: TargetGroupArn) -> None:
        self.world.cloud.groups.pop(arn, None)

    def make_group(self, arn: TargetGroupArn) -> None:
        self.world.cloud.groups.setdefault(arn, MemoryGroup())

    def lose_record(self) -> None:
        self.world.stored.state, self.record_lost = None, True

    # Replicas and people

    def hire(self) -> None:
        """Start a replica."""
        replica = self.world.replica(elected=self.start.elected)
        self.crew.append(
            Oversight(
                world=self.world,
                replica=replica,
                wrong=self.wrong,
                zone_of=zone_of,
                foreign=self.foreign,
                ours=self.ours,
                confirmed=self.confirmed,
                elected=self.start.elected,
                record_kept=lambda: not self.record_lost,
            )
        )

    async def kill(self, index: int) -> None:
        """SIGKILL, and the next one starts a second later."""
        each = self.crew.pop(index % len(self.crew))
        self.hear(each.replica)
        await each.replica.kill()
        await asyncio.sleep(1)
        self.hire()

    async def stop(self, index: int) -> None:
        """SIGTERM, and the next one starts. A frozen one goes on first, with what it was about to send."""
        each = self.crew[index % len(self.crew)]
        each.thaw()
        await asyncio.sleep(0.01)
        each.stopping = True
        await each.replica.stop()
        self.crew.remove(each)
        self.hear(each.replica)
        self.hire()

    def freeze(self, index: int) -> None:
        self.crew[index % len(self.crew)].freeze()

    def thaw(self) -> None:
        for each in self.crew:
            each.thaw()

    def hear(self, replica: Replica) -> None:
        """Keep what a replica has told as events."""
        self.events.update(event.reason for event in replica.events.written.values())

    async def confirm(self, arn: TargetGroupArn) -> None:
        """A person lets go what a writing replica holds as doubtful."""
        for each in self.crew:
            group = next(group for group in each.replica.controller.groups if group.arn == arn)
            if each.replica.leads and group.plan and group.plan.hold_id and not self.world.stored.away:
                held = [held.target for held in group.plan.held if held.why is Why.SHARE]
                self.confirmed.update({(arn, target): now() + 900 + 30 for target in held})
                await confirm(MemoryRecords(self.world.stored), group.plan.hold_id, EPOCH + now())

    def mend(self) -> None:
        """Every fault ends, and every hand is withdrawn; what was asked of Nodes stands."""
        self.thaw()
        self.heal()
        cloud = self.world.cloud
        self.world.lease.away = self.world.stored.away = False
        for arn in ARNS:
            self.make_group(arn)
            cloud.groups[arn].quota, cloud.groups[arn].listening = 1000, True
        cloud.quota, cloud.zones = None, None
        cloud.sick.clear()
        cloud.crowded.clear()
        for each in {*self.world.cluster.nodes}:
            cloud.launch(instance(each.rstrip("2")), zone_of(instance(each.rstrip("2"))))
        for hand in self.hands:
            hand.cancel()
        self.hands.clear()
        for arn in ARNS:
            if (SERVICE, PORT_NAMES[arn]) not in self.world.cluster.ports:
                self.expose(arn, PORTS[arn])
        self.connect()

    async def end(self) -> None:
        """Stop everything."""
        for hand in self.hands:
            hand.cancel()
        for each in self.crew:
            await each.replica.kill()


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()
