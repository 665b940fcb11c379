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
import os
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
EXACT_IN: Final = {8: EXACT_IN_A_DOUBLE, 4: 2**24, 2: 2**8}  # By bytes; of 2 there are two kinds.
TIMES: Final = ("m", "M")
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
    """
    Return the value of an ``Enum`` or of a scalar of an array library, others as they are.

    A masked scalar, and one of a time, is none of the values that its ``item`` would return: a
    missing price is not 0, and a time not its number of nanoseconds.
    """
    own = _of_enum(value)
    item = _trying(lambda: own.item)
    if not callable(item) or isinstance(own, type) or _has_length(own):
        return own
    if _trying(lambda: bool(own.mask)) or _dtype_kind(own) in TIMES:
        return None
    return _trying(item, own)


def price(name: str, value: Any) -> Decimal:
    """Return a price in rupees, exactly as written."""
    exact = _number(value)
    if exact is None:
        raise BadArgument(f"{name}: {shown(value)} is not a price")
    return exact


def whole(name: str, value: Any) -> int:
    """Return a whole number."""
    number = _whole(value)
    if number is None and _number(value) is not None and isinstance(plain(value), float):
        told = "is not a whole number, or has more digits than such a float keeps"
        raise BadArgument(f"{name}: {shown(value)} {told}")
    if number is None or abs(number) > WHOLE_MAX:
        raise BadArgument(f"{name}: {shown(value)} is not a whole number")
    return number


def seconds(name: str, value: Any, *, least: float = 0.0) -> float:
    """Return a time in seconds, from ``least`` to a day."""
    if isinstance(value, str):
        raise BadArgument(f"{name}: {shown(value)} is text, not a number of seconds")
    exact = _number(value)
    if exact is None or not least <= float(exact) <= SECONDS_MAX:
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
    found = plain(value)
    if not isinstance(found, str) or found not in words:
        raise BadArgument(f"{name}: {shown(value)} is none of {', '.join(words)}")
    return found


def token(name: str, value: Any) -> str:
    """Return an instrument token as the wire writes it."""
    return str(whole(name, value))


def identifier(name: str, value: Any) -> str:
    """Return an id as text, whether it was given as text or as a number."""
    found = plain(value)
    number = None if isinstance(found, str) else _whole(value)
    if number is not None:
        return str(number)
    spelled = text(name, found).strip() if isinstance(found, str) else ""
    if not spelled:
        raise BadArgument(f"{name}: {shown(value)} is not an id")
    match = _ID_WITH_FRACTION.fullmatch(spelled)
    return match[1] if match else spelled


def day(name: str, value: Any) -> str:
    """Return a day as the wire writes it."""
    found = str(value)[:10] if _dtype_kind(value) == "M" else plain(value)
    try:
        given = date.fromisoformat(found.strip()) if isinstance(found, str) else found
        if isinstance(given, date):
            return given.strftime("%Y-%m-%d")
    except ValueError:  # Of a text that is no day, and of a time that is missing.
        pass
    raise BadArgument(f"{name}: {shown(value)} is not a day such as 2026-12-31")


