"""
What a client may look at: order book, history, trades.

Source: docs/wire/README.md, "Rows"; docs/wire/portfolio.md; docs/wire/README.md, "Decisions".
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from kavach.api.gateway.route import CLIENT, ORDER_ID, PREFIX, Query, Route
from kavach.api.gateway.view import View, check_owner
from kavach.api.http.call import AuthenticatedRequest, Reply, checked_key
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


def orders(view: View, request: AuthenticatedRequest) -> Reply:
    """
    Return the order book of a day, oldest first; a leg is a row.

    One order may be asked for instead, by the id of any leg, by its user order id, or by the
    idempotency key of the request that placed it, so that a client need not read the day's book
    to find its own. Of such an order every leg of the asked half is there, whatever its day.
    """
    asked = _asked(request)
    book = _book(asked.get("type"), "type")
    state = view.engine.state
    plan = order_rows(state, _orders(view, request.client_id, asked, book), _WANTED[book])
    reply = Reply(200, b"", listing=listing(plan, OrdersAnswer(Orders([]))))
    if _KEY.name in asked:  # Tells a client that this server knows keys, and looked for it.
        reply.more = ((headers.IDEMPOTENCY_KEY.lower().encode(), asked[_KEY.name].encode()),)
    return reply


def _orders(
    view: View, client_id: str, asked: dict[str, str], book: Book
) -> Callable[[], list[ParentOrder]]:
    """Return what finds the orders that the query is about, as often as it is called."""
    state = view.engine.state
    start_ns, end_ns = _day(asked, view)
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


def history(view: View, request: AuthenticatedRequest) -> Reply | Refusal:
    """Return the life of one leg, oldest step first."""
    _asked(request)
    order_id = read.order_id(request.path_id, "oms_order_id")
    state = view.engine.state
    found = state.leg(order_id)
    if found is None or found[0].client_id != request.client_id:
        return Refusal(Reason.ORDER_MUST_EXIST)
    parent, leg = found
    leg_view = LegView(parent, leg, view.engine.instruments[parent.instrument])
    empty: msgspec.Struct = HistoryAnswer([])
    if view.options.documented_history:
        empty = DocumentedHistory(NestedHistory([]))
    return Reply(200, b"", listing=listing(rows_of(each_history_row(leg_view)), empty))


def trades(view: View, request: AuthenticatedRequest) -> Reply:
    """Return the client's trades of a day, by order."""
    start_ns, end_ns = _day(_asked(request), view)
    state = view.engine.state
    parents = state.index.between(request.client_id, start_ns, end_ns)
    plan = trade_rows(state, parents, start_ns, end_ns)
    return Reply(200, b"", listing=listing(plan, TradesAnswer(Trades([]))))


def _day(asked: dict[str, str], view: View) -> tuple[int, int]:
    """Return when the day that is asked for begins and ends: today in India, if none is."""
    written = read.optional(read.text, asked.get("date"), "date")
    if written is None:
        end_ns = next_midnight_ns(view.engine.now_ns())
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


def _asked(request: AuthenticatedRequest) -> dict[str, str]:
    """Return the query pairs; raises ``Refused`` if they name another account."""
    pairs, _ = read_query(request.query)
    check_owner(request, read.optional(read.text, pairs.get("client_id"), "client_id"))
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
        show=orders,
        answer=OrdersAnswer,
        query=(_BOOK, _DAY, CLIENT, _ID, _OWN_ID, _KEY),
        headers=(headers.IDEMPOTENCY_KEY,),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/order/{{{ORDER_ID}}}/history",
        name="getOrderHistory",
        summary="The life of one leg, oldest step first.",
        show=history,
        answer=HistoryAnswer,
        query=(CLIENT,),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/trades",
        name="getTradeBook",
        summary="The trades of a day, by order.",
        show=trades,
        answer=TradesAnswer,
        query=(_DAY, CLIENT),
    ),
)
