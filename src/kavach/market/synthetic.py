"""
A seeded market maker: prices that walk, five levels of quotes, and strangers who trade.

Theory. Each instrument's price is a random walk that is pulled back to the previous close, a
little more the further it has gone: so it neither sticks to the edge of the band nor comes to
rest. Its spread over hours is about 1.4 % (two basis points a step, pulled back by one part in
ten thousand). Twice a second the house quotes anew around it, and now and then a stranger buys
or sells at market, which moves the last price, fills who rests at the touch, and fires stops. In
an auction they all wait for the match: an order of a client finds another side then.

Chance is one generator an instrument, seeded by the market's seed and the instrument's key, so
the same seed and the same times make the same market, and one instrument does not disturb
another. After a restart the walk goes on from the last price.

A market that is behind (the clock was taken hours ahead, the machine slept) does not make up
for every step: it takes strides of a fraction of what it is behind, each with the spread of all
the steps that it stands for. Where time runs faster than the wall, a step is as much longer.

Of a hundred thousand contracts only some are looked at. The market is made in those that it is
given, and in those that somebody attends to, which join when they are first attended. However many
these are, the work does not grow: beyond ``WALKS_A_STEP`` of them a step is as much longer for all,
and beyond ``WALKS_MAX`` the one that nobody has looked at for longest is left: its quotes go. One
where a client's order rests is not left.

Prices are milli-pips inside, pips outside; times nanoseconds.

Source: docs/twin.md (the market).
"""

from collections.abc import Iterable
from heapq import heappop, heappush, heapreplace
from math import isqrt
from random import Random
from typing import Final

from kavach.engine.engine import Engine
from kavach.exchange.phases import COLLECTING, MARKET_FROZEN
from kavach.instruments import Instrument
from kavach.market.port import LiquidityVenue, Time
from kavach.market.quotes import BASIS_POINTS, Quoter
from kavach.units import NS_PER_MS, InstrumentKey, Phase, Pips, Side, TimestampNs

