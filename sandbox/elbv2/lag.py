"""DescribeTargetHealth that lags behind changes: the changes to undo, and the length of the lag.

A lag of 14 s and more was observed on AWS (aws-sdk-js issue 1593); a later read may show an older state.
"""

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

KEPT_S = 900.0
"""No read lags by more."""


class _Change(NamedTuple, Generic[Key, Value]):
    at: float
    key: Key
    before: Value | None


class Changes(Generic[Key, Value]):
    """The changes of a dict in the last KEPT_S, each with the value before."""

    def __init__(self) -> None:
        self._changes: deque[_Change[Key, Value]] = deque()

    def record(self, at: float, key: Key, before: Value | None) -> None:
        """Record that `key` is about to change; `before` is None for an absent key."""
        while self._changes and self._changes[0].at <= at - KEPT_S:
            self._changes.popleft()
        self._changes.append(_Change(at, key, before))

    def clear(self) -> None:
        """Remove all changes."""
        self._changes.clear()

    def undone(self, values: Mapping[Key, Value], then: float) -> dict[Key, Value]:
        """Return `values` as they were at `then`: a change at `then` itself is visible."""
        found = dict(values)
        for change in reversed(self._changes):
            if change.at <= then:
                break
            if change.before is None:
                found.pop(change.key, None)
            else:
                found[change.key] = change.before
        return found


@dataclass(frozen=True, slots=True)
class Lag:
    """The least and the most seconds by which reads lag, by group name pattern; drawn for each read."""

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 (not a secret)

    def of(self, group: str) -> float:
        """Return the lag of one read of the group in seconds."""
        for pattern, (least, most) in self.ranges.items():
            if fnmatchcase(group, pattern):
                return self.chance.uniform(least, most)
        return 0.0
