"""
Rows as a client reads them: typed, prices as ``Decimal``, forgiving about what is missing.

The names are those of ``kavach.wire.orders.rows``, so that the API's documentation applies (a test
holds them equal). A reader has to be more lenient than that writer: servers of this family
leave keys out, send ``null`` or ``{}`` for "no value" and disagree on whether an id is text; a
missing value gets the default below, a key that is not named here is passed over.

Units: rupees; shares or contracts; Unix seconds for times.

Source: docs/wire/README.md, "Rows"; docs/wire/login.md, "Profile, trading_info, logout".
"""

from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from kavach.wire.orders.statuses import OrderStatus

R = TypeVar("R")

NOTHING: Final = Decimal(0)
TRADED: Final = frozenset({OrderStatus.COMPLETE.value, "FILLED", "BRACKET_ORDER_COMPLETE_TRADE"})
CANCELLED: Final = frozenset(
    {
        OrderStatus.CANCEL_CONFIRMED.value,
        "CANCELLED",
        "BATCH_CANCEL_CONFIRMED",
        "AMO_CANCEL_CONFIRMED",
        "BRACKET_ORDER_CANCELLED",
    }
)
REJECTED: Final = frozenset({OrderStatus.REJECTED.value, "BRACKET_ORDER_REJECTED"})
CLOSED: Final = TRADED | CANCELLED | REJECTED
ON_ITS_WAY: Final = frozenset({OrderStatus.PENDING.value, "AMO_REQ_RECEIVED"})
CONDITIONAL: Final = frozenset({"CO", "BO", "SPD"})  # Execution types of ``/orders/kart``.

