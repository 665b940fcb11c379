"""
``last_activity_reference``: the version stamp of an order row.

Nanoseconds since 1980-01-01 00:00 in India, without a time zone. The values exceed 2**53, so
clients that keep numbers as doubles hand them back rounded, by up to 128: whoever compares must
allow for that. 0 and 10 are what clients send who do not know it.

Source: docs/wire/README.md, "Rows"; docs/wire/README.md, "Decisions".
"""

from typing import Final

from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND, TimestampNs

UNKNOWN: Final = frozenset({0, 10})

_UNIX_SECONDS_OF_1980: Final = 315_532_800
_SHIFT_NS: Final = (_UNIX_SECONDS_OF_1980 - IST_OFFSET_SECONDS) * NS_PER_SECOND


def reference_of(at_ns: int) -> int:
    """Return the reference of something that happened at this Unix time; 0 of never."""
    return at_ns - _SHIFT_NS if at_ns else 0


def time_of(reference: int) -> TimestampNs:
    """Return the Unix time that a reference stands for, in nanoseconds."""
    return TimestampNs(reference + _SHIFT_NS)
