"""Output of commands: a table for users, JSON for programs, one line for an error."""

import sys
from collections.abc import Iterable
from enum import IntEnum

from syncer.errors import UnreadError
from syncer.text.quote import printable
from syncer.text.redaction import redacted_input, redacted_json
from syncer.text.streams import abandon, write_error


class Exit(IntEnum):
    """The exit codes of every command."""

    WELL = 0
    NOT_WELL = 1
    MISUSE = 2
    NOT_POSSIBLE = 3
    UNEXPECTED = 70  # sysexits.h: EX_SOFTWARE


def show_json(answer: object) -> None:
    """Print a JSON document."""
    _write(redacted_json(answer, indent=2))


def show_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print columns as wide as their widest cell; invisible characters are escaped."""
    lines = [tuple(map(printable, line)) for line in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        _write(padded.rstrip())


def show(line: str) -> None:
    """Print a line of the answer."""
    _write(printable(line))


def show_text(text: str) -> None:
    """Print the program's own lines unchanged."""
    _write(text.rstrip("\n"))


def finish() -> None:
    """Flush standard output; raise UnreadError if the write fails."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        raise _unread(error) from None


def _write(line: str) -> None:
    if sys.stdout is None:
        raise UnreadError("cannot write the output: standard output is closed")
    try:
        sys.stdout.write(line + "\n")
    except OSError as error:
        raise _unread(error) from None


def _unread(error: OSError) -> UnreadError:
    # At exit the interpreter would write the rest of the buffer again and report another error.
    abandon(sys.stdout)
    gone = isinstance(error, BrokenPipeError)
    return UnreadError("" if gone else f"cannot write the output: {error.strerror}")


def complain(problem: object) -> None:
    """Report a problem in one line on standard error."""
    write_error(f"nlb-sync: {redacted_input(str(problem))}")


def authoritative_note(authoritative: str) -> str:
    """Name the authoritative Node of several Nodes of one instance."""
    return f"by {authoritative}, the newest Node of this instance"
