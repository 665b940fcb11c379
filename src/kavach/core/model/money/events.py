"""
What happens to money and shares beside trades: conversions, gifts, and the end of a day.

Each is kept in the state's ledger as well, with its place among the trades, so that a reader can
add an account up anew.

Source: docs/wire/portfolio.md.
"""

import msgspec

from kavach.core.events import Event
from kavach.units import Exchange, InstrumentKey, Pips, Product, Quantity, Side


class PositionConverted(Event, frozen=True):
    """What regular orders hold of a position is in another product from now on.

    Today's trades move first, at their average, then what was carried in, at its price.
    """

    client_id: str
    instrument: InstrumentKey
    product: Product
    new_product: Product
    side: Side  # BUY: of a long position.
    quantity: Quantity  # Of today's trades.
    value: int
    carried_quantity: Quantity
    carried_value: int


class HoldingGranted(Event, frozen=True):
    """A client owns shares that were not bought here."""

    client_id: str
    instrument: InstrumentKey
    quantity: Quantity
    price_pips: Pips  # What one share was bought for.


class DaySettled(Event, frozen=True):
    """A trading day of an exchange is over and its accounts are settled at these prices."""

    exchange: Exchange
    day: int  # YYYYMMDD in India.
    closes: tuple[tuple[InstrumentKey, Pips], ...]  # Of every instrument that is held there.


class IntradayCarried(Event, frozen=True):
    """An intraday position of regular orders was left at the end of the day: an alarm."""

    client_id: str
    instrument: InstrumentKey
    quantity: int  # Negative when short.


MoneyEvent = PositionConverted | HoldingGranted | DaySettled | IntradayCarried


class LedgerLine(msgspec.Struct, frozen=True, array_like=True):
    """One of them, and how many events had happened before it."""

    serial: int
    event: PositionConverted | HoldingGranted | DaySettled
