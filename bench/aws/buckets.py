"""How the fake refuses calls: AWS's token bucket for writes, and a share of all calls."""

import random
from dataclasses import dataclass, field

# AWS's rate of RegisterTargets and DeregisterTargets together (from the client-side limits of the AWS Load
# Balancer Controller, pull request 4641, based on the documented buckets).
RATE, BURST = 4.0, 20.0


@dataclass(slots=True)
class Bucket:
    """A token bucket; a call on an empty bucket is refused and spends no token. Times in seconds."""

    rate: float
    burst: float
    at: float = 0.0
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def spend(self, now: float) -> bool:
        """Return whether a call at `now` passes."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class Dice:
    """Refuse `share` (0 to 1) of all calls; the same calls in the same order get the same refusals."""

    share: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(4))  # noqa: S311 (reproducible)

    def passes(self) -> bool:
        """Return whether the next call passes."""
        return self.share == 0 or self.rng.random() >= self.share
