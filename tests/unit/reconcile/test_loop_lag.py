"""nlb_sync_loop_lag_seconds shows a step that blocks the loop, for a minute at most."""

import asyncio

from syncer.telemetry.counters import Counters
from syncer.telemetry.lag import LoopLag
from tests.simulation.virtual import VirtualClock, run_virtually


class Blocked(VirtualClock):
    """A sleep ends late while the loop is blocked for `seconds`."""

    seconds = 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds + self.seconds)


def test_the_longest_block_is_shown_and_forgotten_after_a_minute() -> None:
    async def story() -> None:
        counters, clock = Counters(), Blocked()
        task = asyncio.create_task(LoopLag(counters, clock).run())
        await asyncio.sleep(5)
        assert counters.loop_lag < 1e-6
        for clock.seconds in (0.1, 0.3, 0.0):
            await asyncio.sleep(1)
        assert abs(counters.loop_lag - 0.3) < 1e-6
        await asyncio.sleep(24)
        assert abs(counters.loop_lag - 0.3) < 1e-6
        await asyncio.sleep(36)
        assert counters.loop_lag < 1e-6
        task.cancel()

    run_virtually(story())
