"""Waits that double, with jitter, so that nothing is ever retried tightly or in step."""

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """The waits of one thing that fails: `base` doubling to `cap` seconds, drawn from the upper half."""

    rng: random.Random
    base: float = 1.0
    cap: float = 60.0
    failures: int = 0

    def next(self, *, slow: bool = False) -> float:
        """The wait after one more failure; `slow` ones begin at 30 s and end at 5 min."""
        base, cap = (30.0, 300.0) if slow else (self.base, self.cap)
        wait = min(cap, base * 2 ** min(self.failures, 16))
        self.failures += 1
        return self.rng.uniform(wait / 2, wait)

    def reset(self) -> None:
        """It worked."""
        self.failures = 0
