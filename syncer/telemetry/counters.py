"""Counters since start, as plain numbers; rendered by /metrics and read by tests."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import accumulate

from syncer.model import TargetGroupArn

PASS_RESULTS = ("ok", "failed")
CHANGES = ("register", "deregister")
# Results that are kept, or not computed without a wake-up, and that a full pass found to be wrong.
DESIRED_STATE, LISTING, PLAN = "desired_state", "listing", "plan"
# Why a watch ended: its own time, its version compacted away, refused by the server, cut off, abandoned in
# doubt, or too old to be trusted.
RESTART_REASONS = ("expired", "gone", "refused", "lost", "doubt", "aged")
# Upper bounds of the histograms in seconds. Below 1 s is the syncer's own share (Kubernetes writes whole
# seconds, so a single value is no finer); an NLB takes 30 to 120 s until a target is healthy.
BOUNDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)


@dataclass(slots=True)
class Histogram:
    """Number of values up to each of BOUNDS, and the sum."""

    total: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def observe(self, seconds: float) -> None:
        """Count one value; a negative value, from unequal clocks, counts as 0."""
        value = max(0.0, seconds)
        self.total += value
        self.counts[sum(bound < value for bound in BOUNDS)] += 1

    def buckets(self) -> Sequence[tuple[str, int]]:
        """Return the bounds with their cumulative counts, in the form of Prometheus."""
        bounds = [*map(str, BOUNDS), "+Inf"]
        return list(zip(bounds, accumulate(self.counts), strict=True))


@dataclass(slots=True)
class Counters:
    """Counts by their labels; changed on the loop only. `loop_lag` is the longest recent delay in seconds."""

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
    disagreements: Counter[str] = field(default_factory=Counter)
    loop_lag: float = 0.0

    def copy(self) -> "Counters":
        """Return the counts at this moment."""
        return deepcopy(self)

    def called(self, operation: str, code: str) -> None:
        """Count an AWS call with its `code`, "ok" for success."""
        self.calls[operation, code] += 1

    def restarted(self, plural: str, reason: str) -> None:
        """Count an ended watch of `plural`."""
        self.restarts[plural, reason] += 1
