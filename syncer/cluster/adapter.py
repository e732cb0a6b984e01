"""The controller's view of the cluster: Nodes and NodePorts in caches on the loop."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from syncer.cluster.api import Api
from syncer.cluster.decode import node_event, node_page
from syncer.cluster.reflector import Reflector, Watched
from syncer.decide.service_ports import LivePort, by_label, live_ports, node_port_of
from syncer.model import NodeView

View = TypeVar("View")

NODES = Watched(path="/api/v1/nodes", plural="nodes", page=node_page, event=node_event)


class KubernetesCluster:
    """Implements `syncer.interfaces.Cluster`: one watch thread for the Nodes, one for each Service.

    With a `label_selector` the API server sends only the Nodes that match, and all others are unknown.
    """

    def __init__(
        self,
        api: Api,
        node_view: Callable[[Mapping[str, Any]], NodeView],
        services: Collection[str],
        restarted: Callable[[str, str], None] = lambda _plural, _reason: None,
        label_selector: str = "",
    ) -> None:
        self._nodes: Cache[NodeView] = Cache(restarted)
        self._services = {service: Cache[tuple[LivePort, ...]](restarted) for service in services}
        selected = replace(NODES, label_selector=label_selector)
        self._nodes_reflector = Reflector(api, selected, node_view, self._nodes)
        self._service_reflectors = {
            service: Reflector(api, _watched(service), live_ports, cache)
            for service, cache in self._services.items()
        }
        self._reflectors: list[Reflector[Any]] = [self._nodes_reflector, *self._service_reflectors.values()]

    @property
    def nodes(self) -> Mapping[str, NodeView] | None:
        """Every Node by name; None before the first complete list."""
        return self._nodes.views

    def take_changes(self) -> Collection[str] | None:
        """Return the names of the Nodes that changed since the last call; None after a new list."""
        return self._nodes.take_changes()

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the caches are not current, a line for each cause."""
        return tuple(reflector.problem for reflector in self._reflectors if reflector.problem)

    def behind(self, service: str = "") -> float:
        """Return for how many seconds the Nodes, or a given `service`, may have been wrong."""
        beside = [self._service_reflectors[service].behind] if service else []
        return max(self._nodes_reflector.behind, *beside, 0.0)

    def node_port(self, service: str, port: str) -> int | None:
        """Return the NodePort of `namespace/name` for a port's name or number; None while unknown."""
        return node_port_of(self._ports(service), port)

    def node_ports(self, service: str) -> Mapping[str, int]:
        """Return every NodePort of `namespace/name` by its port's label; empty while unknown."""
        return by_label(self._ports(service))

    def _ports(self, service: str) -> tuple[LivePort, ...]:
        views = self._services[service].views or {}
        return views.get(service.partition("/")[2], ())

    def knows(self, service: str) -> bool:
        """Return whether a list for `namespace/name` has been read: then an absent Service does not exist."""
        return self._services[service].views is not None

    async def run(self, changed: Callable[[], None]) -> None:
        """Follow until cancelled; then close the sockets: no watch delays the end."""
        loop = asyncio.get_running_loop()
        self._nodes.attach(loop, changed)
        for cache in self._services.values():
            cache.attach(loop, changed)
        for reflector in self._reflectors:
            reflector.start()
        try:
            await asyncio.Event().wait()
        finally:
            for reflector in self._reflectors:
                reflector.stop()


class Cache(Generic[View]):
    """A Sink with views for the loop: the reflector's thread passes changes to the loop."""

    def __init__(self, restarted: Callable[[str, str], None]) -> None:
        self.views: dict[str, View] | None = None
        self._names: set[str] | None = None
        self._restarted = restarted
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: Callable[[], None] = lambda: None

    def attach(self, loop: asyncio.AbstractEventLoop, changed: Callable[[], None]) -> None:
        """Pass changes to `loop`, and call `changed` there after every change."""
        self._loop, self._changed = loop, changed

    def take_changes(self) -> Collection[str] | None:
        """Return the names of the views that changed since the last call; None after a new list."""
        names, self._names = self._names, set()
        return names

    def replaced(self, views: Mapping[str, View]) -> None:
        """Replace all views by a complete list; no call of `changed` for an equal list."""
        self._hand_over(self._replace, dict(views))

    def changed(self, name: str, view: View | None) -> None:
        """Store an object's new view, None for a deleted object."""
        self._hand_over(self._change, name, view)

    def restarted(self, plural: str, reason: str) -> None:
        """Count an ended watch, on the loop too."""
        self._hand_over(self._restarted, plural, reason)

    def _hand_over(self, change: Callable[..., None], *arguments: Any) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
                self._loop.call_soon_threadsafe(change, *arguments)

    def _replace(self, views: dict[str, View]) -> None:
        if views != self.views:
            self.views, self._names = views, None
            self._changed()

    def _change(self, name: str, view: View | None) -> None:
        if self.views is None:
            return
        if view is None:
            self.views.pop(name, None)
        else:
            self.views[name] = view
        if self._names is not None:
            self._names.add(name)
        self._changed()


def _watched(service: str) -> Watched:
    namespace, _, name = service.partition("/")
    return Watched(
        path=f"/api/v1/namespaces/{namespace}/services",
        plural="services",
        field_selector=f"metadata.name={name}",
    )
