"""Changes of the cluster that come in bursts become a few looks, and the first of them is looked at once."""

import asyncio
from collections.abc import Callable

from syncer.interfaces import Clock

# After a change those that follow are collected for this long, doubling while they keep coming, so that a
# node group that is replaced costs a few calls and not one a node; it is over when nothing comes for as long.
FIRST_S = 0.1
LONGEST_S = 1.0


class Debounce:
    """Calls `news` for the first change at once, and then once for all that came within each window."""

    def __init__(self, clock: Clock, news: Callable[[], None]) -> None:
        self._clock = clock
        self._news = news
        self._told = asyncio.Event()

    def tell(self) -> None:
        """Something has changed. On the loop; never waits."""
        self._told.set()

    async def run(self) -> None:
        """Pass changes on until cancelled."""
        while True:
            await self._told.wait()
            self._told.clear()
            self._news()
            window = FIRST_S
            while await self._gather(window):
                self._news()
                window = min(LONGEST_S, 2 * window)

    async def _gather(self, window: float) -> bool:
        """Whether anything came within `window` seconds; ends as soon as nothing comes any more."""
        end, came = self._clock.monotonic() + window, False
        while (left := end - self._clock.monotonic()) > 0:
            if not await self._clock.wait(self._told, min(FIRST_S, left)):
                break
            self._told.clear()
            came = True
        return came
