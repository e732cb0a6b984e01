"""How an answer is printed: a table for people, JSON for programs, one line where there is none."""

import json
import sys
from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every question."""

    WELL = 0
    NOT_WELL = 1
    MISUSE = 2
    NOT_POSSIBLE = 3


def show_json(answer: object) -> None:
    """Print a JSON document."""
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


def show_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print columns as wide as their widest cell; what cannot be seen in a line is escaped."""
    lines = [tuple(map(_visible, line)) for line in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write(padded.rstrip() + "\n")


def _visible(cell: str) -> str:
    """A file may hold any text as a name: line feeds, control sequences, halves of characters."""
    return cell if cell.isprintable() else cell.encode("unicode_escape").decode("ascii")


def show(line: str) -> None:
    """Print a line of the answer."""
    sys.stdout.write(line + "\n")


def complain(problem: object) -> None:
    """Say on standard error what is wrong, in one line."""
    sys.stderr.write(f"nlb-sync: {problem}\n")


def spoken_by(speaker: str) -> str:
    """Whose facts a verdict rests on, of several Nodes of one instance."""
    return f"so says {speaker}, the newest Node of this instance"
