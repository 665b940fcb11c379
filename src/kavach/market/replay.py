"""
A day that really was, played again: one instrument follows the minutes of a file.

Theory. Of a minute only four prices are known, so it is played as the path open, high, low,
close, in even steps of five seconds: what the minute reached is reached. At each step the house
quotes around the price, which fills who rests in its way, and a trade is printed at it, which
moves the last price and fires stops. In an auction it quotes alone. Every row lasts a minute,
whatever lies between two of them; after the last one the quotes stand.

A file whose prices fit the instrument's band is played as it is. Another (an index of years ago)
is played in proportion, so that its first price is the instrument's previous close. What would
still leave the band stays at its edge.

Prices are pips on tick, times nanoseconds.

Source: docs/twin.md (replay).
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from kavach.engine.engine import Engine
from kavach.exchange.phases import COLLECTING
from kavach.instruments import Instrument
from kavach.market.candles import Candle
from kavach.market.port import LiquidityVenue
from kavach.market.quotes import Quoter
from kavach.units import NS_PER_SECOND, Phase, Pips, TimestampNs

STEP_NS: Final = 5 * NS_PER_SECOND
STEPS: Final = 4  # From one known price to the next; three ways and a pause are a minute.


def path(candle: Candle) -> Iterator[int]:
    """Return a minute's prices, twelve of them: open, to high, to low, to close."""
    yield candle.open
    for begin, end, steps in (
        (candle.open, candle.high, STEPS),
        (candle.high, candle.low, STEPS),
        (candle.low, candle.close, STEPS - 1),
    ):
        for step in range(1, steps + 1):
            yield begin + (end - begin) * step // steps


class ReplayMarket:
    """A time source of the engine that plays a file's minutes in one instrument."""

    def __init__(
        self,
        engine: Engine,
        venue: LiquidityVenue,
        instrument: Instrument,
        candles: Sequence[Candle],
        seed: int,
    ) -> None:
        assert candles, "a replay has something to play"
        self._engine = engine
        self._venue = venue
        self._instrument = instrument
        self._quoter = Quoter(instrument, Random(f"{seed} {instrument.key}"))
        low = min(candle.low for candle in candles)
        high = max(candle.high for candle in candles)
        fits = instrument.band_low_pips <= low and high <= instrument.band_high_pips
        self._reference = instrument.previous_close_pips if fits else candles[0].open
        self._prices = (price for candle in candles for price in path(candle))
        self._next: int | None = next(self._prices)
        self._due_ns = engine.now_ns()

    def next_due_ns(self) -> int | None:
        """Return when the price moves next; None after the end of the file."""
        return None if self._next is None else self._due_ns

    def fire(self, at_ns: int) -> None:
        """Move the price by every step that is due."""
        while self._next is not None and self._due_ns <= at_ns:
            self._move(self._on_tick(self._next), at_ns)
            self._next = next(self._prices, None)
            self._due_ns += STEP_NS

    def _on_tick(self, price_pips: int) -> int:
        """Return a price of the file as the instrument trades it."""
        instrument = self._instrument
        tick = instrument.tick_pips
        scaled = price_pips * instrument.previous_close_pips // self._reference
        return min(max(scaled // tick * tick, instrument.band_low_pips), instrument.band_high_pips)

    def _move(self, price_pips: int, at_ns: int) -> None:
        key, venue = self._instrument.key, self._venue
        exchange = venue.exchange
        phase = exchange.phase(self._instrument.session)
        if phase not in COLLECTING and phase is not Phase.OPEN:
            return
        bids, asks = self._quoter.around(price_pips, *exchange.price_band(key))
        quantity = self._quoter.small_quantity()
        # In steps of their own, so that what the quotes fill is protected before a stop fires.
        self._engine.market_step(
            lambda now_ns: venue.reports_of(
                exchange.liquidity_quotes(key, bids, asks, TimestampNs(now_ns)), key
            ),
            at_ns,
            spares=True,
        )
        if phase is not Phase.OPEN:
            return  # In an auction the quotes wait for the match, and no trade happens elsewhere.
        self._engine.market_step(
            lambda now_ns: venue.reports_of(
                exchange.print_trade(key, Pips(price_pips), quantity, TimestampNs(now_ns)), key
            ),
            at_ns,
            spares=True,
        )
