"""A process that is frozen (SIGSTOP) and goes on later: what it waits for ends, but it does not notice."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from tests.simulation.virtual import VirtualClock

Answer = TypeVar("Answer")


class Frost:
    """Whether one replica is frozen."""

    def __init__(self) -> None:
        self._running = asyncio.Event()
        self._running.set()

    def freeze(self) -> None:
        """SIGSTOP."""
        self._running.clear()

    def thaw(self) -> None:
        """SIGCONT."""
        self._running.set()

    async def passed(self) -> None:
        """Go on, if the process does."""
        while not self._running.is_set():
            await self._running.wait()

    async def after(self, waited: Awaitable[Answer]) -> Answer:
        """What was waited for, once the process runs to see it."""
        try:
            return await waited
        finally:
            await self.passed()


class FrozenClock(VirtualClock):
    """The clock of a replica that may be frozen. Time goes on without it."""

    def __init__(self, frost: Frost) -> None:
        self._frost = frost

    async def sleep(self, seconds: float) -> None:
        await self._frost.after(super().sleep(seconds))

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        return await self._frost.after(super().wait(event, seconds))
