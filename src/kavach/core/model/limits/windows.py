"""
How often something may be done: sliding windows and a day, exact, in bounded memory.

A limit says "at most N within any stretch of this length", for one length or several, and perhaps
"at most N a day". The stretches slide: what was done at time t counts in a window of length s for
every moment before t + s, so no boundary lets twice as much through. The day is the calendar day
in India, because that is the day of an exchange.

A tally keeps the times of the latest things done, as many as the largest window admits, in a
ring. Of these the N-th latest says it all: the window has room from that time + s on. So a
question costs one look a window, however many are remembered, and its answer is the very moment
from which the thing may be done, unless more is counted meanwhile.

Counting never refuses: what must not be refused is counted beyond the limit too.

Times are nanoseconds.

Source: docs/wire/limits.md; docs/spec/cover_order.md, "What the system owes".
"""

from typing import Final

import msgspec

from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND

_DAY_NS: Final = 86_400 * NS_PER_SECOND
_IST_NS: Final = IST_OFFSET_SECONDS * NS_PER_SECOND


class Window(msgspec.Struct, frozen=True):
    """At most so many in any stretch of this length."""

    most: int
    span_ns: int
    word: str  # What a person calls the stretch: "an hour".


class Limit(msgspec.Struct, frozen=True):
    """Windows that must all have room, and what a day may hold (0: any number)."""

    windows: tuple[Window, ...]
    day_most: int = 0

    @property
    def remembered(self) -> int:
        """How many times a tally must keep to answer for every window."""
        return max(window.most for window in self.windows)


class Tally(msgspec.Struct, array_like=True):
    """What was done, as far as a limit can still ask."""

    times: list[int] = []  # The latest, a ring once it is full.
    head: int = 0  # Where the next time goes once the ring is full: the oldest is there.
    day: int = 0  # Days since 1970 in India, of the last one counted.
    day_count: int = 0


def count(tally: Tally, limit: Limit, at_ns: int) -> None:
    """Count one thing done at a time not before the last."""
    times = tally.times
    if len(times) < limit.remembered:
        times.append(at_ns)
    else:
        times[tally.head] = at_ns
        tally.head = (tally.head + 1) % len(times)
    day = (at_ns + _IST_NS) // _DAY_NS
    if day != tally.day:
        tally.day, tally.day_count = day, 0
    tally.day_count += 1


def room_at_ns(tally: Tally, limit: Limit, now_ns: int, more: int = 1) -> int:
    """Return from when on this many more fit at once; not after ``now_ns`` if they do already."""
    at_ns, _ = _fullest(tally, limit, now_ns, more)
    return at_ns


def in_the_way(tally: Tally, limit: Limit, now_ns: int, more: int = 1) -> str:
    """Return what a person must know of the limit that is met: "25 in a second"."""
    _, words = _fullest(tally, limit, now_ns, more)
    return words


def _fullest(tally: Tally, limit: Limit, now_ns: int, more: int) -> tuple[int, str]:
    """Return when the limit has room for more, and which part of it has room last."""
    times = tally.times
    latest_ns, words = now_ns, ""
    for window in limit.windows:
        assert more <= window.most, "what never fits can't be waited for"
        back = window.most - more + 1
        if back <= len(times):
            # Negative indices reach round the end, so this is right before the ring is full, too.
            free_ns = times[(tally.head - back) % len(times)] + window.span_ns
            if free_ns > latest_ns:
                latest_ns, words = free_ns, f"{window.most} in {window.word}"
    today = (now_ns + _IST_NS) // _DAY_NS
    if limit.day_most and tally.day == today and tally.day_count + more > limit.day_most:
        tomorrow_ns = (today + 1) * _DAY_NS - _IST_NS
        if tomorrow_ns > latest_ns:
            latest_ns, words = tomorrow_ns, f"{limit.day_most} in a day"
    return latest_ns, words
