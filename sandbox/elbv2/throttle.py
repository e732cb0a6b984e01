"""AWS's request limits: token buckets for classes of actions, per account and Region (source 2)."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.elbv2.errors import Refusal

WRITES = "RegisterTargets,DeregisterTargets"
Rates = Mapping[str, tuple[float, float]]
"""Tokens a second and bucket size, by comma-separated action patterns that share a bucket."""
RATES: Rates = {WRITES: (4.0, 20.0), "Describe*": (50.0, 200.0), "Modify*": (3.0, 20.0)}


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Throttle:
    """A call spends a token; a call at an empty bucket is refused and spends nothing."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def spend(self, action: str, rates: Rates, now: float) -> None:
        """Raise ThrottlingException if the bucket of `action` is empty."""
        for patterns, (rate, size) in rates.items():
            if any(fnmatchcase(action, pattern) for pattern in patterns.split(",")):
                bucket = self._buckets.setdefault(patterns, _Bucket(size, now))
                bucket.tokens = min(size, bucket.tokens + (now - bucket.at) * rate)
                bucket.at = now
                if bucket.tokens < 1:
                    raise throttled()
                bucket.tokens -= 1
                return

    def refill(self) -> None:
        """Reset all buckets (the rates changed)."""
        self._buckets.clear()


def refuse_share(share: float, chance: random.Random) -> None:
    """Raise ThrottlingException for `share` (0 to 1) of the calls, at random."""
    if share > 0 and chance.random() < share:
        raise throttled()


def throttled() -> Refusal:
    """Return AWS's answer to a call beyond the rate."""
    return Refusal("ThrottlingException", "Rate exceeded")
