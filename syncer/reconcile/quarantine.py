"""Targets that AWS refused, each set aside for a while of its own, so that the others get through."""

import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncer.model import InstanceId, NodeView, Target, Why

_FIRST_S = 30.0
_LONGEST_S = 900.0
# Finding the bad ones of a refused call may cost this many calls a group a minute.
_SEARCH_CALLS = 16
_SEARCH_WINDOW_S = 60.0


@dataclass(slots=True)
class _Refusal:
    """Until when (monotonic seconds) a target is set aside, how often it was refused, and its Node then."""

    until: float
    times: int
    node: NodeView | None


class Quarantine:
    """What one group has set aside, and how much searching it may still do. Times are monotonic seconds."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._refusals: dict[Target, _Refusal] = {}
        self._searches: deque[float] = deque()

    @property
    def instances(self) -> frozenset[InstanceId]:
        """Whose targets AWS has refused and not taken since."""
        return frozenset(target.id for target in self._refusals)

    def refuse(self, targets: Iterable[Target], now: float, nodes: Mapping[InstanceId, NodeView]) -> None:
        """Set `targets` aside, each time for longer; `nodes` speak for their instances at this moment."""
        for target in targets:
            known = self._refusals.get(target)
            times = known.times + 1 if known else 1
            self._refusals[target] = _Refusal(now + self._wait(times), times, nodes.get(target.id))

    def _wait(self, times: int) -> float:
        """Seconds: never less than asked for, and a fifth of jitter so that groups do not try in step."""
        wait = min(_LONGEST_S, _FIRST_S * 2 ** min(times - 1, 16))
        return min(_LONGEST_S, self._rng.uniform(wait, 1.2 * wait))

    def look(self, nodes: Mapping[InstanceId, NodeView], now: float) -> None:
        """Forget the refusal of a target whose Node has turned Ready since, or is another one, or gone.

        What AWS refuses is mostly an instance that does not run yet, and a Node that turns Ready runs.
        """
        for target, refusal in list(self._refusals.items()):
            before, node = refusal.node, nodes.get(target.id)
            if node is None:
                forgotten = refusal.until <= now
            else:
                forgotten = node.ready and (before is None or _ready(node) != _ready(before))
                refusal.node = node
            if forgotten:
                del self._refusals[target]

    def accepted(self, targets: Iterable[Target]) -> None:
        """Forget what AWS has taken."""
        for target in targets:
            self._refusals.pop(target, None)

    def releases(self, now: float) -> Mapping[Target, float]:
        """Return in how many seconds each quarantined target may be tried again."""
        return {target: each.until - now for target, each in self._refusals.items() if each.until > now}

    def set_aside(self, now: float) -> Mapping[Target, Why]:
        """Those whose time is not over, as a GroupState has them."""
        return {target: Why.POISON for target, each in self._refusals.items() if each.until > now}

    def next_release(self, now: float) -> float | None:
        """In how many seconds the next one may be tried again."""
        return min((each.until - now for each in self._refusals.values() if each.until > now), default=None)

    def may_search(self, now: float, *, calls: int) -> bool:
        """Whether so many more calls may be spent on finding the bad ones; counts them if so."""
        while self._searches and self._searches[0] <= now - _SEARCH_WINDOW_S:
            self._searches.popleft()
        if len(self._searches) + calls > _SEARCH_CALLS:
            return False
        self._searches.extend([now] * calls)
        return True


def _ready(node: NodeView) -> tuple[str, float, bool, float | None]:
    """What is another one when a Node turns Ready, or is created anew, or takes over the instance."""
    return node.name, node.created, node.ready, node.ready_since
