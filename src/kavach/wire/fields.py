"""
Readers of single fields: whatever JSON a client sends becomes one exact value, or a refusal.

Clients of this API send numbers as text and text as numbers, and the documents contradict
each other, so a reader takes every form that a real client has been seen to send and every
other that can mean one thing only; what cannot be read is refused with what to write instead.
Missing, null and blank are the same thing. A reader raises ``BadField``, which knows the vendor's
code and text.

Units: prices are returned in pips, quantities in shares or contracts.

Source: docs/wire/README.md, "Numbers, words, blanks"; docs/wire/README.md, "Decisions".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, Protocol, TypeVar, cast

from msgspec import UNSET

from kavach.units import (
    PIPS_PER_RUPEE,
    Exchange,
    OrderType,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)
from kavach.wire.activity import UNKNOWN
from kavach.wire.errors import BadField
from kavach.wire.money import PRICE_RUPEES_MAX, pips_from_text, pips_from_whole

QUANTITY_MAX: Final = 10**9
INTEGER_MAX: Final = 2**63 - 1
TEXT_LENGTH_MAX: Final = 64
NOBODYS_ORDER: Final = 0  # No order has this id.

_DIGITS_MAX: Final = 40
_DOUBLE_MAX: Final = 2**53  # Up to here a double holds every whole number.
_NUMBER: Final = re.compile(r"[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,3})?")
_POINT_ZERO: Final = re.compile(r"([0-9]{1,40})\.0{0,9}")
_NO_WORDS: Final[Mapping[str, Any]] = {}

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
W = TypeVar("W", bound=StrEnum)


class JsonNumber(str):
    """A JSON number that is no integer, kept as it was written so that nothing is rounded."""

    __slots__ = ()


class Reader(Protocol[T_co]):
    """Reads one field that must be there."""

    schema: dict[str, Any]  # The JSON that is accepted, for OpenAPI.
    messages: tuple[type, ...]  # Those that the field holds.

    def __call__(self, value: object, field: str, /) -> T_co:
        """Return the value, or raise ``BadField``."""


def accepts(*messages: type, **schema: Any) -> Callable[[Callable[[object, str], T]], Reader[T]]:
    """Return a decorator that gives a reader the schema of the JSON it accepts.

    ``messages`` are those to which the schema refers.
    """

    def mark(read: Callable[[object, str], T]) -> Reader[T]:
        reader = cast(Reader[T], read)
        reader.schema, reader.messages = schema, messages
        return reader

    return mark


def is_blank(value: object) -> bool:
    """Return whether there is nothing in the field."""
    return value is UNSET or value is None or (type(value) is str and not value.strip())


def optional(reader: Reader[T], value: object, field: str) -> T | None:
    """Return what the reader makes of the field, or None if there is nothing in it."""
    return None if is_blank(value) else reader(value, field)


@accepts()
def unread(value: object, field: str) -> Any:
    """Return whatever is in a field that nothing depends on."""
    return value


@accepts(type="string", maxLength=TEXT_LENGTH_MAX)
def text(value: object, field: str) -> str:
    """Return a text of at most 64 characters; a whole number is its digits."""
    if is_blank(value):
        raise BadField(field, blank=True)
    if type(value) is int:
        value = str(value)
    if type(value) is not str or not value.isprintable():
        raise BadField(field, hint="printable text")
    if len(value) > TEXT_LENGTH_MAX:
        raise BadField(field, hint=f"at most {TEXT_LENGTH_MAX} characters")
    return value


@accepts(type=["string", "integer"])
def identifier(value: object, field: str) -> str:
    """Return an id, which is text, though clients send it as a number, and tables as 12.0."""
    if isinstance(value, JsonNumber):
        number = _whole(value)
        if number is None:
            raise BadField(field, hint="an id, as text")
        if number > _DOUBLE_MAX:
            raise BadField(field, hint="this number has lost digits: send the id as text")
        return str(number)
    if type(value) is int and value < 0:
        raise BadField(field, hint="an id, as text")
    return plain_id(text(value, field))


def plain_id(text: str) -> str:
    """Return an id without spaces around it, and without the .0 that a column of numbers leaves."""
    if text.isdecimal():
        return text
    text = text.strip()
    whole = _POINT_ZERO.fullmatch(text)
    return whole[1] if whole else text


@accepts(**identifier.schema)
def order_id(value: object, field: str) -> int:
    """Return an order id as a number; what is no id of ours is ``NOBODYS_ORDER``."""
    return order_number(identifier(value, field))


def order_number(text: str) -> int:
    """Return the number of an order id, ``NOBODYS_ORDER`` if no id of ours looks like this."""
    if not text.isdecimal():
        text = plain_id(text)
    plain = text.isascii() and text.isdecimal() and len(text) <= 18 and text[0] != "0"
    return int(text) if plain else NOBODYS_ORDER


@accepts(type=["integer", "string"], minimum=0, pattern=r"^[0-9]+(\.0*)?$")
def integer(value: object, field: str) -> int:
    """Return a whole number from 0 to 2**63 - 1, given as a number or as its digits.

    The digits may have a point and zeros behind them, or an exponent, as tables write numbers.
    """
    if is_blank(value):
        raise BadField(field, blank=True)
    number = _whole(value) if isinstance(value, str) else value
    if type(number) is not int or number > INTEGER_MAX:  # A bool is not a number.
        raise BadField(field, hint=_negative(value) or "a whole number")
    if number < 0:
        raise BadField(field, hint="0 or more")
    return number


def _whole(text: str) -> int | None:
    """Return the whole number that is written here, or None if none is."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return int(text) if len(text) <= _DIGITS_MAX else None
    if not _NUMBER.fullmatch(text):
        return None
    exact = Fraction(text)
    return exact.numerator if exact.denominator == 1 else None


