"""Apply a row to the running stack under traffic, and take it back."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sandbox.loopback import Address
from sandbox.traffic import Record, send
from tests.changes.rows import LAST, Row
from tests.changes.stand import Stand
from tests.waiting import eventually

_DONE: Final = {
    "create": "created",
    "import": "imported",
    "update": "updated",
    "delete": "deleted",
    "discard": "deleted",
    "replace": "replaced",
    "create-replacement": "replaced",
    "delete-replaced": "replaced",
}
# A replacement of these loses the addresses, the DNS name or the targets.
_TRAFFIC: Final = frozenset({"LoadBalancer", "Eip", "TargetGroup", "Listener", "Service", "SecurityGroup"})
_RATE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A row's measured result, in the words of the table."""

    result: str
    touched: str
    failed: str
    kept: str

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the cells beside the row's name."""
        return (self.result, self.touched, self.failed, self.kept)


@contextmanager
def traffic(addresses: Sequence[Address]) -> Iterator[Record]:
    """Open twenty connections a second to port 80 of each address while the block runs."""
    record, stop = Record(), asyncio.Event()
    loop = asyncio.new_event_loop()
    work = send(addresses, rate=_RATE, seconds=600, record=record, stop=stop)
    thread = threading.Thread(target=loop.run_until_complete, args=(work,))
    thread.start()
    try:
        yield record
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def measure(stand: Stand, row: Row) -> tuple[Outcome, float]:
    """Return the row's outcome and its seconds; the stack is then as before, unless the row stays."""
    began = time.monotonic()
    before = stand.identity()
    stand.configure(row.asked(stand))
    counted = [place for zone, place in http_entries(stand).items() if not (row.zonal and zone == LAST)]
    with traffic(counted) as record:
        outcome = _apply(stand, row, before, record)
    if not row.stays and not outcome.result.startswith("refused"):
        _take_back(stand, row)
    return outcome, time.monotonic() - began


def http_entries(stand: Stand) -> Mapping[str, Address]:
    """Return where port 80 of each zone listens."""
    status = stand.sandbox.status()
    (listener,) = [name for name, port in status.listeners.items() if port == 80]
    return {
        name.partition("/")[0]: place
        for name, place in status.entries.items()
        if name.partition("/")[2] == listener
    }


def _apply(stand: Stand, row: Row, before: Mapping[str, str], record: Record) -> Outcome:
    if row.by_hand:
        row.by_hand(stand)
    if row.zonal:
        changed = stand.change_zones()
        assert changed.code == 0, changed.text
    said, steps = stand.planned(*row.flags)
    if said.code:
        assert "Traceback" not in said.text + said.errors, said.text
        assert stand.identity() == before
        return Outcome(result="refused", touched="none", failed=_failures(record), kept="yes")
    done = stand.pulumi("up", "--yes", "--skip-preview", *row.flags)
    assert done.code == 0, done.text
    settled(stand)
    after = stand.identity()
    moved = {LAST} if row.zonal else set()
    kept = all(after.get(key, value) == value for key, value in before.items() if key not in moved)
    replaced = {kind(step) for step in steps if _DONE.get(step["op"]) == "replaced"} & _TRAFFIC
    return Outcome(
        result="replaced" if replaced else "in place",
        touched=touched(steps),
        failed=_failures(record),
        kept="yes" if kept else "no",
    )


def _take_back(stand: Stand, row: Row) -> None:
    stand.configure({"allowReplacement": ["loadBalancer"]} if "allowReplacement" in row.asked(stand) else {})
    if row.zonal:
        changed = stand.change_zones()
        assert changed.code == 0, changed.text
    done = stand.pulumi("up", "--yes", "--skip-preview", *(["--refresh"] if row.zonal else []))
    assert done.code == 0, done.text
    settled(stand)


def settled(stand: Stand) -> None:
    """Wait until every target of every group is healthy."""
    eventually(lambda: stand.sandbox.status().settled, within=120)


def kind(step: Mapping[str, Any]) -> str:
    """Return the resource's kind of a planned step."""
    return str(step["urn"].split("::")[2].rpartition("$")[2].rpartition(":")[2])


def touched(steps: Sequence[Mapping[str, Any]]) -> str:
    """Return the planned steps: kind, what is done, and the number of resources, sorted."""
    planned = {(step["urn"], kind(step), _DONE.get(step["op"], step["op"])) for step in steps}
    counted = Counter((name, done) for _, name, done in planned)
    shown = [
        f"{name} {done}" + (f" ({count})" if count > 1 else "") for (name, done), count in counted.items()
    ]
    return ", ".join(sorted(shown)) or "none"


def _failures(record: Record) -> str:
    assert record.requests or not record.failures
    return "some" if record.failures else "0"
