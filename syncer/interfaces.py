"""Interfaces of the controller to the cluster, AWS and time: narrow protocols that tests can implement."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from syncer.model import NodeView, Target, TargetGroupArn, TargetHealth


class Clock(Protocol):
    """The controller's source of time; injected so that replicas can run on virtual time."""

    def monotonic(self) -> float:
        """Return seconds that never jump, for intervals. Thread-safe."""

    def now(self) -> float:
        """Return seconds since the epoch, for comparison with Kubernetes' timestamps."""

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until `event` is set, `seconds` at most; return whether `event` was set."""


class Cluster(Protocol):
    """The Kubernetes API server, as caches that are filled by list-then-watch."""

    @property
    def nodes(self) -> Mapping[str, NodeView] | None:
        """Every Node by name; None before the first complete list."""

    def take_changes(self) -> Collection[str] | None:
        """Return the names of the Nodes changed since the last call; None if any Node may have changed."""

    @property
    def problems(self) -> Collection[str]:
        """Reasons why the caches are not current, a line for every reason; empty if current."""

    def behind(self, service: str = "") -> float:
        """Return for how many seconds the Nodes, or the given `service`, may have been outdated."""

    def node_port(self, service: str, port: str) -> int | None:
        """Return the NodePort of `namespace/name` for a port's name or number, None if unknown.

        An empty `port` means the only port of the Service.
        """

    def node_ports(self, service: str) -> Mapping[str, int]:
        """Return every NodePort of `namespace/name` by port label, 0 without a NodePort; empty if unknown."""

    def knows(self, service: str) -> bool:
        """Whether a list for `namespace/name` has been read: a missing Service then does not exist."""

    async def run(self, changed: Callable[[], None]) -> None:
        """Keep the caches current until cancelled; call `changed` on the loop after every change."""


class Elb(Protocol):
    """The AWS calls of the syncer. Every method raises the errors of `syncer.errors`."""

    async def describe(self, group: TargetGroupArn) -> Sequence[TargetHealth]:
        """Call DescribeTargetHealth for the whole group: a single call, without pages."""

    async def target_types(self, groups: Collection[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:
        """Return the target type of every group that AWS describes, such as `instance`. Never fails."""

    async def default_port(self, group: TargetGroupArn) -> int:
        """Return the default port of a group that is configured as a bare ARN."""

    async def register(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """Call RegisterTargets once; the caller splits batches."""

    async def deregister(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """Call DeregisterTargets once; the caller splits batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """Content of a coordination.k8s.io/v1 Lease; `acquired` and `renewed` are the writer's epoch seconds.

    No replica compares these times with its own clock; only a change of the times counts. `version` is the
    version that an update must name, "" before the first write.
    """

    holder: str
    duration: float
    acquired: float
    renewed: float
    transitions: int = 0
    version: str = ""


class Leases(Protocol):
    """The Lease of a syncer.

    Every method raises DeniedError, or ClusterError without a response.
    """

    async def read(self) -> LeaseRecord | None:
        """Return the Lease, None if missing."""

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        """Create (without a version) or update the Lease.

        Raises:
            ConflictError: if the Lease has another version than `record`.

        """


class Leadership(Protocol):
    """Decides whether this replica may write to AWS."""

    @property
    def problem(self) -> str:
        """The fault that prevents leader election, in one line; empty without a fault."""

    @property
    def elected(self) -> bool:
        """Whether leader election is in use; without leader election every replica writes."""

    @property
    def joined(self) -> bool:
        """Whether the election has worked once, so that the leader is known."""

    def may_write(self) -> bool:
        """Whether a write may be sent now. Thread-safe."""

    async def run(self, changed: Callable[[], None], stays_back: Callable[[], bool]) -> None:
        """Take part until cancelled; call `changed` after leadership was won or lost.

        While `stays_back` returns true, other replicas may become the leader first.
        """

    async def release(self) -> None:
        """Release leadership at once for another replica. Call only after the last write has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a Node, or of the syncer's Deployment if `node` is "". Times are epoch seconds.

    `name` stays the same for all repetitions, and `count` is the number of occurrences. `known`: the event
    was written before.
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
    """Writer of Kubernetes events."""

    async def write(self, event: Event) -> None:
        """Create or update the event.

        Raises:
            DeniedError: without the permission.
            ClusterError: without a response.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordState:
    """Content of one of the syncer's ConfigMaps, and the version that a change must name."""

    values: Mapping[str, str]
    version: str


class Records(Protocol):
    """The syncer's ConfigMaps, by number from 0.

    Every method raises DeniedError, or ClusterError without a response.
    """

    async def read(self, number: int = 0) -> RecordState | None:
        """Return the whole content, None if the ConfigMap is missing."""

    async def write(self, changes: Mapping[str, str | None], version: str, number: int = 0) -> str:
        """Set the values of `changes`, delete the keys with None, and return the new version.

        With version "" create the ConfigMap.

        Raises:
            ConflictError: if `version` is not the newest.

        """
