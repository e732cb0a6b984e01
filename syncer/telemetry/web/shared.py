"""A large answer, made once for all clients at about the same time."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from syncer.telemetry.web.answer import Answer

State = TypeVar("State")
# An answer is shared for this multiple of the making time: the cost is at most a tenth of the time.
KEPT_FOR = 9


class Shared(Generic[State]):
    """A route: `observe` runs on the loop of the object's creation, `render` in a worker thread.

    The result of `observe` must not change afterwards. Answers (2 MB at 5,000 nodes) are kept only briefly.
    """

    def __init__(self, observe: Callable[[], State], render: Callable[[State], Answer]) -> None:
        self._observe, self._render = observe, render
        self._loop = asyncio.get_running_loop()
        # The loop may drop an answer before it is stored; the answer would then stay until a restart.
        self._guard = threading.Lock()
        self._answer: Future[Answer] | None = None

    def __call__(self) -> Future[Answer]:
        """Return the answer, finished or in the making. Called by the single thread that serves clients."""
        with self._guard:
            if self._answer is None:
                self._answer = asyncio.run_coroutine_threadsafe(self._make(), self._loop)
            return self._answer

    async def _make(self) -> Answer:
        began = time.perf_counter()
        try:
            return await asyncio.to_thread(self._render, self._observe())
        finally:
            self._loop.call_later(KEPT_FOR * (time.perf_counter() - began), self._forget)

    def _forget(self) -> None:
        with self._guard:
            self._answer = None
