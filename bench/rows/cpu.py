"""CPU while no node changes: heartbeats of all nodes, and the reads that detect drift."""

import time
from collections.abc import Mapping

from bench.cloud import DESCRIBE
from bench.measures import Known
from bench.run import Figures, Run

_OVER_S = 300
_MINUTE = 60.0


def measure(run: Run) -> Figures:
    """Return CPU seconds a minute, with the cost of AWS reads as a separate figure.

    A second run reads AWS ten times less often; the difference is the cost of a read. The interval is a
    setting of the syncer; a contender without reads needs no second run.
    """
    run.settle()
    often, reads_often = _used(run)
    if not reads_often:
        return {"cpu": Known((often, 0.0), "reads nothing")}
    seldom, reads_seldom = _used(run, {"NLB_SYNC_READ_SECONDS": "300"})
    fewer = reads_often - reads_seldom
    cost = max(0.0, (often - seldom) / fewer) if fewer > 0 else 0.0
    return {
        "cpu": Known((often - cost * reads_often, cost * reads_often), f"{reads_often:.1f} reads a minute")
    }


def _used(run: Run, changes: Mapping[str, str] | None = None) -> tuple[float, float]:
    """Return CPU seconds and DescribeTargetHealth calls, a minute."""
    with run.filled(changes) as watch, run.world.fleet.heartbeats():
        run.pause(watch, run.few(20, 2), "heartbeats begin")
        began, before = time.monotonic(), watch.process.cpu()
        run.pause(watch, run.few(_OVER_S, 10), "heartbeats")
        minutes = (time.monotonic() - began) / _MINUTE
        reads = watch.ledger.count(lambda call: call.operation == DESCRIBE, since=began)
        return (watch.process.cpu() - before) / minutes, reads / minutes
