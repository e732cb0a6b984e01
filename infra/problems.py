"""What is wrong with a key or an argument: one line for a person each, with the fix."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from .masking import masked

# What the CLI stores as another type, or what a user may replace by such a value.
_TYPED: Final = re.compile(r"[-+.\d][\d.eE+-]*|true|false|null|<.*>", re.IGNORECASE)
VALUE: Final = "<value>"  # stands for the user's own value in a fix
MISSING: Final = object()
NAMESPACE: Final = "node-nlb-sync"
LONGEST_ECHO: Final = 60  # characters of a wrong value that are repeated in the message
MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Change:
    """A fix of one key: put `value` at `path`, or without a `value` remove `path`.

    `before` and `after` are text around the change. A `secret` value is encrypted in the configuration; a
    `text` is a string, whatever it looks like.
    """

    path: str
    value: str | None
    before: str = ""
    after: str = ""
    secret: bool = False
    text: bool = False

    def as_command(self) -> str:
        """The change as a command on the stack configuration."""
        nested = any(mark in self.path for mark in ".[")
        flag = "--path " if nested else ""
        if self.value is None:
            return self._within(f"pulumi config rm {flag}{self._key(quoted=nested)}")
        key = self._key(quoted=True) if nested else self.path
        secret = "--secret " if self.secret else ""
        # By --path the CLI stores numbers and true and false as such; a secret is always a string, and the
        # CLI refuses --type beside --secret.
        text = nested and self.text and not self.secret and _TYPED.fullmatch(self.value)
        kind = "--type string " if text else ""
        return self._within(f"pulumi config set {secret}{kind}{flag}{key} {self.value}")

    def as_words(self) -> str:
        """The change of an argument, which stands in a program."""
        done = f"remove {self.path}" if self.value is None else f"set {self.path} to {self.value}"
        return self._within(done)

    def _key(self, *, quoted: bool) -> str:
        key = f"{NAMESPACE}:{self.path}"
        return f"'{key}'" if quoted else key

    def _within(self, change: str) -> str:
        return f"{self.before}{change}{self.after}"


@dataclass(frozen=True, slots=True)
class Problem:
    """The key, what was read, what is allowed, what to do."""

    path: str
    read: str
    allowed: str
    fix: str | Change

    def in_stack(self) -> str:
        """The line for a stack configuration, with the command that mends it."""
        fix = self.fix if isinstance(self.fix, str) else self.fix.as_command()
        return f"{NAMESPACE}:{self._line(fix)}"

    def in_program(self) -> str:
        """The line for an argument of `NodeNlb`."""
        return self._line(self.fix if isinstance(self.fix, str) else self.fix.as_words())

    def _line(self, fix: str) -> str:
        return masked(f"{self.path}: read {self.read}; allowed: {self.allowed}; fix: {fix}")


Problems = list[Problem]


class SettingsError(pulumi.RunError):
    """What is wrong with the arguments, or with the configuration of a stack: one line a problem."""

    def __init__(self, problems: Problems, *, component: str | None = None) -> None:
        """Word the lines for the arguments of `component`, without one for a stack configuration."""
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
    """How a value is repeated in a message: as JSON, on one line, cut short, and without keys."""
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
