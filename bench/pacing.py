"""Writes at a fixed rate beside the measured events."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Event

from sandbox.errors import SandboxError

# A write may be at most this late.
_LATE_S = 2.0


@contextmanager
def steadily(act: Callable[[int], None], per_s: float, what: str) -> Iterator[None]:
    """Call `act` with 0, 1, 2 and so on during the block, `per_s` times a second.

    Raises SandboxError after the block where the writes, named `what`, took too long for the rate.
    """
    over = Event()
    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(_act, act, per_s, over)
        try:
            yield
        finally:
            over.set()
        late = acting.result()
    if late > _LATE_S:
        raise SandboxError(f"the API server took {what} {late:.0f} s late: the machine is too busy")


def _act(act: Callable[[int], None], per_s: float, over: Event) -> float:
    """Act at a fixed rate, regardless of slow calls; return the final delay in seconds."""
    began = time.monotonic()
    for turn in count():
        due = began + turn / per_s
        if over.wait(max(0.0, due - time.monotonic())):
            return max(0.0, time.monotonic() - due)
        act(turn)
    return 0.0
