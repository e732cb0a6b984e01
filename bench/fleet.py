"""The nodes of the cluster: as large as real nodes (10 KB), with an instance per node in the fake AWS."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Event
from typing import Any, ClassVar, TypeVar

from bench.api import Api
from bench.cloud import CloudClient
from bench.pacing import steadily
from sandbox.cloud.network import NodeInstance
from sandbox.layout import REGION
from sandbox.nodes.ec2 import RUNNING, Instance
from sandbox.nodes.node import Kind, node_object
from sandbox.nodes.status import node_status, timestamp

NODES = "/api/v1/nodes"
ZONES = tuple(f"{REGION}{letter}" for letter in "abc")
LEAVING = {"key": "ToBeDeletedByClusterAutoscaler", "value": "1", "effect": "NoSchedule"}
# The kubelet writes an unchanged status every 5 minutes: 5,000 nodes make 16.7 a second.
HEARTBEATS_PER_S = 16.0
# Of the 50 images that a kubelet reports by default: a Node is then 10 KB as sent by the API server.
_IMAGES = 35
_CONDITIONS = ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
# Enough writers to keep an API server on two cores busy; more writers only queue there.
_WRITERS = 4

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Node:
    """A node by number; name, instance and zone follow from the number. Nodes of the `pool` have a label."""

    POOL: ClassVar = ("pool", "ingress")

    number: int
    pool: bool = True

    @property
    def name(self) -> str:
        """Return the Node's name."""
        return f"node-{self.number:06}"

    @property
    def instance(self) -> str:
        """Return the id of the EC2 instance."""
        return f"i-{self.number:017x}"

    @property
    def zone(self) -> str:
        """Return the availability zone."""
        return ZONES[self.number % len(ZONES)]

    @property
    def ip(self) -> str:
        """Return the address."""
        return f"10.{self.number >> 16 & 255}.{self.number >> 8 & 255}.{self.number & 255}"

    def body(self, *, ready: bool) -> dict[str, Any]:
        """Return the Node object as created by its kubelet, status included."""
        made = node_object(self.name, self.zone, NodeInstance(self.instance, self.ip), Kind.WORKER)
        if self.pool:
            made["metadata"]["labels"].update([self.POOL])
        instance = Instance(
            id=self.instance, node=self.name, ip=self.ip, zone=self.zone, subnet="", state=RUNNING, type=""
        )
        status = node_status(instance, {}, dt.datetime.now(dt.UTC))
        status["images"] = status["images"][:_IMAGES]
        for condition in status["conditions"]:
            if condition["type"] == "Ready":
                condition.update(_ready(ready))
        return {**made, "status": status}


@dataclass(slots=True)
class Fleet:
    """Every Node of the cluster: `nodes` should be targets, `spent` should not."""

    api: Api
    cloud: CloudClient
    nodes: list[Node] = field(default_factory=list)
    spent: list[Node] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def wanted(self) -> frozenset[str]:
        """Return the instances that should be targets."""
        return frozenset(node.instance for node in self.nodes)

    @property
    def instances(self) -> dict[str, str]:
        """Return the instances of all Nodes, running."""
        return {node.instance: RUNNING for node in (*self.nodes, *self.spent)}

    def settle(self, size: int, note: Callable[[str], None]) -> None:
        """Adjust to exactly `size` Nodes, all Ready and as new."""
        surplus = [*self.spent, *self.nodes[size:]]
        self.spent, self.nodes = [], self.nodes[:size]
        _each(self.remove, surplus, lambda done: note(f"{done} of {len(surplus)} nodes deleted"))
        missing = self.new(size - len(self.nodes))
        _each(self.join, missing, lambda done: note(f"{done} of {len(missing)} nodes created"))
        self.nodes += missing

    def new(self, number: int, *, state: str = RUNNING) -> list[Node]:
        """Return new instances without a Node."""
        nodes = [Node(next(self._numbers)) for _ in range(number)]
        self.cloud.set(instances={node.instance: state for node in nodes})
        return nodes

    def join(self, node: Node) -> None:
        """Create the Node, Ready."""
        self.api.create(NODES, node.body(ready=True))

    def come(self, node: Node) -> None:
        """Create the Node, not Ready yet."""
        self.api.create(NODES, node.body(ready=False))

    def set_ready(self, node: Node, *, ready: bool = True) -> None:
        """Set the Node's Ready condition."""
        condition = {"type": "Ready", **_ready(ready)}
        self.api.patch(f"{NODES}/{node.name}/status", {"status": {"conditions": [condition]}})

    def taint(self, node: Node) -> None:
        """Taint the Node as the cluster autoscaler does before a removal."""
        self.api.patch(f"{NODES}/{node.name}", {"spec": {"taints": [LEAVING]}})

    def cordon(self, node: Node, *, cordoned: bool = True) -> None:
        """Cordon or uncordon the Node."""
        self.api.patch(f"{NODES}/{node.name}", {"spec": {"unschedulable": cordoned or None}})

    def remove(self, node: Node) -> None:
        """Delete the Node; the instance continues to run."""
        self.api.delete(f"{NODES}/{node.name}")

    @contextmanager
    def heartbeats(self) -> Iterator[None]:
        """Write unchanged kubelet statuses during the block, HEARTBEATS_PER_S in total."""

        def beat(turn: int) -> None:
            now = timestamp(dt.datetime.now(dt.UTC))
            conditions = [{"type": kind, "lastHeartbeatTime": now} for kind in _CONDITIONS]
            node = self.nodes[turn % len(self.nodes)]
            self.api.patch(f"{NODES}/{node.name}/status", {"status": {"conditions": conditions}})

        with steadily(beat, HEARTBEATS_PER_S, "heartbeats"):
            yield

    @contextmanager
    def cordons(self, nodes: Sequence[Node], per_s: float) -> Iterator[None]:
        """Cordon and uncordon the nodes one after the other during the block, `per_s` writes a second."""
        cordoned: list[Node] = []

        def change(turn: int) -> None:
            if cordoned:
                self.cordon(cordoned.pop(), cordoned=False)
            else:
                cordoned.append(nodes[turn // 2 % len(nodes)])
                self.cordon(cordoned[0])

        with steadily(change, per_s, "cordons"):
            yield
        for node in cordoned:
            self.cordon(node, cordoned=False)


def _ready(ready: bool) -> dict[str, str]:
    status, reason = ("True", "KubeletReady") if ready else ("False", "KubeletNotReady")
    return {
        "status": status,
        "reason": reason,
        "lastTransitionTime": timestamp(dt.datetime.now(dt.UTC)),
    }


def _each(act: Callable[[Node], None], nodes: Sequence[Node], done: Callable[[int], None]) -> None:
    """Apply `act` to all `nodes`, some in parallel; `done` receives the number of finished nodes."""
    with _writers() as pool:
        for number, _ in enumerate(pool.map(act, nodes), start=1):
            done(number)


def at_once(acts: Iterable[Callable[[], None]], within: float) -> None:
    """Start all `acts` in order, spread evenly over `within` seconds; wait until all are done."""
    waiting = list(acts)
    pause = Event()
    with _writers() as pool:
        futures = []
        for act in waiting:
            futures.append(pool.submit(act))
            pause.wait(within / len(waiting))
        for future in futures:
            future.result()


@contextmanager
def _writers() -> Iterator[ThreadPoolExecutor]:
    """Yield a pool that starts no further work after the block, also on Ctrl-C."""
    pool = ThreadPoolExecutor(_WRITERS)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
