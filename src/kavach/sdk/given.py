"""
Readers of what a caller gives: one exact value each, or ``BadArgument`` naming the argument.

Values are taken from other people's libraries by protocol, without importing any of them: an
``Enum`` is its value, a scalar of an array library is what its ``item()`` returns, a whole number
is what ``__index__`` returns; text, ``Decimal`` and whole floats are the number that they spell. A
float means the shortest decimal that stands for it in its own precision: 15.1 means 15.1 and not
the binary number beside it, and a 32-bit 12.9 means 12.9. Truth values are never numbers.

Only what cannot be sent truthfully is refused here; whether a price is on tick or a stop on
the right side is the server's to say.

Units: rupees as ``Decimal``, quantities in shares or contracts, times in seconds.
"""

import math
import operator
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final, Literal, SupportsFloat, SupportsIndex, TypeVar
from urllib.parse import quote, urlsplit

from kavach.sdk.errors import BadArgument
from kavach.units import Exchange, OrderType, Product, Side, Validity
from kavach.wire.headers import IDEMPOTENCY_KEY_LENGTH_MAX

Price = Decimal | int | str | float | SupportsFloat | SupportsIndex
Whole = int | SupportsIndex
Token = int | str | SupportsIndex
ExchangeWord = Exchange | Literal["NSE", "BSE", "NFO", "BFO", "MCX", "CDS"]
SideWord = Side | Literal["BUY", "SELL"]
OrderTypeWord = OrderType | Literal["LIMIT", "MARKET", "SL", "SLM"]
ProductWord = Product | Literal["CNC", "MIS", "NRML", "MTF"]
ValidityWord = Validity | Literal["DAY", "IOC"]

W = TypeVar("W", bound=StrEnum)
G = TypeVar("G")

WHOLE_MAX: Final = 2**63 - 1  # What the servers of this family read.
EXACT_IN_A_DOUBLE: Final = 2**53
DIGITS_MAX: Final = 30
SECONDS_MAX: Final = 86_400.0
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_SPELLINGS: Final = {"SL-M": "SLM", "SL_M": "SLM", "MKT": "MARKET"}
_ID_WITH_FRACTION: Final = re.compile(
    r"(\d+)\.0+", re.ASCII
)  # What a column with gaps makes of it.


def optional(reader: Callable[[str, Any], G], name: str, value: Any) -> G | None:
    """Return what the reader makes of a value; of ``None``, nothing."""
    return None if value is None else reader(name, value)


def plain(value: Any) -> Any:
    """Return the value of an ``Enum`` or of a scalar of an array library, others as they are."""
    if isinstance(value, Enum) and not isinstance(value, str):
        value = value.value
    item = getattr(value, "item", None)
    if not callable(item) or isinstance(value, type) or _has_length(value):
        return value
    scalar = item()
    # The library's own text is the shortest in its precision: 12.9 of 32 bits, not 12.8999996.
    if isinstance(scalar, float) and not isinstance(value, float) and _NUMBER.fullmatch(str(value)):
        return str(value)
    return scalar


def price(name: str, value: Any) -> Decimal:
    """Return a price in rupees, exactly as written."""
    exact = _number(value)
    if exact is None:
        raise BadArgument(f"{name}: {shown(value)} is not a price")
    return exact


def whole(name: str, value: Any) -> int:
    """Return a whole number."""
    number = _whole(value)
    if number is None or abs(number) > WHOLE_MAX:
        raise BadArgument(f"{name}: {shown(value)} is not a whole number")
    return number


def seconds(name: str, value: Any, *, least: float = 0.0) -> float:
    """Return a time in seconds, from ``least`` to a day."""
    if isinstance(value, str):
        raise BadArgument(f"{name}: {shown(value)} is text, not a number of seconds")
    exact = _number(value)
    if exact is None or not least <= exact <= SECONDS_MAX:
        span = f"from {least:g} to {SECONDS_MAX:.0f} seconds"
        raise BadArgument(f"{name}: {shown(value)} is not {span}")
    return float(exact)


def flag(name: str, value: Any) -> bool:
    """Return a truth value; text is none, because ``"False"`` would be true."""
    found = plain(value)
    if not isinstance(found, bool):
        raise BadArgument(f"{name}: {shown(value)} is neither True nor False")
    return found


def text(name: str, value: Any, *, secret: bool = False) -> str:
    """Return a text that can be sent; a ``secret`` one is never quoted."""
    found = plain(value)
    told = "it" if secret else shown(value)
    if not isinstance(found, str):
        raise BadArgument(f"{name}: {told} is not text")
    try:
        found.encode()
    except UnicodeEncodeError:
        raise BadArgument(f"{name}: {told} holds half of a character") from None
    return str(found)


def word(enum: type[W]) -> Callable[[str, Any], W]:
    """Return a reader of the enum's words, in whatever case."""

    def read(name: str, value: Any) -> W:
        found = plain(value)
        spelled = found.strip().upper() if isinstance(found, str) else ""
        member = enum.__members__.get(_SPELLINGS.get(spelled, spelled))
        if member is None:
            raise BadArgument(f"{name}: {shown(value)} is none of {', '.join(enum.__members__)}")
        return member

    return read


exchange: Final = word(Exchange)
side: Final = word(Side)
order_type: Final = word(OrderType)
product: Final = word(Product)
validity: Final = word(Validity)


