"""The difference of two sets that are the same but for a few elements; kept, and updated by changes."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=Hashable)


@dataclass(slots=True)
class Comparison(Generic[T]):
    """Elements that AWS lists, beside the set in which they are `expected`.

    `beyond` are listed and not expected, `lacking` expected and not listed.
    """

    beyond: set[T] = field(default_factory=set)
    lacking: set[T] = field(default_factory=set)
    expected: frozenset[T] = frozenset()

    def add(self, element: T) -> None:
        """Take an element that AWS lists from now on."""
        self.lacking.discard(element)
        if element not in self.expected:
            self.beyond.add(element)

    def remove(self, element: T) -> None:
        """Take an element that AWS lists no more."""
        self.beyond.discard(element)
        if element in self.expected:
            self.lacking.add(element)

    def expect(self, expected: frozenset[T]) -> "Comparison[T]":
        """Compare with another set from now on; the same object costs nothing."""
        before, self.expected = self.expected, expected
        if expected is before:
            return self
        gone, new = _gone_and_new(before, expected)
        self.beyond |= gone - self.lacking
        self.lacking -= gone
        self.lacking |= new - self.beyond
        self.beyond -= new
        return self


# All groups are compared with the same wanted instances: one entry for these, one for a group's own registry.
@lru_cache(maxsize=2)
def _gone_and_new(before: frozenset[Any], after: frozenset[Any]) -> tuple[frozenset[Any], frozenset[Any]]:
    return before - after, after - before
