"""Writes that a read may not show yet: of another process, and without a response."""

from collections.abc import Iterable
from math import inf

from syncer.model import Target
from syncer.reconcile.own_writes import LAG_S


class Unshown:
    """Until when AWS may list a state from before some writes. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.settles_at = -inf
        self._unsure: dict[Target, float] = {}

    def another_wrote(self, now: float) -> None:
        """Note that another process may have written until now, and that AWS may lag for a minute."""
        self.settles_at = now + LAG_S

    def not_answered(self, targets: Iterable[Target], now: float) -> None:
        """Note a DeregisterTargets call without a response: for a minute AWS may not show the effect."""
        self._unsure |= dict.fromkeys(targets, now + LAG_S)

    def settle(self, before: float | None, began: float) -> bool:
        """Whether a read begun at `began` shows writes that the read begun at `before` may have missed."""
        moments = (self.settles_at, *self._unsure.values())
        return any((-inf if before is None else before) < moment <= began for moment in moments)

    def unsure(self, seen: float) -> frozenset[Target]:
        """Return the targets whose deregistration a read begun at `seen` may not show."""
        self._unsure = {target: until for target, until in self._unsure.items() if until > seen}
        return frozenset(self._unsure)

    def is_unsettled(self, seen: float) -> bool:
        """Whether a read begun at `seen` may not show another process's writes."""
        return seen < self.settles_at
