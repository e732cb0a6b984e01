"""What AWS refused to one replica, and until when the replica must not send it again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from syncer.errors import (
    AwsError,
    CredentialsExpiredError,
    RefusedTargetsError,
    TargetGroupNotFoundError,
    ThrottledError,
    UnreachableError,
)
from syncer.model import InstanceId, Target, TargetGroupArn
from tests.simulation.cloud import WRITES
from tests.simulation.elb import Call

# The shortest waits that the backoffs may draw: half of 1 s, of 30 s where a person must mend something,
# and of 30 s for a target that was refused.
SHORTEST_S, SHORTEST_SLOW_S, POISON_S = 0.5, 15.0, 15.0
_SILENT = (UnreachableError, ThrottledError, CredentialsExpiredError, TargetGroupNotFoundError)
_ROUNDING_S = 1e-6


@dataclass(slots=True)
class _Refusal:
    """A call that failed, and until when it may not be made again."""

    call: Call
    error: AwsError
    until: float


@dataclass(slots=True)
class Refusals:
    """Failed calls by operation and group, and targets in quarantine. Times are the loop's.

    `fact` returns what the replica's caches hold of an instance: a quarantine ends when that changes.
    """

    fact: Callable[[InstanceId], object]
    _calls: dict[tuple[str, TargetGroupArn], _Refusal] = field(default_factory=dict)
    _quarantine: dict[tuple[TargetGroupArn, Target], tuple[float, object]] = field(default_factory=dict)

    def add(self, call: Call, error: AwsError, now: float) -> None:
        """Record that AWS refused `call`."""
        wait = SHORTEST_SLOW_S if error.slow else SHORTEST_S
        self._calls[call.operation, call.group] = _Refusal(call, error, now + wait)
        if isinstance(error, RefusedTargetsError):
            culprits = [target for target in call.targets if target.id in error.ids]
            for target in culprits or (call.targets if len(call.targets) == 1 else ()):
                self._quarantine[call.group, target] = (now + POISON_S, self.fact(target.id))

    def drop(self, call: Call) -> None:
        """Record that AWS carried out such a call."""
        self._calls.pop((call.operation, call.group), None)

    def release_changed(self, now: float) -> None:
        """End the quarantine of instances whose facts have changed: one may have turned Ready."""
        for (group, target), (until, fact) in list(self._quarantine.items()):
            if fact != self.fact(target.id):
                self._quarantine[group, target] = (min(until, now), None)

    def targets(self, group: TargetGroupArn) -> set[Target]:
        """Return every target of the group that was ever refused."""
        return {target for arn, target in self._quarantine if arn == group}

    def is_quarantined(self, group: TargetGroupArn, target: Target, now: float) -> bool:
        """Whether the target must not be registered yet (rule 3)."""
        return now < self._quarantine.get((group, target), (0.0, None))[0] - _ROUNDING_S

    def faults(self, call: Call, now: float) -> Iterator[str]:
        """The same call, or after no answer any write to the group, waits for its backoff."""
        refusal = self._calls.get((call.operation, call.group))
        if refusal is None:
            return
        silent = call.operation in WRITES and isinstance(refusal.error, _SILENT)
        same = set(call.targets) == set(refusal.call.targets)
        if (silent or same) and now < refusal.until - _ROUNDING_S:
            yield f"comes {now - refusal.until:.2f} s too early after {refusal.error}"
