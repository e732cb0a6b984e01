"""What the controller asks of the cluster, of AWS and of time, as narrow protocols that a test can play."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from syncer.model import NodeView, Target, TargetGroupArn, TargetHealth


class Clock(Protocol):
    """Time as the controller knows it; injected so that replicas can run on virtual time."""

    def monotonic(self) -> float:
        """Seconds that never jump; for intervals. May be asked in any thread."""

    def now(self) -> float:
        """Seconds since the epoch; for comparison with Kubernetes' timestamps."""

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until `event` is set, `seconds` at most; whether it was set."""


class Cluster(Protocol):
    """The Kubernetes side: caches that are fed by list-then-watch."""

    @property
    def nodes(self) -> Mapping[str, NodeView] | None:
        """Every Node by name; None before the first complete list."""

    @property
    def problems(self) -> Collection[str]:
        """What keeps the caches from being current, one line each; empty when all is well."""

    def behind(self, service: str = "") -> float:
        """For how many seconds the Nodes, or the `service` beside them, may have been wrong."""

    def node_port(self, service: str, port: str) -> int | None:
        """The NodePort of `namespace/name` for a port's name or number, "" the only one; None if unknown."""

    def node_ports(self, service: str) -> Mapping[str, int]:
        """Every NodePort of `namespace/name` by its port's label, 0 for none; empty while it is unknown."""

    def knows(self, service: str) -> bool:
        """Whether a list with or without `namespace/name` has been read: what is absent is not there."""

    async def run(self, changed: Callable[[], None]) -> None:
        """Keep the caches current until cancelled; `changed` is called on the loop after each change."""


class Elb(Protocol):
    """The AWS side: the calls that the syncer makes. Each raises the errors of `syncer.errors`."""

    async def describe(self, group: TargetGroupArn) -> Sequence[TargetHealth]:
        """DescribeTargetHealth of the whole group: one call, it does not page."""

    async def target_types(self, groups: Collection[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:
        """What each group takes, `instance` or another word; absent where AWS does not tell. Never fails."""

    async def default_port(self, group: TargetGroupArn) -> int:
        """The group's own port, for a group that is given as a bare ARN."""

    async def register(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """RegisterTargets, one call; the caller cuts batches."""

    async def deregister(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """DeregisterTargets, one call; the caller cuts batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """What a coordination.k8s.io/v1 Lease says. `acquired` and `renewed` are the writer's epoch seconds.

    Nobody compares the times with a clock of his own; that they change is what counts. `version` is what an
    update must name: "" before the first one.
    """

    holder: str
    duration: float
    acquired: float
    renewed: float
    transitions: int = 0
    version: str = ""


class Leases(Protocol):
    """The one Lease of a syncer. Each method raises DeniedError, or ClusterError when nobody answers."""

    async def read(self) -> LeaseRecord | None:
        """The Lease; None when there is none."""

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        """Create (no version) or update it; ConflictError when it is not the version that was read."""


class Leadership(Protocol):
    """Who of several replicas may write to AWS."""

    @property
    def problem(self) -> str:
        """What keeps the election from working, in one line; empty when all is well."""

    @property
    def elected(self) -> bool:
        """Whether there is an election; without one every replica writes."""

    @property
    def joined(self) -> bool:
        """Whether the election has worked once: it is known who leads."""

    def may_write(self) -> bool:
        """Whether a write may be sent now. May be asked in any thread."""

    async def run(self, changed: Callable[[], None], stays_back: Callable[[], bool]) -> None:
        """Take part until cancelled; `changed` is called after it was won or lost.

        Who `stays_back` lets others lead where there are any.
        """

    async def release(self) -> None:
        """Let another replica have it at once. Only after the last write has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is told of a Node, or of our own Deployment where `node` is "". Times are epoch seconds.

    `name` is the same for each repetition, `count` says how many there were; `known`: it was written before.
    """

    node: str
    reason: str
    message: str
    warning: bool
    name: str
    count: int
    first: float
    last: float
    known: bool


class Events(Protocol):
    """Where people look for what happened."""

    async def write(self, event: Event) -> None:
        """Create or update it. DeniedError where that is not allowed, ClusterError when nobody answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordState:
    """What the ConfigMap of a syncer holds, and the version that a change must name."""

    values: Mapping[str, str]
    version: str


class Records(Protocol):
    """That ConfigMap. Each method raises DeniedError, or ClusterError when nobody answers."""

    async def read(self) -> RecordState | None:
        """All of it; None when there is none."""

    async def write(self, changes: Mapping[str, str | None], version: str) -> RecordState:
        """Set values, take those away that are None; ConflictError when `version` is not the newest.

        With the version "" it is created.
        """