def path_piece(name: str, value: Any) -> str:
    """Return an id as one escaped piece of a path; it can never become another path."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadArgument(f"{name}: must be given; without it no order is named")
    found = identifier(name, value)
    if found in (".", ".."):
        raise BadArgument(f"{name}: {found!r} is not an id")
    return quote(found, safe="")


def sendable(name: str, value: Any) -> Any:
    """
    Return a value of a body of the caller's own as JSON can hold it.

    Numbers of whatever library are ``int`` or ``Decimal``. Raises ``BadArgument`` for a number
    that JSON has no word for, which an encoder would quietly turn into null.
    """
    found = plain(value)
    if isinstance(found, bool | date | str) or found is value is None:
        return text(name, found) if isinstance(found, str) else found
    exact = _number(value)
    if exact is not None:
        return int(found) if isinstance(found, int) else exact
    if found is None or isinstance(found, SupportsFloat):
        raise BadArgument(f"{name}: {shown(value)} is not a number that can be sent")
    return found


def or_environment(value: Any, variable: str) -> Any:
    """Return an argument, or what the environment says where it is ``None`` or an empty text."""
    is_missing = value is None or (isinstance(value, str) and not value)
    return os.environ.get(variable, "") if is_missing else value


def access_token(value: Any) -> str:
    """Return a token that fits into a header as it is, or none."""
    if not isinstance(value, str) or not (value.isascii() and value.isprintable()) or " " in value:
        raise BadArgument("access_token: must be printable ASCII without blanks")
    return str(value)


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
    """
    Return an address to which requests can go, without slashes at its end.

    One with a name and a password in it is refused, and not quoted: they would be sent instead of
    the access token.
    """
    told = "it" if isinstance(value, str) and "@" in value else shown(value)
    wrong = f"base_url: {told} must begin with {schemes[0]}:// or {schemes[1]}://"
    if not isinstance(value, str) or not value.startswith(tuple(f"{one}://" for one in schemes)):
        raise BadArgument(wrong)
    try:
        address = urlsplit(value)
        fits = bool(address.hostname) and (address.port is None or address.port > 0)
        value.encode()
        (address.hostname or "").encode("idna")
    except ValueError as error:
        why = "" if told == "it" else f": {error}"
        raise BadArgument(f"base_url: {told} is not an address{why}") from None
    if not fits or not value.isprintable() or " " in value:
        raise BadArgument(f"base_url: {told} names no host")
    if "@" in address.netloc or "?" in value or "#" in value:
        raise BadArgument(f"base_url: {told} must hold no user, query or fragment")
    return value.rstrip("/")


def _number(value: Any) -> Decimal | None:
    """Return the exact number that a value is, ``None`` if it is none."""
    found = plain(value)
    if isinstance(found, bool):
        return None
    if isinstance(found, Decimal):
        exact = found
    elif isinstance(found, float):
        exact = Decimal(_shortest(value, found))
    elif isinstance(found, str):
        spelled = found.strip()
        if not _NUMBER.fullmatch(spelled):
            return None
        exact = Decimal(spelled)
    else:
        index = _trying(lambda: operator.index(found))
        if index is None:
            return _by_float(found)
        exact = Decimal(index)
    if not exact.is_finite() or not -DIGITS_MAX < exact.adjusted() < DIGITS_MAX:
        return None
    exact = exact.copy_abs() if exact.is_zero() else exact  # Minus nothing is nothing.
    return exact if len(exact.as_tuple().digits) <= DIGITS_MAX else None


def _shortest(value: Any, scalar: float) -> str:
    """
    Return the shortest text of a float in its own precision.

    Of a narrow one the library's text: 12.9 of 32 bits, not 12.899999618530273. Of a Python float
    not its ``repr``, which a subclass may have changed.
    """
    own = _of_enum(value)
    told = float.__repr__(scalar)
    if isinstance(own, float):
        return told
    spelled = str(_trying(lambda: str(own), told))
    return spelled if _NUMBER.fullmatch(spelled) else told


def _by_float(value: Any) -> Decimal | None:
    """Return a number that only says how near it is: taken where its text is the same number."""
    near = None if _has_length(value) else _trying(lambda: float(value))
    if near is None or not math.isfinite(near):
        return None
    spelled = str(_trying(lambda: str(value), "")).strip()
    if not _NUMBER.fullmatch(spelled):
        return None
    exact = Decimal(spelled)
    return exact if math.isclose(float(exact), near, rel_tol=1e-6) else None


def _whole(value: Any) -> int | None:
    """Return the whole number that a value is, ``None`` if it is none, or not surely."""
    exact = _number(value)
    if exact is None or exact != exact.to_integral_value():
        return None
    if isinstance(plain(value), float) and exact.copy_abs() >= _exact_up_to(value):
        return None  # Its last digits are lost.
    return int(exact)


def _exact_up_to(value: Any) -> int:
    """Return below what a float of this width keeps every whole number."""
    own = _of_enum(value)
    if isinstance(own, float):
        return EXACT_IN_A_DOUBLE
    return EXACT_IN.get(_trying(lambda: own.dtype.itemsize), min(EXACT_IN.values()))


def _of_enum(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _dtype_kind(value: Any) -> Any:
    """Return the letter that array libraries have for a kind of scalar, ``None`` if there is none.

    A "M" is a day or a time, a "m" a length of time.
    """
    return _trying(lambda: value.dtype.kind)


def _trying(ask: Callable[[], Any], otherwise: Any = None) -> Any:
    """Return what a value says of itself; its code is not ours and may raise anything."""
    try:
        return ask()
    except Exception:  # It is the value's own code, not ours.
        return otherwise


def _has_length(value: Any) -> bool:
    """Return whether a value is several; an array without dimensions is one."""
    return not isinstance(value, str | bytes) and _trying(lambda: len(value)) is not None


def shown(value: Any) -> str:
    """Return a value as a message shows it: short, and without what cannot be printed."""
    try:
        text = repr(value)
    except Exception:  # It is somebody else's ``repr``; the message must come all the same.
        text = f"a {type(value).__name__}"
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 80 else f"{text[:77]}..."
