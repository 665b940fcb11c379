"""
What goes with an order by the rules of the house: its market protection and an algorithm's tag.

A client may say how far through the last price a market order may reach. Some rules demand it, and
a tag that names the algorithm behind the order: the registered one of the client, or the generic
one. Both are facts of the order, so every request about it can carry them to the exchange.

Source: docs/wire/README.md, "Decisions"; docs/wire/limits.md.
"""

from typing import Final, Protocol

from kavach.core.model.limits.events import OrderMarked
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.rules.context import StepContext
from kavach.units import OrderType


class Protects(Protocol):
    """A change that may bring another protection; None: leave as it is."""

    @property
    def protection_bp(self) -> int | None:
        """Hundredths of a percent."""


_UNPRICED: Final = frozenset({OrderType.MARKET, OrderType.SLM})


def lacks_protection(context: StepContext, order_type: OrderType, protection_bp: int) -> bool:
    """Return whether the rules want a market protection with this order, and it has none."""
    if order_type not in _UNPRICED or protection_bp:
        return False
    return context.state.limits.rules.protects_market_orders


def mark(context: StepContext, parent: ParentOrder, protection_bp: int) -> None:
    """Let protection and tag go with a new order, if there are any."""
    algo_tag = context.state.limits.algo_tag(parent.client_id) if context.state.limited else ""
    if protection_bp or algo_tag:
        context.emit(OrderMarked(parent.order_id, protection_bp, algo_tag))


def protection_after(parent: ParentOrder, command: Protects) -> int:
    """Return the protection that a changed order would have."""
    given = command.protection_bp
    return parent.protection_bp if given is None else given


def protect_anew(context: StepContext, parent: ParentOrder, protection_bp: int | None) -> None:
    """Let another protection go with an order, if one is given."""
    if protection_bp is not None and protection_bp != parent.protection_bp:
        context.emit(OrderMarked(parent.order_id, protection_bp, parent.algo_tag))
