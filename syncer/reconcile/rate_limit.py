"""A token bucket for AWS calls, so that a burst of work does not become a burst of refusals."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second in the long run, and the size of a burst after a rest."""

    a_second: float
    burst: int


# RegisterTargets and DeregisterTargets share a bucket per account and Region. The figures are the defaults of
# the AWS Load Balancer Controller since its pull request 4641 "to follow the documented buckets", with a
# burst of 20. One token is kept back: a call that overtakes earlier calls would find AWS's bucket empty.
WRITES = Rate(4.0, 19)
# AWS allows 50 a second, burst 200 (same source). Other clients of the account read too, so the syncer uses a
# tenth.
READS = Rate(5.0, 20)


class Bucket:
    """Model of AWS's bucket, which cannot be read. Times are monotonic seconds; full at the start."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = float("-inf")

    def take(self, now: float) -> float:
        """Take a token and return 0 if a call may begin; else return the seconds until the next token."""
        self._fill(now)
        if self._tokens < 1 - _DUST:
            return (1 - self._tokens) / self._rate.a_second
        self._tokens -= 1
        return 0.0

    def left(self, now: float) -> float:
        """Return how many calls may begin at once."""
        self._fill(now)
        return self._tokens

    def empty(self, now: float) -> None:
        """Empty the bucket after AWS has throttled a call: other clients use AWS's bucket too."""
        self._fill(now)
        self._tokens = min(self._tokens, 0.0)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._tokens = min(float(self._rate.burst), self._tokens + passed * self._rate.a_second)
        self._at = max(now, self._at)


class Buckets:
    """A bucket for every Region, because AWS counts an account's calls by Region."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._regions: dict[str, Bucket] = {}

    def of(self, region: str) -> Bucket:
        """Return the bucket of the Region."""
        return self._regions.setdefault(region, Bucket(self._rate))

    def left(self, now: float) -> float:
        """Return how many calls may begin at once in the Region with the fewest."""
        return min((each.left(now) for each in self._regions.values()), default=float(self._rate.burst))


# Tolerance for rounding errors of repeated additions; without it a caller would wait for nanoseconds.
_DUST = 1e-6
