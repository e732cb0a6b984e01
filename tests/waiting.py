"""Waiting for a condition, in place of sleeping."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], within: float, *, every: float = 0.2) -> float:
    """Wait until `condition` holds; answer how many seconds that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, f"not so within {within} s"
        time.sleep(every)
    return time.monotonic() - began
