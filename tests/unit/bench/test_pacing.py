"""Writes beside the events keep their rate, or the row has an error in place of a figure."""

import threading
import time

import pytest

from bench import pacing
from sandbox.errors import SandboxError


def test_turns_are_counted_and_end_with_the_block() -> None:
    turns: list[int] = []
    enough = threading.Event()

    def act(turn: int) -> None:
        turns.append(turn)
        if turn == 4:
            enough.set()

    with pacing.steadily(act, 200, "writes"):
        assert enough.wait(10)
    ended = len(turns)
    time.sleep(0.05)
    assert turns == list(range(ended))


def test_writes_that_are_too_slow_for_the_rate_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "_LATE_S", 0.1)
    behind = threading.Event()

    def act(turn: int) -> None:
        time.sleep(0.1)
        if turn == 3:
            behind.set()

    with pytest.raises(SandboxError, match=r"took cordons .* late"), pacing.steadily(act, 1000, "cordons"):
        assert behind.wait(10)


def test_an_error_of_a_write_is_the_blocks_error() -> None:
    failed = threading.Event()

    def act(_: int) -> None:
        failed.set()
        raise SandboxError("refused")

    with pytest.raises(SandboxError, match="refused"), pacing.steadily(act, 100, "writes"):
        assert failed.wait(10)
