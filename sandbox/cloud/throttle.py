"""Token buckets of AWS's request limits for classes of actions, per account and Region (source 2)."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.cloud.errors import AwsError


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Throttle:
    """A call spends a token; a call at an empty bucket is refused and spends nothing."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def spend(self, action: str, rates: dict[str, tuple[float, float]] | None, now: float) -> None:
        """Raise AwsError ThrottlingException when the bucket of `action` is empty at `now` (seconds)."""
        for patterns, (rate, size) in (rates or {}).items():
            if any(fnmatchcase(action, pattern) for pattern in patterns.split(",")):
                bucket = self._buckets.setdefault(patterns, _Bucket(size, now))
                bucket.tokens = min(size, bucket.tokens + (now - bucket.at) * rate)
                bucket.at = now
                if bucket.tokens < 1:
                    raise AwsError("ThrottlingException", "Rate exceeded")
                bucket.tokens -= 1
                return

    def refill(self) -> None:
        """Reset all buckets (the rates changed)."""
        self._buckets.clear()
