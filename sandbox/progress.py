"""Shows long work by steps: name, progress, elapsed time; output comes at least every five seconds."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status
from rich.text import Text

_HEARTBEAT_S = 4.0  # on a plain log; a terminal shows a running clock instead
_REDRAW_S = 0.5
_SPINNER_WIDTH = 3


class Step:
    """A running step of the work; `note` reports its progress."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.far = ""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the elapsed time of the step."""
        return time.monotonic() - self._began

    def note(self, far: str) -> None:
        """Report the step's progress, in a few words."""
        self.far = far

    def line(self, width: int | None = None) -> str:
        """Return the step as a line; the progress is cut if the line is longer than `width` columns."""
        head, tail = self.title, f" · {self.seconds:.0f} s"
        far = f" · {self.far}" if self.far else ""
        if width is not None and len(head + far + tail) > width:
            far = f"{far[: max(0, width - len(head + tail) - 1)]}…"
        return f"{head}{far}{tail}"


class Progress:
    """Prints steps to a stream: a spinner on a terminal, otherwise a line at least every four seconds."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while the block runs; after success, a line with its time stays."""
        step = Step(title)
        over = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(step, over), daemon=True)
        ticker.start()
        try:
            yield step
        except BaseException:
            over.set()
            ticker.join()
            self.say(f"✗ {step.line()}", style="red")
            raise
        over.set()
        ticker.join()
        self.say(f"✓ {step.line()}")

    def say(self, line: str, style: str | None = None) -> None:
        """Print a permanent line, uncut."""
        self.console.print(line, style=style, markup=False, soft_wrap=True)

    def _tick(self, step: Step, over: threading.Event) -> None:
        if self.console.is_terminal:
            with Status(self._fitting(step), console=self.console) as status:
                while not over.wait(_REDRAW_S):
                    status.update(self._fitting(step))
        else:
            while not over.wait(_HEARTBEAT_S):
                self.say(f"  {step.line()}")

    def _fitting(self, step: Step) -> Text:
        """Return the step beside a spinner, on a single line: two lines could not be redrawn in place."""
        return Text(step.line(self.console.width - _SPINNER_WIDTH))
