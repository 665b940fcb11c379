"""
Readers of the control room's fields: one exact value, or a sentence that says what is wrong.

Prices and cash are rupees, a JSON number or its digits in quotes, read digit by digit and never
through a float. Quantities are JSON integers. Every reader takes the fields apart in the order
in which the call's contract names them, so the first fault is the first one a person sees.

Source: docs/twin.md.
"""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, TypeVar

import msgspec

from kavach.credentials import is_totp_secret
from kavach.instruments import Instrument
from kavach.twin.door import Refused
from kavach.units import (
    PIPS_PER_PAISA,
    Exchange,
    InstrumentKey,
    Paise,
    Pips,
    Quantity,
    instrument_key,
)
from kavach.wire.fields import JsonNumber
from kavach.wire.money import pips_from_text, pips_from_whole
from kavach.wire.redirects import redirect_fault

QUANTITY_MAX: Final = 10**9
INTEGER_MAX: Final = 10**6
TEXT_LENGTH_MAX: Final = 128
NAME_LENGTH_MAX: Final = 32
TOKEN_DIGITS_MAX: Final = 18
REDIRECT_URIS_MAX: Final = 16
SECONDS_MAX: Final = 366 * 86_400
MISSING: Final = object()

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_decoder: Final = msgspec.json.Decoder(dict[str, Any], float_hook=JsonNumber)

W = TypeVar("W", bound=StrEnum)


