"""Targets that AWS refused, each set aside for a while of its own, so that the others get through."""

import random
from collections import deque
from collections.abc import Iterable, Mapping

from syncer.backoff import Backoff
from syncer.model import Target, Why

_FIRST_S = 30.0
_LONGEST_S = 900.0
# Finding the bad ones of a refused call may cost this many calls a group a minute.
_SEARCH_CALLS = 16
_SEARCH_WINDOW_S = 60.0


class Poison:
    """What one group has set aside, and how much searching it may still do. Times are monotonic seconds."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._waits: dict[Target, tuple[float, Backoff]] = {}
        self._searches: deque[float] = deque()

    def refuse(self, targets: Iterable[Target], now: float) -> None:
        """Set `targets` aside, each time for longer."""
        for target in targets:
            _, backoff = self._waits.get(target, (0.0, Backoff(self._rng, _FIRST_S, _LONGEST_S)))
            self._waits[target] = (now + backoff.next(), backoff)

    def accepted(self, targets: Iterable[Target]) -> None:
        """Forget what AWS has taken."""
        for target in targets:
            self._waits.pop(target, None)

    def set_aside(self, now: float) -> Mapping[Target, Why]:
        """Those whose time is not over, as a GroupState has them."""
        return {target: Why.POISON for target, (until, _) in self._waits.items() if until > now}

    def next_release(self, now: float) -> float | None:
        """In how many seconds the next one may be tried again."""
        return min((until - now for until, _ in self._waits.values() if until > now), default=None)

    def may_search(self, now: float) -> bool:
        """Whether one more call may be spent on finding the bad ones; counts it if so."""
        while self._searches and self._searches[0] <= now - _SEARCH_WINDOW_S:
            self._searches.popleft()
        if len(self._searches) >= _SEARCH_CALLS:
            return False
        self._searches.append(now)
        return True
