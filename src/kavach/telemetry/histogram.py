"""
Counts of values by size, for values that are counted thousands of times a second.

A value is an integer of some unit and falls into the first bucket whose upper bound it does not
exceed; the last bucket has no bound. Whoever observes is one thread; any thread may read.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Histogram:
    """How many values were how large, and their sum."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[int]) -> None:
        assert bounds and list(bounds) == sorted(set(bounds)), "bounds grow"
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0  # The sum of all values.

    def observe(self, value: int) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    @property
    def observed(self) -> int:
        """How many values were counted."""
        return sum(self._counts)

    def cumulative(self) -> list[tuple[int | None, int]]:
        """Return each upper bound with the number of values up to it; None: no bound."""
        return list(zip((*self._bounds, None), accumulate(self._counts), strict=True))
