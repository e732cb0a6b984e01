"""What `sandbox down` reports while `pulumi destroy` is silent."""

import io
import time
from typing import Any, cast

import pytest
from rich.console import Console

from sandbox import down
from sandbox.progress import Progress
from sandbox.stack import Stack
from tests.waiting import eventually


class _Stack:
    def dependents(self) -> list[str]:
        return ["security group sg-1: rule sgr-2 of security group sg-3 names it"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(down, "_SILENCE_S", 0.1)
    return io.StringIO()


def _watched(out: io.StringIO) -> Any:
    return down._watched(cast("Stack", _Stack()), Progress(Console(file=out)))


def test_a_destroy_that_takes_long_names_who_uses_its_resources(told: io.StringIO) -> None:
    with _watched(told):
        eventually(lambda: told.getvalue() == f"! {_Stack().dependents()[0]}\n", within=10)


def test_a_quick_destroy_asks_nothing(told: io.StringIO) -> None:
    with _watched(told):
        pass
    time.sleep(0.3)
    assert told.getvalue() == ""


def test_the_report_comes_within_half_a_minute() -> None:
    """20 s of silence, then two commands of some seconds."""
    assert down._SILENCE_S <= 20
