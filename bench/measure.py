"""
Timing that survives a noisy machine: things are compared within one run, never across runs.

What is compared runs in turns, A B A B, so that a busy minute hits both. Each pair of neighbours
gives one ratio; the median of the ratios is the result, and the smallest and largest say how far
to trust it. Beside the wall's clock stands the processor time of the whole process, which
neighbours on the machine disturb less.

Times are seconds.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: so many operations took so long."""

    count: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Operations per second by the wall's clock."""
        return self.count / self.wall

    @property
    def cpu_rate(self) -> float:
        """Operations per second of processor time."""
        return self.count / self.cpu


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing: the middle one, and how far they lie apart."""

    middle: float
    low: float
    high: float

    def text(self, form: str = ",.0f") -> str:
        """Return "middle (low to high)"."""
        return f"{self.middle:{form}} ({self.low:{form}} to {self.high:{form}})"


def spread(values: Sequence[float]) -> Spread:
    """Return the median, smallest and largest of some values."""
    return Spread(median(values), min(values), max(values))


def ratios(over: Sequence[float], under: Sequence[float]) -> Spread:
    """Return the ratios of neighbours: each value of ``over`` to the one measured beside it."""
    return spread([a / b for a, b in zip(over, under, strict=True)])


def timed(count: int, act: Callable[[], object]) -> Sample:
    """Return how long an act of ``count`` operations takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Sample(count, time.perf_counter() - wall, time.process_time() - cpu)


def in_turns(
    repetitions: int, first: Callable[[], Sample], second: Callable[[], Sample]
) -> tuple[list[Sample], list[Sample]]:
    """Return the samples of two things measured A B A B."""
    firsts, seconds = [], []
    for _ in range(repetitions):
        firsts.append(first())
        seconds.append(second())
    return firsts, seconds