def _negative(value: object) -> str:
    """Return what to write instead, if a number is written that is less than nothing."""
    if isinstance(value, str):
        value = value.strip()
        return "0 or more" if value[:1] == "-" and _NUMBER.fullmatch(value[1:]) else ""
    return "0 or more" if type(value) is int and value < 0 else ""


@accepts(**integer.schema)
def quantity(value: object, field: str) -> Quantity:
    """Return a quantity, zero included; whether zero makes sense is not the wire's affair."""
    number = integer(value, field)
    if number > QUANTITY_MAX:
        raise BadField(field, hint=f"at most {QUANTITY_MAX}")
    return Quantity(number)


@accepts(type=["number", "string"], minimum=0)
def price(value: object, field: str) -> Pips:
    """Return an exact price, zero included."""
    if is_blank(value):
        raise BadField(field, blank=True)
    pips = None
    if type(value) is int:  # A bool is not a number.
        pips = pips_from_whole(value)
    elif isinstance(value, str):
        value = value.strip()
        pips = pips_from_text(value)
    if pips is None:
        raise BadField(field, hint=_negative(value) or _no_price(value))
    return pips


def _no_price(value: object) -> str:
    """Return why a number that is not negative is no price."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        fine = (Fraction(value) * PIPS_PER_RUPEE).denominator != 1
        return "at most four decimals" if fine else f"below {PRICE_RUPEES_MAX}"
    return f"below {PRICE_RUPEES_MAX}" if type(value) is int else "a number of rupees"


@accepts(**price.schema, maximum=100)
def percentage(value: object, field: str) -> int:
    """Return a percentage from 0 to 100 in hundredths of a percent; nothing is rounded."""
    hundredths, finer = divmod(price(value, field), 100)  # Read as exactly as a price is.
    if finer or hundredths > 100 * 100:
        raise BadField(field, hint="0 to 100, with two decimals at most")
    return hundredths


_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}


@accepts(type=["boolean", "string", "integer"])
def flag(value: object, field: str) -> bool:
    """Return a JSON boolean, 0 or 1, or one written out as in the vendor's tables (TRUE, False)."""
    if is_blank(value):
        raise BadField(field, blank=True)
    if type(value) is bool:
        return value
    known = isinstance(value, str) or type(value) is int
    found = _FLAGS.get(str(value).strip().lower()) if known else None
    if found is None:
        raise BadField(field, hint="true or false")
    return found


@accepts(**integer.schema)
def token(value: object, field: str) -> int:
    """Return an instrument token, sent as text when placing and as a number when modifying."""
    return integer(value, field)


@accepts(**integer.schema)
def activity_reference(value: object, field: str) -> int | None:
    """Return a ``last_activity_reference``, or None when the client says it knows none."""
    reference = integer(value, field)
    return None if reference in UNKNOWN else reference


def word(enum: type[W], others: Mapping[str, W] = _NO_WORDS, hint: str = "") -> Reader[W]:
    """Return a reader of an enum's words, and of ``others`` for them, in whatever case.

    ``hint`` says what to write instead of a word that is none, where not every word of the enum is
    welcome.
    """
    members = {member.value.upper(): member for member in enum} | dict(others)
    words = [member.value for member in enum]
    schema: dict[str, Any] = {} if hint else {"enum": words}
    hint = hint or one_of(words)

    @accepts(type="string", **schema)
    def read(value: object, field: str) -> W:
        if is_blank(value):
            raise BadField(field, blank=True)
        member = members.get(value) if type(value) is str else None  # As most clients write it.
        if member is None and type(value) is str:
            member = members.get(value.strip().upper())
        if member is None:
            raise BadField(field, hint=hint)
        return member

    return read


def one_of(words: Iterable[str]) -> str:
    """Return words as a sentence has them: LIMIT, MARKET, SL or SLM."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


# What other brokers call the same thing, where it can mean nothing else.
_ORDER_TYPES: Final = {
    **dict.fromkeys(("SL-M", "SL_M", "SL M", "STOPLOSS_MARKET", "STOPMARKET"), OrderType.SLM),
    **dict.fromkeys(("SL-L", "SL_L", "SL-LIMIT", "STOPLOSS_LIMIT", "STOPLIMIT"), OrderType.SL),
    "MKT": OrderType.MARKET,
    "LMT": OrderType.LIMIT,
}
exchange: Final = word(Exchange)
order_type: Final = word(OrderType, _ORDER_TYPES)
side: Final = word(Side, {"B": Side.BUY, "S": Side.SELL})
product: Final = word(Product, {"INTRADAY": Product.MIS, "DELIVERY": Product.CNC})
validity: Final = word(Validity)


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


@accepts(type="string")
def leg(value: object, field: str) -> LegWord:
    """Return the leg; blank is as invalid as any other word (Decision 7)."""
    leg = _LEGS.get(value.strip().upper()) if type(value) is str else None
    if leg is None:
        raise BadField(field, hint="ENTRY, SECOND or THIRD")
    return leg


_execution_type: Final = word(ExecutionType, hint="CO or BO")


@accepts(type="string")
def is_bracket(value: object, field: str) -> bool:
    """Return whether it is BO, and not CO; other conditional orders are not offered here."""
    kind = _execution_type(value, field)
    if kind is ExecutionType.SPD:
        raise BadField(field, hint="spread orders are not offered")
    if kind is not ExecutionType.CO and kind is not ExecutionType.BO:
        raise BadField(field, hint="only CO and BO are offered")
    return kind is ExecutionType.BO
