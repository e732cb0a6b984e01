"""Processes of the sandbox: start one, and wait for what it does."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from sandbox import process
from sandbox.layout import Layout

T = TypeVar("T")


def start(layout: Layout, name: str) -> None:
    assert process.find(layout, name) is None, f"{name} runs already"
    process.start(layout, name, [sys.executable, "-m", f"sandbox.{name}", "--dir", layout.directory])


def eventually(look: Callable[[], T | None], within_s: float = 30.0) -> T:
    """What `look` answers once it is truthy and raises nothing."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            if found := look():
                return found
        except Exception:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            pytest.fail(f"still not so after {within_s:g} s")
        time.sleep(0.05)
