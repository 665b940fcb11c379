"""
A regular order: what a client wants bought or sold, once, and nothing that protects it.

Carried out by one order at the venue. An after-market order (AMO) is the same, parked until the
session opens. The state is derived from the facts, never stored; only why it ended is.

Quantities are shares, prices pips.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/wire/README.md, "Rows".
"""

from typing import ClassVar, Final

from kavach.core.model.money.position import NOTHING, Open
from kavach.core.model.orders.life import Life
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.tables import NEW, OPEN, PARKED, SENT, RegularState

SQUARE_OFF: Final = "SQUARE_OFF"  # The device in the rows of the system's own orders; for people.


class RegularOrder(ParentOrder, array_like=True, gc=False):
    """Everything the core knows of one regular order."""

    sliced: ClassVar[bool] = False  # The exchange refuses what is above its freeze quantity.

    amo: bool = False  # It came while it could not be sent, and its rows say so for ever.
    parked: bool = False
    counted: Open = NOTHING  # What it could still trade, as its position counts it.
    ended: RegularState | None = None
    by_system: bool = False  # No word of a client's decides this.

    @property
    def squares_off(self) -> bool:
        """Whether the system itself gives back a position with it."""
        return self.by_system

    @property
    def over(self) -> bool:
        """Whether the order has ended."""
        return self.ended is not None

    @property
    def state(self) -> RegularState:
        """Where the order stands, read off its facts."""
        if self.ended is not None:
            return self.ended
        if self.parked:
            return PARKED
        if not self.entries:
            return NEW
        for order in self.entries:
            if order.life is not Life.SENT:
                return OPEN
        return SENT

    def check(self) -> None:
        """Assert what must hold of every regular order after every event."""
        assert not self.exits, f"{self.order_id}: a regular order with an exit"
        filled = 0
        for order in self.entries:
            filled += order.filled_quantity
        assert filled == self.entry_filled, f"{self.order_id}: fills do not add up (INV-11)"
        if self.parked:
            assert not self.entries, f"{self.order_id}: parked and sent"
        if self.ended is not None:
            assert self.entry_dead or not self.entries, f"{self.order_id}: ended alive (INV-4)"
