"""A contender under a load: the context of a row."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bench.cloud import Ledger
from bench.contender import Contender, Process
from bench.fleet import Node
from bench.measures import SELECTOR, TARGET_LIMIT, Known
from bench.world import World
from sandbox.errors import SandboxError

_LOOK_S = 0.5
# A contender with a call per target needs ten minutes for 5,000 nodes.
_FILLED_S = 900.0


class LateError(SandboxError):
    """The expected state was not reached in time; the message describes the content of the groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`nodes`: size of the cluster; `targets`: the number of these nodes in each full group.

    `narrowed`: the setting that excludes the other nodes, TARGET_LIMIT or SELECTOR.
    `wanted`: rows to be printed; `quick`: short waits, few events.
    """

    world: World
    contender: Contender
    nodes: int
    targets: int
    narrowed: str = ""
    wanted: frozenset[str]
    quick: bool
    note: Callable[[str], None]

    def few(self, usual: int, quick: int) -> int:
        """Return `usual`, or `quick` in a quick run."""
        return quick if self.quick else usual

    def settle(self) -> None:
        """Prepare `nodes` Ready nodes and empty groups."""
        self.world.fleet.settle(self.nodes, self.note)
        self.world.reset_aws()

    @contextmanager
    def started(self, changes: Mapping[str, str] | None = None) -> Iterator["Watch"]:
        """Run the contender during the block, with `changes` to its environment."""
        with self.world.running(self.contender, {**self._settings, **(changes or {})}) as process:
            yield Watch(self.world, process, self.targets if self.narrowed == TARGET_LIMIT else None)

    @property
    def _settings(self) -> Mapping[str, str]:
        if self.narrowed == TARGET_LIMIT:
            return {"NLB_SYNC_TARGET_LIMIT": str(self.targets)}
        if self.narrowed == SELECTOR:
            selector = "=".join(Node.POOL)
            return {"NLB_SYNC_NODE_SELECTOR": selector, "NLB_SYNC_SERVER_SIDE_SELECTOR": "true"}
        return {}

    @contextmanager
    def filled(
        self, changes: Mapping[str, str] | None = None, within: float = _FILLED_S
    ) -> Iterator["Watch"]:
        """Run the contender; enter the block once all nodes are healthy targets and the contender is idle."""
        with self.started(changes) as watch:
            self.note("the groups are being filled")
            watch.until_right(within)
            self.pause(watch, self.few(10, 4), "coming to rest")
            yield watch

    def pause(self, watch: "Watch", seconds: float, why: str) -> None:
        """Let time pass; record the calls meanwhile."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.note(f"{why}, {left:.0f} s left")
            watch.process.check()
            watch.take(min(left, _LOOK_S))


class Watch:
    """A running contender and its calls so far, from the fake's log. `limit`: targets of a full group."""

    def __init__(self, world: World, process: Process, limit: int | None = None) -> None:
        self.process = process
        self._world = world
        self._limit = limit
        self.ledger = Ledger({arn: set() for arn in world.groups.values()})

    def holding(self, targets: dict[str, list[tuple[str, int]]]) -> None:
        """Set the initial content of the groups."""
        for arn, keys in targets.items():
            self.ledger.groups[arn].update(keys)

    def take(self, wait: float) -> None:
        """Record the calls of the next `wait` seconds."""
        ends = time.monotonic() + wait
        while True:
            left = ends - time.monotonic()
            for call in self._world.cloud.calls(len(self.ledger.calls), max(0.0, left)):
                self.ledger.take(call)
            if left <= 0:
                return

    def until(self, holds: Callable[[Ledger], bool], within: float) -> float:
        """Return the arrival time of the call after which `holds` is true. Raises LateError or EndedError."""
        ends = time.monotonic() + within
        if holds(self.ledger):
            return self.ledger.calls[-1].at if self.ledger.calls else self.process.started_at
        while time.monotonic() < ends:
            self.process.check()
            found = None
            for call in self._world.cloud.calls(len(self.ledger.calls), _LOOK_S):
                self.ledger.take(call)
                if found is None and holds(self.ledger):
                    found = call.at
            if found is not None:
                return found
        raise LateError(f"not within {within:.0f} s")

    def until_right(self, within: float) -> float:
        """Return the time at which every group had the nodes that should be targets, up to the limit."""
        wanted = self._world.fleet.wanted
        return self.until(lambda ledger: ledger.holds(wanted, self._limit), within)


Figures = dict[str, Known]
"""What a run found, by the row's name."""
