"""The three standard streams, which the parent process may have closed, or given any encoding."""

import contextlib
import io
import os
import sys
from typing import TextIO

from syncer.text.quote import one_line


def prepare() -> None:
    """Make the standard streams safe to use.

    A closed one is opened on /dev/null: else the next file or socket would get its number, and what a library
    prints would go there. `sys.stdout` stays None then, so that an answer is not taken for delivered.
    What an encoding cannot express is written with backslashes.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def settle() -> None:
    """Flush at the end, without the interpreter's own complaint about a stream that takes no more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            abandon(stream)


def abandon(stream: TextIO) -> None:
    """Send what is left in the buffer of a broken stream, and all that follows, to /dev/null."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write_error(problem: object) -> None:
    """Write one line on standard error; where that is closed or full, the exit code alone remains."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{one_line(problem)}\n")
    except OSError:
        abandon(sys.stderr)
