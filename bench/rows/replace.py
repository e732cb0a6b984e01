"""Replace a fifth of the nodes at once: old nodes are deleted while as many new nodes join, Ready."""

import time
from functools import partial
from statistics import median

from bench.fleet import at_once
from bench.measures import Known
from bench.run import Figures, Run

_ROUNDS, _SHARE = 3, 5
_OVER_S, _WITHIN_S = 1.5, 300.0


def measure(run: Run) -> Figures:
    """Return the seconds from the first write until both groups are right, and the calls; medians."""
    rounds = run.few(_ROUNDS, 1)
    took = []
    last = ""
    for number in range(rounds):
        run.settle()
        *figures, last = _round(run, f"round {number + 1} of {rounds}")
        took.append(figures)
    seconds, calls, spans = zip(*took, strict=True)
    said = f"{min(seconds):.1f} to {max(seconds):.1f} s; written in {median(spans):.1f} s; at last {last}"
    return {"replace": Known((median(seconds), median(calls)), said)}


def _round(run: Run, turn: str) -> tuple[float, int, float, str]:
    """Return seconds until right, number of calls, seconds of the API server writes, kinds of calls."""
    fleet, number = run.world.fleet, max(1, run.nodes // _SHARE)
    with run.filled() as watch:
        run.note(f"{turn}: {number} nodes are replaced")
        coming, going = fleet.new(number), fleet.nodes[:number]
        fleet.nodes = [*fleet.nodes[number:], *coming]
        pairs = zip(going, coming, strict=True)
        acts = [act for old, new in pairs for act in (partial(fleet.remove, old), partial(fleet.join, new))]
        began = time.monotonic()
        at_once(acts, _OVER_S)
        written = time.monotonic() - began
        right = watch.until_right(_WITHIN_S)
        calls = watch.ledger.count(since=began, until=right)
        return right - began, calls, written, watch.ledger.breakdown(began, right)
