import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import pytest

from syncer.telemetry.web.answer import Answer, text
from syncer.telemetry.web.shared import Shared


def test_an_answer_that_is_made_before_the_caller_goes_on_is_forgotten_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submit = asyncio.run_coroutine_threadsafe

    def submit_slowly(made: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Future[Any]:
        future = submit(made, loop)
        time.sleep(0.2)
        return future

    def observe() -> int:
        raise RuntimeError("broken state")

    def render(number: int) -> Answer:
        return text(200, str(number))

    async def story() -> None:
        route = Shared(observe, render)
        first = await asyncio.to_thread(route)
        await asyncio.sleep(0.2)
        assert isinstance(first.exception(), RuntimeError)
        assert await asyncio.to_thread(route) is not first

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", submit_slowly)
    asyncio.run(story())
