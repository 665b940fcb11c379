"""
All rows of a client in one update, for a reader that can't be given what it has missed.

Rows are in the words of the updates. A client with more than ``ORDERS_MAX`` orders is given the
living ones and the latest of the others, and told that this is not all.

Source: docs/wire/feeds.md, "Numbered updates".
"""

from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from kavach.api.feed.update_rows import order_update, trade_update
from kavach.api.legs import legs_of
from kavach.api.rows import position_row
from kavach.core.parent_order import ParentOrder
from kavach.core.state import OmsState
from kavach.instruments import Instrument
from kavach.wire.updates import Snapshot, ascii_json

ORDERS_MAX: Final = 2_000


def snapshot(state: OmsState, client_id: str, last_price: Callable[[Instrument], int]) -> bytes:
    """Return the JSON of a client's rows as they are now."""
    parents = state.orders_of(client_id)
    complete = len(parents) <= ORDERS_MAX
    if not complete:
        parents = _chosen(parents)
    orders: list[Any] = []
    trades: list[Any] = []
    for parent in parents:
        views = {view.leg: view for view in legs_of(parent, state.instruments)}
        orders += [order_update(view) for view in views.values()]
        filled = dict.fromkeys(views, 0)
        for trade in parent.trades or ():
            filled[trade.leg] += trade.quantity
            view = views[trade.leg]
            left = max(0, view.quantity - filled[trade.leg])
            trades.append(trade_update(view, trade, filled[trade.leg], left))
    client = state.clients[client_id]
    positions = [
        position_row(client, position, instrument, last_price(instrument))
        for position in client.positions
        for instrument in (state.instruments[position.instrument],)
    ]
    return ascii_json(
        Snapshot(complete=complete, orders=orders, trades=trades, positions=positions)
    )


def _chosen(parents: list[ParentOrder]) -> list[ParentOrder]:
    """Return so many orders, oldest first: the living before the latest of the others."""
    found = list(islice((one for one in reversed(parents) if not one.over), ORDERS_MAX))
    if len(found) < ORDERS_MAX:
        ended = (one for one in reversed(parents) if one.over)
        found += islice(ended, ORDERS_MAX - len(found))
    return sorted(found, key=lambda one: (one.placed_at_ns, one.order_id))
