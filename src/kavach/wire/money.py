"""
Rupees on the wire, pips inside: the only place where the two meet.

A price travels as a JSON number (13 or 15.4) or as text ("50.50"). It is read digit by digit
into pips, never through a float, so that no price is ever rounded: one with more than four
decimals is refused. On the way out a float is made by one division, whose result prints as
the very decimal that was meant (prices have at most 15 significant digits).

Units: pips are 1/10 000 rupee, paise 1/100.

Source: docs/wire/README.md, "Numbers, words, blanks"; docs/wire/README.md, "Numbers".
"""

import re
from fractions import Fraction
from typing import Final

from kavach.units import PIPS_PER_RUPEE, Paise, Pips

PRICE_RUPEES_MAX: Final = 10**9  # Far above any price, far below what 64 bits hold in pips.
PIPS_MAX: Final = PRICE_RUPEES_MAX * PIPS_PER_RUPEE

_DECIMALS: Final = 4
_NUMBER: Final = re.compile(r"([0-9]{1,40})(?:\.([0-9]{1,40}))?([eE][+-]?[0-9]{1,3})?")


def pips_from_text(text: str) -> Pips | None:
    """Return the price written here, or None: not a number, negative, too fine or too large."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    whole, decimals, exponent = match.groups()
    if exponent is not None:
        exact = Fraction(text) * PIPS_PER_RUPEE
        return _in_range(exact.numerator) if exact.denominator == 1 else None
    decimals = (decimals or "").rstrip("0")
    if len(decimals) > _DECIMALS:
        return None
    return _in_range(int(whole) * PIPS_PER_RUPEE + int(decimals.ljust(_DECIMALS, "0")))


def pips_from_whole(rupees: int) -> Pips | None:
    """Return a whole number of rupees in pips, or None if negative or too large."""
    return _in_range(rupees * PIPS_PER_RUPEE)


def _in_range(pips: int) -> Pips | None:
    return Pips(pips) if 0 <= pips <= PIPS_MAX else None


def number(pips: int) -> int | float:
    """Return pips in rupees, as a JSON number: 13 when whole, else 15.4."""
    rupees, rest = divmod(pips, PIPS_PER_RUPEE)
    return rupees if rest == 0 else pips / PIPS_PER_RUPEE


def decimal(pips: int) -> float:
    """Return pips in rupees for the keys that always show a decimal point: 13.0 or 15.4."""
    return pips / PIPS_PER_RUPEE


def average(value_pips: int, quantity: int) -> int | float:
    """Return the mean price in rupees of ``quantity`` units, to the nearest pip; 0 of none."""
    if quantity == 0:
        return 0
    return number((value_pips + quantity // 2) // quantity)


def percentage(hundredths: int) -> int | float:
    """Return hundredths of a percent as a JSON number of percent: 5 when whole, else 2.5."""
    percent, rest = divmod(hundredths, 100)
    return percent if rest == 0 else hundredths / 100


def amount(paise: Paise) -> int | float:
    """Return cash, negative or not, in rupees, as a JSON number."""
    rupees, rest = divmod(paise, 100)
    return rupees if rest == 0 else paise / 100
