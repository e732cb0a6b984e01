"""Retries of the sandbox's loops: increasing delays, and a single log line for each kind of failure."""

import logging
import random
from typing import Any

from botocore.exceptions import ClientError

_FIRST_S, _MAX_S = 0.5, 10.0


class Retry:
    """The failures of a loop since its last success.

    `what` is the work's name in the log. Delays double up to `max_s`, and each kind of failure is logged once
    until the next success.
    """

    def __init__(
        self, what: str, log: logging.Logger, first_s: float = _FIRST_S, max_s: float = _MAX_S
    ) -> None:
        self._what, self._log = what, log
        self._first_s, self._max_s = first_s, max_s
        self._delay_s = first_s
        self._failures = 0
        self._logged: set[str] = set()

    def failed(self, error: BaseException) -> float:
        """Count a failure; return the delay before the next try in seconds, with jitter."""
        self._failures += 1
        kind = _kind(error)
        if kind not in self._logged:
            self._logged.add(kind)
            unforeseen = error if isinstance(error, (AttributeError, IndexError, TypeError)) else None
            self._log.warning("%s failed: %s; retrying", self._what, _line(error), exc_info=unforeseen)
        delay = self._delay_s
        self._delay_s = min(delay * 2, self._max_s)
        return delay * random.uniform(0.75, 1)  # noqa: S311 (jitter)

    def succeeded(self) -> None:
        """Reset: log and delay of the next failure are those of a first failure."""
        if self._failures:
            self._log.info("%s succeeded after %d failures", self._what, self._failures)
            self._failures = 0
            self._logged.clear()
            self._delay_s = self._first_s


def _kind(error: BaseException) -> str:
    """Return the kind of a failure, for logging once: its type, and a server's status or code."""
    detail: Any = getattr(error, "status", "")
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {}).get("Code", "")
    return f"{type(error).__name__} {detail}"


def _line(error: BaseException) -> str:
    """Return the error as a line of limited length: the error may quote a malformed answer."""
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
