"""What the probes are answered from, handed from the controller's loop to the threads that serve HTTP."""

import logging
from dataclasses import dataclass

from syncer.reconcile.controller import Controller
from syncer.telemetry.status import unready
from syncer.telemetry.web import Answer, text

log = logging.getLogger(__name__)

_EVERY_S = 1.0
# A loop that has not turned for this long hangs, whatever AWS or the API server do.
_HUNG_S = 60.0


@dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    missing: str


class Liveness:
    """Noted by the loop every second, and replaced as a whole: any thread may read it at any moment."""

    def __init__(self, controller: Controller) -> None:
        self._controller, self._clock = controller, controller.clock
        self._seen = _Seen(self._clock.monotonic(), unready(controller))

    async def run(self) -> None:
        """Note, until cancelled, that the loop turns and what readiness is missing."""
        while True:
            await self._clock.sleep(_EVERY_S)
            try:
                missing = unready(self._controller)
            except Exception:
                log.exception("cannot determine whether it is ready")
                missing = "unforeseen fault, see the log"
            self._seen = _Seen(self._clock.monotonic(), missing)

    def healthz(self) -> Answer:
        """Answer 200 while the loop has turned within 60 s."""
        return text(503, "the loop hangs") if self._hangs else text(200, "ok")

    def readyz(self) -> Answer:
        """Answer 200 when nothing is missing, as of a second ago."""
        missing = "the loop hangs" if self._hangs else self._seen.missing
        return text(503, missing) if missing else text(200, "ok")

    @property
    def _hangs(self) -> bool:
        return self._clock.monotonic() - self._seen.at >= _HUNG_S
