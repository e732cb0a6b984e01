"""The state behind the probes, passed from the controller's loop to the HTTP threads."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from syncer.interfaces import Clock
from syncer.telemetry.snapshot import Snapshot
from syncer.telemetry.status import unready
from syncer.telemetry.web import Answer, text

log = logging.getLogger(__name__)

_EVERY_S = 1.0
# A loop without progress for this long hangs, whatever the state of AWS or the API server.
_HUNG_S = 60.0


@dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    missing: str


class Liveness:
    """State from the loop, replaced every second as a whole: any thread may read at any moment."""

    def __init__(self, observe: Callable[[], Snapshot], clock: Clock) -> None:
        self._observe, self._clock = observe, clock
        self._seen = _Seen(clock.monotonic(), unready(observe()))

    async def run(self) -> None:
        """Record every second, until cancelled, the loop's progress and the missing readiness."""
        while True:
            await self._clock.sleep(_EVERY_S)
            try:
                missing = unready(self._observe())
            except Exception:
                log.exception("cannot determine whether it is ready")
                missing = "unforeseen fault, see the log"
            self._seen = _Seen(self._clock.monotonic(), missing)

    def healthz(self) -> Answer:
        """Answer 200 while the loop has made progress within 60 s."""
        return text(503, "the loop hangs") if self._hangs else text(200, "ok")

    def readyz(self) -> Answer:
        """Answer 200 when nothing is missing; the state is up to a second old."""
        missing = "the loop hangs" if self._hangs else self._seen.missing
        return text(503, missing) if missing else text(200, "ok")

    @property
    def _hangs(self) -> bool:
        return self._clock.monotonic() - self._seen.at >= _HUNG_S
