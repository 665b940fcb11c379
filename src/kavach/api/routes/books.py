"""
What a client may look at: order book, history, trades.

Source: docs/wire/README.md, "Rows"; docs/wire/portfolio.md; docs/wire/README.md, "Decisions".
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from kavach.api.gateway.gateway import Edge, check_owner
from kavach.api.gateway.route import CLIENT, ORDER_ID, PREFIX, Query, Route
from kavach.api.http.call import Call, Reply, checked_key
from kavach.api.http.listing import listing, rows_of
from kavach.api.rows.history import each_history_row
from kavach.api.rows.kept_rows import order_rows, trade_rows
from kavach.api.rows.legs import LegView
from kavach.core.day import DAY_NS, IST_NS, next_midnight_ns
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.state import OmsState
from kavach.core.refusals import Reason, Refusal
from kavach.wire import fields as read
from kavach.wire import headers
from kavach.wire.errors import BadField
from kavach.wire.orders.answers import (
    DocumentedHistory,
    HistoryAnswer,
    NestedHistory,
    Orders,
    OrdersAnswer,
    Trades,
    TradesAnswer,
)
from kavach.wire.query import read_query


class Book(StrEnum):
    """Which rows of the order book are asked for."""

    PENDING = "pending"
    COMPLETED = "completed"
    ALL = "all"


_book: Final = read.word(Book)
_WANTED: Final = {
    Book.PENDING: frozenset({False}),
    Book.COMPLETED: frozenset({True}),
    Book.ALL: frozenset({False, True}),
}


def orders(edge: Edge, call: Call) -> Reply:
    """
    Return the order book of a day, oldest first; a leg is a row.

    One order may be asked for instead, by the id of any leg, by its user order id, or by the
    idempotency key of the request that placed it, so that a client need not read the day's book
    to find its own. Of such an order every leg of the asked half is there, whatever its day.
    """
    asked = _asked(call)
    book = _book(asked.get("type"), "type")
    state = edge.backend.state
    plan = order_rows(state, _orders(edge, call.client_id, asked, book), _WANTED[book])
    reply = Reply(200, b"", listing=listing(plan, OrdersAnswer(Orders([]))))
    if _KEY.name in asked:  # Tells a client that this server knows keys, and looked for it.
        reply.more = ((headers.IDEMPOTENCY_KEY.lower().encode(), asked[_KEY.name].encode()),)
    return reply


def _orders(
    edge: Edge, client_id: str, asked: dict[str, str], book: Book
) -> Callable[[], list[ParentOrder]]:
    """Return what finds the orders that the query is about, as often as it is called."""
    state = edge.backend.state
    start_ns, end_ns = _day(asked, edge)
    named = _named(state, client_id, asked)
    if named is not None:
        return lambda: named
    if book is Book.PENDING and _DAY.name not in asked:
        return lambda: state.living_of(client_id)
    return lambda: state.index.between(client_id, start_ns, end_ns)


def _named(state: OmsState, client_id: str, asked: dict[str, str]) -> list[ParentOrder] | None:
    """Return the client's orders that the query names; None if it names none."""
    order_id = read.optional(read.order_id, asked.get(_ID.name), _ID.name)
    user_order_id = read.optional(read.integer, asked.get(_OWN_ID.name), _OWN_ID.name)
    if _KEY.name in asked:
        answer = state.answers.get((client_id, checked_key(asked[_KEY.name], _KEY.name)))
        of_key = answer.order_id if answer is not None else read.NOBODYS_ORDER
        if order_id not in (None, of_key):
            return []
        order_id = of_key
    if order_id is None:
        return None if user_order_id is None else state.index.called(client_id, user_order_id)
    found = state.leg(order_id)
    if found is None or found[0].client_id != client_id:
        return []
    return [found[0]] if user_order_id in (None, found[0].user_order_id) else []


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
    empty: msgspec.Struct = HistoryAnswer([])
    if edge.options.documented_history:
        empty = DocumentedHistory(NestedHistory([]))
    return Reply(200, b"", listing=listing(rows_of(each_history_row(view)), empty))


def trades(edge: Edge, call: Call) -> Reply:
    """Return the client's trades of a day, by order."""
    start_ns, end_ns = _day(_asked(call), edge)
    state = edge.backend.state
    parents = state.index.between(call.client_id, start_ns, end_ns)
    plan = trade_rows(state, parents, start_ns, end_ns)
    return Reply(200, b"", listing=listing(plan, TradesAnswer(Trades([]))))


def _day(asked: dict[str, str], edge: Edge) -> tuple[int, int]:
    """Return when the day that is asked for begins and ends: today in India, if none is."""
    written = read.optional(read.text, asked.get("date"), "date")
    if written is None:
        end_ns = next_midnight_ns(edge.backend.now_ns())
        return end_ns - DAY_NS, end_ns
    hint = "a day is written YYYY-MM-DD"
    try:
        days = date.fromisoformat(written) - date(1970, 1, 1)
    except ValueError:
        raise BadField("date", hint=hint) from None
    if len(written) != len("YYYY-MM-DD"):
        raise BadField("date", hint=hint)
    start_ns = days.days * DAY_NS - IST_NS
    return start_ns, start_ns + DAY_NS


def _asked(call: Call) -> dict[str, str]:
    """Return the query pairs; raises ``Refused`` if they name another account."""
    pairs, _ = read_query(call.query)
    check_owner(call, read.optional(read.text, pairs.get("client_id"), "client_id"))
    return pairs


_BOOK: Final = Query(name="type", description="Which rows.", words=tuple(Book), required=True)
_DAY: Final = Query(name="date", description="Of which day, YYYY-MM-DD; today's without it.")

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
        summary="The order book of a day; a leg is a row.",
        handler=orders,
        answer=OrdersAnswer,
        query=(_BOOK, _DAY, CLIENT, _ID, _OWN_ID, _KEY),
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
        summary="The trades of a day, by order.",
        handler=trades,
        answer=TradesAnswer,
        query=(_DAY, CLIENT),
    ),
)
