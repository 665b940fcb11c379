"""
When a rule's last day is over: at midnight in India, by the Gregorian calendar.

Days are YYYYMMDD, instants nanoseconds of the Unix epoch. The session of the day may end earlier;
what ends with it is decided where sessions end (``core.rules.gtt.triggering``).

Days are counted from March, so that the leap day is a year's last.

Source: docs/wire/gtt.md.
"""

from typing import Final

from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND

DAYS_MAX: Final = 366  # From today to a rule's last day.
_DAY_NS: Final = 86_400 * NS_PER_SECOND
_IST_NS: Final = IST_OFFSET_SECONDS * NS_PER_SECOND


def days_of(day: int) -> int:
    """Return the days from 1970-01-01 to a date."""
    year, month, day_of_month = day // 10_000, day // 100 % 100, day % 100
    if month <= 2:
        year -= 1
    era, year_of_era = divmod(year, 400)
    month_from_march = (month + 9) % 12
    day_of_year = (153 * month_from_march + 2) // 5 + day_of_month - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468


def day_ends_ns(day: int) -> int:
    """Return the midnight at which a date ends in India."""
    return (days_of(day) + 1) * _DAY_NS - _IST_NS
