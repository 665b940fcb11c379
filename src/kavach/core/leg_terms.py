"""
What the row of a leg shows of its terms: quantities and prices, summed over its orders.

Quantities are shares, prices pips.

Source: wire 3.1, Decision 11; ``api.legs``.
"""

from typing import Final, NamedTuple

from kavach.core.commands import Leg
from kavach.core.cover_order import CoverOrder
from kavach.core.order_life import CLOSED
from kavach.core.parent_order import ParentOrder
from kavach.instruments import Instrument
from kavach.units import OrderType

_STOPS: Final = frozenset({OrderType.SL, OrderType.SLM})
_UNPRICED: Final = frozenset({OrderType.MARKET, OrderType.SLM})


class LegTerms(NamedTuple):
    """What a row shows."""

    order_type: OrderType
    quantity: int
    filled_quantity: int
    remaining_quantity: int
    price_pips: int
    trigger_price_pips: int


def leg_terms(parent: ParentOrder, leg: Leg, instrument: Instrument) -> LegTerms:
    """Return the terms that a leg's row shows now."""
    orders = parent.orders_of(leg)
    speaker = next(
        (one for one in orders if one.life not in CLOSED), orders[-1] if orders else None
    )
    if leg is Leg.ENTRY:
        total = sum(one.quantity for one in orders) if orders else parent.quantity
        order_type, price, trigger = parent.order_type, parent.price_pips, parent.trigger_price_pips
        if speaker is not None:
            price = 0 if order_type in _UNPRICED else speaker.price_pips
            trigger = speaker.trigger_price_pips if order_type in _STOPS else 0
        filled = parent.entry_filled
        return LegTerms(order_type, total, filled, total - filled, price, trigger)
    assert isinstance(parent, CoverOrder), f"{parent.order_id} has no {leg}"
    filled = (
        sum(one.filled_quantity for one in orders) if parent.is_bracket else parent.exits_filled
    )
    if speaker is not None:
        prices = speaker.order_type, speaker.price_pips, speaker.trigger_price_pips
    elif leg is Leg.SECOND:
        prices = OrderType.LIMIT, parent.target_price_pips, 0
    else:
        kind = OrderType.SLM if instrument.slm_allowed else OrderType.SL
        prices = kind, 0, parent.stop_price_pips
    return LegTerms(prices[0], parent.entry_filled, filled, parent.position, *prices[1:])
