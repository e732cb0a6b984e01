"""How often one replica may write the same to a target (rule 7)."""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from syncer.model import InstanceId, Target
from tests.sim.elb import Call
from tests.unit.machine.effects import LAG_S

WINDOW_S = 600.0
_MOST = 3


@dataclass(slots=True)
class Rewrites:
    """The acknowledged writes of the last ten minutes."""

    _writes: deque[tuple[float, Call]] = field(default_factory=deque)

    def add(self, call: Call, now: float) -> None:
        """Record a write that AWS acknowledged."""
        self._writes.append((now, call))

    def faults(
        self, call: Call, now: float, touched: Collection[Target], announced: Collection[InstanceId]
    ) -> Iterator[str]:
        """What is wrong with another write of the same kind.

        What another writer undoes is written three times in ten minutes, not more. Announced removals are
        repeated as often as they are undone, once a minute at most. Targets that no other writer `touched`
        are not written again within a minute, whatever a read shows.
        """
        while self._writes and self._writes[0][0] < now - WINDOW_S:
            self._writes.popleft()
        for target in call.targets:
            ours = [
                (at, each.operation)
                for at, each in self._writes
                if each.group == call.group and target in each.targets
            ]
            same = [*takewhile(lambda each: each[1] == call.operation, reversed(ours))]
            if same and now - same[0][0] < LAG_S and target not in touched:
                yield f"{target} is written again {now - same[0][0]:.1f} s later (rule 7)"
            leaves = call.operation == "deregister" and target.id in announced
            if len(same) > _MOST and not leaves:
                yield f"{target} is written for the {len(same) + 1}. time in ten minutes (rule 7)"
