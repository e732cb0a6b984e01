"""Whether a syncer is at work: what it answers on HTTP, and whether somebody renews its Lease."""

from syncer.commands.status import ask_status
from syncer.interfaces import Clock, Leases

# A leader renews every 2 s.
_LOOK_S = 1.0
# A Lease of another make may last for an hour; nobody waits for that.
_LONGEST_S = 15.0


def answers_at(url: str) -> bool:
    """Whether a syncer that is not paused answers at `url`; another program is none."""
    try:
        return not ask_status(url).get("paused")
    except (OSError, ValueError):
        return False


async def renewed_by(leases: Leases, clock: Clock) -> str | None:
    """Who renews the Lease while we watch; "" where nobody does, None where there is no such Lease.

    Clocks are never compared: it counts that the renewal changes, within the Lease's duration by our own
    clock. So a leader is seen within seconds, and one that was killed takes those 10 s.
    """
    seen = await leases.read()
    if seen is None:
        return None
    if not seen.holder:
        return ""
    until = clock.monotonic() + min(seen.duration, _LONGEST_S)
    while clock.monotonic() < until:
        await clock.sleep(_LOOK_S)
        now = await leases.read()
        if now is None:
            return ""
        if now.holder and (now.holder, now.renewed) != (seen.holder, seen.renewed):
            return now.holder
        seen = now
    return ""
