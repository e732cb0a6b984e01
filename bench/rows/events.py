"""Single events: a node turns Ready, is announced to leave, or is deleted; time until both groups follow."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from bench.cloud import DESCRIBE, Call, Ledger
from bench.fleet import Node
from bench.measures import Known
from bench.run import Figures, LateError, Run, Watch

_EVENTS, _QUICK_EVENTS = 60, 4
# A contender may debounce events (the syncer: for up to 1 s while events keep coming).
_GAP_S = (1.5, 2.5)
_WITHIN_S = 10.0
_GIVE_UP_AFTER = 3
_GROUPS_EVENTS = 12
_WRITES_PER_S = 4
_CHANGES_PER_S = 20.0
# Isolated events per kind, and the seconds for which the calls are counted.
_ALONE, _ALONE_S = 2, 10
_KINDS = ("ready", "taint", "delete")
# At most this share of all nodes has one kind of event; more would measure the brake on removals.
_SHARE = 5


def measure(run: Run) -> Figures:
    """Return median, 95th percentile and CPU for every kind of event, and the calls per event."""
    run.settle()
    alone = run.few(_ALONE, 1) if "calls" in run.wanted else 0
    events = _number(run, _EVENTS, alone)
    found: Figures = {}
    with run.filled() as watch:
        phases = _Phases(run, watch, events + alone)
        for row in sorted(run.wanted - {"calls"}, key=lambda row: _KINDS.index(_kind(row))):
            found[row] = phases.times(_kind(row), events).known(cpu=row not in _KINDS)
        if "calls" in run.wanted:
            found["calls"] = phases.calls(alone)
    return found


def groups(run: Run) -> Figures:
    """Return median and 95th percentile of Ready and of a leaving taint, and the CPU of an event."""
    run.settle()
    events = _number(run, _GROUPS_EVENTS)
    with run.filled() as watch:
        phases = _Phases(run, watch, events)
        both = [phases.times(kind, events) for kind in ("ready", "taint")]
    for times in both:
        if not times.took:
            return dict.fromkeys(run.wanted, times.known(cpu=False))
    values = [value for times in both for value in times.known(cpu=False).values]
    cpu = sum(times.cpu for times in both) / len(both)
    return dict.fromkeys(run.wanted, Known((*values, cpu), f"{len(both[0].took)} events of each kind"))


def churn(run: Run) -> Figures:
    """Return median and 95th percentile of Ready while other Nodes are cordoned and uncordoned.

    Such a change needs a decision but no call, so that AWS's limit on writes does not count.
    """
    run.settle()
    events = _number(run, _EVENTS)
    with run.filled() as watch:
        phases = _Phases(run, watch, events)
        others = run.world.fleet.nodes[events:]
        with run.world.fleet.cordons(others, _CHANGES_PER_S):
            return {"churn": phases.times("ready", events).known(cpu=False)}


def _kind(row: str) -> str:
    """Return the kind of event of a row: `taint` for `taint-5000`."""
    return row.partition("-")[0]


def _number(run: Run, usual: int, alone: int = 0) -> int:
    """Return the number of events of a kind."""
    return max(1, min(run.few(usual, _QUICK_EVENTS), run.targets // _SHARE - alone))


@dataclass(frozen=True, slots=True)
class _Times:
    """`took`: ms of each event; `cpu`: ms of CPU of an event, with the rest after the event."""

    took: list[float]
    missed: int
    within: float
    cpu: float

    def known(self, *, cpu: bool) -> Known:
        """Return median and 95th percentile, and the CPU as a third figure or as a remark."""
        if not self.took:
            return Known((), f"never ({self.missed} of {self.missed} not within {self.within:.0f} s)")
        number = self.missed + len(self.took)
        late = [f"{self.missed} of {number} not within {self.within:.0f} s"] if self.missed else []
        times = (median(self.took), _p95(self.took))
        if cpu:
            return Known((*times, self.cpu), ", ".join(late))
        return Known(times, ", ".join([*late, f"CPU {self.cpu:.0f} ms an event"]))


class _Phases:
    """Three kinds of event with `number` nodes per kind: new nodes, and old nodes to be removed."""

    def __init__(self, run: Run, watch: Watch, number: int) -> None:
        self._run = run
        self._watch = watch
        self._fleet = run.world.fleet
        self._rng = random.Random(7)  # noqa: S311 (reproducible)
        # AWS allows 4 writes a second: an event must not wait for the writes of the event before.
        self._writes_s = len(watch.ledger.groups) / _WRITES_PER_S
        self._within = _WITHIN_S + self._writes_s
        coming = self._fleet.new(number)
        held = {instance for instance, _ in next(iter(watch.ledger.groups.values()))}
        old = [node for node in self._fleet.nodes if node.instance in held]
        self._nodes = {"ready": coming, "taint": old[:number], "delete": old[number : 2 * number]}
        run.note("nodes come, not Ready yet")
        for node in coming:
            self._fleet.come(node)
        self._fleet.spent += coming
        run.pause(watch, run.few(5, 2), "coming to rest")

    def times(self, kind: str, number: int) -> _Times:
        """Return the durations of `number` events; give up after three that were never answered."""
        took: list[float] = []
        missed = 0
        cpu = self._watch.process.cpu()
        for turn in range(number):
            self._run.note(f"{kind}: {turn + 1} of {number}")
            try:
                took.append(self._event(kind) * 1000)
            except LateError:
                missed += 1
            if not took and missed == _GIVE_UP_AFTER:
                break
            self._watch.take(max(self._rng.uniform(*_GAP_S), self._writes_s))
        cpu = (self._watch.process.cpu() - cpu) / max(1, missed + len(took)) * 1000
        return _Times(took, missed, self._within, cpu)

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
        return self._watch.until(holds, self._within) - began

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
