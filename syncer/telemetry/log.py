"""JSON lines on stdout: a line for each decision, with the pass's id, and without secrets."""

import contextvars
import datetime as dt
import json
import logging
import sys
from collections.abc import Iterable
from typing import TextIO

from syncer.text.redaction import know, redacted_values
from syncer.text.streams import write_error

reconcile_id: contextvars.ContextVar[str] = contextvars.ContextVar("reconcile_id", default="")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, logger, message, the pass, and the fields of `extra`.

    Secrets are redacted, also in messages of libraries.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its newline."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (current := reconcile_id.get()) != "":
            line["reconcile"] = current
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(redacted_values(line))


class LogHandler(logging.StreamHandler[TextIO]):
    """A handler that survives a broken stream: a full disk or a closed reader must not end the syncer."""

    _broken = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Report a failed write once; logging itself prints a traceback for every record."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._broken:
            self._broken = True
            write_error(f"the log cannot be written: {error.strerror}; the syncer continues without it")


def configure(level: str, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send records at `level` and above to `stream` (stdout), records of libraries only from warning on."""
    know(*secrets)
    handler = LogHandler(stream or sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("syncer").setLevel(level.upper())
    # urllib3 warns of every lost connection with the whole URL; the watch reports lost connections itself.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # botocore logs missing credentials with a traceback; the failing call reports the same cause.
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
