"""The difference of two sets that are the same but for a few elements; kept, and updated by changes."""

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Comparison(Generic[T]):
    """Elements that AWS lists, beside a set in which they should be.

    `beyond` are listed and not in the set, `lacking` in the set and not listed.
    """

    def __init__(self, listed: Collection[T] = ()) -> None:
        self.beyond: set[T] = set(listed)
        self.lacking: set[T] = set()
        self._expected: frozenset[T] = frozenset()

    def add(self, element: T) -> None:
        """Take an element that AWS lists from now on."""
        self.lacking.discard(element)
        if element not in self._expected:
            self.beyond.add(element)

    def remove(self, element: T) -> None:
        """Take an element that AWS lists no more."""
        self.beyond.discard(element)
        if element in self._expected:
            self.lacking.add(element)

    def expect(self, expected: frozenset[T]) -> "Comparison[T]":
        """Compare with another set from now on; the same object costs nothing."""
        before, self._expected = self._expected, expected
        if expected is before:
            return self
        for element in before - expected:  # no part of the set, so lacking no more
            if element in self.lacking:
                self.lacking.remove(element)
            else:
                self.beyond.add(element)
        for element in expected - before:
            if element in self.beyond:
                self.beyond.remove(element)
            else:
                self.lacking.add(element)
        return self
