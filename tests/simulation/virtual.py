"""An asyncio loop on virtual time: when nothing is ready, the clock jumps to the next timer."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

# 2026-01-01T00:00:00Z, where every simulated world begins.
EPOCH = 1_767_225_600.0


class _Jump(selectors.BaseSelector):
    """Waits for no file: a wait of some seconds is over at once, and the loop's clock has moved on by it."""

    def __init__(self) -> None:
        self.now = 0.0
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits for ever: no timer and nothing ready")
        self.now += max(0.0, timeout)
        return self._real.select(0)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Any:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds cost nothing on it."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Wait for worker threads in real time: no timer brings their end about."""
        del timeout
        if self._default_executor is not None:  # type: ignore[attr-defined]
            self._default_executor.shutdown()  # type: ignore[attr-defined]


class VirtualClock:
    """`syncer.interfaces.Clock` on a VirtualLoop."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> float:
        return EPOCH + self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await event.wait()
        except TimeoutError:
            return False
        return True


def run_virtually(story: Coroutine[Any, Any, Result]) -> Result:
    """Run a story to its end on virtual time."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(story)


def virtually(story: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test on virtual time, of a story."""

    def test() -> None:
        run_virtually(story())

    test.__name__ = story.__name__
    return test
