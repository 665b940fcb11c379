"""
Which days the exchanges trade, and the days with hours of their own.

The table holds the holidays of the cash and derivatives segments that the exchanges have
published. Of a year that is not in it only the national holidays with a fixed date are known: an
operator adds the rest, or corrects the table, with a file (``serve --holidays FILE``):

    {
      "holidays": ["2027-03-22"],
      "trading": ["2027-05-01"],
      "special": {"2027-10-29": ["18:00", "19:00"]}
    }

Days are ``datetime.date`` in India; times of day are minutes since midnight there.

Source: docs/spec/exchange.md, "Sessions".
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

_SATURDAY: Final = 5

_PUBLISHED: Final[Mapping[int, tuple[str, ...]]] = {
    2026: (
        "01-15",  # Municipal elections in Maharashtra
        "01-26",  # Republic Day
        "03-03",  # Holi
        "03-26",  # Ram Navami
        "03-31",  # Mahavir Jayanti
        "04-03",  # Good Friday
        "04-14",  # Ambedkar Jayanti
        "05-01",  # Maharashtra Day
        "05-28",  # Bakri Id
        "06-26",  # Muharram
        "09-14",  # Ganesh Chaturthi
        "10-02",  # Gandhi Jayanti
        "10-20",  # Dussehra
        "11-10",  # Balipratipada
        "11-24",  # Guru Nanak Jayanti
        "12-25",  # Christmas
    ),
}
_FIXED: Final = ("01-26", "04-14", "05-01", "08-15", "10-02", "12-25")
# Commodities trade in the evening of most holidays; on these they do not.
_NO_EVENING: Final = frozenset({"01-26", "04-03", "10-02", "12-25"})
_MUHURAT: Final[Mapping[date, tuple[int, int]]] = {date(2026, 11, 8): (18 * 60, 19 * 60)}


class HolidayFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator's file says; days are ISO dates, times are ``HH:MM``."""

    holidays: list[date] = []
    trading: list[date] = []
    special: dict[date, tuple[str, str]] = {}


class TradingDays:
    """The days on which the exchanges trade; the table, and what an operator changes of it."""

    def __init__(self, changes: HolidayFile | None = None) -> None:
        """Take the table with an operator's changes; ``ValueError`` for times that are none."""
        changes = changes or HolidayFile()
        self._holidays = frozenset(changes.holidays)
        self._trading = frozenset(changes.trading)
        special = {day: (minutes(a), minutes(b)) for day, (a, b) in changes.special.items()}
        for day, (opens, ends) in special.items():
            if ends - opens < SHORTEST_SESSION:
                raise ValueError(f"special {day}: ends {SHORTEST_SESSION} minutes later at least")
        self._special = {**_MUHURAT, **special}

    def is_holiday(self, day: date) -> bool:
        """Return whether a day is on the list of holidays; weekends are not on it."""
        if day in self._trading:
            return False
        listed = _PUBLISHED.get(day.year, _FIXED)
        return day in self._holidays or f"{day:%m-%d}" in listed

    def trades(self, day: date) -> bool:
        """Return whether the exchanges trade on a day, in whatever hours."""
        if day in self._trading or day in self._special:
            return True
        return day.weekday() < _SATURDAY and not self.is_holiday(day)

    def has_evening(self, day: date) -> bool:
        """Return whether commodities trade in the evening of a holiday."""
        weekday = day.weekday() < _SATURDAY
        return weekday and self.is_holiday(day) and f"{day:%m-%d}" not in _NO_EVENING

    def special(self, day: date) -> tuple[int, int] | None:
        """Return opening and end of a day with hours of its own, a muhurat or a half day."""
        return self._special.get(day)

    def before(self, day: date) -> date:
        """Return the last trading day before a day."""
        day -= timedelta(days=1)
        while not self.trades(day):
            day -= timedelta(days=1)
        return day


SHORTEST_SESSION: Final = 30  # Minutes: a cut-off and a square-off find room in it.


def minutes(clock: str) -> int:
    """Return a time of day, ``HH:MM``, in minutes; ``ValueError`` for what is none."""
    hours, colon, rest = clock.partition(":")
    if not (colon and hours.isdecimal() and rest.isdecimal() and len(rest) == 2):
        raise ValueError(f"{clock!r} is no time of day: HH:MM")
    at = 60 * int(hours) + int(rest)
    if at >= 24 * 60 or int(rest) > 59:
        raise ValueError(f"{clock!r} is no time of day: HH:MM")
    return at
