"""
Every route of the trading API in one table: what is served, and what OpenAPI tells of it.

Source: wire 1.1.
"""

from dataclasses import dataclass
from typing import Any, Final

from kavach.api import books, kart
from kavach.api.edge import Handler
from kavach.wire import answers
from kavach.wire.requests import CancelRequest, ModifyRequest, PlaceRequest

PREFIX: Final = "/api/v1"
KART: Final = f"{PREFIX}/orders/kart"
ORDER_ID: Final = "oms_order_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query parameter."""

    name: str
    description: str
    words: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    answer: Any  # The message type of a success.
    request: type | None = None
    query: tuple[Query, ...] = ()

    @property
    def has_id(self) -> bool:
        """Whether the path holds an order id."""
        return "{" in self.path

    @property
    def repeatable(self) -> bool:
        """Whether ``Idempotency-Key`` means something here."""
        return self.request is not None


_CLIENT: Final = Query(name="client_id", description="The account; must be the token's own.")
_BOOK: Final = Query(name="type", description="Which rows.", words=tuple(books.Book), required=True)
_SPAN: Final = Query(
    name="type", description="Day-wise or net.", words=tuple(books.Span), required=True
)

ROUTES: Final = (
    Route(
        method="POST",
        path=KART,
        name="placeConditionalOrder",
        summary="Enter a position together with its protective stop.",
        handler=kart.place,
        request=PlaceRequest,
        answer=answers.PlaceAnswer,
    ),
    Route(
        method="PUT",
        path=KART,
        name="modifyConditionalOrder",
        summary="Change the living entry, or the stop.",
        handler=kart.modify,
        request=ModifyRequest,
        answer=answers.BasketAnswer,
    ),
    Route(
        method="DELETE",
        path=f"{KART}/{{{ORDER_ID}}}",
        name="cancelConditionalOrder",
        summary="Cancel what has not traded of the entry (ENTRY), or get out (THIRD).",
        handler=kart.cancel,
        request=CancelRequest,
        answer=answers.BasketAnswer,
    ),
    Route(
        method="DELETE",
        path=KART,
        name="cancelConditionalOrderById",
        summary="The same, the order id in the parameters alone.",
        handler=kart.cancel,
        request=CancelRequest,
        answer=answers.BasketAnswer,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/orders",
        name="getOrders",
        summary="The order book; a leg is a row.",
        handler=books.orders,
        answer=answers.OrdersAnswer,
        query=(_BOOK, _CLIENT),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/order/{{{ORDER_ID}}}/history",
        name="getOrderHistory",
        summary="The life of one leg, oldest step first.",
        handler=books.history,
        answer=answers.HistoryAnswer,
        query=(_CLIENT,),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/trades",
        name="getTradeBook",
        summary="Every trade, by cover order.",
        handler=books.trades,
        answer=answers.TradesAnswer,
        query=(_CLIENT,),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/positions",
        name="getPositions",
        summary="What is held of each instrument in each product.",
        handler=books.positions,
        answer=answers.PositionsAnswer,
        query=(_SPAN, _CLIENT),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/user/trading_info",
        name="getTradingInfo",
        summary="Whose access token this is.",
        handler=books.trading_info,
        answer=answers.TradingInfoAnswer,
        query=(_CLIENT,),
    ),
)
