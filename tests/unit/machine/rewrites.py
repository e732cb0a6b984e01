"""How often one replica may write the same to a target (rule 7)."""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from math import inf

from syncer.model import InstanceId, Target
from tests.sim.elb import Call
from tests.unit.machine.effects import LAG_S

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
            undone = max((at for at, each in self._effects if _undoes(each, call, target)), default=-inf)
            same = [at for at, each in self._writes if _repeats(each, call, target) and at > undone]
            if same and now - same[-1] < LAG_S and target not in touched:
                yield f"{target} is written again {now - same[-1]:.1f} s later (rule 7)"
            leaves = call.operation == "deregister" and target.id in announced
            if len(same) > _MOST and not leaves:
                yield f"{target} is written for the {len(same) + 1}. time in ten minutes (rule 7)"


def _undoes(earlier: Call, call: Call, target: Target) -> bool:
    """Whether `earlier` did the opposite to a target; a write without an answer may have."""
    return earlier.group == call.group and target in earlier.targets and earlier.operation != call.operation


def _repeats(earlier: Call, call: Call, target: Target) -> bool:
    return earlier.group == call.group and target in earlier.targets and earlier.operation == call.operation
