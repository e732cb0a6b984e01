"""Drift: a target removed by a conflicting writer, and the cost of looking for drift."""

import random

from bench.cloud import DESCRIBE
from bench.measures import Known
from bench.run import Figures, LateError, Run, Watch

_REMOVALS, _QUICK_REMOVALS = 4, 1
_WITHIN_S = 90.0
_REST_S, _STEADY_S = 30, 240
_MINUTE = 60.0


def repair(run: Run) -> Figures:
    """Return the longest time from the removal of a target to the repairing RegisterTargets call."""
    run.settle()
    rng = random.Random(11)  # noqa: S311 (reproducible)
    took = []
    with run.filled() as watch:
        number = min(run.few(_REMOVALS, _QUICK_REMOVALS), run.nodes)
        for turn in range(number):
            run.pause(watch, rng.uniform(0, run.few(15, 1)), f"removal {turn + 1} of {number} to come")
            try:
                took.append(_removed(run, watch, turn))
            except LateError:
                return {"drift": Known((), f"not in {_WITHIN_S:.0f} s")}
    return {"drift": Known((max(took),))}


def _removed(run: Run, watch: Watch, turn: int) -> float:
    """Remove a target from one group; return the seconds until the target is registered again."""
    groups = list(watch.ledger.groups)
    instance, arn = run.world.fleet.nodes[turn].instance, groups[turn % len(groups)]
    keys = [key for key in watch.ledger.groups[arn] if key[0] == instance]
    began = run.world.cloud.remove(arn, keys)
    watch.take(0)
    run.note(f"removal {turn + 1} done, waiting for the repair")
    return watch.until(lambda ledger: ledger.everywhere(instance), _WITHIN_S) - began


def steady(run: Run) -> Figures:
    """Return describes per group and minute, and the number of other calls, in a steady state."""
    run.settle()
    with run.filled() as watch:
        run.pause(watch, run.few(_REST_S, 2), "coming to rest")
        seconds, before = run.few(_STEADY_S, 10), len(watch.ledger.calls)
        run.pause(watch, seconds, "steady state")
        calls = watch.ledger.calls[before:]
    describes = sum(call.operation == DESCRIBE for call in calls)
    a_group = describes / len(run.world.groups) * _MINUTE / seconds
    return {"steady": Known((a_group, len(calls) - describes))}
