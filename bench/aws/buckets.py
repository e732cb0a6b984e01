"""How the fake refuses calls: AWS's bucket of writes, and a share of all calls."""

import random
from dataclasses import dataclass, field

# AWS's own rate of RegisterTargets and DeregisterTargets together (facts of the AWS Load Balancer
# Controller's client side limits, its pull request 4641, which follow the documented buckets).
RATE, BURST = 4.0, 20.0


@dataclass(slots=True)
class Bucket:
    """A token bucket; a call that finds it empty is refused and spends nothing. Times in seconds."""

    rate: float
    burst: float
    at: float = 0.0
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def spend(self, now: float) -> bool:
        """Whether a call at `now` passes."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class Dice:
    """Refuses `share` (0 to 1) of all calls, the same ones in each run of the same calls."""

    share: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(4))  # noqa: S311 (reproducible)

    def passes(self) -> bool:
        """Whether the next call passes."""
        return self.share == 0 or self.rng.random() >= self.share
