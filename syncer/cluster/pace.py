"""How often the API server may be asked, whatever goes wrong: never tight, never long in a short outage."""

import random
import threading
import time
from collections.abc import Callable

# At most one request a second of each kind, whatever the fault.
MIN_INTERVAL_S = 1.0
# In the first minute of an outage nobody waits longer than 2 s; after it the wait doubles up to 30 s.
SHORT_OUTAGE_S = 60.0
SHORT_WAIT_S = 2.0
LONG_WAIT_S = 30.0


class Pace:
    """The waits of one watched resource. Used by one thread; `stop` ends a wait from any other."""

    def __init__(
        self, stop: threading.Event, rng: random.Random, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._stop = stop
        self._rng = rng
        self._now = now
        self._last: dict[str, float] = {}
        self._not_before = 0.0
        self._outage_since: float | None = None
        self._long = SHORT_WAIT_S

    def wait(self, kind: str) -> None:
        """Return when a request of this kind may start."""
        start = max(self._not_before, self._last.get(kind, float("-inf")) + MIN_INTERVAL_S)
        self._stop.wait(max(0.0, start - self._now()))
        self._last[kind] = self._now()

    def failed(self) -> None:
        """A request failed: hold the next one back."""
        now = self._now()
        if self._outage_since is None:
            self._outage_since = now
        self._not_before = now + self._delay(now - self._outage_since)

    def succeeded(self) -> None:
        """The server does its work again."""
        self._outage_since = None
        self._not_before = 0.0
        self._long = SHORT_WAIT_S

    def _delay(self, outage: float) -> float:
        if outage < SHORT_OUTAGE_S:
            return self._rng.uniform(MIN_INTERVAL_S, SHORT_WAIT_S)
        self._long = min(LONG_WAIT_S, self._long * 2)
        return self._rng.uniform(self._long / 2, self._long)