STEP_NS: Final = 500 * NS_PER_MS
STRIDES: Final = 32  # Behind by T, the next stride is T / STRIDES.
FINE: Final = 1_000  # Milli-pips in a pip.
SWING_BASIS_POINTS: Final = 4  # The most one step moves, evenly distributed.
PULL: Final = 10_000  # A step is pulled back by this part of how far the price has gone.
MEMORY_STEPS: Final = PULL // 2  # More steps than this spread no further.
STEPS_A_TRADE: Final = 4
WALKS_A_STEP: Final = 100  # More walks take longer steps.
WALKS_MAX: Final = 2_000  # Beside the given ones.
# However many walks there are, multiples of the golden ratio divide a step about evenly.
TURN: Final = 1 << 32
GOLDEN: Final = 2_654_435_769


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
    """A time source of the engine that makes a market where somebody looks."""

    def __init__(
        self,
        engine: Engine,
        venue: LiquidityVenue,
        instruments: Iterable[Instrument],
        seed: int,
        time: Time,
        *,
        attended: Iterable[InstrumentKey] = (),
        walks_max: int = WALKS_MAX,
    ) -> None:
        """Make a market in ``instruments`` always, in ``attended`` as if somebody looked."""
        self._engine = engine
        self._venue = venue
        self._seed = seed
        self._time = time
        self._walks_max = walks_max
        # Faster time does not mean more work: a step is never shorter than STEP_NS of the wall.
        self._steps = max(1, int(time.speed))
        self._walks: dict[int, Walk] = {}
        self._number = 0  # Walks are numbered as they begin: a tie in time goes to the elder.
        self._due: list[tuple[int, int]] = []  # A heap of times and numbers.
        self._attended: dict[InstrumentKey, int] = {}  # Numbers; who was looked at last is last.
        self._given = {instrument.key for instrument in instruments}
        assert self._given, "a market trades something"
        for key in self._given_first(instruments, attended):
            self.attend(key)

    def _given_first(
        self, instruments: Iterable[Instrument], attended: Iterable[InstrumentKey]
    ) -> list[InstrumentKey]:
        for instrument in instruments:
            self._begin(instrument)
        return [key for key in attended if key not in self._given]

    def attend(self, key: InstrumentKey) -> bool:
        """Return whether this instrument was not looked at before; it is quoted at once then."""
        if key in self._given:
            return False
        number = self._attended.pop(key, None)
        if number is not None:
            self._attended[key] = number
            return False
        instrument = self._engine.instruments.get(key)
        if instrument is None or not instrument.tradable:
            return False
        if len(self._attended) >= self._walks_max and not self._make_room():
            return False
        self._attended[key] = self._begin(instrument)
        return True

    def _begin(self, instrument: Instrument) -> int:
        last_price = self._venue.exchange.last_price_pips(instrument.key)
        number = self._number
        self._number += 1
        self._walks[number] = Walk(instrument, self._seed, last_price)
        heappush(self._due, (self._engine.now_ns(), number))
        return number

    def _make_room(self) -> bool:
        """Return whether one was left that nobody has looked at for longest, nor trades."""
        for key in self._attended:
            if self._venue.exchange.leave(key):
                del self._walks[self._attended.pop(key)]  # It leaves the heap when it is due.
                return True
        return False

    def next_due_ns(self) -> int | None:
        """Return when the next instrument moves."""
        return self._due[0][0]

    def fire(self, at_ns: int) -> None:
        """Let every instrument move that is due."""
        due = self._due
        while due[0][0] <= at_ns:
            due_ns, number = due[0]
            walk = self._walks.get(number)
            if walk is None:
                heappop(due)
                continue
            behind_ns = self._time.heading_ns - at_ns
            crowd = -(-len(self._walks) // WALKS_A_STEP)
            steps = max(self._steps * crowd, behind_ns // (STRIDES * STEP_NS))
            wait_ns = steps * STEP_NS
            if not walk.quoted:
                # Each is quoted as soon as it is there; from then on they take turns.
                wait_ns += wait_ns * (number * GOLDEN % TURN) // TURN
            heapreplace(due, (max(at_ns + 1, due_ns + wait_ns), number))
            self._move(walk, steps, at_ns)

    def _move(self, walk: Walk, steps: int, at_ns: int) -> None:
        """Let a stranger trade an instrument, and quote it anew where its price goes."""
        key = walk.instrument.key
        venue = self._venue
        exchange = venue.exchange
        phase = exchange.phase(walk.instrument.session)
        if phase not in COLLECTING and phase is not Phase.OPEN:
            return
        # In steps of their own, so that what one did is protected before the next moves the price.
        if walk.quoted and walk.chance.random() * STEPS_A_TRADE < steps:
            side = Side.BUY if walk.chance.random() * 2 < 1 else Side.SELL
            quantity = walk.quoter.small_quantity()
            price = self._limit_of_stranger(walk, side) if phase in MARKET_FROZEN else None
            self._engine.market_step(
                lambda now_ns: venue.reports_of(
                    exchange.liquidity_order(key, side, price, quantity, TimestampNs(now_ns))[2],
                    key,
                ),
                at_ns,
                spares=True,
            )
        walk.take(steps)
        bids, asks = walk.quoter.around(walk.price_pips, *exchange.price_band(key))
        self._engine.market_step(
            lambda now_ns: venue.reports_of(
                exchange.liquidity_quotes(key, bids, asks, TimestampNs(now_ns)), key
            ),
            at_ns,
            spares=True,
        )
        walk.quoted = True

    def _limit_of_stranger(self, walk: Walk, side: Side) -> Pips:
        """Return where a stranger's limit order is priced who wants to trade: a little beyond."""
        item = walk.instrument
        low, high = self._venue.exchange.price_band(item.key)
        tick = item.tick_pips
        beyond = walk.price_pips // tick * tick + (tick if side is Side.BUY else -tick)
        return Pips(min(max(beyond, low), high))
