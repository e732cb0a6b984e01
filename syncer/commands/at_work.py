"""Detect a running syncer: by its HTTP answer and by renewals of its Lease."""

from syncer.commands.status import ask_status
from syncer.interfaces import Clock, Leases

# A leader renews every 2 s.
_LOOK_S = 1.0
# The Lease of another program may last an hour; the command does not wait so long.
_LONGEST_S = 15.0


def answers_at(url: str) -> bool:
    """Return whether a syncer that is not paused answers at `url`; False for any other program."""
    try:
        return not ask_status(url).get("paused")
    except (OSError, ValueError):
        return False


async def renewed_by(leases: Leases, clock: Clock) -> str | None:
    """Return the holder that renews the Lease during the check; "" without a renewal, None without a Lease.

    Clocks are never compared: a renewal is a changed record, within the Lease's duration by the local clock.
    So a leader is detected within seconds, and the check of a killed leader takes the full 10 s.
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
