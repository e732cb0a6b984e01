"""The three standard streams, possibly closed by the parent process, or with any encoding."""

import contextlib
import io
import os
import sys
from typing import TextIO

from syncer.text.quote import one_line


def prepare() -> None:
    """Make the standard streams safe to use.

    A closed stream is opened on /dev/null: otherwise the next file or socket would get the stream's number,
    and output of libraries would go there. `sys.stdout` stays None, so that output never counts as delivered.
    Characters outside the encoding are written with backslashes.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number: this stream's
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def settle() -> None:
    """Flush at the end, without the interpreter's own error about a broken stream."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            abandon(stream)


def abandon(stream: TextIO) -> None:
    """Redirect a broken stream to /dev/null, with the rest of its buffer and later output."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write_error(problem: object) -> None:
    """Write one line on standard error; if closed or full, only the exit code remains."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{one_line(problem)}\n")
    except OSError:
        abandon(sys.stderr)
