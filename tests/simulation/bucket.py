"""AWS's token buckets: what an account may call in a second, and at once."""

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """`rate` tokens a second, `burst` at most. Times are seconds of any clock that does not go back."""

    rate: float
    burst: float
    tokens: float = float("inf")
    filled_at: float = 0.0

    def take(self, now: float) -> bool:
        """Whether there was a token for this call."""
        self.tokens = min(self.burst, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
