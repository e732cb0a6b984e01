"""Calls refused by AWS: because one instance of many is not running, or because of throttling."""

import time
from collections.abc import Callable
from functools import partial

from bench.cloud import Ledger
from bench.fleet import at_once
from bench.measures import Known
from bench.run import Figures, LateError, Run, Watch

_NEW, _TOGETHER_S = 50, 1.0
_OTHERS_S, _ONE_S, _STARTS_AFTER_S = 60.0, 180.0, 5
_JOINS, _THROTTLED_S, _SHARE, _DONE_S = 20, 60, 0.3, 180.0


def not_running(run: Run) -> Figures:
    """Return seconds until the other new nodes are registered, and from the late start until the last is."""
    run.settle()
    with run.filled() as watch:
        fleet, new = run.world.fleet, run.few(_NEW, 5)
        late, *others = [*fleet.new(1, state="stopped"), *fleet.new(new - 1)]
        began = time.monotonic()
        order = [*others[: new // 2], late, *others[new // 2 :]]
        at_once([partial(fleet.join, node) for node in order], _TOGETHER_S)
        fleet.nodes += [late, *others]
        run.note(f"{new} nodes came, the instance of one does not run")
        names = [node.instance for node in others]
        rest = _moment(watch, lambda ledger: all(map(ledger.everywhere, names)), _OTHERS_S)
        run.pause(watch, _STARTS_AFTER_S, "the instance is about to run")
        fleet.set_ready(late, ready=False)  # the node controller's condition by then
        run.world.cloud.set(instances={late.instance: "running"})
        runs = time.monotonic()
        fleet.set_ready(late)  # the kubelet's condition at its start
        run.note("the instance runs")
        one = _moment(watch, lambda ledger: ledger.everywhere(late.instance), _ONE_S)
    said = [f"the others not in {_OTHERS_S:.0f} s"] if rest is None else []
    said += [f"it not in {_ONE_S:.0f} s"] if one is None else []
    values = (rest and rest - began, one and one - runs)
    return {"not-running": Known(values, "; ".join(said))}


def throttled(run: Run) -> Figures:
    """Count all calls from the start of the throttling until the nodes added meanwhile are registered."""
    run.settle()
    with run.filled() as watch:
        fleet, seconds = run.world.fleet, run.few(_THROTTLED_S, 10)
        began = time.monotonic()
        run.world.cloud.set(throttled=_SHARE)
        coming = fleet.new(run.few(_JOINS, 4))
        for number, node in enumerate(coming, start=1):
            run.note(f"{number} of {len(coming)} nodes joined while calls are throttled")
            fleet.join(node)
            fleet.nodes.append(node)
            watch.take(seconds / len(coming))
        run.world.cloud.set(throttled=0.0)
        over = time.monotonic()
        run.note("the throttling is over")
        try:
            done = watch.until_right(_DONE_S)
        except LateError:
            missing = sum(not watch.ledger.everywhere(node.instance) for node in coming)
            return {"throttle": Known((), f"{missing} of {len(coming)} not in {_DONE_S:.0f} s after it")}
        calls = watch.ledger.count(since=began, until=max(done, over))
        said = f"done {done - over:.1f} s after it" if done > over else "done"
        said += f"; {watch.ledger.breakdown(began, max(done, over))}"
        return {"throttle": Known((calls,), said)}


def _moment(watch: Watch, holds: Callable[[Ledger], bool], within: float) -> float | None:
    try:
        return watch.until(holds, within)
    except LateError:
        return None
