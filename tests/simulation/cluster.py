"""A cluster in memory: Nodes as JSON, watched by any number of replicas, each with its own delay."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from syncer.decide.nodes import node_view
from syncer.decide.policy import NodePolicy
from syncer.model import NodeView


def node(name: str, instance: str, **changes: Any) -> dict[str, Any]:
    """A Ready node's JSON; `changes` are labels, taints, ready, deleting, cordoned, created, zone."""
    zone = changes.get("zone", "eu-central-1a")
    metadata: dict[str, Any] = {
        "name": name,
        "creationTimestamp": changes.get("created", "2026-01-01T00:00:00Z"),
        "labels": {"topology.kubernetes.io/zone": zone, **changes.get("labels", {})},
    }
    if deleting := changes.get("deleting"):
        metadata["deletionTimestamp"] = deleting
    spec: dict[str, Any] = {
        "providerID": f"aws:///{zone}/{instance}",
        "taints": [{"key": key, "effect": "NoSchedule"} for key in changes.get("taints", ())],
    }
    if changes.get("cordoned"):
        spec["unschedulable"] = True
    ready = {"type": "Ready", "status": "True" if changes.get("ready", True) else "False"}
    return {"metadata": metadata, "spec": spec, "status": {"conditions": [ready]}}


class MemoryWorld:
    """What the API server holds: Nodes and NodePorts."""

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.ports: dict[tuple[str, str], int] = {}
        self._watchers: list[Callable[[], None]] = []

    def put(self, item: dict[str, Any]) -> None:
        """Create or replace a Node."""
        self.nodes[item["metadata"]["name"]] = item
        self._tell()

    def delete(self, name: str) -> None:
        """Delete a Node."""
        del self.nodes[name]
        self._tell()

    def expose(self, service: str, port: str, node_port: int) -> None:
        """Allocate a NodePort."""
        self.ports[service, port] = node_port
        self._tell()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after each change."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Call it no more."""
        self._watchers.remove(watcher)

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()


class MemoryCluster:
    """`syncer.interfaces.Cluster` of one replica: a cache of the world that lags `lag` seconds behind it.

    While it is `cut` off nothing reaches it. `told` hears what the caches hold, before the replica does.
    """

    def __init__(self, world: MemoryWorld, policy: NodePolicy | None = None, lag: float = 0.02) -> None:
        self._world = world
        self._policy = policy or NodePolicy()
        self._lag = lag
        self._nodes: dict[str, NodeView] | None = None
        self._ports: dict[tuple[str, str], int] = {}
        self._names: set[str] | None = None
        self._news = asyncio.Event()
        self._cut_at: float | None = None
        self.told: Callable[[Mapping[str, dict[str, Any]], Mapping[tuple[str, str], int]], None] | None = None

    @property
    def cut(self) -> bool:
        return self._cut_at is not None

    @cut.setter
    def cut(self, cut: bool) -> None:
        now = asyncio.get_running_loop().time()
        self._cut_at = (now if self._cut_at is None else self._cut_at) if cut else None

    def behind(self, service: str = "") -> float:  # noqa: ARG002 - Nodes and Services come together here
        return 0.0 if self._cut_at is None else asyncio.get_running_loop().time() - self._cut_at

    @property
    def nodes(self) -> Mapping[str, NodeView] | None:
        return self._nodes

    def take_changes(self) -> Collection[str] | None:
        names, self._names = self._names, set()
        return names

    def _take_nodes(self) -> None:
        """As a watch does: an unchanged Node keeps its view, and the first list has no names."""
        known = self._nodes or {}
        views = {name: node_view(item, self._policy) for name, item in self._world.nodes.items()}
        new = {name: view if known.get(name) != view else known[name] for name, view in views.items()}
        if self._nodes is not None and self._names is not None:
            self._names |= {name for name in {**known, **new} if known.get(name) is not new.get(name)}
        self._nodes = new

    @property
    def problems(self) -> Collection[str]:
        return ("cut off",) if self.cut else ()

    def node_port(self, service: str, port: str) -> int | None:
        return self._ports.get((service, port))

    def node_ports(self, service: str) -> Mapping[str, int]:
        return {port: number for (name, port), number in self._ports.items() if name == service}

    def knows(self, service: str) -> bool:  # noqa: ARG002 - Nodes and Services come together here
        return self._nodes is not None

    async def run(self, changed: Callable[[], None]) -> None:
        self._world.watch(self._news.set)
        try:
            while True:
                await asyncio.sleep(self._lag)
                self._news.clear()
                if not self.cut:
                    self._take_nodes()
                    self._ports = dict(self._world.ports)
                    if self.told:
                        self.told(dict(self._world.nodes), self._ports)
                    changed()
                await self._news.wait()
        finally:
            self._world.unwatch(self._news.set)
