"""Elects the one replica that writes to AWS (safety rule 9): a Lease, on the controller's own clock."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace

from syncer.errors import ClusterError, ConflictError, DeniedError
from syncer.interfaces import Clock, LeaseRecord, Leases

log = logging.getLogger(__name__)

# How long a Lease holds after its last renewal. Kubernetes' own controllers use 15 s; here a killed leader
# is to be replaced within 15 s.
DURATION_S = 10.0
RENEW_S = 2.0
# A leader that has not renewed for this long stops writing.
GIVE_UP_S = 6.0
# No write is sent with less of the Lease left: a request may be under way for a while.
SPARE_S = 3.0
# How often a standby looks, and a leader tries again after a failure: once a second at most.
_LOOK_S = (1.0, 1.2)
# For so long a replica that doubts everything leaves a free Lease to others, who look once a second.
STAY_BACK_S = 5.0
# How often a right is asked for again that was denied.
_DENIED_S = 30.0
_WRITES_FOR_S = min(GIVE_UP_S, DURATION_S - SPARE_S)


class Unelected:
    """Implements `syncer.interfaces.Leadership` where there is no election: this replica writes."""

    problem = ""
    elected = False
    joined = True

    def may_write(self) -> bool:
        """Always."""
        return True

    async def run(self, changed: Callable[[], None], stays_back: Callable[[], bool]) -> None:  # noqa: ARG002
        """Nothing to do until cancelled."""
        await asyncio.Event().wait()

    async def release(self) -> None:
        """There is nothing to release."""


class LeaderElection:
    """Implements `syncer.interfaces.Leadership` by one Lease. `identity` is this replica's name in it.

    Clocks of two machines are never compared. The holder counts from the moment at which it began to send a
    renewal, a watcher from the moment at which it saw the record change: that is later, so the watcher's
    wait ends after the holder's right. A process that was frozen finds its right gone when it goes on.
    """

    def __init__(self, leases: Leases, identity: str, clock: Clock, rng: random.Random) -> None:
        self._leases = leases
        self._identity = identity
        self._clock = clock
        self._rng = rng
        self._record: LeaseRecord | None = None
        self._seen_at = clock.monotonic()
        self._held_from: float | None = None
        self._works = False
        self._writes = False
        self.elected = True
        self.problem = ""

    @property
    def joined(self) -> bool:
        """Whether it is known who leads, or that nobody does."""
        return self._works or not self.elected

    def may_write(self) -> bool:
        """Whether enough of the Lease is left, or there is no election."""
        held_from = self._held_from
        if held_from is None:
            return not self.elected
        return self._clock.monotonic() < held_from + _WRITES_FOR_S

    async def run(self, changed: Callable[[], None], stays_back: Callable[[], bool] = lambda: False) -> None:
        """Renew while leading, else look whether the Lease is free, until cancelled."""
        while True:
            self._announce(changed)  # the right may have run out since the last attempt
            began = self._clock.monotonic()
            await self._attempt(stays_back)
            self._announce(changed)
            await self._clock.sleep(self._pause(began))

    async def release(self) -> None:
        """Clear the holder's name, if it is ours; without success the Lease runs out by itself."""
        self._held_from = None
        if not (self.elected and self._works):
            return
        try:
            record = await self._leases.read()
            if record is not None and record.holder == self._identity:
                await self._leases.write(replace(record, holder=""))
                log.info("the Lease is released")
        except ClusterError as error:
            log.warning("the Lease is not released and runs out in %g s: %s", DURATION_S, error)

    async def _attempt(self, stays_back: Callable[[], bool]) -> None:
        """One look or renewal; what went wrong is reported and tried again."""
        try:
            if self._held_from is None:
                await self._look()
            if self._is_free() and not (self._is_fresh() and stays_back()):
                await self._take()
        except ConflictError:
            self._held_from, self._works, self.elected = None, True, True  # another one wrote it: look again
        except DeniedError as error:
            self._denied(error)
        except ClusterError as error:
            self._report(f"no Lease: {error}")
        else:
            self._report("")
        if self._held_from is not None and self._clock.monotonic() >= self._held_from + GIVE_UP_S:
            self._held_from = None

    async def _look(self) -> None:
        record = await self._leases.read()
        if record is None or self._record is None or _said(record) != _said(self._record):
            self._seen_at = self._clock.monotonic()
        self._record = record
        if not self._is_free():
            self._works = self.elected = True

    def _is_free(self) -> bool:
        """Whether nobody else holds it: never taken, released, ours, or unchanged for its duration."""
        record = self._record
        if record is None or record.holder in {"", self._identity}:
            return True
        return self._clock.monotonic() >= self._seen_at + record.duration

    def _is_fresh(self) -> bool:
        """Whether another one's Lease has been free for so short that a better heir may still take it."""
        record = self._record
        if record is None or record.holder == self._identity:
            return False
        since = self._seen_at + (record.duration if record.holder else 0.0)
        return self._clock.monotonic() < since + STAY_BACK_S

    async def _take(self) -> None:
        """Write our name, or renew it. What is left of the Lease is counted from before the request."""
        began, now, known = self._clock.monotonic(), self._clock.now(), self._record
        ours = known is not None and known.holder == self._identity
        self._record = await self._leases.write(
            LeaseRecord(
                holder=self._identity,
                duration=DURATION_S,
                acquired=known.acquired if known is not None and ours else now,
                renewed=now,
                transitions=0 if known is None else known.transitions + (not ours),
                version="" if known is None else known.version,
            )
        )
        self._works = self.elected = True
        self._held_from = began

    def _denied(self, error: DeniedError) -> None:
        """Without the right from the start there is no election; taken away later, nobody writes."""
        if self._works:
            self._report(f"no Lease: {error}")
            return
        self.elected = False
        self._report(f"no election, every replica writes: {error}")

    def _pause(self, began: float) -> float:
        """Seconds until the next attempt."""
        now = self._clock.monotonic()
        if not self.elected:
            return _DENIED_S
        if self._held_from is not None and self._held_from >= began:
            return max(0.0, began + RENEW_S - now)
        look = self._rng.uniform(*_LOOK_S)
        if self._record is None or self._record.holder in {"", self._identity}:
            return look
        expires = self._seen_at + self._record.duration - now
        return min(look, expires) if expires > _LOOK_S[0] / 2 else look

    def _report(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.warning("%s", problem)
        self.problem = problem

    def _announce(self, changed: Callable[[], None]) -> None:
        """Say so where this replica may write and might not before, or the other way round.

        What was planned in between was not sent: whoever wins again looks again.
        """
        writes = self.may_write()
        if writes == self._writes:
            return
        self._writes = writes
        if self.elected:
            other = self._record.holder if self._record is not None else ""
            log.info(
                "leading: this replica writes" if writes else f"standing by; the leader is {other or '-'}"
            )
        changed()


def _said(record: LeaseRecord) -> tuple[str, float, int]:
    """What a holder changes with each renewal; not the version, which any label changes too."""
    return record.holder, record.renewed, record.transitions
