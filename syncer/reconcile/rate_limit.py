"""A token bucket of our own for AWS's calls, so that a burst of work does not become a burst of refusals."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """How many calls a second in the long run, and how many at once after a rest."""

    a_second: float
    burst: int


# RegisterTargets and DeregisterTargets share one bucket an account and Region: the defaults that the AWS Load
# Balancer Controller throttles itself by since its pull request 4641 "to follow the documented buckets", with
# a burst of 20. One is kept back: a call that travels faster than those before it would find AWS's empty.
WRITES = Rate(4.0, 19)
# AWS's own is 50 a second, burst 200 (same source); others in the account describe too: a tenth is ours.
READS = Rate(5.0, 20)


class Bucket:
    """As AWS's own, which cannot be asked. Times are monotonic seconds; it is full at the start."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = float("-inf")

    def take(self, now: float) -> float:
        """0 and one token less where a call may begin; else the seconds until there is one to be taken."""
        self._fill(now)
        if self._tokens < 1 - _DUST:
            return (1 - self._tokens) / self._rate.a_second
        self._tokens -= 1
        return 0.0

    def empty(self, now: float) -> None:
        """AWS has refused a call for its rate: others draw from its bucket, and ours knew nothing of it."""
        self._fill(now)
        self._tokens = min(self._tokens, 0.0)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._tokens = min(float(self._rate.burst), self._tokens + passed * self._rate.a_second)
        self._at = max(now, self._at)


class Buckets:
    """A bucket for each Region: AWS counts an account's calls in each of them by itself."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._regions: dict[str, Bucket] = {}

    def of(self, region: str) -> Bucket:
        """The one of this Region."""
        return self._regions.setdefault(region, Bucket(self._rate))


# What adding a quarter of a second again and again loses: without it a waiter is sent away for nanoseconds.
_DUST = 1e-6
