"""What `doctor` finds: one line for each thing that was looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is. `note`: the syncer does without, and the line says what is lost."""

    OK = "ok"
    NOTE = "note"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do about it."""

    check: str
    grade: Grade
    says: str


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, Grade.OK, says)


def note(check: str, says: str) -> Finding:
    """Something is lost, and the syncer works all the same."""
    return Finding(check, Grade.NOTE, says)


def fails(check: str, says: str) -> Finding:
    """It will not work."""
    return Finding(check, Grade.FAILS, says)
