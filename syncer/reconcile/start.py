"""The start of `--once`: waits until a single pass can have an effect."""

from collections.abc import Callable

from syncer.config.settings import ServicePort
from syncer.errors import NotBegunError
from syncer.interfaces import Clock, Cluster, Leadership
from syncer.reconcile.desired_state import DesiredState
from syncer.reconcile.group import Group

# The Lease of a killed holder is free after 10 s.
_BEGIN_S = 30.0
_CHECK_S = 1.0


class Start:
    """Waits for the inputs of a single pass: Nodes, the right to write, and the port."""

    def __init__(
        self, cluster: Cluster, leadership: Leadership, desired_state: DesiredState, clock: Clock
    ) -> None:
        self._cluster = cluster
        self._leadership = leadership
        self._desired_state = desired_state
        self._clock = clock

    async def ready(self, group: Group, stopping: Callable[[], bool]) -> None:
        """Return when a pass over the group can have an effect, or the controller stops.

        Raises:
            NotBegunError: after 30 s, with the reason.

        """
        deadline = self._clock.monotonic() + _BEGIN_S
        while (missing := self._missing(group)) and not stopping():
            if self._clock.monotonic() >= deadline:
                raise NotBegunError(f"nothing was done within {_BEGIN_S:g} s: {missing}")
            await group.schedule.wait_for_request(self._clock, _CHECK_S)
            group.schedule.drop_request()

    def _missing(self, group: Group) -> str:
        """Return the reason why a single pass could have no effect; "" without a reason."""
        if not self._desired_state.listed:
            return "; ".join(self._cluster.problems) or "no complete list of nodes"
        if not self._leadership.may_write():
            return self._leadership.problem or "another replica holds the Lease"
        source = group.config.settings.port
        unknown = isinstance(source, ServicePort) and self._desired_state.port(group) is None
        return f"{group.name}: its NodePort is not known" if unknown else ""
