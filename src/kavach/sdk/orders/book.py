"""
Reading: the order book, one cover order in it, history, trades, positions.

The documented order book comes in two halves. The living half is read first and the closed
half second, so that an order which closes in between is seen in at least one; seen in both,
the later reading counts.

Source: docs/wire/README.md, "Rows"; docs/wire/portfolio.md; docs/wire/README.md, "Decisions".
"""

from typing import Any, Final, Literal, SupportsIndex, get_args

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import BadArgument
from kavach.sdk.orders.cover import BracketOrder, CoverOrder, Leg
from kavach.sdk.requests.account import Account, own_client_id
from kavach.sdk.requests.answers import data_of, read_rows
from kavach.sdk.requests.plan import Plan, Request, Response, ask
from kavach.sdk.rows import HistoryEntry, Order, Position, R, Trade
from kavach.wire.headers import IDEMPOTENCY_KEY

Book = Literal["pending", "completed", "all"]
PositionKind = Literal["live", "historical"]

ORDERS: Final = "/api/v1/orders"
OrderLike = CoverOrder | Order | str | SupportsIndex  # Or the id of a leg.
KINDS: Final = frozenset({"CO", "BO"})  # Of orders that are several rows.
TARGETS: Final = frozenset({"SECOND", "TARGET"})


def orders(account: Account, book: Book = "all") -> Plan[list[Order]]:
    """Return the rows of the order book: those that live, those that are closed, or all."""
    params.one_of("book", book, get_args(Book))
    halves = ("pending", "completed") if book == "all" else (book,)
    found = yield from _halves(account, halves)
    return found


def trades(account: Account) -> Plan[list[Trade]]:
    """Return the day's trades."""
    found = yield from _rows(account, Trade, "/api/v1/trades", "trades")
    return found


def positions(account: Account, kind: PositionKind = "live") -> Plan[list[Position]]:
    """Return the day's positions, or with ``historical`` those carried over as well."""
    params.one_of("kind", kind, get_args(PositionKind))
    found = yield from _rows(account, Position, "/api/v1/positions", "positions", type=kind)
    return found


def order_history(account: Account, order: OrderLike) -> Plan[list[HistoryEntry]]:
    """Return the life of one order, oldest step first; of a cover order, its entry's."""
    named = id_of(order)
    path = f"/api/v1/order/{params.path_piece('order', named)}/history"
    found = yield from _rows(account, HistoryEntry, path, "order history")
    return found


def cover_order(account: Account, order: OrderLike) -> Plan[CoverOrder]:
    """
    Return a cover order as the order book shows it now.

    ``order`` is an earlier look at it, a row of either leg, or the id of either leg. Raises
    ``BadArgument`` when the order book has no such cover order.
    """
    named = id_of(order)
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
    found = yield from rows_of(account, oms_order_id, user_order_id)
    rows = [row for row in found if row.execution_type.upper() in KINDS]
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


def rows_of(account: Account, oms_order_id: str = "", user_order_id: str = "") -> Plan[list[Order]]:
    """
    Return the rows of one order, by the id of a leg or by its user order id.

    The server is asked for that order alone. One that knows no such question answers with the whole
    book, so whoever asks has to look for the ids all the same.
    """
    asked = {"oms_order_id": oms_order_id} if oms_order_id else {"user_order_id": user_order_id}
    found = yield from _halves(account, ("pending", "completed"), **asked)
    return found


def _halves(account: Account, halves: tuple[str, ...], **asked: str) -> Plan[list[Order]]:
    """Return the rows of these halves of the book; of one seen twice, the later reading."""
    rows: dict[str, Order] = {}
    for half in halves:
        found = yield from _rows(account, Order, ORDERS, "orders", type=half, **asked)
        rows.update((row.oms_order_id, row) for row in found)
    return list(rows.values())


def id_of(order: Any) -> str:
    """Return the order's id; of a cover order, its entry's."""
    if isinstance(order, (CoverOrder, Order)):
        return order.oms_order_id
    return params.identifier("order", order)


def _rows(account: Account, kind: type[R], path: str, key: str, **query: str) -> Plan[list[R]]:
    """Return the rows of one answer."""
    client_id = yield from own_client_id(account)
    request = Request(method="GET", path=path, query={**query, "client_id": client_id})
    response = yield from ask(request)
    return _listed(request, response, kind, key, data_of(request, response))


def _listed(request: Request, response: Response, kind: type[R], key: str, data: Any) -> list[R]:
    """Return the rows in the data of an answer; they are the data itself or one of its keys."""
    rows = data.get(key) if isinstance(data, dict) else data
    return read_rows(request, response, kind, [] if data in (None, {}) else rows)


def must_be_new(account: Account, user_order_id: str, key: str | None) -> Plan[None]:
    """
    Raise ``BadArgument`` if an order in the book has this user order id already.

    Unless this is the request that placed it, asked again under its ``key``, and the server knows
    the key: then it gives the first answer again.
    """
    rows = yield from rows_of(account, user_order_id=user_order_id)
    taken = next((row for row in rows if row.user_order_id == user_order_id), None)
    if taken is None:
        return
    if key is not None:
        client_id = yield from own_client_id(account)
        query = {"type": "all", "user_order_id": user_order_id, "idempotency_key": key}
        request = Request(method="GET", path=ORDERS, query=query | {"client_id": client_id})
        response = yield from ask(request)
        again = _listed(request, response, Order, "orders", data_of(request, response))
        if again and response.header(IDEMPOTENCY_KEY) == key:
            return
    raise BadArgument(
        f"user_order_id: {user_order_id} is taken by order {taken.oms_order_id}; leave it out for "
        "another order, or look at that one by its id"
    )
