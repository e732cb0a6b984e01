"""A world and all that may happen to it: Nodes, instances, targets, faults, restarts, people."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from syncer.model import Target, TargetGroupArn, Why
from syncer.reconcile.confirmations import confirm
from syncer.reconcile.registry_format import MARKER, encoded, key_of, place, shard_key
from tests.simulation import lag
from tests.simulation.cloud import CALLS, MemoryGroup
from tests.simulation.cluster import node
from tests.simulation.lives.faults import FAULTS, LAGS, TROUBLES
from tests.simulation.lives.hands import ARNS, NAMES, Hands, zone_of
from tests.simulation.lives.known import SELECTOR
from tests.simulation.lives.oversight import Oversight
from tests.simulation.records import MemoryRecords
from tests.simulation.virtual import EPOCH
from tests.simulation.world import HTTP, PORTS, SERVICE, Replica, World, instance

PORT_NAMES = {HTTP: "http", ARNS[1]: "https"}


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
    confirmed: dict[tuple[TargetGroupArn, Target], float] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    record_lost: bool = False
    unlisted: bool = False
    unread: bool = False
    faces: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups_lost: set[TargetGroupArn] = field(default_factory=set)

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
        self.hands = Hands(self.world.cloud)
        for name in NAMES[: start.nodes]:
            self.join(name)
        before = [*NAMES[: start.old], *NAMES[len(NAMES) - start.stale :]]
        for arn in ARNS:
            targets = {Target(instance(name), PORTS[arn]) for name in before}
            self.world.cloud.groups[arn].targets.register(targets, -600.0)
            for name in before:
                self.world.cloud.launch(instance(name), zone_of(instance(name)))
                self.world.cloud.started_at[instance(name)] = -600.0
            if start.recorded:
                self.hands.ours[arn].update(targets)
            else:
                self.hands.note(arn, targets)
        if start.recorded and before:
            self._record(before, former=start.nodes % 2 == 0)
        for _ in range(start.replicas):
            self.hire()

    def _record(self, names: Iterable[str], *, former: bool) -> None:
        """Store the targets of these nodes, as version 0.1 or as this version does."""
        instances = [instance(name) for name in names]
        ids = " ".join(sorted(each.removeprefix("i-") for each in instances))
        stored = {key_of(arn): f"{PORTS[arn]} {ids}" if former else MARKER for arn in ARNS}
        if not former:
            places = frozenset(place(key_of(arn), PORTS[arn]) for arn in ARNS)
            stored[shard_key("")] = encoded(dict.fromkeys(instances, places))
        self.world.stored.store(stored, "")

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

    # Faults

    def fail(self, kind: str, operation: str, *, lost: bool = False) -> None:
        """Every such call fails for the replicas that there are; `lost` ones take effect."""
        self.unread = self.unread or operation == "describe"
        for each in self.crew:
            for arn in ARNS:
                calls = each.replica.elb.lost if lost else each.replica.elb.broken
                calls[operation, arn] = FAULTS[kind](CALLS[operation])

    def trouble(self, what: str) -> None:
        """Something is wrong at AWS, one of TROUBLES."""
        TROUBLES[what](self.world.cloud)

    def lag(self, kind: str) -> None:
        """Reads of groups lag from now on, as one of LAGS."""
        self.world.cloud.lag = LAGS[kind]()

    def heal(self) -> None:
        """AWS answers again."""
        for each in self.crew:
            each.replica.elb.broken.clear()
            each.replica.elb.lost.clear()
        self.world.cloud.confused = False
        self.world.cloud.lag = lag.none
        self.world.cloud.latency = 0.05

    def cut(self, index: int) -> None:
        """The API server tells a replica, and whoever starts from now on, of no Node and no NodePort."""
        self.crew[index % len(self.crew)].replica.cluster.cut = self.unlisted = True

    def connect(self) -> None:
        self.unlisted = False
        for each in self.crew:
            each.replica.cluster.cut = False
        self.world.cluster.expose("any/thing", "else", 1)  # a change, so that what was cut off catches up

    def lose_group(self, arn: TargetGroupArn) -> None:
        self.world.cloud.groups.pop(arn, None)
        self.groups_lost.add(arn)

    def make_group(self, arn: TargetGroupArn) -> None:
        self.world.cloud.groups.setdefault(arn, MemoryGroup())

    def lose_record(self) -> None:
        self.world.stored.lose()
        self.record_lost = True

    def touched(self, arn: TargetGroupArn, target: Target) -> bool:
        """Whether anybody but one replica has written to the target at any time, or AWS has lost it."""
        return self.start.replicas > 1 or arn in self.groups_lost or (arn, target) in self.hands.touched

    def false_conflicts(self) -> Iterable[str]:
        """The conflicts that are reported where there is no other writer."""
        for each in self.crew:
            for group in each.replica.controller.groups:
                for target in group.quarantine.conflicts.now(now()):
                    if not self.touched(group.arn, target):
                        yield f"{group.name}: {target} is contested, and nobody else has touched it (rule 7)"

    # Replicas and people

    def hire(self) -> None:
        """Start a replica."""
        replica = self.world.replica(elected=self.start.elected)
        replica.cluster.cut = self.unlisted
        self.crew.append(
            Oversight(
                world=self.world,
                replica=replica,
                wrong=self.wrong,
                zone_of=zone_of,
                foreign=self.hands.foreign,
                ours=self.hands.ours,
                confirmed=self.confirmed,
                elected=self.start.elected,
                record_kept=lambda: not self.record_lost,
                touched=self.touched,
                strange=self.hands.strange,
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
        cloud.quota, cloud.zones, cloud.overrides = None, None, {}
        cloud.sick.clear()
        cloud.crowded.clear()
        for each in {*self.world.cluster.nodes}:
            cloud.launch(instance(each.rstrip("2")), zone_of(instance(each.rstrip("2"))))
        self.hands.rest()
        for arn in ARNS:
            if (SERVICE, PORT_NAMES[arn]) not in self.world.cluster.ports:
                self.expose(arn, PORTS[arn])
        self.connect()

    async def end(self) -> None:
        """Stop everything."""
        self.hands.rest()
        for each in self.crew:
            await each.replica.kill()


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()
