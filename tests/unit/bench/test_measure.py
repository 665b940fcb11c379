"""Comparisons are made within one run: in turns, neighbour by neighbour, the middle one counts."""

from bench.load import Driven
from bench.measure import Sample, in_turns, ratios, spread


def test_two_things_are_measured_in_turns() -> None:
    """What is compared runs A B A B, so that a busy moment hits both."""
    order = []

    def sample(name: str) -> Sample:
        order.append(name)
        return Sample(count=10, wall=2.0, cpu=1.0)

    firsts, seconds = in_turns(2, lambda: sample("a"), lambda: sample("b"))
    assert order == ["a", "b", "a", "b"]
    assert len(firsts) == len(seconds) == 2
    assert (firsts[0].rate, firsts[0].cpu_rate) == (5.0, 10.0)


def test_a_ratio_is_that_of_neighbours() -> None:
    """One slow minute spoils one ratio of three and not the result."""
    found = ratios([10.0, 5.0, 12.0], [5.0, 2.5, 2.0])
    assert (found.middle, found.low, found.high) == (2.0, 2.0, 6.0)
    assert spread([3.0, 1.0, 2.0]).text(".1f") == "2.0 (1.0 to 3.0)"


def test_percentiles_are_read_from_the_sorted_latencies() -> None:
    """p50 is the middle one, p99 the last but one of a hundred."""
    driven = Driven(Sample(100, 1.0, 0.5), [number / 1e3 for number in range(1, 101)])
    assert driven.percentile_ms(50) == 51.0
    assert driven.percentile_ms(99) == 100.0
    assert driven.busy == 0.5
