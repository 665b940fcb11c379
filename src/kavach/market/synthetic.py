"""
A seeded market maker: prices that walk, five levels of quotes, and strangers who trade.

Theory. Each instrument's price is a random walk that is pulled back to the previous close, a
little more the further it has gone: so it neither sticks to the edge of the band nor comes to
rest. Its spread over hours is about 1.4 % (two basis points a step, pulled back by one part in
ten thousand). Twice a second the house quotes anew around it, and now and then a stranger buys
or sells at market, which moves the last price, fills who rests at the touch, and fires stops.

Chance is one generator an instrument, seeded by the market's seed and the instrument's key, so
the same seed and the same times make the same market, and one instrument does not disturb
another. After a restart the walk goes on from the last price.

A market that is behind (the clock was taken hours ahead, the machine slept) does not make up
for every step: it takes strides of a fraction of what it is behind, each with the spread of all
the steps that it stands for. Where time runs faster than the wall, a step is as much longer.

Prices are milli-pips inside, pips outside; times nanoseconds.

Source: docs/twin.md (the market).
"""

from collections.abc import Iterable
from heapq import heapreplace
from math import isqrt
from random import Random
from typing import Final

from kavach.engine.engine import Engine
from kavach.exchange.messages import Phase
from kavach.instruments import Instrument
from kavach.market.quotes import BASIS_POINTS, Quoter
from kavach.market.street import House, Time
from kavach.units import NS_PER_MS, Side, TimestampNs

STEP_NS: Final = 500 * NS_PER_MS
STRIDES: Final = 32  # Behind by T, the next stride is T / STRIDES.
FINE: Final = 1_000  # Milli-pips in a pip.
SWING_BASIS_POINTS: Final = 4  # The most one step moves, evenly distributed.
PULL: Final = 10_000  # A step is pulled back by this part of how far the price has gone.
MEMORY_STEPS: Final = PULL // 2  # More steps than this spread no further.
STEPS_A_TRADE: Final = 4


class Walk:
    """The price of one instrument, and who trades it."""

    def __init__(self, instrument: Instrument, seed: int, last_price_pips: int) -> None:
        self.instrument = instrument
        self.chance = Random(f"{seed} {instrument.key}")
        self.quoter = Quoter(instrument, self.chance)
        self.quoted = False
        self._fine = last_price_pips * FINE

    @property
    def price_pips(self) -> int:
        """Where the price is, between ticks too."""
        return self._fine // FINE

    def take(self, steps: int) -> None:
        """Walk on by this many steps at once."""
        instrument = self.instrument
        close = instrument.previous_close_pips * FINE
        swing = close * SWING_BASIS_POINTS // BASIS_POINTS * isqrt(min(steps, MEMORY_STEPS))
        away = (self._fine - close) * max(0, PULL - steps) // PULL
        moved = close + away + int(self.chance.random() * (2 * swing + 1)) - swing
        low, high = instrument.band_low_pips * FINE, instrument.band_high_pips * FINE
        self._fine = min(max(moved, low), high)


class SyntheticMarket:
    """A time source of the engine that makes a market in every instrument."""

    def __init__(
        self,
        engine: Engine,
        venue: House,
        instruments: Iterable[Instrument],
        seed: int,
        time: Time,
    ) -> None:
        self._engine = engine
        self._venue = venue
        self._time = time
        exchange = venue.exchange
        self._walks = [
            Walk(instrument, seed, exchange.last_price_pips(instrument.key))
            for instrument in instruments
        ]
        assert self._walks, "a market trades something"
        # Faster time does not mean more work: a step is never shorter than STEP_NS of the wall.
        self._steps = max(1, int(time.speed))
        self._begun = 0
        now_ns = engine.now_ns()
        self._due = [(now_ns, index) for index in range(len(self._walks))]  # A heap.

    def next_due_ns(self) -> int | None:
        """Return when the next instrument moves."""
        return self._due[0][0]

    def fire(self, at_ns: int) -> None:
        """Let every instrument move that is due."""
        while self._due[0][0] <= at_ns:
            due_ns, index = self._due[0]
            behind_ns = self._time.heading_ns - at_ns
            steps = max(self._steps, behind_ns // (STRIDES * STEP_NS))
            wait_ns = steps * STEP_NS
            if self._begun < len(self._walks):
                # At the start all are quoted at once; from then on they take turns.
                wait_ns += STEP_NS * self._steps * index // len(self._walks)
                self._begun += 1
            heapreplace(self._due, (max(at_ns + 1, due_ns + wait_ns), index))
            self._move(self._walks[index], steps, at_ns)

    def _move(self, walk: Walk, steps: int, at_ns: int) -> None:
        """Let a stranger trade an instrument, and quote it anew where its price goes."""
        key = walk.instrument.key
        venue = self._venue
        exchange = venue.exchange
        if exchange.phase(walk.instrument.exchange) is not Phase.OPEN:
            return
        # In steps of their own, so that what one did is protected before the next moves the price.
        if walk.quoted and walk.chance.random() * STEPS_A_TRADE < steps:
            side = Side.BUY if walk.chance.random() * 2 < 1 else Side.SELL
            quantity = walk.quoter.small_quantity()
            self._engine.market_step(
                lambda now_ns: venue.heard(
                    exchange.house_order(key, side, None, quantity, TimestampNs(now_ns))[2], key
                ),
                at_ns,
            )
        walk.take(steps)
        bids, asks = walk.quoter.around(walk.price_pips)
        self._engine.market_step(
            lambda now_ns: venue.heard(
                exchange.house_quotes(key, bids, asks, TimestampNs(now_ns)), key
            ),
            at_ns,
        )
        walk.quoted = True
