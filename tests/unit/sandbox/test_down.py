"""What `sandbox down` reports while `pulumi destroy` is silent."""

import io
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from rich.console import Console

from sandbox import down
from sandbox.progress import Progress
from sandbox.stack import Stack


class _Stack:
    def dependents(self) -> list[str]:
        return ["security group sg-1: rule sgr-2 of security group sg-3 names it"]


class _Timer:
    """A timer that is over when the test says so."""

    def __init__(self, interval: float, elapsed: Callable[[], None]) -> None:
        assert interval == down._SILENCE_S
        self.elapsed, self.runs = elapsed, False

    def start(self) -> None:
        self.runs = True

    def cancel(self) -> None:
        self.runs = False


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[_Timer]:
    """The timers that are made."""
    made: list[_Timer] = []

    def timer(interval: float, elapsed: Callable[[], None]) -> _Timer:
        made.append(_Timer(interval, elapsed))
        return made[-1]

    monkeypatch.setattr(threading, "Timer", timer)
    return made


def _watched(out: io.StringIO) -> Any:
    return down._watched(cast("Stack", _Stack()), Progress(Console(file=out, width=200)))


def test_a_destroy_that_takes_long_names_who_uses_its_resources(timers: list[_Timer]) -> None:
    out = io.StringIO()
    with _watched(out):
        assert timers[0].runs
        timers[0].elapsed()
    assert out.getvalue() == f"! {_Stack().dependents()[0]}\n"


def test_a_quick_destroy_asks_nothing(timers: list[_Timer]) -> None:
    out = io.StringIO()
    with _watched(out):
        pass
    assert not timers[0].runs
    assert out.getvalue() == ""


def test_the_report_comes_within_half_a_minute() -> None:
    """20 s of silence, then two commands of some seconds."""
    assert down._SILENCE_S <= 20
