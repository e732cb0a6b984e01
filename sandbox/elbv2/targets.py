"""The targets of one target group: registered, draining, absent (source 1)."""

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import NamedTuple

from sandbox.elbv2.lag import Changes

TargetKey = tuple[str, int]
"""(instance id, port): one instance on two ports is two targets (source 1)."""


class Target(NamedTuple):
    """A registered or draining target, and the last result of its health checks, valid from `checked_at`."""

    registered_at: float
    draining_until: float | None = None
    checked: str = "initial"
    """`initial`, `healthy` or `unhealthy`."""
    reason: str = ""
    checked_at: float = 0.0


class Targets:
    """The targets of a group. A write costs the size of its batch, not of the group.

    With `history`, the state of a past time can be read.
    """

    def __init__(self, *, history: bool = False) -> None:
        self._history = history
        self._present: dict[TargetKey, Target] = {}
        self._draining = 0
        self._ends: list[tuple[float, TargetKey]] = []
        self._changes: Changes[TargetKey, Target] = Changes()

    def keep_history(self, wanted: bool) -> None:
        """Switch `history` on or off; off, the past is forgotten."""
        self._history = wanted
        if not wanted:
            self._changes.clear()

    @property
    def present(self) -> Mapping[TargetKey, Target]:
        """Return all targets, including targets whose drain is over but has not been ended."""
        return self._present

    def at(self, then: float) -> Mapping[TargetKey, Target]:
        """Return the targets at a past time, as far as `history` was kept since."""
        past = self._changes.undone(self._present, then)
        return {key: one for key, one in past.items() if not _is_over(one, then)}

    def count(self, *, draining: bool) -> int:
        """Return the number of targets, with or without the draining targets."""
        return len(self._present) - (0 if draining else self._draining)

    def counted(self, *, draining: bool) -> Iterator[TargetKey]:
        """Yield the targets of `count`."""
        return (key for key, one in self._present.items() if draining or one.draining_until is None)

    def new(self, keys: Iterable[TargetKey], *, draining: bool) -> int:
        """Return how many of the keys would add to `count`."""
        known = (self._present.get(key) for key in keys)
        return sum(one is None or (one.draining_until is not None and not draining) for one in known)

    def register(self, keys: Iterable[TargetKey], now: float) -> None:
        """Register; a registered target is unchanged, a draining target starts afresh."""
        for key in keys:
            known = self._present.get(key)
            if known is None or known.draining_until is not None:
                self.put(key, Target(now), now)

    def deregister(self, keys: Iterable[TargetKey], now: float, delay_s: float) -> None:
        """Let targets drain; an absent target is no error, a draining target drains further."""
        for key in keys:
            known = self._present.get(key)
            if known is not None and known.draining_until is None:
                self.put(key, known._replace(draining_until=now + delay_s), now)
        self.end_drains(now)

    def put(self, key: TargetKey, target: Target, now: float) -> None:
        """Add or replace a target."""
        self._replaced(key, now)
        self._present[key] = target
        if target.draining_until is not None:
            self._draining += 1
            heappush(self._ends, (target.draining_until, key))

    def remove(self, key: TargetKey, now: float) -> None:
        """Remove a target at once."""
        self._replaced(key, now)
        self._present.pop(key, None)

    def end_drains(self, now: float) -> None:
        """Remove the targets whose deregistration delay is over."""
        while self._ends and self._ends[0][0] <= now:
            end, key = heappop(self._ends)
            known = self._present.get(key)
            if known is not None and known.draining_until == end:
                self.remove(key, now)

    def _replaced(self, key: TargetKey, now: float) -> None:
        before = self._present.get(key)
        if before is not None and before.draining_until is not None:
            self._draining -= 1
        if self._history:
            self._changes.record(now, key, before)


def _is_over(target: Target, now: float) -> bool:
    return target.draining_until is not None and now >= target.draining_until
