"""Answers that depend on the query of a request: a bounded number, made one after the other."""

import asyncio
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from syncer.telemetry.web.answer import Answer, text
from syncer.telemetry.web.shared import KEPT_FOR

State = TypeVar("State")
Index = TypeVar("Index")
Query = TypeVar("Query", bound=Hashable)
# A user looks at one query at a time. An answer is small, but 100 rows of 50 groups are 700 kB.
MOST = 16


@dataclass(frozen=True, slots=True)
class Queried:
    """A route that gets the query of the request, "" without a query. May raise RefusedError."""

    answer: Callable[[str], Answer | Future[Answer]]

    def __call__(self, query: str = "") -> Answer | Future[Answer]:
        """Answer in the thread that serves clients."""
        return self.answer(query)


class SharedQueries(Generic[State, Index, Query]):
    """Answers to the queries of one document, each shared by all clients at about the same time.

    `observe` runs on the loop of the object's creation; `build` (from a state to what all queries have in
    common) and `render` (an answer) run in a worker thread. After a part that took a time, the next part of
    the same kind begins nine times that time later, so each kind takes at most a tenth of the time, however
    many different queries arrive. `MOST` answers are kept; while `MOST` are being made, others are refused.
    """

    def __init__(
        self,
        observe: Callable[[], State],
        build: Callable[[State], Index],
        render: Callable[[Index, Query], Answer],
    ) -> None:
        self._observe, self._build, self._render = observe, build, render
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._pause_until = 0.0
        self._index: Index | None = None
        self._guard = threading.Lock()  # the serving thread and the loop change these two
        self._making: dict[Query, Future[Answer]] = {}
        self._made: dict[Query, Future[Answer]] = {}

    def __call__(self, query: Query) -> Answer | Future[Answer]:
        """Return the answer, finished or in the making. Called by the single thread that serves clients."""
        with self._guard:
            known = self._making.get(query) or self._made.get(query)
            if known is not None:
                return known
            if len(self._making) >= MOST:
                return text(503, f"{MOST} other queries are waiting for an answer; try again")
            making = asyncio.run_coroutine_threadsafe(self._make(query), self._loop)
            self._making[query] = making
            return making

    async def _make(self, query: Query) -> Answer:
        kept = False
        try:
            async with self._turn:
                await asyncio.sleep(self._pause_until - self._loop.time())
                index = await self._common()
                began = time.perf_counter()
                try:
                    answer = await asyncio.to_thread(self._render, index, query)
                finally:
                    self._pause_until = self._loop.time() + KEPT_FOR * (time.perf_counter() - began)
            kept = self._index is index
            return answer
        finally:
            with self._guard:
                made = self._making.pop(query)
                if kept:  # else failed, or of a state that is no longer shared
                    self._made[query] = made
                    if len(self._made) > MOST:
                        del self._made[next(iter(self._made))]

    async def _common(self) -> Index:
        if self._index is None:
            began = time.perf_counter()
            try:
                self._index = await asyncio.to_thread(self._build, self._observe())
            finally:
                pause = KEPT_FOR * (time.perf_counter() - began)
                if self._index is None:
                    self._pause_until = self._loop.time() + pause
                else:
                    self._loop.call_later(pause, self._forget)
        return self._index

    def _forget(self) -> None:
        self._index = None
        with self._guard:
            self._made = {}
