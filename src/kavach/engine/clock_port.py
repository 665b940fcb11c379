"""
What the engine asks of time: to say how late it is, and who wants to be called when.

Times are nanoseconds of the Unix epoch.
"""

from typing import Protocol


class Clock(Protocol):
    """Tells the time; never runs backwards."""

    def now_ns(self) -> int:
        """Return the time."""


class TimeSource(Protocol):
    """Something that happens at times of its own: timers, sessions, a market."""

    def next_due_ns(self) -> int | None:
        """Return when it wants to be called next, if ever."""

    def fire(self, at_ns: int) -> None:
        """Do what is due at ``at_ns``; afterwards ``next_due_ns`` is later."""
