"""Sliding windows and days: exact to the nanosecond, against a list of everything ever done."""

import copy
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.core.model.limits.windows import Limit, Tally, Window, count, in_the_way, room_at_ns
from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND

S: Final = NS_PER_SECOND
MIDNIGHT: Final = 20_000 * 86_400 * S - IST_OFFSET_SECONDS * S  # The beginning of a day in India.
NOON: Final = MIDNIGHT + 12 * 3600 * S


def limit(*windows: tuple[int, int], day: int = 0) -> Limit:
    """Return a limit of so many in so many nanoseconds, each, and of so many a day."""
    return Limit(tuple(Window(most, span, f"{span} ns") for most, span in windows), day)


def told(done: Limit, *at: int) -> Tally:
    """Return a tally of these times."""
    tally = Tally()
    for at_ns in at:
        count(tally, done, at_ns)
    return tally


TABLE: Final = (
    # what was done           the limit                   now        more   room from
    ((), limit((1, S)), NOON, 1, NOON),
    ((NOON,), limit((1, S)), NOON, 1, NOON + S),
    ((NOON,), limit((1, S)), NOON + S - 1, 1, NOON + S),  # The last moment that is too soon,
    ((NOON,), limit((1, S)), NOON + S, 1, NOON + S),  # and the first that is not.
    ((NOON,), limit((2, S)), NOON + 5, 1, NOON + 5),
    ((NOON,), limit((2, S)), NOON + 5, 2, NOON + S),
    ((NOON, NOON + 7), limit((2, S)), NOON + 9, 1, NOON + S),
    ((NOON, NOON + 7), limit((2, S)), NOON + 9, 2, NOON + 7 + S),
    ((NOON, NOON, NOON), limit((2, S)), NOON + 9, 1, NOON + S),  # Counted beyond the limit.
    ((NOON, NOON + 7, NOON + 8), limit((2, S)), NOON + 9, 1, NOON + 7 + S),
    ((NOON, NOON + S), limit((1, S), (2, 60 * S)), NOON + 3 * S, 1, NOON + 60 * S),
    ((MIDNIGHT - 1,), limit((9, S), day=1), MIDNIGHT - 1, 1, MIDNIGHT),
    ((MIDNIGHT - 1,), limit((9, S), day=1), MIDNIGHT, 1, MIDNIGHT),
    ((MIDNIGHT,), limit((9, S), day=1), NOON, 1, MIDNIGHT + 86_400 * S),
    ((MIDNIGHT - 1,), limit((1, S), day=1), MIDNIGHT - 1, 1, MIDNIGHT - 1 + S),
)


@pytest.mark.parametrize(("done", "bound", "now", "more", "room"), TABLE)
def test_from_when_on_there_is_room(
    done: tuple[int, ...], bound: Limit, now: int, more: int, room: int
) -> None:
    """A window has room when enough of what fills it is as old as the window is long."""
    assert room_at_ns(told(bound, *done), bound, now, more) == room


def test_what_is_met_is_named() -> None:
    """A person is told which of the limits has room last."""
    bound = limit((1, S), (2, 60 * S), day=3)
    tally = told(bound, NOON)
    assert in_the_way(tally, bound, NOON + 1) == f"1 in {S} ns"
    count(tally, bound, NOON + S)
    assert in_the_way(tally, bound, NOON + 2 * S) == f"2 in {60 * S} ns"
    count(tally, bound, NOON + 70 * S)
    assert in_the_way(tally, bound, NOON + 200 * S) == "3 in a day"
    assert in_the_way(tally, bound, NOON + 86_400 * S) == ""


def test_what_never_fits_is_not_waited_for() -> None:
    """To ask when eleven fit into a window of ten is a fault of the program."""
    bound = limit((10, S))
    with pytest.raises(AssertionError, match="never fits"):
        room_at_ns(Tally(), bound, NOON, 11)


def test_memory_is_bounded() -> None:
    """However much is done, no more is kept than the largest window admits."""
    bound = limit((2, S), (5, 60 * S), day=7000)
    tally = told(bound, *range(NOON, NOON + 1000))
    assert len(tally.times) == 5
    assert tally.day_count == 1000


class Naive:
    """Everything that was ever done, and the sentence of the rule itself."""

    def __init__(self, bound: Limit) -> None:
        self.bound = bound
        self.done: list[int] = []

    def fits(self, at_ns: int, more: int) -> bool:
        """Whether so many more may be done at this time."""
        for window in self.bound.windows:
            inside = [t for t in self.done if at_ns - window.span_ns < t <= at_ns]
            if len(inside) + more > window.most:
                return False
        today = [
            t
            for t in self.done
            if (t - MIDNIGHT) // (86_400 * S) == (at_ns - MIDNIGHT) // (86_400 * S)
        ]
        return not self.bound.day_most or len(today) + more <= self.bound.day_most

    def room_at_ns(self, now_ns: int, more: int) -> int:
        """The first moment, of all at which anything changes, when so many more fit."""
        moments = {now_ns, MIDNIGHT + ((now_ns - MIDNIGHT) // (86_400 * S) + 1) * 86_400 * S}
        moments |= {t + w.span_ns for t in self.done for w in self.bound.windows}
        return min(t for t in moments if t >= now_ns and self.fits(t, more))


SPANS: Final = (3, 10, 100, 40_000 * S)


@given(
    windows=st.lists(st.tuples(st.integers(1, 6), st.sampled_from(SPANS)), min_size=1, max_size=3),
    day=st.integers(0, 12),
    gaps=st.lists(st.sampled_from((0, 1, 2, 3, 9, 50, 20_000 * S)), max_size=40),
    more=st.integers(1, 6),
)
def test_as_a_list_of_everything(
    windows: list[tuple[int, int]], day: int, gaps: list[int], more: int
) -> None:
    """A ring of the latest says the same as everything that was ever done, whatever was counted."""
    bound = limit(*windows, day=day)
    more = min([more, *(most for most, _ in windows), *([day] if day else [])])
    naive, tally, now_ns = Naive(bound), Tally(), NOON
    for number, unconfirmed in enumerate(gaps):
        now_ns += unconfirmed
        before = copy.deepcopy(tally)
        assert room_at_ns(tally, bound, now_ns, more) == naive.room_at_ns(now_ns, more)
        assert tally == before, "to ask changes nothing"
        if number % 3 or naive.fits(now_ns, 1):  # Some of it beyond the limit.
            naive.done.append(now_ns)
            count(tally, bound, now_ns)
