"""Errors of AWS reads that check a configuration before a resource is registered."""

import re
from typing import Final

from .problems import Problem

_DENIED: Final = re.compile(r"not authorized to perform|AccessDenied|UnauthorizedOperation")


def unreadable(path: str, value: str, error: Exception, *, allowed: str, fix: str) -> Problem:
    """Return the line for `value` at `path` after a failed AWS read.

    The fix is `fix`, or the missing right where AWS denies the read.
    """
    # The provider and the engine put a description of the operation before AWS's message.
    text = " ".join(str(error).split())
    words = text.rpartition("api error ")[2].rpartition("returned an error: ")[2]
    if _DENIED.search(text):
        fix = "allow the action for Pulumi's AWS credentials (docs/deployer-policy.md)"
    return Problem(path, f"{value}, and AWS returned: {words}", allowed, fix)
