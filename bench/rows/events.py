"""Single events: a node turns Ready, is announced to leave, or is deleted; time until both groups follow."""

import random
import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles

from bench.cloud import DESCRIBE, Call, Ledger
from bench.figures import Known
from bench.fleet import Node
from bench.run import Figures, LateError, Run, Watch

_EVENTS, _QUICK_EVENTS = 60, 4
# A contender may debounce events (the syncer: for up to 1 s while events keep coming).
_GAP_S = (1.5, 2.5)
_WITHIN_S = 10.0
_GIVE_UP_AFTER = 3
# Isolated events per kind, and the seconds for which the calls are counted.
_ALONE, _ALONE_S = 2, 10
_KINDS = ("ready", "taint", "delete")
# At most this share of all nodes has one kind of event; more would measure the brake on removals.
_SHARE = 5


def measure(run: Run) -> Figures:
    """Return median and 95th percentile for every kind of event, and the calls per event."""
    run.settle()
    alone = run.few(_ALONE, 1)
    events = max(1, min(run.few(_EVENTS, _QUICK_EVENTS), run.nodes // _SHARE - alone))
    with run.filled() as watch:
        phases = _Phases(run, watch, events + alone)
        found = {kind: phases.times(kind, events) for kind in _KINDS if kind in run.wanted}
        if "calls" in run.wanted:
            found["calls"] = phases.calls(alone)
    return found


class _Phases:
    """Three kinds of event with `number` nodes per kind: new nodes, and old nodes to be removed."""

    def __init__(self, run: Run, watch: Watch, number: int) -> None:
        self._run = run
        self._watch = watch
        self._fleet = run.world.fleet
        self._rng = random.Random(7)  # noqa: S311 (reproducible)
        coming = self._fleet.new(number)
        old = self._fleet.nodes
        self._nodes = {"ready": coming, "taint": old[:number], "delete": old[number : 2 * number]}
        run.note("nodes come, not Ready yet")
        for node in coming:
            self._fleet.come(node)
        self._fleet.spent += coming
        run.pause(watch, run.few(5, 2), "coming to rest")

    def times(self, kind: str, number: int) -> Known:
        """Return the durations of `number` events in ms, and the CPU of an event with its 2 s of rest."""
        took: list[float] = []
        missed = 0
        cpu = self._watch.process.cpu()
        for turn in range(number):
            self._run.note(f"{kind}: {turn + 1} of {number}")
            try:
                took.append(self._event(kind) * 1000)
            except LateError:
                missed += 1
            if not took and missed in {_GIVE_UP_AFTER, number}:
                return Known((), f"never ({missed} of {missed} not within {_WITHIN_S:.0f} s)")
            self._watch.take(self._rng.uniform(*_GAP_S))
        cpu = (self._watch.process.cpu() - cpu) / number * 1000
        late = f"{missed} of {number} not within {_WITHIN_S:.0f} s, " if missed else ""
        return Known((median(took), _p95(took)), f"{late}CPU {cpu:.0f} ms an event")

    def calls(self, each: int) -> Known:
        """Return writes and describes within 10 s of an isolated event."""
        since, events = time.monotonic(), 0
        for kind in _KINDS:
            for turn in range(each):
                self._run.note(f"calls for one event, {kind} {turn + 1} of {each}")
                ends = time.monotonic() + _ALONE_S
                try:
                    self._event(kind)
                except LateError:
                    continue
                finally:
                    self._watch.take(max(0.0, ends - time.monotonic()))
                events += 1
        if not events:
            return Known((), "no event was answered")
        counted = [self._watch.ledger.count(which, since) / events for which in (_write, _describe)]
        return Known(tuple(counted))

    def _event(self, kind: str) -> float:
        """Cause an event; return the seconds from the start of the write to the last group's call."""
        node = self._nodes[kind].pop(0)
        act, holds = self._part(kind, node)
        began = time.monotonic()
        act(node)
        return self._watch.until(holds, _WITHIN_S) - began

    def _part(self, kind: str, node: Node) -> tuple[Callable[[Node], None], Callable[[Ledger], bool]]:
        """Return the change to the node and the expected result; update the fleet's wanted targets."""
        if kind == "ready":
            self._fleet.spent.remove(node)
            self._fleet.nodes.append(node)
            return self._fleet.set_ready, lambda ledger: ledger.everywhere(node.instance)
        self._fleet.nodes.remove(node)
        if kind == "delete":
            return self._fleet.remove, lambda ledger: ledger.nowhere(node.instance)
        self._fleet.spent.append(node)
        return self._fleet.taint, lambda ledger: ledger.nowhere(node.instance)


def _p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]


def _write(call: Call) -> bool:
    return call.write


def _describe(call: Call) -> bool:
    return call.operation == DESCRIBE
