"""
Five levels a side around a price: on tick, inside the band, in whole lots.

The spread is about a basis point of the previous close and at least a tick. Quantities are drawn
so that small ones are as frequent as large ones, up to a value of about half a million rupees: a
small order is met in parts, a large one moves the price. A level offers the larger of two draws.

All arithmetic is in whole pips, ticks and lots.
"""

from random import Random
from typing import Final

from kavach.instruments import Instrument
from kavach.units import PIPS_PER_RUPEE, Pips, Quantity

LEVELS: Final = 5
BASIS_POINTS: Final = 10_000
LEVEL_VALUE_PIPS: Final = 500_000 * PIPS_PER_RUPEE
LOT_BITS_MIN: Final = 4  # Even of a dear contract up to 8 lots are offered.

Side = list[tuple[Pips, Quantity]]


class Quoter:
    """How one instrument is quoted."""

    def __init__(self, instrument: Instrument, chance: Random) -> None:
        self._instrument = instrument
        self._chance = chance
        close, tick = instrument.previous_close_pips, instrument.tick_pips
        self._spread = max(tick, close // BASIS_POINTS // tick * tick)
        self._step = max(tick, self._spread // 2 // tick * tick)
        lot_value = close * instrument.lot * instrument.multiplier
        self._lot_bits = max(LOT_BITS_MIN, (LEVEL_VALUE_PIPS // lot_value).bit_length())

    def around(self, price_pips: int, low: int, high: int) -> tuple[Side, Side]:
        """Return bids and asks, best first; a level outside of ``low`` to ``high`` is left out."""
        step, tick = self._step, self._instrument.tick_pips
        bid = (price_pips - self._spread // 2) // tick * tick
        ask = bid + self._spread
        bids = [(Pips(p), self.quantity()) for p in range(bid, bid - LEVELS * step, -step)]
        asks = [(Pips(p), self.quantity()) for p in range(ask, ask + LEVELS * step, step)]
        return (
            [quote for quote in bids if low <= quote[0] <= high],
            [quote for quote in asks if low <= quote[0] <= high],
        )

    def quantity(self) -> Quantity:
        """Return what a level offers: whole lots, rather more than a stranger takes."""
        return max(self.small_quantity(), self.small_quantity())

    def small_quantity(self) -> Quantity:
        """Return what a stranger trades: whole lots, of any order of magnitude alike."""
        lots_max = 1 << int(self._chance.random() * self._lot_bits)
        return Quantity(self._instrument.lot * (1 + int(self._chance.random() * lots_max)))
