"""Debounces bursts of cluster changes, by the write calls that AWS still allows."""

import asyncio
import math
from collections.abc import Callable

from syncer.interfaces import Clock

# A burst ends after this time without a change; the next change is handled at once.
QUIET_S = 0.1
# The limits of the window. Several events of one change, such as taint and cordon, cost one pass.
SHORTEST_S = 0.02
LONGEST_S = 1.0
# With this many calls left or fewer, the window is the longest: so many calls are kept for the last changes
# of a burst, which then wait for no call (a pass of two groups takes up to four). The window is half as long
# for every two further calls.
RESERVE = 6.0
_HALVED_BY = 2.0
# Passes take at most a third of the time of the loop, however many nodes there are.
_REST = 2.0
# After a change, this many turns of the loop reach the first call of every pass.
_TURNS = 3


def window(calls_left: float) -> float:
    """Return for how many seconds further changes are collected."""
    halvings = (calls_left - RESERVE) / _HALVED_BY
    return min(LONGEST_S, max(SHORTEST_S, LONGEST_S * math.pow(2.0, -halvings)))


class Debounce:
    """Calls `on_change` at once for the first change, then once per window for all changes in the window.

    `calls_left` returns how many calls AWS allows now; the window depends only on it and on the time that the
    last passes took. `pending`: a change is not forwarded yet.
    """

    def __init__(self, clock: Clock, on_change: Callable[[], None], calls_left: Callable[[], float]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._calls_left = calls_left
        self._changed = asyncio.Event()
        self._busy = 0.0
        self.pending = False

    def notify(self) -> None:
        """Report a change. Call on the loop; never waits."""
        self.pending = True
        self._changed.set()

    async def run(self) -> None:
        """Forward changes until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._forward()
            while await self._gather(self._window()):
                await self._forward()

    def _window(self) -> float:
        return min(LONGEST_S, max(window(self._calls_left()), _REST * self._busy))

    async def _forward(self) -> None:
        """Forward the change, and measure for how long the passes keep the loop busy."""
        began, self.pending = self._clock.monotonic(), False
        self._on_change()
        for _ in range(_TURNS):
            await self._clock.sleep(0)
        self._busy = self._clock.monotonic() - began

    async def _gather(self, window: float) -> bool:
        """Whether a change came within `window` seconds; ends early when no more changes come."""
        end, came = self._clock.monotonic() + window, False
        while (left := end - self._clock.monotonic()) > 0:
            if not await self._clock.wait(self._changed, min(QUIET_S, left)):
                break
            self._changed.clear()
            came = True
        return came
