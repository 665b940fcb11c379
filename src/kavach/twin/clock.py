"""
The twin's clock: follows the wall at some speed, and can be stopped, stepped and set ahead.

It never runs backwards, even where the wall does. It tells nobody that it was changed: who
changes it wakes the engine's service (``Service.changed``).

While it is being taken somewhere (``travel_to``) it stands wherever the traveller puts it, and
``heading_ns`` says how far it will be taken, so that whoever acts on time can choose to do in
one stride what would otherwise be a thousand small steps.

Times are nanoseconds of the Unix epoch, those of the wall may start anywhere. The speed is
nanoseconds of the twin per nanosecond of the wall, exact.

Source: docs/twin.md (the clock).
"""

from collections.abc import Callable
from fractions import Fraction

from kavach.units import NS_PER_SECOND


class ClockError(ValueError):
    """The clock can't do this; the text says why."""


class TwinClock:
    """A clock that does as it is told, but for running backwards."""

    def __init__(
        self, wall_ns: Callable[[], int], *, start_ns: int | None = None, speed: Fraction | int = 1
    ) -> None:
        """Start at ``start_ns``, or at what the wall shows, running."""
        if speed <= 0:
            raise ClockError("speed: must be more than 0")
        self._wall_ns = wall_ns
        self._speed = Fraction(speed)
        # Taken apart once: the time is asked for with every request.
        self._numerator, self._denominator = self._speed.as_integer_ratio()
        self._wall_then = wall_ns()
        self._then = self._wall_then if start_ns is None else start_ns
        self._shown = self._then  # The latest time anybody was told.
        self._paused = False
        self._heading: int | None = None

    # --- Looking ------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Return the time."""
        if self._paused or self._heading is not None:
            return self._then
        elapsed = self._wall_ns() - self._wall_then
        now_ns = self._then + elapsed * self._numerator // self._denominator
        self._shown = max(self._shown, now_ns)
        return self._shown

    @property
    def paused(self) -> bool:
        """Whether it stands still until it is resumed."""
        return self._paused

    @property
    def speed(self) -> Fraction:
        """How much faster than the wall it runs."""
        return self._speed

    @property
    def heading_ns(self) -> int:
        """Where it is being taken; the time itself when nobody takes it anywhere."""
        return self.now_ns() if self._heading is None else self._heading

    @property
    def travelling(self) -> bool:
        """Whether it is being taken somewhere."""
        return self._heading is not None

    def seconds_until(self, at_ns: int) -> float | None:
        """Return how many seconds of the wall until it is ``at_ns``; None while it stands."""
        if self._paused or self._heading is not None:
            return None
        return float((at_ns - self.now_ns()) / (self._speed * NS_PER_SECOND))

    # --- Telling it what to do ----------------------------------------------------------------

    def pause(self) -> None:
        """Stand still."""
        self._set_to(self.now_ns())
        self._paused = True

    def resume(self) -> None:
        """Run on from where it stands."""
        self._set_to(self.now_ns())
        self._paused = False

    def advance(self, seconds: int | Fraction) -> None:
        """Go ahead by this much at once; raises ``ClockError`` unless it is more than 0."""
        if seconds <= 0:
            raise ClockError("seconds: must be more than 0")
        self.set(self.now_ns() + seconds_ns(seconds))

    def set(self, to_ns: int) -> None:
        """Show this time; raises ``ClockError`` for one that has passed."""
        if to_ns < self.now_ns():
            raise ClockError("to: the clock does not run backwards")
        self._set_to(to_ns)

    def travel_to(self, target_ns: int) -> None:
        """Begin a journey: stand still but for ``set``, until ``arrive``."""
        now_ns = self.now_ns()
        if target_ns < now_ns:
            raise ClockError("to: the clock does not run backwards")
        self._set_to(now_ns)
        self._heading = target_ns

    def arrive(self) -> None:
        """End the journey where the clock stands: go on as before it."""
        self._heading = None
        self._set_to(self._then)

    def _set_to(self, to_ns: int) -> None:
        self._then = self._shown = to_ns
        self._wall_then = self._wall_ns()


def seconds_ns(seconds: int | Fraction) -> int:
    """Return seconds in nanoseconds, rounded up to a whole one."""
    exact = Fraction(seconds) * NS_PER_SECOND
    return -(-exact.numerator // exact.denominator)
