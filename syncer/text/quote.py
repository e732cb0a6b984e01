"""Foreign text in one line for users: invisible characters are escaped, long text is cut."""

import re

_LONGEST_VALUE = 200  # a path is shown whole
_LONGEST_LINE = 2000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted(text: str) -> str:
    """Quote a user's value in ASCII: a digit of another script looks like an allowed digit.

    A long value is shown as the beginning and the length.
    """
    if len(text) <= _LONGEST_VALUE:
        return ascii(text)
    return f"{text[:_LONGEST_VALUE]!a}... ({len(text)} characters)"


def named(name: str) -> str:
    """Return a usual variable name unchanged, any other name quoted."""
    return name if len(name) <= _LONGEST_VALUE and _NAME.fullmatch(name) else quoted(name)


def printable(text: str) -> str:
    """Escape line feeds, control sequences, changes of text direction and halves of characters."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def one_line(problem: object) -> str:
    """Return any message as one printable line of bounded length."""
    line = printable(" ".join(str(problem).splitlines()))
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}... ({len(line)} characters)"
