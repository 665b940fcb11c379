"""
What everybody sees of one instrument, in rupees, as the control room tells it.

``low`` and ``high`` are the day's price band, both ends inclusive. A level is price, visible
quantity, number of orders; the best level comes first.

Source: docs/twin.md (the market).
"""

from typing import Any

from kavach.exchange.exchange import DepthLevel, Exchange
from kavach.instruments import Instrument
from kavach.wire.money import number


def market_view(exchange: Exchange, instrument: Instrument) -> dict[str, Any]:
    """Return last price, five levels a side, session phase and band of an instrument."""
    bids, asks = exchange.depth(instrument.key)
    return {
        "last_price": number(exchange.last_price_pips(instrument.key)),
        "bids": [_level(level) for level in bids],
        "asks": [_level(level) for level in asks],
        "phase": exchange.phase(instrument.session).value,
        "low": number(instrument.band_low_pips),
        "high": number(instrument.band_high_pips),
    }


def _level(level: DepthLevel) -> list[Any]:
    price_pips, quantity, orders = level
    return [number(price_pips), quantity, orders]
