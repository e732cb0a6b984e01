"""Apply a row to the running stack under traffic."""

import asyncio
import copy
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sandbox.loopback import Address
from sandbox.nodes.ingress import ROUTED_HOST
from sandbox.traffic import Record, send
from tests.changes.edits import Keys, nothing
from tests.changes.rows import LAST, Row, start
from tests.changes.stand import Said, Stand
from tests.changes.world import in_aws
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
    "import-replacement": "replaced",
}
# A replacement of these loses the addresses, the DNS name or the targets.
_TRAFFIC: Final = frozenset({"LoadBalancer", "Eip", "TargetGroup", "Listener", "Service", "SecurityGroup"})
_RATE: Final = 5
_SETTLED_S: Final = 120
# The API server's own words, where a Service that another owner has is in the way.
_REFUSED: Final = re.compile(r"by the Kubernetes API server: (?P<said>.*)")
_FIX: Final = re.compile(r"; fix: (?P<fix>.*)")
# Names and ids differ from run to run.
_IDS: Final = (
    (re.compile(r"node-nlb-[0-9a-f]{7}\b"), "NAME"),
    (re.compile(r"\b(eipalloc|subnet|vpc|sg)-[0-9a-f]{8,}\b"), r"\1-ID"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A row's measured result, in the words of the table; `detail` helps whoever reads a failure."""

    result: str
    touched: str
    failed: str
    kept: str
    detail: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the cells beside the row's name."""
        return (self.result, self.touched, self.failed, self.kept)


@contextmanager
def traffic(addresses: Sequence[Address]) -> Iterator[Record]:
    """Open new connections to each address at a constant rate while the block runs."""
    record, stop = Record(), asyncio.Event()
    loop = asyncio.new_event_loop()
    work = send(addresses, rate=_RATE, seconds=600, record=record, stop=stop, host=ROUTED_HOST)
    thread = threading.Thread(target=loop.run_until_complete, args=(work,))
    thread.start()
    try:
        yield record
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def measure(stand: Stand, row: Row) -> tuple[Outcome, float]:
    """Return the row's outcome and its seconds. The stand's stack is brought to the row's start first."""
    before = start(row, stand)
    if stand.applied != before:
        apply(stand, before)
    began, identity = time.monotonic(), stand.identity()
    mended = in_aws(stand) if row.edit is nothing else None
    keys = row.edited(copy.deepcopy(before), stand)
    stand.configure(keys)
    counted = [place for zone, place in stand.http_entries().items() if not (row.zonal and zone == LAST)]
    try:
        with traffic(counted) as record:
            said = _run(stand, row)
            if said.code == 0:
                stand.applied = keys
                settled(stand)
        outcome = _outcome(stand, row, said, identity, record)
        if mended is not None:
            assert in_aws(stand) == mended, "`up` has not put the change by hand back"
    finally:
        if row.restores:
            row.restores(stand)
            stand.applied = {}
    return outcome, time.monotonic() - began


def _run(stand: Stand, row: Row) -> Said:
    if row.by_hand:
        row.by_hand(stand)
    if row.zonal:
        changed = stand.change_zones()
        assert changed.code == 0, changed.text
    return stand.up(*([] if row.previewed else ["--skip-preview"]))


def _outcome(stand: Stand, row: Row, said: Said, before: Mapping[str, str], record: Record) -> Outcome:
    after = stand.identity()
    moved = {LAST} if row.zonal else set()
    kept = all(after.get(key, value) == value for key, value in before.items() if key not in moved)
    steps = done(said.events)
    failures = Counter(request.error for request in record.failures)
    assert record.requests, "no request was sent"
    if said.code:
        result = refusal(said)
    elif replaced := sorted({kind for kind, _, did in steps if did == "replaced"} & _TRAFFIC):
        result = f"replaced: {', '.join(replaced)}"
    else:
        result = "in place"
    return Outcome(
        result=result,
        touched=touched(steps),
        failed="some" if failures else "0",
        kept="yes" if kept else "no",
        detail=f"{sum(failures.values())} of {len(record.requests)} failed: {dict(failures)}",
    )


def apply(stand: Stand, keys: Keys) -> None:
    """Bring the stack to a configuration without a measurement."""
    stand.configure(keys)
    if stand.applied.get("zones", keys["zones"]) != keys["zones"]:
        changed = stand.change_zones()
        assert changed.code == 0, changed.text
    said = stand.up("--skip-preview")
    assert said.code == 0, said.text
    stand.applied = keys
    settled(stand)


def settled(stand: Stand) -> None:
    """Wait until every target is healthy, on the NodePort of its listener's Service port."""
    eventually(lambda: _is_settled(stand), within=_SETTLED_S, every=0.5)


def _is_settled(stand: Stand) -> bool:
    status = stand.status()
    if not status.settled:
        return False
    outputs = stand.outputs()
    ports = {
        outputs["targetGroups"][item["name"]]: outputs["nodePorts"][item["servicePort"]]
        for item in stand.applied["listeners"]
    }
    return all(target.port == ports[group.arn] for group in status.groups for target in group.targets)


def refusal(said: Said) -> str:
    """Return the fixes of a refusal, which is one line for each problem and nothing else."""
    assert "Traceback" not in said.text, said.text
    fixes = [found["fix"].strip() for line in said.text.splitlines() if (found := _FIX.search(line))]
    if not fixes and (words := _REFUSED.search(said.text)):
        return f"refused by the API server: {words['said'].strip()}"
    assert fixes, said.text
    for pattern, text in _IDS:
        fixes = [pattern.sub(text, fix) for fix in fixes]
    return f"refused; {'; '.join(dict.fromkeys(fixes))}".replace("|", "\\|")


def done(events: Sequence[Mapping[str, Any]]) -> set[tuple[str, str, str]]:
    """Return kind, URN and operation of each changed resource in AWS or in the cluster."""
    found = set()
    for event in events:
        step = event.get("resOutputsEvent", {}).get("metadata")
        if not step or event["resOutputsEvent"].get("planning"):
            continue
        full = step["urn"].split("::")[2].rpartition("$")[2]
        if step["op"] in _DONE and full.startswith(("aws:", "kubernetes:")):
            left = step["op"] == "delete" and (step.get("old") or {}).get("retainOnDelete")
            did = "left to others" if left else _DONE[step["op"]]
            found.add((full.rpartition(":")[2], step["urn"], did))
    replaced = {urn for _, urn, did in found if did == "replaced"}
    return {step for step in found if step[1] not in replaced or step[2] == "replaced"}


def touched(steps: set[tuple[str, str, str]]) -> str:
    """Return kind, operation, and the number of resources where several, sorted."""
    counted = Counter((kind, did) for kind, _, did in steps)
    shown = [f"{kind} {did}" + (f" ({count})" if count > 1 else "") for (kind, did), count in counted.items()]
    return ", ".join(sorted(shown)) or "none"