_TEXT_IDS: Final = ("oms_order_id", "exchange_order_id", "user_order_id", "order_id")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the order book: one leg of a cover order, or a plain order."""

    oms_order_id: str
    order_status: str
    client_id: str = ""
    exchange_order_id: str = ""  # Empty until the exchange has acknowledged.
    user_order_id: str = ""
    execution_type: str = ""
    leg_order_indicator: str = ""
    exchange: str = ""
    instrument_token: int = 0
    trading_symbol: str = ""
    order_side: str = ""
    order_type: str = ""
    product: str = ""
    validity: str = ""
    mode: str = ""
    quantity: int = 0
    filled_quantity: int = 0
    remaining_quantity: int = 0
    disclosed_quantity: int = 0
    price: Decimal = NOTHING
    trigger_price: Decimal = NOTHING
    average_price: Decimal = NOTHING  # Of what has traded.
    stop_loss_value: Decimal = NOTHING
    square_off_value: Decimal = NOTHING
    trailing_stop_loss: Decimal = NOTHING
    is_trailing: bool = False
    order_tag: str = ""
    market_protection_percentage: Decimal = NOTHING  # 0: the instrument's own.
    rejection_code: int = 0
    rejection_reason: str = ""
    order_entry_time: int = 0
    exchange_time: int = 0
    last_activity_reference: int = 0

    def __repr__(self) -> str:
        """Return what matters of it, in a line."""
        return f"<Order {self.oms_order_id} {self.summary}>"

    @property
    def summary(self) -> str:
        """What it is and how far it has come, in a few words."""
        at = [f"at {self.price:f}"] if self.price else []
        at += [f"trigger {self.trigger_price:f}"] if self.trigger_price else []
        words = (
            self.leg_order_indicator,
            self.order_side,
            f"{self.quantity_traded}/{self.quantity}",
            _place(self),
            self.order_type,
            *at,
            self.product,
            self.order_status,
        )
        return " ".join(filter(None, words))

    @property
    def is_closed(self) -> bool:
        """Whether the order can trade no more; a status nobody knows counts as alive."""
        return self.order_status in CLOSED

    @property
    def is_cancelled(self) -> bool:
        """Whether the order was cancelled, in whole or after a part had traded."""
        return self.order_status in CANCELLED

    @property
    def is_rejected(self) -> bool:
        """Whether the order was refused by risk management or the exchange."""
        return self.order_status in REJECTED

    @property
    def is_working(self) -> bool:
        """Whether the order stands at the exchange: it lives, and is not only on its way there."""
        return not self.is_closed and self.order_status not in ON_ITS_WAY

    @property
    def open_quantity(self) -> int:
        """How much is left to trade; servers that do not say so have it in the other two."""
        return self.remaining_quantity or max(0, self.quantity - self.filled_quantity)

    @property
    def quantity_traded(self) -> int:
        """How much has traded; all of it when the status says so."""
        return self.quantity if self.order_status in TRADED else self.filled_quantity


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """A contract that a search found."""

    exchange: str
    token: int
    trading_symbol: str = ""
    symbol: str = ""
    company: str = ""
    display_name: str = ""
    segment: str = ""
    isin: str = ""
    expiry: str = ""
    score: Decimal = NOTHING
    close_price: Decimal = NOTHING
    is_tradable: bool = True

    def __repr__(self) -> str:
        """Return its name, token and company, in a line."""
        words = (f"{self.exchange}:{self.trading_symbol}", str(self.token), self.company)
        return f"<Contract {' '.join(filter(None, words))}>"


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One trade of one order."""

    trade_number: str
    oms_order_id: str
    exchange_order_id: str = ""
    client_id: str = ""
    exchange: str = ""
    instrument_token: int = 0
    trading_symbol: str = ""
    order_side: str = ""
    order_type: str = ""
    product: str = ""
    trade_price: Decimal = NOTHING
    trade_quantity: int = 0
    trade_time: int = 0

    def __repr__(self) -> str:
        """Return what matters of it, in a line."""
        what = f"{self.order_side} {self.trade_quantity} {_place(self)} at {self.trade_price:f}"
        return f"<Trade {self.trade_number} of {self.oms_order_id} {what}>"


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """One step in the life of an order."""

    status: str
    order_id: str = ""
    client_order_id: str = ""
    exchange_order_id: str = ""
    order_side: str = ""
    order_type: str = ""
    product: str = ""
    symbol: str = ""
    price: Decimal = NOTHING
    trigger_price: Decimal = NOTHING
    avg_price: Decimal = NOTHING
    quantity: int = 0
    fill_quantity: int = 0
    remaining_quantity: int = 0
    reject_reason: str = ""
    exchange_time: int = 0
    last_modified: int = 0  # Unix nanoseconds.


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What is held, or owed, of one instrument in one product."""

    exchange: str
    instrument_token: int
    trading_symbol: str = ""
    symbol: str = ""
    client_id: str = ""
    product: str = ""
    net_quantity: int = 0
    buy_quantity: int = 0
    sell_quantity: int = 0
    average_buy_price: Decimal = NOTHING
    average_sell_price: Decimal = NOTHING
    average_price: Decimal = NOTHING
    buy_amount: Decimal = NOTHING
    sell_amount: Decimal = NOTHING
    net_amount: Decimal = NOTHING
    realized_mtm: Decimal = NOTHING
    ltp: Decimal = NOTHING
    multiplier: Decimal = Decimal(1)

    def __repr__(self) -> str:
        """Return what matters of it, in a line."""
        at = f" at {self.average_price:f}" if self.net_quantity else ""
        gain = f"realized {self.realized_mtm:f}, last {self.ltp:f}"
        return f"<Position {_place(self)} {self.product} net {self.net_quantity}{at}, {gain}>"


class TradingInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Whose token this is, and what they may trade."""

    client_id: str
    name: str = ""
    status: str = ""
    email_id: str = ""
    exchanges_subscribed: list[str] = []
    products_enabled: list[str] = []


def _place(row: Order | Trade | Position) -> str:
    """Return where it trades what, as a method takes it."""
    return f"{row.exchange}:{row.trading_symbol or row.instrument_token}"


def spelled(value: Any) -> str:
    """Return a row's value as text that can be compared: 13, 13.0 and "13.00" are one."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def read_row(kind: type[R], row: Any) -> R:
    """
    Return ``row`` as ``kind``.

    Raises ``msgspec.ValidationError`` naming the key that is missing or of a wrong type.
    """
    if not isinstance(row, dict):
        raise msgspec.ValidationError(f"a row is {type(row).__name__}, not an object")
    present = {key: value for key, value in row.items() if value is not None and value != {}}
    for key in _TEXT_IDS:
        if isinstance(present.get(key), int):
            present[key] = str(present[key])
    return msgspec.convert(present, kind, strict=False)
