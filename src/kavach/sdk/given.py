"""
Readers of what a caller gives: one exact value each, or ``BadArgument`` naming the argument.

Only what cannot be sent truthfully is refused here; whether a price is on tick or a stop on
the right side is the server's to say. A float is taken by its shortest decimal form, so 15.1
means 15.1 and not the binary number beside it.

Units: rupees as ``Decimal``, quantities in shares or contracts.
"""

import operator
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, SupportsIndex, TypeVar
from urllib.parse import quote

from kavach.sdk.errors import BadArgument
from kavach.units import Exchange, OrderType, Product, Side, Validity
from kavach.wire.headers import IDEMPOTENCY_KEY_LENGTH_MAX

Price = Decimal | int | str | float
W = TypeVar("W", bound=StrEnum)
G = TypeVar("G")


def optional(reader: Callable[[str, Any], G], name: str, value: Any) -> G | None:
    """Return what the reader makes of a value; of ``None``, nothing."""
    return None if value is None else reader(name, value)


def price(name: str, value: Price) -> Decimal:
    """Return a price in rupees, exactly as written."""
    try:
        exact = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        raise BadArgument(f"{name}: {value!r} is not a price") from None
    if isinstance(value, bool) or not exact.is_finite():
        raise BadArgument(f"{name}: {value!r} is not a price")
    return exact


def whole(name: str, value: SupportsIndex) -> int:
    """Return a whole number."""
    try:
        number = operator.index(value)
    except TypeError:
        raise BadArgument(f"{name}: {value!r} is not a whole number") from None
    if isinstance(value, bool):
        raise BadArgument(f"{name}: {value!r} is not a whole number")
    return number


def word(enum: type[W]) -> Callable[[str, str], W]:
    """Return a reader of the enum's words, in whatever case."""

    def read(name: str, value: str) -> W:
        member = enum.__members__.get(str(value).upper())
        if member is None:
            raise BadArgument(f"{name}: {value!r} is none of {', '.join(enum.__members__)}")
        return member

    return read


exchange: Final = word(Exchange)
side: Final = word(Side)
order_type: Final = word(OrderType)
product: Final = word(Product)
validity: Final = word(Validity)


def path_piece(name: str, value: Any) -> str:
    """Return an id as one escaped piece of a path; it can never become another path."""
    text = "" if value is None else str(value).strip()
    if not text:
        raise BadArgument(f"{name}: must be given; without it no order is named")
    if text in (".", ".."):
        raise BadArgument(f"{name}: {text!r} is not an id")
    return quote(text, safe="")


def access_token(value: str) -> str:
    """Return a token that fits into a header as it is, or none."""
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise BadArgument("access_token: must be printable ASCII without blanks")
    return value


def idempotency_key(value: str) -> str:
    """Return a key that fits into a header as it is."""
    fits = value.isascii() and value.isprintable() and value == value.strip()
    if not fits or not 0 < len(value) <= IDEMPOTENCY_KEY_LENGTH_MAX:
        raise BadArgument(
            f"idempotency_key: {value!r} must be 1 to {IDEMPOTENCY_KEY_LENGTH_MAX} "
            "printable ASCII characters"
        )
    return value
