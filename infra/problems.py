"""Problems of keys and arguments: a line for people per problem, with the fix."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from .masking import masked

# Values that the CLI stores with another type, or placeholders for such values.
_TYPED: Final = re.compile(r"[-+.\d][\d.eE+-]*|true|false|null|<.*>", re.IGNORECASE)
VALUE: Final = "<value>"  # placeholder in a fix for the user's value
MISSING: Final = object()
NAMESPACE: Final = "node-nlb-sync"
LONGEST_ECHO: Final = 60  # maximum of characters of a wrong value in a message
MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Change:
    """The fix of a key: put `value` at `path`, or without a `value` remove `path`.

    `before` and `after` are text around the change. A `secret` value is encrypted in the configuration; a
    `text` is a string regardless of its content.
    """

    path: str
    value: str | None
    before: str = ""
    after: str = ""
    secret: bool = False
    text: bool = False

    def as_command(self) -> str:
        """Return the change as a command on the stack configuration."""
        nested = any(mark in self.path for mark in ".[")
        flag = "--path " if nested else ""
        if self.value is None:
            return self._within(f"pulumi config rm {flag}{self._key(quoted=nested)}")
        key = self._key(quoted=True) if nested else self.path
        secret = "--secret " if self.secret else ""
        # With --path the CLI stores numbers, true and false with their types; a secret is always a string,
        # and the CLI refuses --type beside --secret.
        text = nested and self.text and not self.secret and _TYPED.fullmatch(self.value)
        kind = "--type string " if text else ""
        return self._within(f"pulumi config set {secret}{kind}{flag}{key} {self.value}")

    def as_words(self) -> str:
        """Return the change of an argument in a program."""
        done = f"remove {self.path}" if self.value is None else f"set {self.path} to {self.value}"
        return self._within(done)

    def _key(self, *, quoted: bool) -> str:
        key = f"{NAMESPACE}:{self.path}"
        return f"'{key}'" if quoted else key

    def _within(self, change: str) -> str:
        return f"{self.before}{change}{self.after}"


@dataclass(frozen=True, slots=True)
class Ways:
    """A fix in words of its own for the two forms of a line."""

    in_stack: str
    in_program: str

    def as_command(self) -> str:
        """Return the fix for a stack configuration."""
        return self.in_stack

    def as_words(self) -> str:
        """Return the fix for an argument in a program."""
        return self.in_program


@dataclass(frozen=True, slots=True)
class Problem:
    """The key, the read value, the allowed values, and the fix."""

    path: str
    read: str
    allowed: str
    fix: str | Change | Ways

    def in_stack(self) -> str:
        """Return the line for a stack configuration, with the fixing command."""
        fix = self.fix if isinstance(self.fix, str) else self.fix.as_command()
        return f"{NAMESPACE}:{self._line(fix)}"

    def in_program(self) -> str:
        """Return the line for an argument of `NodeNlb`."""
        return self._line(self.fix if isinstance(self.fix, str) else self.fix.as_words())

    def _line(self, fix: str) -> str:
        return masked(f"{self.path}: read {self.read}; allowed: {self.allowed}; fix: {fix}")


Problems = list[Problem]


class SettingsError(pulumi.RunError):
    """The problems of the arguments or of a stack configuration: a line per problem."""

    def __init__(self, problems: Problems, *, component: str | None = None) -> None:
        """Word the lines for the arguments of `component`; for a stack configuration without `component`."""
        first = NAMESPACE if component is None else component
        shown = [
            problem.in_stack() if component is None else f"{component}: {problem.in_program()}"
            for problem in problems[:MOST_SHOWN]
        ]
        if rest := len(problems) - len(shown):
            shown.append(f"{first}: {rest} more problems; fix these first")
        super().__init__("\n".join(shown))
        self.problems = problems


def echo(raw: Any) -> str:
    """Format a value for a message: as JSON, on a single line, shortened, and with keys masked."""
    if raw is MISSING:
        return "nothing"
    if isinstance(raw, pulumi.Output):
        return "an Output, which has no value yet"
    try:
        text = json.dumps(raw, default=str, ensure_ascii=True).replace("\x7f", "\\u007f")
    except (RecursionError, ValueError):
        return "a value that is nested too deeply, or a number that is too long"
    text = masked(text)
    return text if len(text) <= LONGEST_ECHO else text[:LONGEST_ECHO] + "…"
