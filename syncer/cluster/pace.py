"""The rate of requests to the API server under any fault: never tight, and short waits in a short outage."""

import random
import threading
import time
from collections.abc import Callable

# At most one request a second of each kind, under any fault.
MIN_INTERVAL_S = 1.0
# In the first minute of an outage no wait is longer than 2 s; afterwards the wait doubles up to 30 s.
SHORT_OUTAGE_S = 60.0
SHORT_WAIT_S = 2.0
LONG_WAIT_S = 30.0


class Pace:
    """The waits of a watched resource. Used by one thread; `stop` ends a wait from any other thread.

    A failing kind (`list`, `watch`) delays the other kinds too, but only its own success ends the outage: a
    successful list between two failures of the watch does not shorten the waits again.
    """

    def __init__(
        self, stop: threading.Event, rng: random.Random, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._stop = stop
        self._rng = rng
        self._now = now
        self._last: dict[str, float] = {}
        self._outages: dict[str, _Outage] = {}

    def wait(self, kind: str) -> None:
        """Return when a request of the kind may start."""
        start = self._last.get(kind, float("-inf")) + MIN_INTERVAL_S
        start = max([start, *(outage.not_before for outage in self._outages.values())])
        self._stop.wait(max(0.0, start - self._now()))
        self._last[kind] = self._now()

    def failed(self, kind: str) -> None:
        """Delay the next request after a failure of the kind."""
        now = self._now()
        self._outages.setdefault(kind, _Outage(now)).prolong(now, self._rng)

    def succeeded(self, kind: str) -> None:
        """End the outage of the kind."""
        self._outages.pop(kind, None)


class _Outage:
    """The start of a kind's outage, and the time of the next request. Times are monotonic seconds."""

    def __init__(self, since: float) -> None:
        self._since = since
        self._wait = SHORT_WAIT_S
        self.not_before = since

    def prolong(self, now: float, rng: random.Random) -> None:
        """Extend the outage after another failure."""
        if now - self._since >= SHORT_OUTAGE_S:
            self._wait = min(LONG_WAIT_S, self._wait * 2)
        self.not_before = now + rng.uniform(self._wait / 2, self._wait)
