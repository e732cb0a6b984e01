"""State of a group's writes: retries, the learnt limit, and counts since the start."""

import random
from math import inf

from syncer.errors import AccessDeniedError, AwsError, TooManyTargetsError
from syncer.model import GroupPlan
from syncer.reconcile.backoff import Backoff

_LONGEST_WAIT_S = 30.0
# A learnt limit expires after this time: the quota may have been raised.
_LIMIT_TRUSTED_S = 600.0
_REGISTER = "RegisterTargets"


class LearntLimit:
    """The number of targets that a group can have, learnt from a refusal. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._limit: int | None = None
        self._until = 0.0

    def learn(self, listed: int, now: float) -> None:
        """Learn the limit from a refusal by AWS: the current number of targets.

        Draining targets are included. If AWS does not count draining targets, the limit is learnt again once
        they are gone; without draining targets every swap would lower the limit by one.
        """
        self._limit, self._until = listed, now + _LIMIT_TRUSTED_S

    def at(self, now: float, registered: int) -> int | None:
        """Return the learnt limit, at least the number of `registered` targets at AWS; None if not learnt.

        A limit learnt while reads lagged is too low.
        """
        if self._limit is None or now >= self._until:
            return None
        return max(self._limit, registered)

    def ends(self, now: float) -> float:
        """Return until when the current limit is valid; `inf` without a learnt limit."""
        return self._until if now < self._until else inf


class Calls:
    """Calls of one group, retries and limits. Times are monotonic seconds.

    `sent` are calls, and `deregistered` targets, since the start; `throttled_at` is when AWS last throttled a
    write.
    """

    def __init__(self, rng: random.Random) -> None:
        self.limit = LearntLimit()
        self.sent = 0
        self.deregistered = 0
        self.throttled_at = -inf
        self._backoff = Backoff(rng, cap=_LONGEST_WAIT_S)
        self._register_again_at = 0.0
        self._register_problem: AwsError | None = None

    def delayed(self, plan: GroupPlan, now: float) -> AwsError | None:
        """Return why registrations are delayed, if the plan has any."""
        return self._register_problem if plan.register and now < self._register_again_at else None

    def wait_after(self, problem: AwsError, now: float) -> float:
        """Return the seconds without a call. A problem of registrations alone delays only registrations."""
        if not isinstance(problem, AccessDeniedError | TooManyTargetsError) or problem.operation != _REGISTER:
            return self._backoff.next(slow=problem.slow)
        if now >= self._register_again_at:
            self._register_problem = problem
            self._register_again_at = now + self._backoff.next(slow=problem.slow)
        return 0.0

    def wait_after_fault(self) -> float:
        """Return the seconds without a call after an unforeseen fault."""
        return self._backoff.next()

    def succeeded(self) -> None:
        """Note a pass without a problem."""
        self._backoff.reset()

    def register_in(self, now: float) -> float | None:
        """Return the seconds until delayed registrations are sent; None without a delay."""
        return self._register_again_at - now if now < self._register_again_at else None
