"""Answers to many different queries: a bounded number, one after the other, each shared."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future

import pytest

from syncer.telemetry.web import Answer, SharedQueries, queries, text
from syncer.telemetry.web.queries import MOST


class Made:
    """What was observed, built and rendered; `gate` holds a rendering back."""

    def __init__(self) -> None:
        self.observed = 0
        self.built = list[int]()
        self.rendered = list[int]()
        self.at_once, self.most_at_once = 0, 0
        self.gate = threading.Event()
        self.gate.set()
        self.slow = 0.0
        self.broken = False
        self.route: SharedQueries[int, int, int] = SharedQueries(self.observe, self.build, self.render)

    def observe(self) -> int:
        self.observed += 1
        return self.observed

    def build(self, state: int) -> int:
        time.sleep(self.slow)
        if self.broken:
            raise RuntimeError("broken state")
        self.built.append(state)
        return state

    def render(self, index: int, query: int) -> Answer:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.gate.wait(10)
        time.sleep(self.slow)
        self.rendered.append(query)
        self.at_once -= 1
        return text(200, f"{index} {query}")

    async def ask(self, query: int) -> str:
        answer = self.route(query)
        made = await asyncio.wrap_future(answer) if isinstance(answer, Future) else answer
        return made.body.decode().strip()


def play(story: Callable[[Made], Coroutine[None, None, None]]) -> Made:
    async def whole() -> Made:
        made = Made()
        await asyncio.wait_for(story(made), 30)
        return made

    return asyncio.run(whole())


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "KEPT_FOR", 0.0)


def forever(monkeypatch: pytest.MonkeyPatch, made: Made) -> None:
    """Keep the common part; a rendering begins at once."""
    monkeypatch.setattr(made.route, "_forget", lambda: None)


def test_s1_queries_at_the_same_time_share_one_look_and_each_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(made: Made) -> None:
        forever(monkeypatch, made)
        answers = await asyncio.gather(*(made.ask(number % 5) for number in range(60)))
        assert answers == [f"1 {number % 5}" for number in range(60)]
        assert await made.ask(3) == "1 3"

    made = play(story)
    assert (made.observed, made.built) == (1, [1])
    assert sorted(made.rendered) == [0, 1, 2, 3, 4]
    assert made.most_at_once == 1


def test_s1_thousands_of_queries_leave_a_few_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(made: Made) -> None:
        forever(monkeypatch, made)
        for number in range(2000):
            assert await made.ask(number) == f"1 {number}"
            assert len(made.route._made) <= MOST
        assert list(made.route._made) == list(range(2000 - MOST, 2000))

    assert play(story).observed == 1


def test_s1_too_many_at_once_are_refused_and_cost_nothing() -> None:
    async def story(made: Made) -> None:
        made.gate.clear()
        asked = [asyncio.create_task(made.ask(number)) for number in range(MOST)]
        await asyncio.sleep(0.05)
        for number in range(MOST, 3000):
            refused = made.route(number)
            assert isinstance(refused, Answer)
            assert refused.status == 503
        assert isinstance(made.route(0), Future), "an answer in the making is shared"
        made.gate.set()
        await asyncio.gather(*asked)
        assert await made.ask(3000) == f"{made.observed} 3000"

    assert max(play(story).rendered) == 3000


def test_s1_rendering_takes_a_tenth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "KEPT_FOR", 9.0)

    async def story(made: Made) -> None:
        forever(monkeypatch, made)
        made.slow = 0.02
        began = time.monotonic()
        await asyncio.gather(*(made.ask(number) for number in range(4)))
        assert time.monotonic() - began > 3 * 10 * 0.02

    play(story)


def test_nothing_is_kept_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "KEPT_FOR", 9.0)

    async def story(made: Made) -> None:
        made.slow = 0.02  # to build, and to render
        assert await made.ask(1) == "1 1"
        assert list(made.route._made) == [1]
        await asyncio.sleep(1)
        assert made.route._index is None
        assert not made.route._made
        assert not made.route._making
        assert await made.ask(1) == "2 1"

    play(story)


def test_s1_a_failure_is_tried_again() -> None:
    async def story(made: Made) -> None:
        made.broken = True
        with pytest.raises(RuntimeError):
            await made.ask(1)
        made.broken = False
        assert await made.ask(1) == "2 1"

    play(story)
