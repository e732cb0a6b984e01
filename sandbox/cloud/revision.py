"""A number that changes whenever the described load balancers, groups or instances may have changed."""

from sandbox.cloud.elbv2.health import next_transition
from sandbox.cloud.elbv2.store import Elbv2


class Revision:
    """Counts writes, and state changes caused by time alone (the end of a drain)."""

    def __init__(self, elbv2: Elbv2) -> None:
        self._elbv2 = elbv2
        self._number = 1
        self._due: float | None = None

    def bump(self) -> None:
        """Count a write."""
        self._number += 1
        self._due = next_transition(self._elbv2, self._elbv2.clock())

    def current(self) -> int:
        """Return the current number."""
        if self._due is not None and self._elbv2.clock() >= self._due:
            self.bump()
        return self._number
