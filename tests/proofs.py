"""
What a trade proves of a change that nobody has answered, as the auditors see it.

Source: docs/spec/cover_order.md, "Silence".
"""

from kavach.core import events as e
from kavach.units import OrderType, Side

LIMITED = (OrderType.LIMIT, OrderType.SL)


def proves(
    side: Side, stood: tuple[OrderType, int, int], amend: e.OrderAmendSent, counted: int, price: int
) -> bool:
    """
    Return whether the order as it stood cannot have traded so, and the changed one can.

    ``stood`` is type, total and limit; ``counted`` what counts against its total with this trade.
    """
    asked = (amend.order_type, int(amend.quantity), int(amend.price_pips))
    return _can(side, asked, counted, price) and not _can(side, stood, counted, price)


def _can(side: Side, terms: tuple[OrderType, int, int], counted: int, price: int) -> bool:
    kind, total, limit = terms
    fits = kind not in LIMITED or (price <= limit if side is Side.BUY else price >= limit)
    return counted <= total and fits
