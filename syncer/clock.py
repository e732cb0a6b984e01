"""Real time, as the controller is given it."""

import asyncio
import time


class SystemClock:
    """The loop's own clock and the wall clock. On a loop of virtual time it is virtual, but for `now`."""

    def monotonic(self) -> float:
        """Seconds of the running loop, never going back."""
        return asyncio.get_running_loop().time()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let others run for `seconds`."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Whether `event` was set within `seconds`."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await event.wait()
        except TimeoutError:
            return False
        return True
