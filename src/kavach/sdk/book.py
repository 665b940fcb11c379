"""
Reading: the order book, one cover order in it, history, trades, positions.

The documented order book comes in two halves. The living half is read first and the closed
half second, so that an order which closes in between is seen in at least one; seen in both,
the later reading counts.

Source: wire 1.4, 1.5, 2.5; Decisions 13 and 14.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from kavach.sdk import given
from kavach.sdk.account import Account, own_client_id
from kavach.sdk.answers import data_of, unreadable
from kavach.sdk.cover import BracketOrder, CoverOrder, Leg
from kavach.sdk.errors import BadArgument
from kavach.sdk.plan import Plan, Request, Response, ask
from kavach.sdk.rows import HistoryEntry, Order, Position, R, Trade, read_row
from kavach.sdk.watching import Sighting, watch_for

Book = Literal["pending", "completed", "all"]
PositionKind = Literal["live", "historical"]

ORDERS: Final = "/api/v1/orders"
KINDS: Final = frozenset({"CO", "BO"})  # Of orders that are several rows.
TARGETS: Final = frozenset({"SECOND", "TARGET"})


def orders(account: Account, book: Book = "all") -> Plan[list[Order]]:
    """Return the rows of the order book: those that live, those that are closed, or all."""
    if book not in ("pending", "completed", "all"):
        raise BadArgument(f"book: {book!r} is none of pending, completed, all")
    halves = ("pending", "completed") if book == "all" else (book,)
    rows: dict[str, Order] = {}
    for half in halves:
        found = yield from _rows(account, Order, ORDERS, "orders", type=half)
        rows.update((row.oms_order_id, row) for row in found)
    return list(rows.values())


def trades(account: Account) -> Plan[list[Trade]]:
    """Return the day's trades."""
    found = yield from _rows(account, Trade, "/api/v1/trades", "trades")
    return found


def positions(account: Account, kind: PositionKind = "live") -> Plan[list[Position]]:
    """Return the day's positions, or with ``historical`` those carried over as well."""
    if kind not in ("live", "historical"):
        raise BadArgument(f"kind: {kind!r} is none of live, historical")
    found = yield from _rows(account, Position, "/api/v1/positions", "positions", type=kind)
    return found


def order_history(account: Account, order: CoverOrder | Order | str) -> Plan[list[HistoryEntry]]:
    """Return the life of one order, oldest step first; of a cover order, its entry's."""
    named = _id_of(order)
    path = f"/api/v1/order/{given.path_piece('order', named)}/history"
    found = yield from _rows(account, HistoryEntry, path, "order history")
    return found


def cover_order(account: Account, order: CoverOrder | Order | str) -> Plan[CoverOrder]:
    """
    Return a cover order as the order book shows it now.

    ``order`` is an earlier look at it, a row of either leg, or the id of either leg. Raises
    ``BadArgument`` when the order book has no such cover order.
    """
    named = _id_of(order)
    if isinstance(order, CoverOrder):
        found = yield from look(account, order.user_order_id, named)
    else:
        found = yield from look(account, "", named)
    if found is None:
        raise BadArgument(f"order: the order book has no cover order with a leg {named!r}")
    if isinstance(order, CoverOrder):
        return msgspec.structs.replace(found, basket_id=order.basket_id)
    return found


def look(account: Account, user_order_id: str, oms_order_id: str) -> Plan[CoverOrder | None]:
    """
    Return the cover or bracket order with this user order id, one of whose legs has this id.

    Either may be empty. ``None`` when there is none, or when several could be meant.
    """
    rows = [row for row in (yield from orders(account)) if row.execution_type.upper() in KINDS]
    named = next((row for row in rows if row.oms_order_id == oms_order_id), None)
    if named is not None:
        user_order_id = named.user_order_id
    if not user_order_id:
        return None
    family = [row for row in rows if row.user_order_id == user_order_id]
    entries = [row for row in family if row.leg_order_indicator.upper() == Leg.ENTRY]
    chosen = [row for row in entries if row is named] or entries
    if len(chosen) != 1:
        return None
    shared = len(entries) > 1
    exits = [] if shared else [row for row in family if row not in entries]
    stops = tuple(row for row in exits if row.leg_order_indicator.upper() not in TARGETS)
    if chosen[0].execution_type.upper() != "BO":
        return CoverOrder(entry=chosen[0], stops=stops, shares_user_order_id=shared)
    return BracketOrder(
        entry=chosen[0],
        stops=stops,
        targets=tuple(row for row in exits if row not in stops),
        shares_user_order_id=shared,
    )


def watch(
    account: Account,
    user_order_id: str,
    oms_order_id: str,
    is_settled: Callable[[CoverOrder], bool],
    seconds: float,
) -> Plan[Sighting[CoverOrder]]:
    """Return how the cover order looks once it is as hoped, or when the time is over."""
    return watch_for(lambda: look(account, user_order_id, oms_order_id), is_settled, seconds)


def _id_of(order: Any) -> str:
    """Return the order's id; of a cover order, its entry's."""
    if isinstance(order, (CoverOrder, Order)):
        return order.oms_order_id
    if not isinstance(order, str) or not order:
        raise BadArgument(f"order: {order!r} is neither an order nor the id of one")
    return order


def _rows(account: Account, kind: type[R], path: str, key: str, **query: str) -> Plan[list[R]]:
    """Return the rows of one answer; they are the data itself or one of its keys."""
    client_id = yield from own_client_id(account)
    request = Request(method="GET", path=path, query={**query, "client_id": client_id})
    response = yield from ask(request)
    data = data_of(request, response)
    rows = data.get(key) if isinstance(data, dict) else data
    if data in (None, {}):
        rows = []
    return read_rows(request, response, kind, rows)


def read_one(request: Request, response: Response, kind: type[R], row: Any) -> R:
    """Return one row as ``kind``."""
    try:
        return read_row(kind, row)
    except msgspec.ValidationError as error:
        unreadable(request, response, f"it cannot be read: {error}")


def must_be_new(account: Account, user_order_id: str) -> Plan[None]:
    """Raise ``BadArgument`` if an order in the book has this user order id already."""
    for row in (yield from orders(account)):
        if row.user_order_id == user_order_id:
            raise BadArgument(
                f"user_order_id: {user_order_id} is taken by order {row.oms_order_id}; leave it "
                "out, or pass the idempotency_key of the earlier request to get its order again"
            )


def read_rows(request: Request, response: Response, kind: type[R], rows: Any) -> list[R]:
    """Return a list of rows, each as ``kind``."""
    if not isinstance(rows, list):
        unreadable(request, response, "its data holds no list of rows")
    try:
        return [read_row(kind, row) for row in rows]
    except msgspec.ValidationError as error:
        unreadable(request, response, f"a row cannot be read: {error}")
