"""
What a client may look at: order book, history, trades.

Source: wire 1.4, 1.5, Decisions 11 to 14.
"""

from enum import StrEnum
from typing import Final

from kavach.api import rows
from kavach.api.call import Call, Reply, checked_key, encode
from kavach.api.edge import Edge, check_owner
from kavach.api.history import history_rows
from kavach.api.legs import LegView, legs_of
from kavach.api.route import CLIENT, ORDER_ID, PREFIX, Query, Route
from kavach.core.parent_order import ParentOrder
from kavach.core.refusals import Reason, Refusal
from kavach.wire import fields as read
from kavach.wire import headers
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
    """
    Return the order book, oldest first; a leg is a row.

    One order may be asked for instead, by the id of any leg, by its user order id, or by the
    idempotency key of the request that placed it, so that a client need not read the day's book
    to find its own. Of such an order every leg of the asked half is there.
    """
    asked = _asked(call)
    book = _book(asked.get("type"), "type")
    backend = edge.backend
    found: list[OrderRow] = []
    for parent in _chosen(edge, call.client_id, asked):
        for view in legs_of(parent, backend.instruments):
            if book is Book.ALL or is_completed(view.status) is (book is Book.COMPLETED):
                found.append(rows.order_row(view))
    reply = Reply(200, encode(OrdersAnswer(Orders(found))))
    if _KEY.name in asked:  # Tells a client that this server knows keys, and looked for it.
        reply.more = ((headers.IDEMPOTENCY_KEY.lower().encode(), asked[_KEY.name].encode()),)
    return reply


def _chosen(edge: Edge, client_id: str, asked: dict[str, str]) -> list[ParentOrder]:
    """Return the client's orders that the query names; all of them if it names none."""
    state = edge.backend.state
    order_id = read.optional(read.order_id, asked.get(_ID.name), _ID.name)
    user_order_id = read.optional(read.integer, asked.get(_OWN_ID.name), _OWN_ID.name)
    if _KEY.name in asked:
        answer = state.answers.get((client_id, checked_key(asked[_KEY.name], _KEY.name)))
        of_key = answer.order_id if answer is not None else read.NOBODYS_ORDER
        if order_id not in (None, of_key):
            return []
        order_id = of_key
    if order_id is None:
        orders = state.orders_of(client_id)
        if user_order_id is None:
            return orders
    else:
        named = state.leg(order_id)
        orders = [named[0]] if named is not None and named[0].client_id == client_id else []
    return [one for one in orders if user_order_id in (None, one.user_order_id)]


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

_ID: Final = Query(name="oms_order_id", description="Only the order that has a leg of this id.")
_OWN_ID: Final = Query(
    name="user_order_id", description="Only orders with this id of the client's."
)
_KEY: Final = Query(
    name="idempotency_key", description="Only the order placed under this key, which comes back."
)

ROUTES: Final = (
    Route(
        method="GET",
        path=f"{PREFIX}/orders",
        name="getOrders",
        summary="The order book; a leg is a row.",
        handler=orders,
        answer=OrdersAnswer,
        query=(_BOOK, CLIENT, _ID, _OWN_ID, _KEY),
        headers=(headers.IDEMPOTENCY_KEY,),
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
