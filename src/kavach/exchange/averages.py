"""
The trades of the last quarter of an hour, in sums of half a minute: what average prices need.

Sums live in memory only: they are no part of a snapshot, and after a restart they begin anew.
Prices are pips, times nanoseconds.

Source: docs/spec/exchange.md, "Auctions", "Protection".
"""

from collections import deque
from typing import Final

from kavach.units import NS_PER_SECOND, Pips

SPAN_NS: Final = 30 * NS_PER_SECOND
SPANS: Final = 30


class Averages:
    """Sums of price and quantity by half a minute."""

    __slots__ = ("_spans",)

    def __init__(self) -> None:
        # Number, value, quantity, sum of prices, trades.
        self._spans: deque[list[int]] = deque(maxlen=SPANS + 1)

    def see(self, price: int, quantity: int, at_ns: int) -> None:
        """Count a trade."""
        number = at_ns // SPAN_NS
        spans = self._spans
        if spans and spans[-1][0] >= number:
            last = spans[-1]
            last[1] += price * quantity
            last[2] += quantity
            last[3] += price
            last[4] += 1
        else:
            spans.append([number, price * quantity, quantity, price, 1])

    def before(self, at_ns: int) -> int:
        """Return the mean price of the last half minute that is over and had a trade; 0: none."""
        number = at_ns // SPAN_NS
        for span in reversed(self._spans):
            if span[0] < number:
                return span[3] // span[4]
        return 0

    def weighted(self, tick_pips: int, at_ns: int) -> Pips:
        """Return the volume-weighted price of the last quarter of an hour on tick; 0: no trade."""
        first = at_ns // SPAN_NS - SPANS
        recent = [span for span in self._spans if span[0] >= first]
        quantity = sum(span[2] for span in recent)
        if not quantity:
            return Pips(0)
        value = sum(span[1] for span in recent)
        return Pips((2 * value + quantity * tick_pips) // (2 * quantity * tick_pips) * tick_pips)
