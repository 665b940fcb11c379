"""
What a member says to the exchange, and what the exchange says back.

Requests are imperative, events past. An event is all that happened to one *client's* order, or
to the market as everybody sees it; it holds whatever is needed to build the same book again.
House orders are anonymous and ephemeral: they appear here only as the other half of a trade.

``order_ref`` is the member's own number for an order, given back unchanged. ``priority`` is the
order's place in time: lower is earlier, never given out twice. Prices are pips, quantities
shares or contracts, times nanoseconds.

Source: docs/spec/exchange.md.
"""

from enum import StrEnum

import msgspec

from kavach.units import (
    Exchange,
    InstrumentKey,
    OrderType,
    Phase,
    Pips,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)


class SelfTrade(StrEnum):
    """What an incoming order wishes when it meets an order of its own account."""

    CANCEL_ACTIVE = "cancel_active"  # The rest of the incoming order goes.
    CANCEL_PASSIVE = "cancel_passive"  # The resting order goes.


class Removal(StrEnum):
    """Why an order left the book with something still to trade."""

    CANCELLED = "cancelled"  # Its owner asked.
    REMOVED = "removed"  # The exchange did it on its own: a self-trade, a linked order's trade.
    EXPIRED = "expired"  # Its session or auction ended, or it was the rest of an IOC.


class NewOrder(msgspec.Struct, frozen=True, array_like=True):
    """Enter an order; prices that the type does not have are 0."""

    order_ref: int
    account: str
    instrument: InstrumentKey
    side: Side
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity  # 0: all of it is shown.
    price_pips: Pips
    trigger_price_pips: Pips
    validity: Validity
    self_trade: SelfTrade
    group: int = 0  # Orders of one account, instrument, side and link share a quantity; 0: none.


class AmendOrder(msgspec.Struct, frozen=True, array_like=True):
    """Replace these values of a live order."""

    exchange_order_id: str
    order_type: OrderType
    quantity: Quantity  # The new total, what it and the orders linked to it have traded included.
    disclosed_quantity: Quantity
    price_pips: Pips
    trigger_price_pips: Pips


class CancelOrder(msgspec.Struct, frozen=True, array_like=True):
    """Take a live order out of the book."""

    exchange_order_id: str


class Event(msgspec.Struct, frozen=True, tag_field="event", tag=True, array_like=True):
    """Anything that happened to a client's order or to the market."""


class Accepted(Event, frozen=True):
    """The order is in the book, or waits for its trigger, or trades in what follows."""

    exchange_order_id: str
    priority: int
    order: NewOrder

    @property
    def order_ref(self) -> int:
        """The member's number of the order."""
        return self.order.order_ref


class Rejected(Event, frozen=True):
    """The order is not taken; the book is as it was."""

    order_ref: int
    code: int
    reason: str


class Amended(Event, frozen=True):
    """The order now has these values and this place in time."""

    order_ref: int
    exchange_order_id: str
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity
    price_pips: Pips
    trigger_price_pips: Pips
    priority: int


class AmendRejected(Event, frozen=True):
    """The change is not made; ``order_ref`` is 0 when no such order lives."""

    order_ref: int
    exchange_order_id: str
    code: int
    reason: str


class CancelRejected(Event, frozen=True):
    """Nothing is cancelled, because no such order lives; ``order_ref`` is 0."""

    order_ref: int
    exchange_order_id: str
    code: int
    reason: str


class Triggered(Event, frozen=True):
    """A waiting stop has become a limit order (SL) or a market order (SLM)."""

    order_ref: int
    exchange_order_id: str
    priority: int


class Traded(Event, frozen=True):
    """A trade of one client's order; both halves carry the same ``trade_id``."""

    order_ref: int
    exchange_order_id: str
    trade_id: str
    quantity: Quantity
    price_pips: Pips
    active: bool  # Whether this order came to the other one; in an auction's match both are.
    priority: int  # Its place afterwards: a new one when an iceberg shows its next part.
    at_ns: TimestampNs


class Priced(Event, frozen=True):
    """What a market order could not trade rests as a limit order at this price."""

    order_ref: int
    exchange_order_id: str
    price_pips: Pips
    priority: int


class Removed(Event, frozen=True):
    """The order is out of the book, having traded ``filled_quantity`` in all."""

    order_ref: int
    exchange_order_id: str
    filled_quantity: Quantity
    why: Removal
    code: int  # 0 where nothing is wrong: the owner's cancel, the end of the session.
    reason: str


class Printed(Event, frozen=True):
    """A trade that touches no client's order."""

    instrument: InstrumentKey
    price_pips: Pips
    quantity: Quantity
    at_ns: TimestampNs


class PhaseChanged(Event, frozen=True):
    """A session is in this phase; the first one after ``CLOSED`` begins a new day's statistics."""

    exchange: Exchange
    phase: Phase
    at_ns: TimestampNs
    session: str = ""  # One of the exchange's; empty: all of them.


class Referenced(Event, frozen=True):
    """The reference price of the closing auction, around which its band lies, is this."""

    instrument: InstrumentKey
    price_pips: Pips


class Matched(Event, frozen=True):
    """An auction has ended: so much traded at its one price; with quantity 0 nothing did."""

    instrument: InstrumentKey
    price_pips: Pips
    quantity: Quantity
    at_ns: TimestampNs


class DayNoted(Printed, frozen=True):
    """The last of many trades that touched no client's order, and where they left the day."""

    open_pips: Pips
    high_pips: Pips
    low_pips: Pips
    volume: Quantity
    value_pips: int


ExchangeEvent = (
    Accepted
    | Rejected
    | Amended
    | AmendRejected
    | CancelRejected
    | Triggered
    | Traded
    | Priced
    | Removed
    | Printed
    | PhaseChanged
    | DayNoted
    | Referenced
    | Matched
)
