"""What the toolchain tells while it works: which tool, which step, how far, how long so far."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """What is being done for a tool, in the order in which it may happen."""

    WAITING = "waiting for another run that prepares the tools"
    ASKING = "asking for the official release"
    DOWNLOADING = "downloading"
    FALLING_BACK = "not downloaded"
    FETCHING_MODULES = "fetching Go modules"
    COMPILING = "compiling"
    LINKING = "linking"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One report; while anything is under way there is one at least every second.

    `done` and `total` count `unit`s ("MB", "packages", "modules"); `total` is None where it is not known.
    `elapsed` is seconds since the work on this tool began. `note` says where a ready tool comes from, or why
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
        """How far it is, such as `210/565 packages`; empty where nothing is counted."""
        if not self.unit:
            return ""
        return f"{self.done}/{self.total} {self.unit}" if self.total else f"{self.done} {self.unit}"

    def line(self) -> str:
        """The report as one line of a log."""
        parts = [
            self.step.value,
            self.amount,
            self.note,
            f"{self.elapsed:.0f} s" if self.elapsed >= 1 else "",
        ]
        return f"{self.tool} {self.version}: " + ", ".join(part for part in parts if part)


Report = Callable[[Progress], None]
