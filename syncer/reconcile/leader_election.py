"""Elects the replica that writes to AWS (safety rule 9), by a Lease and on the controller's clock."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace

from syncer.errors import ClusterError, ConflictError, DeniedError
from syncer.interfaces import Clock, LeaseRecord, Leases

log = logging.getLogger(__name__)

# Validity of a Lease after its last renewal. Kubernetes' own controllers use 15 s; here a killed leader must
# be replaced within 15 s.
DURATION_S = 10.0
RENEW_S = 2.0
# A leader without a renewal for this long stops writing.
GIVE_UP_S = 6.0
# No write is sent with less of the Lease left: a request may be in flight for a while.
SPARE_S = 3.0
# Interval of a standby's polls and of a leader's retries after a failure: at most once a second.
_LOOK_S = (1.0, 1.2)
# For this time, a replica that has held doubtful removals since its start leaves a free Lease to other
# replicas; standbys poll every second.
STAY_BACK_S = 5.0
# Retry interval after a denied permission.
_DENIED_S = 30.0
_WRITES_FOR_S = min(GIVE_UP_S, DURATION_S - SPARE_S)


class Unelected:
    """Implements `syncer.interfaces.Leadership` without an election: this replica writes."""

    problem = ""
    elected = False
    joined = True

    def may_write(self) -> bool:
        """Return true."""
        return True

    async def run(self, changed: Callable[[], None], stays_back: Callable[[], bool]) -> None:  # noqa: ARG002
        """Do nothing until cancelled."""
        await asyncio.Event().wait()

    async def release(self) -> None:
        """Do nothing: there is no Lease."""


class LeaderElection:
    """Implements `syncer.interfaces.Leadership` by a Lease; `identity` is this replica's name as holder.

    Clocks of two machines are never compared. The holder counts from the start of sending a renewal, a
    watcher from the moment of seeing the changed record. The second moment is later, so the watcher's wait
    ends after the holder's right to write. A frozen process has lost the right on resuming.
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
        """Whether the leader is known, or known to be absent."""
        return self._works or not self.elected

    def may_write(self) -> bool:
        """Whether enough of the Lease is left, or there is no election."""
        held_from = self._held_from
        if held_from is None:
            return not self.elected
        return self._clock.monotonic() < held_from + _WRITES_FOR_S

    async def run(self, changed: Callable[[], None], stays_back: Callable[[], bool] = lambda: False) -> None:
        """Renew the Lease as leader, else poll until the Lease is free; until cancelled."""
        while True:
            self._announce(changed)  # the right to write may have expired since the last attempt
            began, held_from = self._clock.monotonic(), self._held_from
            await self._attempt(stays_back)
            if held_from is not None and self._clock.monotonic() >= held_from + _WRITES_FOR_S:
                self._writes = False  # expired during a slow renewal: plans were not sent
            self._announce(changed)
            await self._clock.sleep(self._pause(began))

    async def release(self) -> None:
        """Clear the holder if it is this replica; after a failure the Lease expires by itself."""
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
        """Poll or renew once; report a failure and leave the retry to the next attempt."""
        try:
            if self._held_from is None:
                await self._look()
            if self._is_free() and not (self._is_fresh() and stays_back()):
                await self._take()
        except ConflictError:
            self._held_from, self._works, self.elected = None, True, True  # another replica wrote: read again
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
        """Whether no other replica holds the Lease: missing, released, own, or unchanged for its duration."""
        record = self._record
        if record is None or record.holder in {"", self._identity}:
            return True
        return self._clock.monotonic() >= self._seen_at + record.duration

    def _is_fresh(self) -> bool:
        """Whether another replica's Lease became free so recently that a better replica may acquire it."""
        record = self._record
        if record is None or record.holder == self._identity:
            return False
        since = self._seen_at + (record.duration if record.holder else 0.0)
        return self._clock.monotonic() < since + STAY_BACK_S

    async def _take(self) -> None:
        """Acquire or renew the Lease; the remaining time counts from before the request."""
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
        """Turn the election off if denied from the start; if denied later, no replica writes."""
        if self._works:
            self._report(f"no Lease: {error}")
            return
        self.elected = False
        self._report(f"no election, every replica writes: {error}")

    def _pause(self, began: float) -> float:
        """Return the seconds until the next attempt."""
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
        """Log a change of the right to write, and call `changed`.

        Plans made in between were not sent; a new leader reads again.
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
    """Return the fields that change with a renewal. The version is left out, because labels change it too."""
    return record.holder, record.renewed, record.transitions
