"""Event recorder for Nodes and the syncer's Deployment: events are merged, few and never block."""

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from syncer.errors import DeniedError, SyncerError
from syncer.interfaces import Clock, Event, Events

log = logging.getLogger(__name__)

# Records of an object within a second are merged: a joining node is registered in every group.
_MERGE_S = 1.0
# The same reason on the same object is written at most three times a minute; the total is at most 5 a second.
_AGAIN_S = 20.0
_A_SECOND = 5
# The limit of the queue; more events are dropped. At a start with 5,000 nodes the first events are enough.
_WAITING = 300
_MESSAGES = 6
# An API server keeps an event for an hour (--event-ttl) after its last change.
_SERIES_S = 3000.0
_SERIES = 2000
_DENIED_S = 300.0


@dataclass(slots=True)
class _Series:
    """A reason on an object. Times are epoch seconds, but `sent_at` (monotonic)."""

    name: str
    first: float
    last: float
    count: int = 0
    known: bool = False
    warning: bool = False
    sent_at: float = float("-inf")
    messages: dict[str, None] = field(default_factory=dict)


class Reporter:
    """Queues events and writes the queue over time; only a replica with a true `speaks()` records."""

    def __init__(self, sink: Events, clock: Clock, publishes: Callable[[], bool]) -> None:
        self._sink = sink
        self._clock = clock
        self._publishes = publishes
        self._series: dict[tuple[str, str], _Series] = {}
        self._waiting: dict[tuple[str, str], None] = {}
        self._queued = asyncio.Event()
        self._silent_until = float("-inf")
        self._numbers = itertools.count()

    def publish(self, reason: str, message: str, *, node: str = "", warning: bool = False) -> None:
        """Record `message` for a Node, or for the syncer's own Deployment. Never waits and never fails."""
        key = (node, reason)
        if not self._publishes() or self._clock.monotonic() < self._silent_until:
            return
        if key not in self._waiting and len(self._waiting) >= _WAITING:
            return
        series, now = self._series.get(key), self._clock.now()
        if series is None or now - series.last > _SERIES_S:
            self._forget_old(now)
            name = f"{int(now * 1e6):x}{next(self._numbers):x}"
            series = self._series[key] = _Series(name=name, first=now, last=now)
        series.count, series.last, series.warning = series.count + 1, now, warning
        series.messages[message] = None
        self._waiting[key] = None
        self._queued.set()

    async def run(self) -> None:
        """Write queued events until cancelled."""
        while True:
            await self._queued.wait()
            await self._clock.sleep(_MERGE_S)
            now = self._clock.monotonic()
            due = [key for key in self._waiting if now - self._series[key].sent_at >= _AGAIN_S]
            for key in due[:_A_SECOND]:
                self._waiting.pop(key, None)
                if not await self._write(key):
                    break  # after a failed write, the next write waits
            if not self._waiting:
                self._queued.clear()

    async def _write(self, key: tuple[str, str]) -> bool:
        """Return whether the event was written; an unwritten event is in the log only."""
        series = self._series[key]
        messages, series.messages = list(series.messages), {}
        series.sent_at = self._clock.monotonic()
        event = Event(
            node=key[0],
            reason=key[1],
            message="; ".join(messages[:_MESSAGES]) + (" …" if len(messages) > _MESSAGES else ""),
            warning=series.warning,
            name=series.name,
            count=series.count,
            first=series.first,
            last=series.last,
            known=series.known,
        )
        try:
            await self._sink.write(event)
        except DeniedError as error:
            self._silent_until = self._clock.monotonic() + _DENIED_S
            self._waiting.clear()
            log.warning("events go to the log only: %s", error)
        except SyncerError as error:
            log.info("an event was not written: %s", error)
        else:
            series.known = True
            return True
        return False

    def _forget_old(self, now: float) -> None:
        if len(self._series) >= _SERIES:
            kept = self._waiting
            self._series = {
                key: each
                for key, each in self._series.items()
                if key in kept or now - each.last < _AGAIN_S * 3
            }
