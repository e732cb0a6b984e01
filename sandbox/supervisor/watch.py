"""A round of the supervisor: finds ended processes, and restarts processes that are due."""

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sandbox import process
from sandbox.layout import Layout
from sandbox.process import ProcessError
from sandbox.supervisor import record
from sandbox.supervisor.record import NAME, Incident

log = logging.getLogger("supervisor")

# All its state is in memory: a restart would be another, empty AWS, unrelated to the stack's state and the
# cluster's nodes. `make up` creates a fresh sandbox instead (ADR 0015).
STATE_IN_MEMORY = frozenset({"cloud"})
FIRST_S, MAX_S = 0.5, 30.0
# A process that ran this long is restarted after the shortest delay.
STEADY_S = 60.0


@dataclass(slots=True)
class _Watched:
    """The supervisor's state of a process; times of the monotonic clock."""

    running_since: float | None = None
    due: float = 0.0
    delay_s: float = FIRST_S
    ended: bool = False


@dataclass(slots=True)
class Watch:
    """Level-triggered: `look` finds processes that ended since the last call, and starts due processes."""

    layout: Layout
    clock: Callable[[], float] = time.monotonic
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _noted: dict[str, Incident] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Load the record of an earlier supervisor."""
        self._noted = record.incidents(self.layout)

    def look(self) -> None:
        """Restart ended processes whose delay is over."""
        for name in process.wanted(self.layout):
            if name != NAME:
                self._look_at(name, self._watched.setdefault(name, _Watched(self.clock())))

    def _look_at(self, name: str, watched: _Watched) -> None:
        if process.find(self.layout, name):
            watched.ended = False
            return
        if not watched.ended:
            self._ended(name, watched)
        if name in STATE_IN_MEMORY or self.clock() < watched.due:
            return
        try:
            started = process.restart(self.layout, name)
        except ProcessError as error:
            log.error("%s", error)  # noqa: TRY400  (one line is enough)
            started = None
        if started:
            log.info("restarted %s, pid %d", name, started.pid)
            before = self._noted[name]
            self._note(name, replace(before, restarts=before.restarts + 1))
        watched.running_since = self.clock()
        watched.ended = False

    def _ended(self, name: str, watched: _Watched) -> None:
        """Record the end, and set the restart delay."""
        now = self.clock()
        ran = now - watched.running_since if watched.running_since is not None else 0.0
        watched.delay_s = FIRST_S if ran >= STEADY_S else min(watched.delay_s * 2, MAX_S)
        watched.due, watched.ended = now + watched.delay_s, True
        lost = name in STATE_IN_MEMORY
        log.warning("%s ended: %s", name, process.last_line(self.layout, name))
        if lost:
            log.error("%s is not restarted: its state was in memory; `make up` creates a fresh sandbox", name)
        restarts = self._noted[name].restarts if name in self._noted else 0
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self._note(name, Incident(restarts=restarts, last=at, lost=lost))

    def _note(self, name: str, incident: Incident) -> None:
        self._noted[name] = incident
        record.write(self.layout, self._noted)
