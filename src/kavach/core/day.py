"""
Days in India: which one it is, and when it ends.

India has one time zone and no daylight saving, so a day is a division. A day is written
YYYYMMDD, as a number; times are nanoseconds of the Unix epoch.
"""

from typing import Final

from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND

DAY_NS: Final = 86_400 * NS_PER_SECOND
IST_NS: Final = IST_OFFSET_SECONDS * NS_PER_SECOND


def day_of(at_ns: int) -> int:
    """Return the date in India as YYYYMMDD."""
    return _civil((at_ns + IST_NS) // DAY_NS)


def next_midnight_ns(at_ns: int) -> int:
    """Return when the day in India ends: the first midnight after ``at_ns``."""
    return ((at_ns + IST_NS) // DAY_NS + 1) * DAY_NS - IST_NS


def _civil(days: int) -> int:
    """Return YYYYMMDD of a day counted from 1970-01-01, by the Gregorian calendar."""
    # Years begin in March here, so that the leap day is the last of its year.
    shifted = days + 719_468
    era, day_of_era = divmod(shifted, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year * 10_000 + month * 100 + day
