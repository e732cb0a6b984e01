"""The toolchain's progress reports: tool, step, progress, elapsed time."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """The steps of a tool, in their possible order."""

    WAITING = "waiting for another run that prepares the tools"
    ASKING = "requesting the official release"
    DOWNLOADING = "downloading"
    FALLING_BACK = "not downloaded"
    FETCHING_MODULES = "fetching Go modules"
    COMPILING = "compiling"
    LINKING = "linking"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A report; during the work at least one report comes every second.

    `done` and `total` count `unit`s ("MB", "packages", "modules"); `total` is None if unknown. `elapsed` is
    seconds since the start of the work on this tool. `note` is the source of a ready tool, or the reason why
    a release was not downloaded.
    """

    tool: str
    version: str
    step: Step
    done: int = 0
    total: int | None = None
    unit: str = ""
    elapsed: float = 0.0
    note: str = ""

    @property
    def amount(self) -> str:
        """The progress, such as `210/565 packages`; empty without a count."""
        if not self.unit:
            return ""
        return f"{self.done}/{self.total} {self.unit}" if self.total else f"{self.done} {self.unit}"

    def line(self) -> str:
        """The report as a line of a log."""
        parts = [
            self.step.value,
            self.amount,
            self.note,
            f"{self.elapsed:.0f} s" if self.elapsed >= 1 else "",
        ]
        return f"{self.tool} {self.version}: " + ", ".join(part for part in parts if part)


Report = Callable[[Progress], None]
