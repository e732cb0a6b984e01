"""How long the controller's loop is blocked: the delay of a timer on the loop."""

from syncer.interfaces import Clock
from syncer.telemetry.counters import Counters

_EVERY_S = 0.25
_WINDOW_S = 30.0


class LoopLag:
    """Records in `counters` the longest delay of the last 30 to 60 s."""

    def __init__(self, counters: Counters, clock: Clock) -> None:
        self._counters = counters
        self._clock = clock

    async def run(self) -> None:
        """Measure until cancelled. A step longer than _EVERY_S always delays a timer."""
        earlier, longest, until = 0.0, 0.0, self._clock.monotonic() + _WINDOW_S
        while True:
            due = self._clock.monotonic() + _EVERY_S
            await self._clock.sleep(_EVERY_S)
            now = self._clock.monotonic()
            longest = max(longest, now - due)
            self._counters.loop_lag = max(earlier, longest)
            if now >= until:
                earlier, longest, until = longest, 0.0, now + _WINDOW_S
