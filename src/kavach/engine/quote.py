"""
What everybody sees of one instrument: its day so far, and the best of its book.

Prices are pips, quantities shares or contracts, times nanoseconds.

Source: docs/wire/contracts.md; docs/wire/feeds.md.
"""

from typing import Final, Protocol

import msgspec

from kavach.units import InstrumentKey, Pips, Quantity, TimestampNs

EVERYTHING: Final = InstrumentKey("")  # Stands for all that is shown, when a phase changes.
Level = tuple[Pips, Quantity, int]  # Price, visible quantity, orders.


class Quote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An instrument at one moment; open, high and low are 0 until it has traded today."""

    last_price_pips: Pips  # Before the first trade the previous close.
    last_quantity: Quantity
    traded_at_ns: TimestampNs  # Of the last trade; 0 before the first.
    open_pips: Pips
    high_pips: Pips
    low_pips: Pips
    volume: Quantity
    value_pips: int  # The day's trades, price times quantity.
    previous_close_pips: Pips
    bids: list[Level]  # Best first.
    asks: list[Level]
    bid_total: Quantity  # Visible, of the whole side.
    ask_total: Quantity


class Quotes(Protocol):
    """Somebody who shows prices."""

    def quote(self, key: InstrumentKey, levels: int = 5) -> Quote:
        """Return an instrument as everybody sees it; ``KeyError`` for an unknown one."""
