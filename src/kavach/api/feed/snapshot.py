"""
All rows of a client in one update, for a reader that can't be given what it has missed.

Rows are in the words of the updates. A client with more than ``ORDERS_MAX`` orders is given the
living ones and the latest of the others, and told that this is not all; so is one with an order of
more than ``TRADES_MAX`` trades, of which the latest are told.

Source: docs/wire/feeds.md, "Numbered updates".
"""

from collections.abc import Callable, Generator
from itertools import islice
from typing import Final

from kavach.api.feed.update_rows import order_update, trade_update
from kavach.api.http.listing import ROWS_PER_STEP, Steps
from kavach.api.rows.kept_rows import ROUNDS_MAX, Made, made_of
from kavach.api.rows.legs import legs_of
from kavach.api.rows.order_rows import position_row
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.state import OmsState
from kavach.instruments import Instrument
from kavach.wire.feed.updates import Snapshot, ascii_json

ORDERS_MAX: Final = 2_000
TRADES_MAX: Final = 1_000  # Of one order, the latest.


def snapshot(
    state: OmsState, client_id: str, last_price: Callable[[Instrument], int]
) -> Generator[int, None, bytes]:
    """Word a client's rows step by step, and return the JSON of them as they are at the end.

    What it yields is the weight of its next step; see ``kavach.api.http.listing``.
    """
    steps = Steps()
    for _ in range(ROUNDS_MAX):
        missing = [one for one in _chosen(state, client_id)[0] if _kept(state, one) is None]
        if len(missing) <= ROWS_PER_STEP // 2:
            break
        for parent in missing:
            if _kept(state, parent) is None:
                _told(state, parent)
                if steps.worded(1 + min(len(parent.trades or ()), TRADES_MAX)):
                    yield 1
    parents, complete = _chosen(state, client_id)
    told = [_kept(state, parent) or _told(state, parent) for parent in parents]
    complete = complete and all(len(one.trades or ()) <= TRADES_MAX for one in parents)
    client = state.clients[client_id]
    positions = [
        position_row(client, position, instrument, last_price(instrument))
        for position in client.positions
        for instrument in (state.instruments[position.instrument],)
    ]
    shell = ascii_json(Snapshot(complete=complete, orders=[], trades=[], positions=positions))
    head, _, rest = shell.partition(b"[]")
    between, _, tail = rest.partition(b"[]")
    orders = b",".join(of_orders for of_orders, _ in told)
    trades = b",".join(of_trades for _, of_trades in told if of_trades)
    return b"".join((head, b"[", orders, b"]", between, b"[", trades, b"]", tail))


def _kept(state: OmsState, parent: ParentOrder) -> tuple[bytes, bytes] | None:
    made: Made | None = state.derived.get(parent.order_id)
    return None if made is None else made.told


def _told(state: OmsState, parent: ParentOrder) -> tuple[bytes, bytes]:
    """Word the rows of an order and of its latest trades, comma between them, and keep them."""
    views = {view.leg: view for view in legs_of(parent, state.instruments)}
    filled = dict.fromkeys(views, 0)
    every = parent.trades or []
    for trade in every[:-TRADES_MAX]:
        filled[trade.leg] += trade.quantity
    trades = []
    for trade in every[-TRADES_MAX:]:
        filled[trade.leg] += trade.quantity
        view = views[trade.leg]
        left = max(0, view.quantity - filled[trade.leg])
        trades.append(ascii_json(trade_update(view, trade, filled[trade.leg], left)))
    orders = [ascii_json(order_update(view)) for view in views.values()]
    told = b",".join(orders), b",".join(trades)
    made_of(state, parent).told = told
    return told


def _chosen(state: OmsState, client_id: str) -> tuple[list[ParentOrder], bool]:
    """Return the orders that are told, oldest first, and whether that is all.

    Where there are too many, it is the open ones before the latest of the others.
    """
    every = state.orders_of(client_id)
    if len(every) <= ORDERS_MAX:
        return every, True
    found = state.living_of(client_id)[-ORDERS_MAX:]
    if len(found) < ORDERS_MAX:
        ended = (one for one in reversed(every) if one.over)
        found += islice(ended, ORDERS_MAX - len(found))
    return sorted(found, key=lambda one: (one.placed_at_ns, one.order_id)), False
