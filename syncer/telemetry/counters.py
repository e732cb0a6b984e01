"""What has happened since start, as plain counts; /metrics renders them, tests read them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from syncer.model import TargetGroupArn

PASS_RESULTS = ("ok", "failed")
CHANGES = ("register", "deregister")
# Why a watch ended: by its own time, its version compacted away, refused by the server, cut off, given up in
# doubt, or too old to be trusted.
RESTART_REASONS = ("expired", "gone", "refused", "lost", "doubt", "aged")
# Upper bounds of the histograms in seconds. Below 1 s is the syncer's own share (Kubernetes writes whole
# seconds, so no single value is finer), 30 to 120 s is what an NLB takes to call a target healthy.
BOUNDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)


@dataclass(slots=True)
class Histogram:
    """How many values lie up to each of BOUNDS, and their sum."""

    total: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def observe(self, seconds: float) -> None:
        """Count one value; clocks that disagree make no negative ones."""
        value = max(0.0, seconds)
        self.total += value
        self.counts[sum(bound < value for bound in BOUNDS)] += 1

    def buckets(self) -> Sequence[tuple[str, int]]:
        """Each bound and how many values lie up to it, as Prometheus writes them."""
        bounds = [*map(str, BOUNDS), "+Inf"]
        return list(zip(bounds, accumulate(self.counts), strict=True))


@dataclass(slots=True)
class Counters:
    """Counts by their labels; changed on the loop only."""

    passes: Counter[tuple[TargetGroupArn, str]] = field(default_factory=Counter)
    changes: Counter[tuple[TargetGroupArn, str]] = field(default_factory=Counter)
    refused: Counter[TargetGroupArn] = field(default_factory=Counter)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    ready_to_registered: defaultdict[TargetGroupArn, Histogram] = field(
        default_factory=lambda: defaultdict(Histogram)
    )
    ready_to_healthy: defaultdict[TargetGroupArn, Histogram] = field(
        default_factory=lambda: defaultdict(Histogram)
    )
    restarts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def called(self, operation: str, code: str) -> None:
        """An AWS call ended with `code`, "ok" if well."""
        self.calls[operation, code] += 1

    def restarted(self, plural: str, reason: str) -> None:
        """A watch of `plural` ended."""
        self.restarts[plural, reason] += 1
