"""The nodes of a cluster above 5,000 nodes, kept by the fake API server of `bench.apiserver`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bench.apiserver.template import SPECIMEN
from bench.fleet import NODES, Fleet, Node
from sandbox.errors import SandboxError
from sandbox.nodes.ec2 import RUNNING

_KUBELET_S = 300
_LATE_S = 2.0
_RESET, _HEARTBEATS = "/_bench/reset", "/_bench/heartbeats"


@dataclass(slots=True)
class LargeFleet(Fleet):
    """`specimen` is the Node that all Nodes are rendered from. `pool` Nodes are in the pool, None: all."""

    specimen: dict[str, Any] = field(default_factory=dict)
    pool: int | None = None
    _outside: list[Node] = field(default_factory=list)

    @property
    def instances(self) -> dict[str, str]:
        """Return the instances of all Nodes, running."""
        return {node.instance: RUNNING for node in (*self.nodes, *self.spent, *self._outside)}

    def settle(self, size: int, note: Callable[[str], None]) -> None:
        """Have exactly `size` Nodes, all Ready and as new."""
        pool = size if self.pool is None else min(size, self.pool)
        note(f"{size} nodes, {pool} of them in the pool")
        self.api.create(_RESET, {"specimen": self.specimen, "nodes": size, "pool": pool})
        self.nodes = [Node(number) for number in range(1, pool + 1)]
        self._outside = [Node(number, pool=False) for number in range(pool + 1, size + 1)]
        self.spent, self._numbers = [], count(size + 1)

    @contextmanager
    def heartbeats(self) -> Iterator[None]:
        """Have the server write each kubelet's unchanged status every 5 minutes during the block."""
        number = len(self.nodes) + len(self.spent) + len(self._outside)
        self.api.create(_HEARTBEATS, {"per_s": number / _KUBELET_S})
        try:
            yield
        finally:
            late: float = self.api.create(_HEARTBEATS, {"per_s": 0})["late"]
        if late > _LATE_S:
            raise SandboxError(f"the API server took heartbeats {late:.0f} s late: the machine is too busy")


def specimen(fleet: Fleet) -> dict[str, Any]:
    """Return a Ready Node as sent by the real API server of `fleet`."""
    fleet.join(SPECIMEN)
    try:
        return fleet.api.get(f"{NODES}/{SPECIMEN.name}")
    finally:
        fleet.remove(SPECIMEN)
