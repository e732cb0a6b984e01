"""What has happened since start, as plain counts; /metrics renders them, tests read them."""

from collections import Counter
from dataclasses import dataclass, field

from syncer.model import TargetGroupArn

PASS_RESULTS = ("ok", "failed")
CHANGES = ("register", "deregister")
# Why a watch ended: by its own time, its version compacted away, refused by the server, cut off, given up in
# doubt, or too old to be trusted.
RESTART_REASONS = ("expired", "gone", "refused", "lost", "doubt", "aged")


@dataclass(slots=True)
class Tally:
    """Counts by their labels; changed on the loop only."""

    passes: Counter[tuple[TargetGroupArn, str]] = field(default_factory=Counter)
    changes: Counter[tuple[TargetGroupArn, str]] = field(default_factory=Counter)
    refused: Counter[TargetGroupArn] = field(default_factory=Counter)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    restarts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def called(self, operation: str, code: str) -> None:
        """An AWS call ended with `code`, "ok" if well."""
        self.calls[operation, code] += 1

    def restarted(self, plural: str, reason: str) -> None:
        """A watch of `plural` ended."""
        self.restarts[plural, reason] += 1
