"""
The hours of every trading session, as a table: what begins at which minute of a day.

A session's day is a list of moments in order. Intraday cover orders leave while their stops still
stand: the cut-off for new ones and the square-off come before continuous trading ends, which in
shares with derivatives (``NSE-CAS``) is 15:15, when the closing auction takes every stop out.

Times are minutes since midnight in India. A moment may come up to ``random_seconds`` later, by
chance from the market's seed: the exchanges end order entry of an auction at random.

Source: docs/spec/exchange.md, "Sessions".
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum, auto
from typing import Final, NamedTuple

from kavach.trading_days import TradingDays, minutes
from kavach.units import Exchange, Phase


class Step(StrEnum):
    """What a moment of the day does."""

    OPEN = auto()  # Continuous trading begins.
    CUT_OFF = auto()  # No new cover orders.
    SQUARE_OFF = auto()  # No new intraday orders; what is intraday leaves.
    PHASE = auto()  # A phase of an auction begins.
    END = auto()  # The session is over.


class Moment(NamedTuple):
    """One thing that happens in a session's day."""

    minute: int
    step: Step
    phase: Phase = Phase.OPEN  # Of an auction.
    random_seconds: int = 0


class Hours(NamedTuple):
    """The day of one session since a date, and on which exchange."""

    exchange: Exchange
    session: str
    moments: tuple[Moment, ...]
    since: date = date.min


def _phase(clock: str, phase: Phase, random_seconds: int = 0) -> Moment:
    return Moment(minutes(clock), Step.PHASE, phase, random_seconds)


def _day(opens: str, cut_off: str, square_off: str, ends: str) -> tuple[Moment, ...]:
    return (
        Moment(minutes(opens), Step.OPEN),
        Moment(minutes(cut_off), Step.CUT_OFF),
        Moment(minutes(square_off), Step.SQUARE_OFF),
        Moment(minutes(ends), Step.END),
    )


# Order entry of the opening auction ends by chance in the minute before 9:10.
_PRE_OPEN: Final = (
    _phase("09:00", Phase.PRE_OPEN),
    _phase("09:09", Phase.BUFFER, 60),
)
_CASH: Final = (*_PRE_OPEN, *_day("09:15", "15:15", "15:20", "15:30"))
_CLOSING_AUCTION: Final = (
    *_PRE_OPEN,
    Moment(minutes("09:15"), Step.OPEN),
    Moment(minutes("15:10"), Step.CUT_OFF),
    Moment(minutes("15:12"), Step.SQUARE_OFF),
    _phase("15:15", Phase.CLOSING_REFERENCE),
    _phase("15:20", Phase.CLOSING_AUCTION),
    _phase("15:25", Phase.CLOSING_AUCTION_LIMIT),
    _phase("15:28", Phase.BUFFER, 120),
    Moment(minutes("15:35"), Step.END),
)
_DERIVATIVES: Final = _day("09:15", "15:20", "15:25", "15:40")
_COMMODITIES: Final = _day("09:00", "22:50", "23:00", "23:30")
_COMMODITIES_WINTER: Final = _day("09:00", "23:15", "23:25", "23:55")
_CURRENCY: Final = _day("09:00", "16:40", "16:45", "17:00")
EVENING: Final = minutes("17:00")

NSE_HOURS: Final[tuple[Hours, ...]] = (
    Hours(Exchange.NSE, "NSE", _CASH),
    Hours(Exchange.NSE, "NSE-CAS", _CASH),
    Hours(Exchange.NSE, "NSE-CAS", _CLOSING_AUCTION, date(2026, 8, 3)),
    Hours(Exchange.BSE, "BSE", _CASH),
    Hours(Exchange.BSE, "BSE-CAS", _CASH),
    Hours(Exchange.BSE, "BSE-CAS", _CLOSING_AUCTION, date(2026, 8, 3)),
    Hours(Exchange.NFO, "NFO", _DERIVATIVES),
    Hours(Exchange.BFO, "BFO", _DERIVATIVES),
    Hours(Exchange.MCX, "MCX", _COMMODITIES),
    Hours(Exchange.CDS, "CDS", _CURRENCY),
)


def us_summer(day: date) -> bool:
    """Return whether New York has summer time: from March's second Sunday to November's first."""
    begins = _sunday(day.year, 3, 2)
    ends = _sunday(day.year, 11, 1)
    return begins <= day < ends


def _sunday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))


class TradingHours:
    """What happens on which day in every session."""

    def __init__(self, table: Sequence[Hours], days: TradingDays) -> None:
        self._days = days
        self._rows: dict[tuple[Exchange, str], list[Hours]] = {}
        for row in table:
            self._rows.setdefault((row.exchange, row.session), []).append(row)
        for rows in self._rows.values():
            rows.sort(key=lambda row: row.since)
            for row in rows:
                times = [moment.minute for moment in row.moments]
                assert times == sorted(set(times)), f"the day of {row.session} runs forwards"
                assert row.moments[-1].step is Step.END, f"the day of {row.session} ends"

    def sessions(self) -> Mapping[tuple[Exchange, str], object]:
        """Return the sessions that have hours."""
        return self._rows

    def moments(self, exchange: Exchange, session: str, day: date) -> tuple[Moment, ...]:
        """Return what happens in a session on a day, in order; nothing where it does not trade."""
        days = self._days
        if (hours := days.special(day)) is not None:
            opens, ends = hours
            return (
                Moment(opens, Step.OPEN),
                Moment(ends - 15, Step.CUT_OFF),
                Moment(ends - 10, Step.SQUARE_OFF),
                Moment(ends, Step.END),
            )
        rows = self._rows[exchange, session]
        moments = next(row.moments for row in reversed(rows) if row.since <= day)
        if exchange is Exchange.MCX and not us_summer(day):
            moments = _COMMODITIES_WINTER
        if days.trades(day):
            return moments
        if exchange is Exchange.MCX and days.has_evening(day):
            return (Moment(EVENING, Step.OPEN), *moments[1:])
        return ()
