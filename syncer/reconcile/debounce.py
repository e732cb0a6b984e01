"""Debounces bursts of cluster changes; the first change is handled at once."""

import asyncio
from collections.abc import Callable

from syncer.interfaces import Clock

# Further changes are collected for FIRST_S, doubling to LONGEST_S while changes continue: the replacement of
# a node group costs a few calls, not a call for every node. A burst ends after FIRST_S without a change.
FIRST_S = 0.1
LONGEST_S = 1.0


class Debounce:
    """Calls `on_change` at once for the first change, then once per window for all changes in the window."""

    def __init__(self, clock: Clock, on_change: Callable[[], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Report a change. Call on the loop; never waits."""
        self._changed.set()

    async def run(self) -> None:
        """Forward changes until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._on_change()
            window = FIRST_S
            while await self._gather(window):
                self._on_change()
                window = min(LONGEST_S, 2 * window)

    async def _gather(self, window: float) -> bool:
        """Whether a change came within `window` seconds; ends early when no more changes come."""
        end, came = self._clock.monotonic() + window, False
        while (left := end - self._clock.monotonic()) > 0:
            if not await self._clock.wait(self._changed, min(FIRST_S, left)):
                break
            self._changed.clear()
            came = True
        return came
