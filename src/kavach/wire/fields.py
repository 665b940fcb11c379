"""
Readers of single fields: whatever JSON a client sends becomes one exact value, or a refusal.

Clients of this API send numbers as text and text as numbers, and the documents contradict
each other, so a reader takes every form that a real client has been seen to send and nothing
else. Missing, null and blank are the same thing. A reader raises ``BadField``, which knows
the vendor's code and text.

Units: prices are returned in pips, quantities in shares or contracts.

Source: wire 0.1 (number and string tolerance), Decisions 7, 10, 15.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from msgspec import UNSET

from kavach.units import Exchange, OrderType, Pips, Product, Quantity, Side, Validity
from kavach.wire.activity import UNKNOWN
from kavach.wire.errors import BadField
from kavach.wire.money import pips_from_text, pips_from_whole

QUANTITY_MAX: Final = 10**9
INTEGER_MAX: Final = 2**63 - 1
TEXT_LENGTH_MAX: Final = 64
NOBODYS_ORDER: Final = 0  # No order has this id.

_INTEGER: Final = re.compile(r"([0-9]{1,19})(?:\.0{1,9})?")

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
W = TypeVar("W", bound=StrEnum)


class JsonNumber(str):
    """A JSON number that is no integer, kept as it was written so that nothing is rounded."""

    __slots__ = ()


class Reader(Protocol[T_co]):
    """Reads one field that must be there."""

    def __call__(self, value: object, field: str) -> T_co:
        """Return the value, or raise ``BadField``."""


def is_blank(value: object) -> bool:
    """Return whether there is nothing in the field."""
    return value is UNSET or value is None or (type(value) is str and not value.strip())


def optional(reader: Reader[T], value: object, field: str) -> T | None:
    """Return what the reader makes of the field, or None if there is nothing in it."""
    return None if is_blank(value) else reader(value, field)


def text(value: object, field: str) -> str:
    """Return a text of at most 64 characters."""
    if is_blank(value):
        raise BadField(field, blank=True)
    if type(value) is not str or len(value) > TEXT_LENGTH_MAX or not value.isprintable():
        raise BadField(field)
    return value


def identifier(value: object, field: str) -> str:
    """Return an id, which is text, though some clients send it as a number."""
    if type(value) is int and 0 <= value <= INTEGER_MAX:
        return str(value)
    return text(value, field)


def order_id(value: object, field: str) -> int:
    """Return an order id as a number; what is no id of ours is ``NOBODYS_ORDER``."""
    return order_number(identifier(value, field))


def order_number(text: str) -> int:
    """Return the number of an order id, ``NOBODYS_ORDER`` if no id of ours looks like this."""
    plain = text.isascii() and text.isdecimal() and len(text) <= 18 and text[0] != "0"
    return int(text) if plain else NOBODYS_ORDER


def integer(value: object, field: str) -> int:
    """Return a whole number from 0 to 2**63 - 1, given as a number or as its digits."""
    if is_blank(value):
        raise BadField(field, blank=True)
    number = value
    if isinstance(value, str):
        match = _INTEGER.fullmatch(value)
        if match is None:
            raise BadField(field)
        number = int(match[1])
    if type(number) is not int or not 0 <= number <= INTEGER_MAX:  # A bool is not a number.
        raise BadField(field)
    return number


def quantity(value: object, field: str) -> Quantity:
    """Return a quantity, zero included; whether zero makes sense is not the wire's affair."""
    number = integer(value, field)
    if number > QUANTITY_MAX:
        raise BadField(field)
    return Quantity(number)


def price(value: object, field: str) -> Pips:
    """Return an exact price, zero included."""
    if is_blank(value):
        raise BadField(field, blank=True)
    pips = None
    if type(value) is int:  # A bool is not a number.
        pips = pips_from_whole(value)
    elif isinstance(value, str):
        pips = pips_from_text(value)
    if pips is None:
        raise BadField(field)
    return pips


def percentage(value: object, field: str) -> int:
    """Return a percentage from 0 to 100 in hundredths of a percent; nothing is rounded."""
    hundredths, finer = divmod(price(value, field), 100)  # Read as exactly as a price is.
    if finer or hundredths > 100 * 100:
        raise BadField(field)
    return hundredths


def flag(value: object, field: str) -> bool:
    """Return a JSON boolean, or one written out as in the vendor's tables (TRUE, False)."""
    if is_blank(value):
        raise BadField(field, blank=True)
    if type(value) is bool:
        return value
    word = value.lower() if type(value) is str else ""
    if word not in ("true", "false"):
        raise BadField(field)
    return word == "true"


def token(value: object, field: str) -> int:
    """Return an instrument token, sent as text when placing and as a number when modifying."""
    if type(value) is not JsonNumber and (is_blank(value) or "." not in str(value)):
        return integer(value, field)
    raise BadField(field)


def activity_reference(value: object, field: str) -> int | None:
    """Return a ``last_activity_reference``, or None when the client says it knows none."""
    reference = integer(value, field)
    return None if reference in UNKNOWN else reference


def word(enum: type[W]) -> Reader[W]:
    """Return a reader of an enum's words, written exactly so."""
    members = {member.value: member for member in enum}
    return _one_of(members, lambda text: text)


def word_in_any_case(enum: type[W]) -> Reader[W]:
    """Return a reader of an enum's words in whatever case."""
    members = {member.value: member for member in enum}
    return _one_of(members, str.upper)


def _one_of(members: dict[str, W], fold: Callable[[str], str]) -> Reader[W]:
    def read(value: object, field: str) -> W:
        if is_blank(value):
            raise BadField(field, blank=True)
        member = members.get(fold(value)) if type(value) is str else None
        if member is None:
            raise BadField(field)
        return member

    return read


exchange: Final = word(Exchange)
order_type: Final = word(OrderType)
side: Final = word(Side)
product: Final = word(Product)
validity: Final = word_in_any_case(Validity)


class LegWord(StrEnum):
    """A leg of a conditional order; SECOND, the target, exists in bracket orders only."""

    ENTRY = "ENTRY"
    SECOND = "SECOND"
    THIRD = "THIRD"


class ExecutionType(StrEnum):
    """Which kind of order a request speaks of."""

    REGULAR = "REGULAR"
    AMO = "AMO"
    CO = "CO"
    BO = "BO"
    SPD = "SPD"
    NML = "NML"


_LEGS: Final = {
    "ENTRY": LegWord.ENTRY,
    "SECOND": LegWord.SECOND,
    "TARGET": LegWord.SECOND,
    "THIRD": LegWord.THIRD,
    "STOPLOSS": LegWord.THIRD,
    "STOP_LOSS": LegWord.THIRD,
    "SL": LegWord.THIRD,
}


def leg(value: object, field: str) -> LegWord:
    """Return the leg; blank is as invalid as any other word (Decision 7)."""
    leg = _LEGS.get(value.upper()) if type(value) is str else None
    if leg is None:
        raise BadField(field)
    return leg


_execution_type: Final = word_in_any_case(ExecutionType)


def is_bracket(value: object, field: str) -> bool:
    """Return whether it is BO, and not CO; other conditional orders are not offered here."""
    kind = _execution_type(value, field)
    if kind is ExecutionType.SPD:
        raise BadField(field, hint="spread orders are not offered")
    if kind is not ExecutionType.CO and kind is not ExecutionType.BO:
        raise BadField(field, hint="only CO and BO are offered")
    return kind is ExecutionType.BO
