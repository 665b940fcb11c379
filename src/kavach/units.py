"""
What every room must agree on: units of money, quantity and time, and the words of trading.

A price is an integer count of *pips*, 1/10 000 rupee: the finest tick of any listed
instrument (0.0025 rupee, currency derivatives) is 25 pips, so no price is ever rounded.
Cash is an integer count of paise. Time is nanoseconds of the Unix epoch. Quantities are
shares or contracts, never lots. Rupees as floats exist only in ``kavach.wire``.

Source: docs/wire/README.md, "Numbers, words, blanks".
"""

from enum import StrEnum
from typing import Final, NewType

Pips = NewType("Pips", int)
Paise = NewType("Paise", int)
Quantity = NewType("Quantity", int)
TimestampNs = NewType("TimestampNs", int)
InstrumentKey = NewType("InstrumentKey", str)  # "NSE:14366": exchange and token.

PIPS_PER_RUPEE: Final = 10_000
PIPS_PER_PAISA: Final = 100
NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
IST_OFFSET_SECONDS: Final = 19_800  # India has one time zone and no daylight saving.


class Exchange(StrEnum):
    """A segment of an exchange, as the API names it."""

    NSE = "NSE"
    BSE = "BSE"
    NFO = "NFO"
    BFO = "BFO"
    MCX = "MCX"
    CDS = "CDS"


class Phase(StrEnum):
    """
    What a session does with orders; behind each, the value of FIX TradingSessionSubID (625).

    In an auction orders rest until they are matched at one price.
    """

    OPEN = "open"  # 3, continuous trading.
    CLOSED = "closed"  # 5, post-trading: no order lives.
    PRE_OPEN = "pre_open"  # 2, opening auction: limit and market orders.
    PRE_OPEN_LIMIT = "pre_open_limit"  # 2: limit orders only; market orders stay as they are.
    BUFFER = "buffer"  # 7, quiescent: after an auction's match, before the next phase.
    CLOSING_REFERENCE = "closing_reference"  # 7: the reference price of the auction is computed.
    CLOSING_AUCTION = "closing_auction"  # 4, closing auction: limit and market orders.
    CLOSING_AUCTION_LIMIT = "closing_auction_limit"  # 4: limit orders only.
    POST_CLOSE = "post_close"  # 5, post-trading: orders trade at the closing price.


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """How an order is priced: SL is a stop with a limit, SLM a stop without one."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    SL = "SL"
    SLM = "SLM"


class Validity(StrEnum):
    """How long an unfilled order lives."""

    DAY = "DAY"
    IOC = "IOC"


class Product(StrEnum):
    """What happens to the position at the end of the day."""

    CNC = "CNC"
    MIS = "MIS"
    NRML = "NRML"
    MTF = "MTF"


def opposite(side: Side) -> Side:
    """Return the other side."""
    return Side.SELL if side is Side.BUY else Side.BUY


def instrument_key(exchange: Exchange, token: int) -> InstrumentKey:
    """Return the key under which every room knows an instrument."""
    return InstrumentKey(f"{exchange.value}:{token}")


def rupees_text(pips: int) -> str:
    """Return a price, 0 or more, as decimal text in rupees: two decimals at least."""
    rupees, rest = divmod(pips, PIPS_PER_RUPEE)
    decimals = f"{rest:04d}".rstrip("0").ljust(2, "0")
    return f"{rupees}.{decimals}"


def percent_text(hundredths: int) -> str:
    """Return hundredths of a percent, 0 or more, as decimal text in percent: 2.5, 10."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def cash_text(paise: int) -> str:
    """Return cash, negative or not, as text in rupees with two decimals: -13.05."""
    sign = "-" if paise < 0 else ""
    rupees, rest = divmod(abs(paise), 100)
    return f"{sign}{rupees}.{rest:02d}"
