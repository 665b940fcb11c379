"""
A holding: shares that a client owns outright, delivered or on their way to the depository.

Shares bought for delivery come in when their day ends, as *T1* shares, and are free when the next
trading day has ended. Both kinds can be sold: a sale leaves when its day ends, and by then they
have arrived.

Quantities are shares, values pips times shares.

Source: docs/wire/portfolio.md, "Holdings".
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from kavach.core.commands import Shares
from kavach.units import InstrumentKey

# Of one instrument: far more than any account, and far from where a snapshot's integers end.
QUANTITY_MAX: Final = 10**9
VALUE_MAX: Final = 10**18


class Holding(msgspec.Struct, array_like=True):
    """What a client owns of one instrument."""

    instrument: InstrumentKey
    free_quantity: int = 0
    t1_quantity: int = 0
    cost_value: int = 0  # What all of it was bought for.

    @property
    def quantity(self) -> int:
        """All of it."""
        return self.free_quantity + self.t1_quantity

    def take_in(self, quantity: int, cost_value: int) -> None:
        """Let shares be on their way in."""
        self.t1_quantity += quantity
        self.cost_value += cost_value

    def give_out(self, quantity: int) -> None:
        """Let free shares leave at their average cost; what was on its way in has arrived."""
        assert 0 <= quantity <= self.free_quantity, f"{self.instrument}: {quantity} are not there"
        if quantity == 0:
            return
        self.cost_value -= self.cost_value * quantity // self.quantity
        self.free_quantity -= quantity

    def deliver(self) -> None:
        """Move the shares that were on their way in to the free ones."""
        self.free_quantity += self.t1_quantity
        self.t1_quantity = 0


def fit(held: Iterable[Holding], given: Iterable[Shares]) -> bool:
    """Return whether an account that holds these can own those, too."""
    owned = {holding.instrument: (holding.quantity, holding.cost_value) for holding in held}
    for shares in given:
        quantity, value = owned.get(shares.instrument, (0, 0))
        quantity += shares.quantity
        value += shares.quantity * shares.price_pips
        if quantity > QUANTITY_MAX or value > VALUE_MAX:
            return False
        owned[shares.instrument] = quantity, value
    return True
