"""Each module measures some rows of the table: it makes the load, and reads off what the rows say."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.rows import events, fill
from bench.run import Figures, Run


@dataclass(frozen=True, slots=True)
class Scenario:
    """`act` gives the figures of `rows`, those that the run wants at least."""

    rows: tuple[str, ...]
    act: Callable[[Run], Figures]


SCENARIOS = (
    Scenario(("memory-0",), fill.measure),
    Scenario(("memory-1000", "start-1000"), fill.measure),
    Scenario(("ready", "taint", "delete", "calls"), events.measure),
    Scenario(("memory-5000", "start-5000"), fill.measure),
)
