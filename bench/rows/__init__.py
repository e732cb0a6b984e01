"""Modules that measure rows of the table: create the load and read off the figures."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.rows import cpu, drift, events, fill, outage, probes, refused, replace, safety, scale, status
from bench.run import Figures, Run


@dataclass(frozen=True, slots=True)
class Scenario:
    """`act` returns the figures of `rows`, at least of the wanted rows; `least` is the minimum of nodes."""

    rows: tuple[str, ...]
    act: Callable[[Run], Figures]
    least: int = 1


# In order of node count, so that the cluster grows as rarely as possible.
SCENARIOS = (
    Scenario(("memory-0",), fill.measure, least=0),
    Scenario(("stale",), safety.stale, least=safety.STALE),
    Scenario(("not-ready",), safety.not_ready),
    Scenario(("throttle",), refused.throttled),
    Scenario(("not-running",), refused.not_running),
    Scenario(("drift",), drift.repair),
    Scenario(("steady",), drift.steady),
    Scenario(("outage",), outage.measure, least=outage.NODES),
    Scenario(("memory-1000", "start-1000"), fill.measure),
    Scenario(("ready", "taint", "delete", "calls"), events.measure, least=6),
    Scenario(("replace",), replace.measure),
    Scenario(("groups-10",), events.groups, least=2),
    Scenario(("groups-50",), events.groups, least=2),
    Scenario(("memory-5000", "start-5000"), fill.measure),
    Scenario(("ready-5000", "taint-5000"), events.measure, least=2),
    Scenario(("churn",), events.churn, least=10),
    Scenario(("fill-5000",), scale.fill),
    Scenario(("cpu",), cpu.measure),
    Scenario(("probes",), probes.measure),
    Scenario(("ready-20000", "taint-20000"), events.measure, least=2),
    Scenario(("fill-20000",), scale.fill),
    Scenario(("status-20000",), status.measure),
    Scenario(("ready-100000", "taint-100000"), events.measure, least=4),
    Scenario(("taint-limit",), events.measure, least=4),
    Scenario(("limit",), scale.narrowed, least=2),
    Scenario(("selector",), scale.narrowed, least=2),
)
