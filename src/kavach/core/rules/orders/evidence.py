"""
Whether a trade proves a change that the venue has not confirmed.

An answer may be late, or lost, while the order trades on. A trade that the order as it was
confirmed could not have made, and the changed one could, proves as much as the answer: the change
is in force. A trade that either could have made proves nothing; then the question to the venue
decides.

    more than the confirmed total, and no more than the new one
    above the confirmed limit of a buyer (below, of a seller), and not beyond the new one

Quantities are shares, prices pips.

Source: docs/spec/cover_order.md (silence); docs/decisions/0019.
"""

from typing import Final

from kavach.core.events import OrderAmendSent, OrderTraded
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.units import OrderType, Side

_LIMITED: Final = frozenset({OrderType.LIMIT, OrderType.SL})


def proves_change(order: VenueOrder, amend: OrderAmendSent | None, trade: OrderTraded) -> bool:
    """Return whether only the order that an unanswered change makes of it can have traded so."""
    if amend is None:
        return False
    counted = order.filled_quantity + order.linked_filled + trade.quantity
    price = trade.price_pips
    if counted > amend.quantity or not _within(
        order.side, amend.order_type, amend.price_pips, price
    ):
        return False  # The changed order could not either.
    too_many = counted > order.quantity
    return too_many or not _within(order.side, order.order_type, order.price_pips, price)


def _within(side: Side, order_type: OrderType, limit_pips: int, price_pips: int) -> bool:
    """Return whether an order of this type and limit may trade at this price."""
    if order_type not in _LIMITED:
        return True
    return price_pips <= limit_pips if side is Side.BUY else price_pips >= limit_pips
