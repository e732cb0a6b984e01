"""Confirmed holds, in the first ConfigMap of the ownership registry."""

import re
from collections.abc import Iterator, Mapping

from syncer.errors import ConflictError
from syncer.interfaces import Records

# Validity of a confirmation; later the cluster may look quite different.
CONFIRMED_S = 900.0
_CONFIRMED = "confirmed."
# `str.isdigit` also accepts digits that `int` rejects.
_SECONDS = re.compile(r"[0-9]{1,12}")
_TRIES = 3


async def confirm(records: Records, hold: str, now: float) -> None:
    """Confirm a hold by its id for 15 minutes from `now` (epoch seconds).

    Raises:
        ClusterError: if the write fails.

    """
    for attempt in range(_TRIES):
        state = await records.read()
        try:
            await records.write({f"{_CONFIRMED}{hold}": f"{now:.0f}"}, state.version if state else "")
        except ConflictError:
            if attempt == _TRIES - 1:
                raise
        else:
            return


def only_confirmations(values: Mapping[str, str]) -> Mapping[str, str]:
    """Return the confirmations of a registry's content, valid or not."""
    return {key: text for key, text in values.items() if key.startswith(_CONFIRMED)}


def confirmations(values: Mapping[str, str], now: float) -> frozenset[str]:
    """Return the ids of valid confirmations; a fast clock of another machine does no harm below 15 min."""
    return frozenset(
        key.removeprefix(_CONFIRMED)
        for key, text in only_confirmations(values).items()
        if _SECONDS.fullmatch(text) and abs(now - int(text)) < CONFIRMED_S
    )


def expired(values: Mapping[str, str], now: float) -> Iterator[str]:
    """Return the keys of the other confirmations."""
    valid = confirmations(values, now)
    return (key for key in only_confirmations(values) if key.removeprefix(_CONFIRMED) not in valid)
