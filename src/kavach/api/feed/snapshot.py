"""
All rows of a client in one update, for a reader that can't be given what it has missed.

Rows are in the words of the updates. A client with more than ``COVERS_MAX`` orders is given the
living ones and the latest of the others, and told that this is not all.

Source: docs/wire/feeds.md, "Numbered updates".
"""

from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from kavach.api.feed.update_rows import order_update, trade_update
from kavach.api.legs import legs_of
from kavach.api.rows import position_row
from kavach.core.cover_order import CoverOrder
from kavach.core.state import OmsState
from kavach.instruments import Instrument
from kavach.wire.updates import Snapshot, ascii_json

COVERS_MAX: Final = 2_000


def snapshot(state: OmsState, client_id: str, last_price: Callable[[Instrument], int]) -> bytes:
    """Return the JSON of a client's rows as they are now."""
    covers = state.covers_of(client_id)
    complete = len(covers) <= COVERS_MAX
    if not complete:
        covers = _chosen(covers)
    orders: list[Any] = []
    trades: list[Any] = []
    for cover in covers:
        views = {view.leg: view for view in legs_of(cover, state.instruments)}
        orders += [order_update(view) for view in views.values()]
        filled = dict.fromkeys(views, 0)
        for trade in cover.trades or ():
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


def _chosen(covers: list[CoverOrder]) -> list[CoverOrder]:
    """Return so many orders, oldest first: the living before the latest of the others."""
    found = list(islice((c for c in reversed(covers) if c.ended is None), COVERS_MAX))
    if len(found) < COVERS_MAX:
        ended = (c for c in reversed(covers) if c.ended is not None)
        found += islice(ended, COVERS_MAX - len(found))
    return sorted(found, key=lambda cover: (cover.placed_at_ns, cover.cover_id))
