"""How often one replica may write the same to a target (rule 7)."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from math import inf

from syncer.model import InstanceId, Target
from tests.simulation.elb import Call
from tests.simulation.lives.effects import LAG_S

WINDOW_S = 600.0
_MOST = 3


@dataclass(slots=True)
class Rewrites:
    """The writes of the last ten minutes: those that AWS acknowledged, and those that took effect."""

    _writes: deque[tuple[float, Call]] = field(default_factory=deque)
    _effects: deque[tuple[float, Call]] = field(default_factory=deque)

    def add(self, call: Call, now: float) -> None:
        """Record a write that AWS acknowledged."""
        self._writes.append((now, call))

    def forget(self) -> None:
        """Forget what was acknowledged: all that is wanted may be written again."""
        self._writes.clear()

    def took_effect(self, call: Call, now: float) -> None:
        """Record a write that AWS carried out, whether its answer arrives or not."""
        self._effects.append((now, call))

    def faults(
        self, call: Call, now: float, touched: Collection[Target], announced: Collection[InstanceId]
    ) -> Iterator[str]:
        """What is wrong with another write of the same kind.

        What another writer undoes is written three times in ten minutes, not more. Announced removals are
        repeated as often as they are undone, once a minute at most. Targets that no other writer `touched`
        are not written again within a minute, whatever a read shows.
        """
        for kept in (self._writes, self._effects):
            while kept and kept[0][0] < now - WINDOW_S:
                kept.popleft()
        for target in call.targets:
            effects = _of(self._effects, call, target)
            undone = max((at for at, operation in effects if operation != call.operation), default=-inf)
            writes = _of(self._writes, call, target)
            same = [at for at, operation in writes if operation == call.operation and at > undone]
            if same and now - same[-1] < LAG_S and target not in touched:
                yield f"{target} is written again {now - same[-1]:.1f} s later (rule 7)"
            leaves = call.operation == "deregister" and target.id in announced
            if len(same) > _MOST and not leaves:
                yield f"{target} is written for the {len(same) + 1}. time in ten minutes (rule 7)"


def _of(kept: Iterable[tuple[float, Call]], call: Call, target: Target) -> Iterator[tuple[float, str]]:
    """When which operation was about a target in the group of `call`."""
    for at, each in kept:
        if each.group == call.group and target in each.targets:
            yield at, each.operation
