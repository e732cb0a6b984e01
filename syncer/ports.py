"""What the controller asks of the cluster, of AWS and of time, as narrow protocols that a test can play."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from syncer.model import NodeView, Target, TargetGroupArn, TargetHealth


class Clock(Protocol):
    """Time as the controller knows it; injected so that replicas can run on virtual time."""

    def monotonic(self) -> float:
        """Seconds that never jump; for intervals."""

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

    def node_port(self, service: str, port: str) -> int | None:
        """The NodePort of `namespace/name` for a port name; None while it is unknown."""

    async def run(self, changed: Callable[[], None]) -> None:
        """Keep the caches current until cancelled; `changed` is called on the loop after each change."""


class Elb(Protocol):
    """The AWS side: the calls that the syncer makes. Each raises the errors of `syncer.errors`."""

    async def describe(self, group: TargetGroupArn) -> Sequence[TargetHealth]:
        """DescribeTargetHealth of the whole group: one call, it does not page."""

    async def default_port(self, group: TargetGroupArn) -> int:
        """The group's own port, for a group that is given as a bare ARN."""

    async def register(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """RegisterTargets, one call; the caller cuts batches."""

    async def deregister(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """DeregisterTargets, one call; the caller cuts batches."""
