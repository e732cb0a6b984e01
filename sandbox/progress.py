"""Shows long work step by step: what, how far, how long so far; never silent for more than five seconds."""

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
    """One step of the work while it runs; `note` says how far it is."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.far = ""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the step has taken so far."""
        return time.monotonic() - self._began

    def note(self, far: str) -> None:
        """Say how far the step is, in a few words."""
        self.far = far

    def line(self, width: int | None = None) -> str:
        """The step in one line; where `width` columns are too few, how far it is gets cut."""
        head, tail = self.title, f" · {self.seconds:.0f} s"
        far = f" · {self.far}" if self.far else ""
        if width is not None and len(head + far + tail) > width:
            far = f"{far[: max(0, width - len(head + tail) - 1)]}…"
        return f"{head}{far}{tail}"


class Progress:
    """Prints steps to one stream: a spinner on a terminal, a line at least every four seconds elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step for as long as the block runs; a line with its time stays when it ends well."""
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
        """Print a line that stays, whole."""
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
        """The step beside a spinner, on one line of the terminal: two could not be redrawn in place."""
        return Text(step.line(self.console.width - _SPINNER_WIDTH))
