"""Clusters above 5,000 nodes: the start, and the cost of nodes that are no targets."""

import time

from bench.cloud import REGISTER
from bench.measures import Known
from bench.run import Figures, Run

_WITHIN_S = 900.0
_IDLE_S, _BEGIN_S, _OVER_S = 60, 20, 180
_MINUTE = 60.0


def fill(run: Run) -> Figures:
    """Return the CPU of a start until the groups are full, and the time."""
    run.settle()
    with run.started() as watch:
        run.note("the groups are being filled")
        took = watch.until_right(_WITHIN_S) - watch.process.started_at
        return dict.fromkeys(run.wanted, Known((watch.process.cpu(), took)))


def narrowed(run: Run) -> Figures:
    """Return settled memory, the time until the first register call, and CPU a minute of heartbeats."""
    run.settle()
    with run.started() as watch:
        run.note("the groups are being filled")
        watch.until_right(_WITHIN_S)
        started = watch.process.started_at
        first = next(call.at for call in watch.ledger.calls if call.operation == REGISTER) - started
        run.pause(watch, run.few(_IDLE_S, 2), "idle")
        memory, _ = watch.process.memory()
        with run.world.fleet.heartbeats():
            run.pause(watch, run.few(_BEGIN_S, 2), "heartbeats begin")
            began, before = time.monotonic(), watch.process.cpu()
            run.pause(watch, run.few(_OVER_S, 5), "heartbeats")
            cpu = (watch.process.cpu() - before) / (time.monotonic() - began) * _MINUTE
    return dict.fromkeys(run.wanted, Known((memory, first, cpu)))
