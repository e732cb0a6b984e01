"""Findings of `doctor`: a line for each check."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """Severity. `note`: the syncer works, with a loss that the line names."""

    OK = "ok"
    NOTE = "note"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Finding:
    """A line with the check, the result and the remedy."""

    check: str
    grade: Grade
    detail: str


def ok(check: str, detail: str) -> Finding:
    """Return a passed check."""
    return Finding(check, Grade.OK, detail)


def note(check: str, detail: str) -> Finding:
    """Return a check with a loss; the syncer still works."""
    return Finding(check, Grade.NOTE, detail)


def fails(check: str, detail: str) -> Finding:
    """Return a failed check: the syncer will not work."""
    return Finding(check, Grade.FAILS, detail)
