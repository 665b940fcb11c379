"""
What of INV-25 the auditor checks at an instant: figures that two parts of the program hold.

Of an instrument: the last price by which orders are watched, positions are valued and margins are
asked for, and the one that the exchange shows in quotes and on the feed. Of a leg: what its row
says has filled, and what the last line of its history says.

Prices are pips.

Source: docs/spec/cover_order.md (INV-25).
"""

from collections.abc import Iterator, Mapping

from kavach.core.commands import Leg
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.leg_row import leg_row
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.exchange.snapshot import Snapshot
from kavach.instruments import Listing
from kavach.twin.audit_seen import Violation
from kavach.units import InstrumentKey


def check_last_prices(
    exchange: Snapshot, prices: Mapping[InstrumentKey, int], listing: Listing
) -> Iterator[Violation]:
    """Yield where the last price that the core goes by is not the one that the exchange shows.

    Whoever has heard of no trade goes by the previous close.
    """
    shown = {ticker.instrument: int(ticker.last_price_pips) for ticker in exchange.tickers}
    for key in sorted(shown.keys() | prices.keys()):
        close = listing[key].previous_close_pips
        here, there = prices.get(key) or close, shown.get(key, close)
        if here != there:
            detail = f"the last price of {key} is {here} pips, the exchange shows {there}"
            yield Violation("INV-25", 0, detail)


def check_fills_told(parent: ParentOrder) -> Iterator[Violation]:
    """Yield where the row of a leg has another fill than the last line of its history."""
    if parent.contradicted:
        return  # The venue has said what cannot be; that has an alarm of its own.
    legs = parent.legs if isinstance(parent, CoverOrder) else (Leg.ENTRY,)
    for leg in legs:
        lines = [line for line in parent.changes or () if line.leg is leg]
        told = lines[-1].filled_quantity if lines else 0
        filled = leg_row(parent, leg).filled_quantity
        if told != filled:
            detail = f"the row of {leg} says {filled} filled, its history {told}"
            yield Violation("INV-25", parent.order_id, detail)
