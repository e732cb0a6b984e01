"""Removals under safety rules: stale targets at a start, and nodes that all turn NotReady."""

from functools import partial

from bench.cloud import REGISTER, Ledger
from bench.fleet import at_once
from bench.measures import Known
from bench.run import Figures, LateError, Run
from bench.world import HEALTHY_S

STALE, _STALE_S = 5, 180.0
_NOT_READY_S = 30


def stale(run: Run) -> Figures:
    """Return the seconds from the permitted moment (docs/safety.md, rules 2 and 6) to the removal."""
    fleet = run.world.fleet
    fleet.settle(run.nodes, run.note)
    strangers = [f"i-5{number:016x}" for number in range(STALE)]
    targets = run.world.targets(strangers)
    run.world.reset_aws(targets, strangers)
    with run.started() as watch:
        watch.holding(targets)
        run.note(f"{STALE} stale targets are to go")
        try:
            gone = watch.until(lambda ledger: all(map(ledger.nowhere, strangers)), _STALE_S)
            watch.until_right(_STALE_S)
        except LateError:
            return {"stale": Known((), f"there after {_STALE_S:.0f} s")}
        allowed = _allowed(watch.ledger)
    started = watch.process.started_at
    if allowed is None or gone < allowed:
        return {"stale": Known((), f"gone after {gone - started:.1f} s, before it is allowed")}
    said = f"{gone - started:.1f} s after the start"
    return {"stale": Known((gone - allowed,), said)}


def _allowed(ledger: Ledger) -> float | None:
    """Return when the stale targets may go; None if never.

    At that moment every group has as many healthy own targets as stale targets: half of all targets then
    serve without the stale targets.
    """
    moments = []
    for arn in ledger.groups:
        healthy: dict[str, float] = {}
        for call in ledger.calls:
            if call.group == arn and call.operation == REGISTER and call.code == "ok":
                for instance, _ in call.targets:
                    healthy.setdefault(instance, call.at + HEALTHY_S)
        if len(healthy) < STALE:
            return None
        moments.append(sorted(healthy.values())[STALE - 1])
    return max(moments)


def not_ready(run: Run) -> Figures:
    """Return the share of targets left after every node was NotReady for half a minute."""
    run.settle()
    fleet = run.world.fleet
    with run.filled() as watch:
        at_once([partial(fleet.set_ready, node, ready=False) for node in fleet.nodes], 1.0)
        fleet.spent, fleet.nodes = [*fleet.spent, *fleet.nodes], []
        run.pause(watch, run.few(_NOT_READY_S, 5), "every node is NotReady")
        left = min(len(group) for group in watch.ledger.groups.values())
    return {"not-ready": Known((100.0 * left / max(1, run.nodes),))}
