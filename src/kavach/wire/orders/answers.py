"""
Success envelopes, and what ``/orders/kart`` answers.

Placing answers with two nested ``data`` objects, modifying and cancelling with one; no answer
names an order, only the basket. Clients find the order by their own ``user_order_id``.

Source: docs/wire/README.md, "Numbers, words, blanks"; docs/wire/README.md, "Placing";
docs/wire/README.md, "Modifying"; docs/wire/README.md, "Cancelling and getting out";
docs/wire/README.md, "Decisions".
"""

from typing import Final, Generic, TypeVar

import msgspec

from kavach.wire.orders.rows import HistoryRow, OrderRow, PositionRow, TradeRow, TradingInfo

T = TypeVar("T")


class Success(msgspec.Struct, Generic[T], frozen=True):
    """The envelope of every success."""

    data: T
    message: str = ""
    status: str = "success"


class Basket(msgspec.Struct, frozen=True):
    """What a request about a conditional order gets: its basket, and a text."""

    basket_id: str
    message: str


class Nested(msgspec.Struct, frozen=True):
    """The second ``data`` of a place answer."""

    data: Basket


class Orders(msgspec.Struct, frozen=True):
    """The order book."""

    orders: list[OrderRow]


class Trades(msgspec.Struct, frozen=True):
    """The trade book."""

    trades: list[TradeRow]


class NestedHistory(msgspec.Struct, frozen=True, rename={"order_history": "order history"}):
    """An order's history as the documents print it, message and status inside ``data``."""

    order_history: list[HistoryRow]
    message: str = ""
    status: str = "success"


class DocumentedHistory(msgspec.Struct, frozen=True):
    """The envelope of an order's history with ``--documented-history``."""

    data: NestedHistory


class PlaceAnswer(Success[Nested], frozen=True):
    """The answer to POST."""


class BasketAnswer(Success[Basket], frozen=True):
    """The answer to PUT and DELETE."""


class OrdersAnswer(Success[Orders], frozen=True):
    """The answer to GET orders."""


class TradesAnswer(Success[Trades], frozen=True):
    """The answer to GET trades."""


class HistoryAnswer(Success[list[HistoryRow]], frozen=True):
    """The answer to GET history, as it is really served."""


class PositionsAnswer(Success[list[PositionRow]], frozen=True):
    """The answer to GET positions."""


class TradingInfoAnswer(Success[TradingInfo], frozen=True):
    """The answer to GET trading_info."""


PLACED: Final = "basket Order Placed Successfully"
MODIFIED: Final = "basket Order modified Successfully"
CANCELLED: Final = "Order Cancelled Successfully"
CANCEL_SUBMITTED: Final = "cancel request submitted"  # Outcome unknown: do not send it again.


def placed(basket_id: str) -> PlaceAnswer:
    """Return the answer to a placed cover order."""
    return PlaceAnswer(Nested(Basket(basket_id, PLACED)), "Order place successfully")


def modified(basket_id: str) -> BasketAnswer:
    """Return the answer to a modified cover order."""
    return BasketAnswer(Basket(basket_id, MODIFIED), "Order modified successfully")


def cancelled(basket_id: str, message: str = CANCELLED) -> BasketAnswer:
    """Return the answer to an accepted cancel or exit."""
    return BasketAnswer(Basket(basket_id, message))
