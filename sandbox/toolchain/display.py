"""Shows the toolchain's reports: a live table on a terminal, lines in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from sandbox.toolchain.progress import Progress, Report, Step

if TYPE_CHECKING:
    from rich.progress import TaskID

# A log gets a line at least every 5 s; reports come every second.
_LOG_EVERY_S = 3.5


@contextmanager
def display(stream: TextIO = sys.stderr) -> Iterator[Report]:
    """Yield a report function that shows reports on `stream` until the block ends."""
    if not stream.isatty():
        yield Log(stream)
        return
    try:
        from rich.progress import Progress as Bars  # noqa: F401, PLC0415 (needed on a terminal only)
    except ImportError:
        yield Log(stream)
        return
    with _bars(stream) as report:
        yield report


class Log:
    """Reports as lines: each change of step, and the progress every 4 s."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: tuple[str, Step] | None = None
        self._written = 0.0

    def __call__(self, progress: Progress) -> None:
        """Write the report if due."""
        now = time.monotonic()
        about = (progress.tool, progress.step)
        if about == self._last and now - self._written < _LOG_EVERY_S:
            return
        self._last, self._written = about, now
        self._stream.write(progress.line() + "\n")
        self._stream.flush()


@contextmanager
def _bars(stream: TextIO) -> Iterator[Report]:
    from rich.console import Console  # noqa: PLC0415 (needed on a terminal only)
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (
        TextColumn("{task.fields[tool]:<32}"),
        BarColumn(bar_width=24),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=Console(file=stream)) as bars:

        def report(progress: Progress) -> None:
            ready = progress.step is Step.READY
            if progress.tool not in tasks:
                name = f"{progress.tool} {progress.version}"
                tasks[progress.tool] = bars.add_task("", total=None, tool=name)
            if progress.step is Step.FALLING_BACK:
                bars.console.print(progress.line(), style="dim", highlight=False)
            bars.update(
                tasks[progress.tool],
                description=", ".join(filter(None, (progress.step.value, progress.amount, progress.note))),
                total=1 if ready else progress.total,
                completed=1 if ready else progress.done,
            )

        yield report
