"""Wake-ups of a group: requests for a pass, and for another time of the next read."""

import asyncio

from syncer.interfaces import Clock


class Schedule:
    """Events between the tasks of one group. Times are monotonic seconds.

    A pass begins when one is requested or due. After `require_fresh_read`, the pass waits for a read that
    began later.
    """

    def __init__(self) -> None:
        self._reconcile = asyncio.Event()
        self._next_read = asyncio.Event()
        self._fresh_read = asyncio.Event()
        self._read_after = 0.0

    def request_reconcile(self) -> None:
        """Request a pass, and a decision about the time of the next read."""
        self._reconcile.set()
        self._next_read.set()

    def reschedule_read(self) -> None:
        """Request a decision about the time of the next read: the group has changed."""
        self._next_read.set()

    def require_fresh_read(self, now: float, *, fresh: bool) -> None:
        """Delay the next pass until a read that begins from now on has ended.

        Without `fresh` (the last read failed) the pass is not delayed: removals are frozen anyway, and
        registrations need no read.
        """
        self._read_after = now
        if fresh:
            self._fresh_read.clear()
        self._next_read.set()

    def read_ended(self, began: float, *, fresh: bool) -> None:
        """Allow passes if this read, begun at `began`, is recent enough, or if no read succeeds."""
        if began >= self._read_after or not fresh:
            self._fresh_read.set()

    def allow_passes(self) -> None:
        """Let a delayed pass begin."""
        self._fresh_read.set()

    @property
    def reconcile_requested(self) -> bool:
        """Whether a pass was requested since the last pass began."""
        return self._reconcile.is_set()

    @property
    def read_required(self) -> bool:
        """Whether a pass waits for a read."""
        return not self._fresh_read.is_set()

    async def begin(self) -> bool:
        """Wait until a pass may begin, which serves all requests; return whether there is a request."""
        await self._fresh_read.wait()
        requested = self.reconcile_requested
        self._reconcile.clear()
        return requested

    def drop_request(self) -> None:
        """Forget a requested pass."""
        self._reconcile.clear()

    async def wait_for_request(self, clock: Clock, seconds: float) -> bool:
        """Wait until a pass is requested, `seconds` at most; return whether a pass was requested."""
        return await clock.wait(self._reconcile, seconds)

    async def wait_for_read_change(self, clock: Clock, seconds: float) -> None:
        """Wait until the time of the next read may have changed, `seconds` at most."""
        self._next_read.clear()
        await clock.wait(self._next_read, seconds)
