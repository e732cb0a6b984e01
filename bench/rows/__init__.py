"""Each module measures some rows of the table: it makes the load, and reads off what the rows say."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.rows import cpu, drift, events, fill, outage, probes, refused, replace, safety
from bench.run import Figures, Run


@dataclass(frozen=True, slots=True)
class Scenario:
    """`act` gives the figures of `rows`, those that the run wants at least; it needs `least` nodes."""

    rows: tuple[str, ...]
    act: Callable[[Run], Figures]
    least: int = 1


# By the number of nodes, so that the cluster grows as rarely as can be.
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
    Scenario(("memory-5000", "start-5000"), fill.measure),
    Scenario(("cpu",), cpu.measure),
    Scenario(("probes",), probes.measure),
)