def one_of(name: str, value: Any, words: tuple[str, ...]) -> str:
    """Return one of a few words."""
    if not isinstance(value, str) or value not in words:
        raise BadArgument(f"{name}: {shown(value)} is none of {', '.join(words)}")
    return value


def token(name: str, value: Any) -> str:
    """Return an instrument token as the wire writes it."""
    return str(whole(name, value))


def identifier(name: str, value: Any) -> str:
    """Return an id as text, whether it was given as text or as a number."""
    found = plain(value)
    number = None if isinstance(found, str) else _whole(found)
    if number is not None:
        return str(number)
    spelled = text(name, found).strip() if isinstance(found, str) else ""
    if not spelled:
        raise BadArgument(f"{name}: {shown(value)} is not an id")
    match = _ID_WITH_FRACTION.fullmatch(spelled)
    return match[1] if match else spelled


def day(name: str, value: Any) -> str:
    """Return a day as the wire writes it."""
    found = plain(value)
    try:
        given = found if isinstance(found, date) else date.fromisoformat(found.strip())
        return given.strftime("%Y-%m-%d")
    except (AttributeError, TypeError, ValueError):
        raise BadArgument(f"{name}: {shown(value)} is not a day such as 2026-12-31") from None


def path_piece(name: str, value: Any) -> str:
    """Return an id as one escaped piece of a path; it can never become another path."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadArgument(f"{name}: must be given; without it no order is named")
    found = identifier(name, value)
    if found in (".", ".."):
        raise BadArgument(f"{name}: {found!r} is not an id")
    return quote(found, safe="")


def access_token(value: Any) -> str:
    """Return a token that fits into a header as it is, or none."""
    if not isinstance(value, str) or not (value.isascii() and value.isprintable()) or " " in value:
        raise BadArgument("access_token: must be printable ASCII without blanks")
    return value


def idempotency_key(value: Any) -> str:
    """Return a key that fits into a header as it is."""
    fits = isinstance(value, str) and value.isascii() and value.isprintable()
    if not fits or value != value.strip() or not 0 < len(value) <= IDEMPOTENCY_KEY_LENGTH_MAX:
        raise BadArgument(
            f"idempotency_key: {shown(value)} must be 1 to {IDEMPOTENCY_KEY_LENGTH_MAX} "
            "printable ASCII characters"
        )
    return str(value)


def base_url(value: Any, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """Return an address to which requests can go."""
    wrong = f"base_url: {shown(value)} must begin with {schemes[0]}:// or {schemes[1]}://"
    if not isinstance(value, str) or not value.startswith(tuple(f"{one}://" for one in schemes)):
        raise BadArgument(wrong)
    try:
        address = urlsplit(value)
        fits = bool(address.hostname) and (address.port is None or address.port > 0)
        value.encode()
        (address.hostname or "").encode("idna")
    except ValueError as error:
        raise BadArgument(f"base_url: {shown(value)} is not an address: {error}") from None
    if not fits or not value.isprintable() or " " in value:
        raise BadArgument(f"base_url: {shown(value)} names no host")
    return value


def _number(value: Any) -> Decimal | None:
    """Return the exact number that a value is, ``None`` if it is none."""
    found = plain(value)
    if isinstance(found, bool):
        return None
    if isinstance(found, Decimal):
        exact = found
    elif isinstance(found, float):  # Not by ``repr``, which a subclass may have changed.
        exact = Decimal(float.__repr__(found))
    elif isinstance(found, str):
        spelled = found.strip()
        if not _NUMBER.fullmatch(spelled):
            return None
        exact = Decimal(spelled)
    else:
        index = _index(found)
        if index is None:
            return _by_float(found)
        exact = Decimal(index)
    fits = exact.is_finite() and -DIGITS_MAX < exact.adjusted() < DIGITS_MAX
    return exact if fits and len(exact.as_tuple().digits) <= DIGITS_MAX else None


def _by_float(value: Any) -> Decimal | None:
    """Return a number that only says how near it is: taken where its text is the same number."""
    try:
        near, spelled = float(value), str(value).strip()
    except (TypeError, ValueError, OverflowError):
        return None
    if _has_length(value) or not math.isfinite(near) or not _NUMBER.fullmatch(spelled):
        return None
    exact = Decimal(spelled)
    return exact if math.isclose(float(exact), near, rel_tol=1e-6) else None


def _whole(value: Any) -> int | None:
    """Return the whole number that a value is, ``None`` if it is none, or not surely."""
    exact = _number(value)
    if isinstance(plain(value), float) and exact is not None and abs(exact) > EXACT_IN_A_DOUBLE:
        return None  # Its last digits are lost.
    return int(exact) if exact is not None and exact == exact.to_integral_value() else None


def _index(value: Any) -> int | None:
    try:
        return operator.index(value)
    except TypeError:
        return None


def _has_length(value: Any) -> bool:
    """Return whether a value is several; an array without dimensions is one."""
    try:
        len(value)
    except TypeError:
        return False
    return not isinstance(value, str | bytes)


def shown(value: Any) -> str:
    """Return a value as a message shows it: short, and without what cannot be printed."""
    try:
        text = repr(value)
    except Exception:  # It is somebody else's ``repr``; the message must come all the same.
        text = f"a {type(value).__name__}"
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 80 else f"{text[:77]}..."
