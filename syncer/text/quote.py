"""Foreign text in one line for people: what cannot be seen is escaped, what is long is cut."""

import re

_LONGEST_VALUE = 200  # a path is shown whole
_LONGEST_LINE = 2000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted(text: str) -> str:
    """Quote a value of the user in ASCII: a digit of another script looks like an allowed one.

    Of a long value only the beginning and the length are shown.
    """
    if len(text) <= _LONGEST_VALUE:
        return ascii(text)
    return f"{text[:_LONGEST_VALUE]!a}... ({len(text)} characters)"


def named(name: str) -> str:
    """Show a variable's name as it is where it is a usual one, else quoted."""
    return name if len(name) <= _LONGEST_VALUE and _NAME.fullmatch(name) else quoted(name)


def printable(text: str) -> str:
    """Escape line feeds, control sequences, text that changes its direction and halves of characters."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def one_line(problem: object) -> str:
    """Show a message, whatever is in it, as one printable line of bounded length."""
    line = printable(" ".join(str(problem).splitlines()))
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}... ({len(line)} characters)"
