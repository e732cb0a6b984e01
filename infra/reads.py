"""Errors of AWS reads that check a configuration before a resource is registered."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi

from .problems import Problem

_DENIED: Final = re.compile(r"not authorized to perform|AccessDenied|UnauthorizedOperation")
_ACTION: Final = re.compile(r"not authorized to perform: ([a-z0-9-]+:\w+)")


def denied(error: Exception) -> bool:
    """Return whether AWS refused a read for a missing right."""
    return _DENIED.search(" ".join(str(error).split())) is not None


def unreadable(path: str, value: str, error: Exception, *, allowed: str, fix: str) -> Problem:
    """Return the line for `value` at `path` after a failed AWS read.

    The fix is `fix`, or the missing right where AWS denies the read.
    """
    # The provider and the engine put a description of the operation before AWS's message.
    text = " ".join(str(error).split())
    words = text.rpartition("api error ")[2].rpartition("returned an error: ")[2]
    if denied(error):
        fix = "allow the action for Pulumi's AWS credentials (docs/deployer-policy.md)"
    return Problem(path, f"{value}, and AWS returned: {words}", allowed, fix)


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads of a check that is skipped where AWS denies the read."""

    options: pulumi.InvokeOptions
    warned: set[str] = field(default_factory=set)

    def attempt(self, action: str, check: str, read: Callable[..., Any]) -> Any:
        """Call `read`, a function of the SDK; return None after a denial, with one warning per action.

        `action` is the IAM action, `check` names what stays unchecked. Other errors of `read` are raised.
        """
        try:
            return read(opts=self.options)
        except Exception as error:
            if not denied(error):
                raise
            named = _ACTION.search(" ".join(str(error).split()))  # a function may call several actions
            action = named[1] if named else action
            self.skip(action, check, f"allow {action} for Pulumi's AWS credentials (docs/deployer-policy.md)")
            return None

    def skip(self, action: str, check: str, fix: str) -> None:
        """Log one warning per action for a check that is skipped."""
        if action not in self.warned:
            self.warned.add(action)
            pulumi.log.warn(f"AWS refused {action}; not checked: {check}; {fix}")
