"""A browser that looks at the page as the syncer serves it, over HTTP."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.layout import HOST, free_ports
from syncer.page import page
from syncer.telemetry.status_pages import StatusPages
from syncer.telemetry.status_route import parse_query
from syncer.telemetry.web import Answer, Queried, document, serving, text
from tests.integration.page import worlds
from tests.integration.page.browser import HINT, Tab, browser, tab


def page_of(pages: StatusPages, query: str) -> Answer:
    """The answer of the syncer to the page's query."""
    asked = parse_query(query)
    assert asked, "the page never needs the whole answer"
    return document(pages.page(asked.page, unwell=asked.unwell, words=asked.words))


@dataclass(slots=True)
class Stage:
    """The page, what /status says to it, and the browser's one tab. `asked` counts the questions."""

    runner: asyncio.Runner
    tab: Tab
    url: str
    told: Any = None
    asked: int = 0
    paged: tuple[worlds.Document, StatusPages] | None = None

    def status(self, query: str) -> Answer:
        """What the syncer answers; None is a syncer that cannot."""
        self.asked += 1
        if not self.told:
            return text(503, "not now")
        if self.paged is None or self.paged[0] is not self.told:
            self.paged = self.told, StatusPages(self.told)
        return page_of(self.paged[1], query)

    def play(self, story: Callable[[Tab], Awaitable[None]]) -> None:
        """Run a story; at its end the browser must have complained of nothing."""

        async def whole() -> None:
            self.tab.complaints.clear()
            await story(self.tab)

        self.runner.run(whole())


@pytest.fixture(scope="session")
def executable() -> str:
    """The browser. A machine without one skips the page's tests, but CI fails: docs/adr says why."""
    found = browser()
    if found is None and os.environ.get("CI"):
        pytest.fail(HINT)
    if found is None:
        pytest.skip(HINT)
    return found


@pytest.fixture(scope="session")
def stage(executable: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    (port,) = free_ports(1)
    with asyncio.Runner() as runner:
        rooms = AsyncExitStack()

        async def open_doors() -> Stage:
            shown = await rooms.enter_async_context(tab(executable, tmp_path_factory.mktemp("profile")))
            made = Stage(runner, shown, f"http://{HOST}:{port}/")
            await rooms.enter_async_context(serving({"/": page, "/status": Queried(made.status)}, HOST, port))
            return made

        try:
            yield runner.run(open_doors())
        finally:
            runner.run(rooms.aclose())


@pytest.fixture(scope="session")
def mixed() -> worlds.Document:
    return worlds.mixed()
