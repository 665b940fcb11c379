"""The clock: what it shows while it runs, stands, leaps and is told the impossible."""

from fractions import Fraction

import pytest

from kavach.twin.clock import ClockError, TwinClock, seconds_ns

SECOND = 1_000_000_000


class Wall:
    """A wall that shows what a test says."""

    def __init__(self) -> None:
        self.ns = 1_000 * SECOND

    def __call__(self) -> int:
        """Return the time on the wall."""
        return self.ns


@pytest.fixture
def wall() -> Wall:
    """A wall at 1 000 seconds."""
    return Wall()


def test_it_follows_the_wall_at_its_speed(wall: Wall) -> None:
    """A second of the wall is ``speed`` seconds of the clock, exactly, from where it started."""
    clock = TwinClock(wall, start_ns=0, speed=Fraction(5, 2))
    wall.ns += 3 * SECOND
    assert clock.now_ns() == 7_500_000_000
    assert clock.seconds_until(10 * SECOND) == 1.0


def test_it_stands_while_it_is_paused(wall: Wall) -> None:
    """A paused clock shows one time, can still be advanced, and goes on from there."""
    clock = TwinClock(wall)
    clock.pause()
    wall.ns += 60 * SECOND
    clock.advance(2)
    assert clock.now_ns() == 1_002 * SECOND
    assert clock.seconds_until(2_000 * SECOND) is None
    clock.resume()
    wall.ns += SECOND
    assert (clock.now_ns(), clock.paused) == (1_003 * SECOND, False)


def test_it_never_runs_backwards(wall: Wall) -> None:
    """Neither a wall that is set back nor a call takes it to a time that it has passed."""
    clock = TwinClock(wall)
    wall.ns += SECOND
    shown = clock.now_ns()
    wall.ns -= 5 * SECOND
    assert clock.now_ns() == shown
    clock.pause()
    clock.resume()
    assert clock.now_ns() == shown
    for go in (clock.set, clock.travel_to):
        with pytest.raises(ClockError):
            go(shown - 1)
    assert clock.now_ns() == shown


@pytest.mark.parametrize("seconds", [0, -1, Fraction(-1, 1000)])
def test_it_only_advances(wall: Wall, seconds: Fraction | int) -> None:
    """An advance by nothing or less is refused."""
    clock = TwinClock(wall)
    with pytest.raises(ClockError, match="more than 0"):
        clock.advance(seconds)
    assert clock.now_ns() == wall.ns


@pytest.mark.parametrize("speed", [0, -1])
def test_its_speed_is_above_0(wall: Wall, speed: int) -> None:
    """A clock that stands or runs backwards by itself can't be made."""
    with pytest.raises(ClockError):
        TwinClock(wall, speed=speed)


def test_on_a_journey_it_shows_where_it_is_and_where_it_goes(wall: Wall) -> None:
    """While it is taken somewhere it stands wherever it is put; then it goes on as before."""
    clock = TwinClock(wall)
    clock.travel_to(2_000 * SECOND)
    wall.ns += 7 * SECOND
    assert (clock.now_ns(), clock.heading_ns) == (1_000 * SECOND, 2_000 * SECOND)
    assert (clock.travelling, clock.seconds_until(1_500 * SECOND)) == (True, None)
    clock.set(1_500 * SECOND)
    wall.ns += 7 * SECOND
    clock.arrive()
    wall.ns += SECOND
    assert clock.now_ns() == clock.heading_ns == 1_501 * SECOND


def test_part_of_a_nanosecond_counts_as_one() -> None:
    """Seconds become nanoseconds exactly, and any time above 0 is at least one of them."""
    assert seconds_ns(Fraction("0.1")) == 100_000_000
    assert seconds_ns(Fraction(1, 10**12)) == 1
