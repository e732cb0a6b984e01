import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from typing import Any

import pytest

from syncer.telemetry.web.answer import Answer, text
from syncer.telemetry.web.shared import Shared


def test_an_answer_that_is_ready_before_the_caller_has_stored_it_is_dropped_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submit = asyncio.run_coroutine_threadsafe

    def submit_slowly(made: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Future[Any]:
        future = submit(made, loop)
        wait([future])
        time.sleep(0.2)  # the loop drops the answer in this time, unless it waits for the caller
        return future

    def observe() -> int:
        raise RuntimeError("broken state")

    def render(number: int) -> Answer:
        return text(200, str(number))

    async def story() -> None:
        route = Shared(observe, render)
        first = await asyncio.to_thread(route)
        assert isinstance(first.exception(), RuntimeError)
        async with asyncio.timeout(10):
            while await asyncio.to_thread(route) is first:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", submit_slowly)
    asyncio.run(story())
