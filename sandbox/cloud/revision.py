"""A number that changes when what the cloud answers of load balancers, groups or instances may change."""

from sandbox.cloud.elbv2.health import next_transition
from sandbox.cloud.elbv2.store import Elbv2


class Revision:
    """Counts writes, and the moments at which time alone changes a state (a drain that ends)."""

    def __init__(self, elbv2: Elbv2) -> None:
        self._elbv2 = elbv2
        self._number = 1
        self._due: float | None = None

    def bump(self) -> None:
        """Something was written."""
        self._number += 1
        self._due = next_transition(self._elbv2, self._elbv2.clock())

    def current(self) -> int:
        """The number now."""
        if self._due is not None and self._elbv2.clock() >= self._due:
            self.bump()
        return self._number
