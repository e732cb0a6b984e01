"""The desired state computed from the Nodes and the lists alone, beside the kept one, in steps."""

from collections.abc import Awaitable, Callable, Mapping
from itertools import islice

from syncer.decide.standings import Standings, is_same_for_plans
from syncer.model import NodeView

# Nodes or instances of one step, after which other tasks run: 2 to 5 ms of CPU.
STEP = 500

Rest = Callable[[], Awaitable[None]]
"""Lets other tasks run, and takes the changes of the meantime into account."""


class FullPass:
    """`standings` is the new result; changes during the pass go to it and to the kept one."""

    def __init__(self, standings: Standings) -> None:
        self.standings = standings
        self._newer: set[str] = set()

    def put(self, name: str, node: NodeView | None) -> None:
        """Store a Node that has changed during the pass."""
        self._newer.add(name)
        self.standings.put(name, node)

    async def compute(self, nodes: Mapping[str, NodeView], rest: Rest) -> None:
        """Decide on all Nodes; a Node that has changed since the start of the pass is decided already."""
        names = iter(nodes.items())
        while step := list(islice(names, STEP)):
            for name, node in step:
                if name not in self._newer:
                    self.standings.put(name, node)
            self.standings.decide()
            await rest()
        await rest()

    async def differs(self, kept: Standings, rest: Rest) -> bool:
        """Compare every Node and every intent with the kept ones."""
        full = self.standings
        names, instances = iter(list(full.nodes)), iter(list(full.intents))
        while some := list(islice(names, STEP)):
            if any(kept.nodes.get(each) is not full.nodes.get(each) for each in some):
                return True
            await rest()
        while step := list(islice(instances, STEP)):
            if any(not is_same_for_plans(kept.intents.get(i), full.intents.get(i)) for i in step):
                return True
            await rest()
        return (len(kept.nodes), len(kept.intents)) != (len(full.nodes), len(full.intents))
