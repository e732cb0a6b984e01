"""Runs the tasks of a controller until the work ends, one task fails, or a stop takes too long."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def run_together(
    work: Iterable[Coroutine[Any, Any, None]],
    background: Iterable[Coroutine[Any, Any, None]],
    overdue: Coroutine[Any, Any, None],
) -> bool:
    """Run everything at once; return whether all `work` has ended, false if `overdue` ended first.

    A background task runs until cancelled: its end is a failure, and is raised as its exception.
    """
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(each) for each in background]
    done: asyncio.Future[Any] = asyncio.gather(*work)
    tasks += [done, asyncio.ensure_future(overdue)]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return done in ended
