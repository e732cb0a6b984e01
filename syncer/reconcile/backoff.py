"""Doubling waits with jitter, so that retries are neither tight nor synchronous."""

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """The waits after failures: `base` doubling to `cap` seconds, drawn from the upper half."""

    rng: random.Random
    base: float = 1.0
    cap: float = 60.0
    failures: int = 0

    def next(self, *, slow: bool = False) -> float:
        """Return the wait in seconds after another failure; `slow` waits begin at 30 s and end at 5 min."""
        base, cap = (30.0, 300.0) if slow else (self.base, self.cap)
        wait = min(cap, base * 2 ** min(self.failures, 16))
        self.failures += 1
        return self.rng.uniform(wait / 2, wait)

    def reset(self) -> None:
        """Start again at the shortest wait, after a success."""
        self.failures = 0
