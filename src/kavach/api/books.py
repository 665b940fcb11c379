"""
What a client may look at: order book, history, trades.

Source: wire 1.4, 1.5, Decisions 11 to 14.
"""

from enum import StrEnum
from typing import Final

from kavach.api import rows
from kavach.api.call import Call, Reply, encode
from kavach.api.edge import Edge, check_owner
from kavach.api.history import history_rows
from kavach.api.legs import LegView, legs_of
from kavach.api.route import CLIENT, ORDER_ID, PREFIX, Query, Route
from kavach.core.refusals import Reason, Refusal
from kavach.wire import fields as read
from kavach.wire.answers import (
    DocumentedHistory,
    HistoryAnswer,
    NestedHistory,
    Orders,
    OrdersAnswer,
    Trades,
    TradesAnswer,
)
from kavach.wire.query import read_query
from kavach.wire.rows import OrderRow
from kavach.wire.statuses import is_completed


class Book(StrEnum):
    """Which rows of the order book are asked for."""

    PENDING = "pending"
    COMPLETED = "completed"
    ALL = "all"


_book: Final = read.word(Book)


def orders(edge: Edge, call: Call) -> Reply:
    """Return the order book, oldest first; a leg is a row."""
    asked = _asked(call)
    book = _book(asked.get("type"), "type")
    backend = edge.backend
    found: list[OrderRow] = []
    for parent in backend.state.orders_of(call.client_id):
        for view in legs_of(parent, backend.instruments):
            if book is Book.ALL or is_completed(view.status) is (book is Book.COMPLETED):
                found.append(rows.order_row(view))
    return Reply(200, encode(OrdersAnswer(Orders(found))))


def history(edge: Edge, call: Call) -> Reply:
    """Return the life of one leg, oldest step first."""
    _asked(call)
    order_id = read.order_id(call.path_id, "oms_order_id")
    state = edge.backend.state
    found = state.leg(order_id)
    if found is None or found[0].client_id != call.client_id:
        return edge.refusal(Refusal(Reason.ORDER_MUST_EXIST))
    parent, leg = found
    view = LegView(parent, leg, edge.backend.instruments[parent.instrument])
    steps = history_rows(view)
    if edge.options.documented_history:
        return Reply(200, encode(DocumentedHistory(NestedHistory(steps))))
    return Reply(200, encode(HistoryAnswer(steps)))


def trades(edge: Edge, call: Call) -> Reply:
    """Return every trade of the client, by order."""
    _asked(call)
    backend = edge.backend
    found = [
        row
        for parent in backend.state.orders_of(call.client_id)
        for row in rows.trade_rows(parent, backend.instruments)
    ]
    return Reply(200, encode(TradesAnswer(Trades(found))))


def _asked(call: Call) -> dict[str, str]:
    """Return the query pairs; raises ``Refused`` if they name another account."""
    pairs, _ = read_query(call.query)
    check_owner(call, read.optional(read.text, pairs.get("client_id"), "client_id"))
    return pairs


_BOOK: Final = Query(name="type", description="Which rows.", words=tuple(Book), required=True)

ROUTES: Final = (
    Route(
        method="GET",
        path=f"{PREFIX}/orders",
        name="getOrders",
        summary="The order book; a leg is a row.",
        handler=orders,
        answer=OrdersAnswer,
        query=(_BOOK, CLIENT),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/order/{{{ORDER_ID}}}/history",
        name="getOrderHistory",
        summary="The life of one leg, oldest step first.",
        handler=history,
        answer=HistoryAnswer,
        query=(CLIENT,),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/trades",
        name="getTradeBook",
        summary="Every trade, by cover order.",
        handler=trades,
        answer=TradesAnswer,
        query=(CLIENT,),
    ),
)
