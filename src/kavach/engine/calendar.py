"""
Sessions of the exchanges: when each opens, when cover orders are squared off, when it ends.

Theory. A day of a segment has three moments: it opens, at T1 the core flattens what is open and
takes no more entries, at T2 continuous trading ends and the exchange expires what rests. The
core knows segments and not single contracts, so each time is the earliest that any contract of the
segment needs: stocks with derivatives leave continuous trading at 15:15 for the closing auction,
where no stop can wait, hence cash closes here at 15:15 for every stock.

Weekends are closed; holidays are not known. Times of day are minutes of Indian Standard Time,
which has no daylight saving; instants are nanoseconds.

Source: docs/wire/limits.md; docs/spec/cover_order.md, "What the system owes".
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from kavach.core.commands import EndSession, OpenSession, SquareOff
from kavach.engine.engine import Engine
from kavach.engine.venue_port import ExecutionReport
from kavach.exchange.messages import Phase
from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND, Exchange

DAY_NS: Final = 86_400 * NS_PER_SECOND
MINUTE_NS: Final = 60 * NS_PER_SECOND
IST_NS: Final = IST_OFFSET_SECONDS * NS_PER_SECOND
_EPOCH_WEEKDAY: Final = 3  # 1 January 1970 was a Thursday; Monday is 0.
_SATURDAY: Final = 5


def _at(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


class Hours(msgspec.Struct, frozen=True):
    """A segment's day, in minutes since midnight."""

    opens: int
    square_off: int
    ends: int

    def __post_init__(self) -> None:
        assert 0 <= self.opens < self.square_off < self.ends < 24 * 60, "a day runs forwards"


_CASH: Final = Hours(_at("09:15"), _at("15:05"), _at("15:15"))
_DERIVATIVES: Final = Hours(_at("09:15"), _at("15:25"), _at("15:40"))

NSE_HOURS: Final[Mapping[Exchange, Hours]] = {
    Exchange.NSE: _CASH,
    Exchange.BSE: _CASH,
    Exchange.NFO: _DERIVATIVES,
    Exchange.BFO: _DERIVATIVES,
    Exchange.MCX: Hours(_at("09:00"), _at("23:00"), _at("23:30")),
    Exchange.CDS: Hours(_at("09:00"), _at("16:45"), _at("17:00")),
}

SetPhase = Callable[
    [Exchange, Phase, int], ExecutionReport
]  # Asks the venue; the last is the time.
Change = OpenSession | SquareOff | EndSession


class Calendar:
    """Opens and closes the segments of an engine; with no hours they are always open."""

    def __init__(
        self, engine: Engine, set_phase: SetPhase, hours: Mapping[Exchange, Hours]
    ) -> None:
        self._engine = engine
        self._set_phase = set_phase
        self._hours = hours
        self._after_ns = 0  # Everything up to this time has been done.
        self._due_ns: int | None = None  # Asked for with every command, so kept.

    def start(self) -> None:
        """Bring every segment to the phase of the engine's time.

        What became due while the program was not running is not done here: the engine catches
        up with it, in order, each at its own time.
        """
        engine = self._engine
        at_ns = engine.core.now_ns or engine.now_ns()
        self._look_ahead(at_ns)
        state = engine.state
        for exchange in Exchange:
            due = _latest(self._hours.get(exchange), at_ns)
            closed = exchange.value in state.sessions_closed
            stopped = exchange.value in state.entries_stopped
            if due is EndSession:
                if not closed:
                    self._change(EndSession(exchange), at_ns)
                continue
            if closed or (stopped and due is OpenSession):
                self._change(OpenSession(exchange), at_ns)
                stopped = False
            if due is SquareOff and not stopped:
                self._change(SquareOff(exchange), at_ns)

    def next_due_ns(self) -> int | None:
        """Return the next moment at which a segment opens, is squared off or ends."""
        return self._due_ns

    def fire(self, at_ns: int) -> None:
        """Do what is due by ``at_ns`` and was not done before, in order."""
        while (due_ns := self._due_ns) is not None and due_ns <= at_ns:
            changes = [
                kind(exchange)
                for exchange, hours in self._hours.items()
                for moment, kind in [_next(hours, self._after_ns)]
                if moment == due_ns
            ]
            self._look_ahead(due_ns)
            for change in changes:
                self._change(change, at_ns)

    def _look_ahead(self, after_ns: int) -> None:
        self._after_ns = after_ns
        moments = [_next(hours, after_ns)[0] for hours in self._hours.values()]
        self._due_ns = min(moments, default=None)

    def _change(self, change: Change, at_ns: int) -> None:
        if isinstance(change, SquareOff):
            self._engine.step(change, at_ns)
            return
        phase = Phase.OPEN if isinstance(change, OpenSession) else Phase.CLOSED
        exchange = change.exchange
        self._engine.change_phase(
            change, lambda now_ns: self._set_phase(exchange, phase, now_ns), at_ns
        )


def _moments(hours: Hours, day: int) -> list[tuple[int, type[Change]]]:
    """Return what happens on a day (days since the epoch, in India); nothing at a weekend."""
    if (day + _EPOCH_WEEKDAY) % 7 >= _SATURDAY:
        return []
    midnight_ns = day * DAY_NS - IST_NS
    return [
        (midnight_ns + hours.opens * MINUTE_NS, OpenSession),
        (midnight_ns + hours.square_off * MINUTE_NS, SquareOff),
        (midnight_ns + hours.ends * MINUTE_NS, EndSession),
    ]


def _next(hours: Hours, after_ns: int) -> tuple[int, type[Change]]:
    """Return what happens next after a time."""
    day = (after_ns + IST_NS) // DAY_NS
    for ahead in range(4):  # The longest wait is over a weekend.
        for moment, kind in _moments(hours, day + ahead):
            if moment > after_ns:
                return moment, kind
    raise AssertionError("a week has working days")


def _latest(hours: Hours | None, at_ns: int) -> type[Change]:
    """Return the last change up to a time: in which part of the day it is."""
    if hours is None:
        return OpenSession
    day = (at_ns + IST_NS) // DAY_NS
    past = [kind for moment, kind in _moments(hours, day) if moment <= at_ns]
    return past[-1] if past else EndSession
