"""
A holding: shares that a client owns outright, delivered or on their way to the depository.

Shares bought for delivery come in when their day ends, as *T1* shares, and are free when the next
trading day has ended. Both kinds can be sold; free ones leave first.

Quantities are shares, values pips times shares.

Source: wire 1.5 (holdings).
"""

import msgspec

from kavach.units import InstrumentKey


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