class Fields:
    """The fields of one request; each reader returns a value or raises ``Refused``."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self._given = given

    def only(self, names: Collection[str]) -> None:
        """Refuse a field that the call does not have: a misspelt one would say nothing."""
        for name in self._given:
            if name not in names:
                shown = name if name.isprintable() and len(name) <= NAME_LENGTH_MAX else "body"
                raise Refused(shown, f"is no field of this call, which has {', '.join(names)}")

    def has(self, name: str) -> bool:
        """Return whether there is anything in the field."""
        return self._given.get(name) is not None

    def is_null(self, name: str) -> bool:
        """Return whether the field is there and null."""
        return self._given.get(name, MISSING) is None

    def _value(self, name: str) -> object:
        value = self._given.get(name, MISSING)
        if value is MISSING:
            raise Refused(name, "is missing")
        if value is None:
            raise Refused(name, "must not be null")
        return value

    def word(self, name: str, words: type[W]) -> W:
        """Return one of an enum's words, written exactly so."""
        value = self._value(name)
        for member in words:
            if type(value) is str and value == member.value:
                return member
        raise Refused(name, f"must be one of {', '.join(words)}")

    def text(self, name: str) -> str:
        """Return a text of 1 to 128 printable characters."""
        value = self._value(name)
        if type(value) is not str:
            raise Refused(name, f"must be text, not {_kind(value)}")
        if not value.strip() or len(value) > TEXT_LENGTH_MAX or not value.isprintable():
            raise Refused(name, f"must be 1 to {TEXT_LENGTH_MAX} printable characters")
        return value

    def name(self, name: str) -> str:
        """Return a name: 1 to 32 letters, digits, hyphens and underscores."""
        value = self.text(name)
        plain = value.isascii() and value.replace("-", "").replace("_", "").isalnum()
        if not plain or len(value) > NAME_LENGTH_MAX:
            raise Refused(name, f"must be 1 to {NAME_LENGTH_MAX} letters, digits, - or _")
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        """Return a JSON integer within these bounds."""
        value = self._value(name)
        if type(value) is not int:
            raise Refused(name, f"must be a whole number, not {_kind(value)}")
        if not least <= value <= most:
            raise Refused(name, f"must be from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._value(name)
        if type(value) is not bool:
            raise Refused(name, f"must be true or false, not {_kind(value)}")
        return value

    def quantity(self, name: str, least: int = 1) -> Quantity:
        """Return a quantity in shares or contracts."""
        return Quantity(self.integer(name, least, QUANTITY_MAX))

    def price(self, name: str) -> Pips:
        """Return an exact price, from rupees; whether it may be traded at, the exchange says."""
        return self._pips(name)

    def cash(self, name: str) -> Paise:
        """Return an amount of money, from rupees of at most two decimals; 0 is allowed."""
        paise, rest = divmod(self._pips(name), PIPS_PER_PAISA)
        if rest:
            raise Refused(name, "must have at most two decimals")
        return Paise(paise)

    def _pips(self, name: str) -> Pips:
        value = self._value(name)
        pips = None
        if type(value) is int:  # A bool is not a number.
            pips = pips_from_whole(value)
        elif isinstance(value, str):  # A decimal number too is kept as it was written.
            pips = pips_from_text(value)
        else:
            raise Refused(name, f"must be a number of rupees, not {_kind(value)}")
        if pips is None:
            raise Refused(name, "must be rupees from 0 to 1000000000 of at most four decimals")
        return pips

    def seconds(self, name: str) -> Fraction:
        """Return a time span above 0 and of at most a year, exact."""
        value = self._value(name)
        if type(value) is not int and type(value) is not JsonNumber:
            raise Refused(name, f"must be a number, not {_kind(value)}")
        # A number's exponent is bounded before it is taken at its word: 1e999999 is a big one.
        digits = str(value)
        if len(digits) > NAME_LENGTH_MAX or len(digits.lower().partition("e")[2]) > 3:
            raise Refused(name, f"must be more than 0 and at most {SECONDS_MAX}")
        exact = Fraction(digits)
        if not 0 < exact <= SECONDS_MAX:
            raise Refused(name, f"must be more than 0 and at most {SECONDS_MAX}")
        return exact

    def moment_ns(self, name: str) -> int:
        """Return a time, from ISO 8601 with its offset."""
        value = self._value(name)
        wrong = Refused(name, "must be a time with its offset, like 2026-11-20T15:14:00+05:30")
        if type(value) is not str or len(value) > NAME_LENGTH_MAX + 8:
            raise wrong
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise wrong from None
        if moment.tzinfo is None:
            raise wrong
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000

    def totp_secret(self, name: str) -> str:
        """Return a TOTP secret, in base 32."""
        secret = self.text(name)
        if not is_totp_secret(secret):
            raise Refused(name, "must be at least 80 bits in base 32")
        return secret

    def redirect_uris(self, name: str) -> tuple[str, ...]:
        """Return the addresses to which an app may have people sent back."""
        value = self._value(name)
        if type(value) is not list or not 0 < len(value) <= REDIRECT_URIS_MAX:
            raise Refused(name, f"must be a list of 1 to {REDIRECT_URIS_MAX} addresses")
        for uri in value:
            if type(uri) is not str:
                raise Refused(name, f"must hold text, not {_kind(uri)}")
            fault = redirect_fault(uri)
            if fault:
                raise Refused(name, fault)
        return tuple(value)

    def objects(self, name: str, most: int) -> list["Fields"]:
        """Return the fields of each object of a list of 1 to ``most``."""
        value = self._value(name)
        if type(value) is not list or not 1 <= len(value) <= most:
            raise Refused(name, f"must be a list of 1 to {most} objects")
        if not all(type(one) is dict for one in value):
            raise Refused(name, "must hold objects only")
        return [Fields(one) for one in value]

    def instrument(self, listed: Mapping[InstrumentKey, Instrument]) -> Instrument:
        """Return the instrument that ``exchange`` and ``instrument_token`` name."""
        exchange = self.word("exchange", Exchange)
        value = self._value("instrument_token")
        digits = str(value) if type(value) is int or type(value) is str else ""
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= TOKEN_DIGITS_MAX):
            raise Refused("instrument_token", "must be a number or its digits in quotes")
        return find_instrument(listed, exchange, int(digits))


def find_instrument(
    listed: Mapping[InstrumentKey, Instrument], exchange: Exchange, token: int
) -> Instrument:
    """Return the instrument; raises ``Refused``."""
    instrument = listed.get(instrument_key(exchange, token))
    if instrument is None:
        raise Refused("instrument_token", f"{exchange.value} has no instrument {token}")
    return instrument


def read_fields(body: bytes) -> Fields:
    """Return the fields of a JSON object; raises ``Refused``."""
    try:
        return Fields(_decoder.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(_culprit(body), "is not JSON: one object is wanted") from error


def _culprit(body: bytes) -> str:
    """Return the field that spoils the body: NaN and Infinity are no JSON, yet often sent."""
    try:
        # Of integers only the length is taken: a million digits would take minutes to read.
        fields: Any = json.loads(body, parse_constant=lambda word: MISSING, parse_int=len)
    except (ValueError, RecursionError):
        return "body"
    if isinstance(fields, dict):
        named: dict[str, Any] = fields
        for name, value in named.items():
            if value is MISSING and name.isprintable() and len(name) <= NAME_LENGTH_MAX:
                return name
    return "body"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, JsonNumber):
        return str(value)[:NAME_LENGTH_MAX]
    return {str: "text", int: "a whole number", list: "a list", dict: "an object"}.get(
        type(value), "that"
    )
