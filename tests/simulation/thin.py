"""
Worlds in which hardly anybody trades.

One client on both sides of one share; no quotes for minutes; prices at the edges of the band;
exits told to orders that would meet each other. What the system then sends of itself is counted
(INV-26), and once others trade again everything ends as in every world.

Source: docs/reliability.md; docs/spec/cover_order.md (INV-26).
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from kavach.core.commands import Leg, PlaceCoverOrder
from kavach.instruments import Instrument
from kavach.units import (
    NS_PER_SECOND,
    OrderType,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from tests.simulation.far import FarWorld
from tests.simulation.near import NearWorld
from tests.simulation.process import SHARES
from tests.simulation.schedule import Decision
from tests.simulation.whole import Whole

SILENCES_S: Final = (20, 65, 150)
SILENT_MAX: Final = 6  # In one world: they take most of its time.
NEW_DEEDS: Final = {
    "place": 24,
    "exit": 12,
    "cancel_entry": 4,
    "modify_stop": 4,
    "order": 6,
    "order_cancel": 2,
    "meet": 22,
    "silence": 6,
    "straddle": 5,
    "edge": 3,
    "all_out": 4,
    "liquidity_order": 2,
    "liquidity_quote": 1,
    "print_trade": 2,
    "remove": 2,
    "cut": 1,
    "crash": 2,
    "day": 1,
}


class Thin(Whole):
    """One client, one share, and a street that is mostly empty."""

    silences = 0

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.clients = self.clients[: 1 + seed % 2]

    def a_share(self) -> Instrument:
        """Return the share that is traded here, another one now and then."""
        return self.chance.choice((SHARES[0], SHARES[0], SHARES[0], *SHARES))

    def play(self, decisions: Sequence[Decision]) -> None:
        """Empty the book first."""
        for share in SHARES:
            self.empty(share)
        super().play(decisions)

    def empty(self, share: Instrument) -> None:
        """Take the house's quotes out."""
        self.quote(share, self.last_pips(share), Quantity(0), Quantity(0))

    def meet(self) -> None:
        """Let a stranger take what a living entry of the client wants, or a part of it."""
        part = self.chance.choice((1, 1, 2, 3))
        cover = self.pick()
        if cover is None or not self.exchange_open():
            return
        share = self.engine.state.instruments[cover.instrument]
        wanted = max(1, cover.quantity // share.lot // part) * share.lot
        side = Side.SELL if cover.side is Side.BUY else Side.BUY
        edge = share.band_low_pips if side is Side.SELL else share.band_high_pips
        price = cover.price_pips or edge
        self.tally["met"] += 1
        self._trade(share, side, price, wanted)

    def _leave(self, share: Instrument) -> None:
        """Let strangers take what they left in the book out again."""
        if self.exchange_open() and self.alive:
            self.empty(share)

    def silence(self) -> None:
        """Let minutes pass in which nobody does anything."""
        seconds = self.chance.choice(SILENCES_S)
        if self.silences < SILENT_MAX:
            self.silences += 1
            self.tally["silence"] += 1
            self.run_until(self.true_ns + seconds * NS_PER_SECOND)

    def edge(self) -> None:
        """Let the share trade at an edge of its band."""
        share = SHARES[0]
        price = self.chance.choice((share.band_low_pips, share.band_high_pips))
        if self.exchange_open():
            self.at_exchange(
                share.key,
                lambda at_ns: self.exchange.print_trade(
                    share.key, price, share.lot, TimestampNs(at_ns)
                ),
            )

    def straddle(self) -> None:
        """Let a client be long and short in one share, and then leave both where nobody trades."""
        client, share = self.chance.choice(self.clients), self.a_share()
        sides = self.chance.choice((tuple(Side), tuple(Side)[::-1]))
        lots = [self.chance.choice((1, 40, 100)) for _ in sides]
        apart_s, seconds = self.chance.choice((0, 1, 12)), self.chance.choice(SILENCES_S)
        if not self.alive or not self.exchange_open() or self.silences >= SILENT_MAX:
            return
        self.silences += 1
        self.tally["straddle"] += 1
        for side, of_side in zip(sides, lots, strict=True):
            self._enter(client, share, side, of_side)
        for cover in list(self.engine.state.every_cover()):
            if cover.client_id == client and cover.ended is None:
                self.execute(self.cancel(cover, Leg.THIRD))
                self.run_until(self.true_ns + apart_s * NS_PER_SECOND)
        self.run_until(self.true_ns + seconds * NS_PER_SECOND)

    def _enter(self, client: str, share: Instrument, side: Side, lots: int) -> None:
        """Place a cover order near the market, and let a stranger fill it."""
        tick, sign = share.tick_pips, 1 if side is Side.BUY else -1
        last = self.last_pips(share) // tick * tick
        price = Pips(min(max(last, share.band_low_pips), share.band_high_pips))
        stop = Pips(last - sign * tick * 30)
        within = share.band_low_pips <= stop <= share.band_high_pips
        if not within or not self.alive:
            return
        quantity = Quantity(min(lots * share.lot, share.slice_max))
        self.execute(
            PlaceCoverOrder(
                client_id=client,
                idempotency_key=f"S{self.number}{side.value}",
                fingerprint="straddle",
                instrument=share.key,
                side=side,
                order_type=OrderType.LIMIT,
                quantity=quantity,
                disclosed_quantity=Quantity(0),
                price_pips=price,
                trigger_price_pips=Pips(0),
                validity=Validity.DAY,
                product=Product.MIS,
                stop_price_pips=stop,
                trailing_step_pips=Pips(0),
                user_order_id=self.number,
            )
        )
        self.run_until(self.true_ns + NS_PER_SECOND)
        self._trade(share, Side.SELL if side is Side.BUY else Side.BUY, price, quantity)
        self.run_until(self.true_ns + NS_PER_SECOND)

    def _trade(self, share: Instrument, side: Side, price: int, quantity: int) -> None:
        """Let a stranger trade with what stands there, and leave."""
        if self.exchange_open():
            self.at_exchange(
                share.key,
                lambda at_ns: self.exchange.liquidity_order(
                    share.key, side, Pips(price), Quantity(quantity), TimestampNs(at_ns)
                )[2],
            )
            self._leave(share)

    def all_out(self) -> None:
        """Tell every cover order of a client to leave, in one moment."""
        client = self.chance.choice(self.clients)
        if not self.alive:
            return
        self.tally["all out"] += 1
        for cover in list(self.engine.state.every_cover()):
            if cover.client_id == client and cover.ended is None and self.alive:
                self.execute(self.cancel(cover, Leg.THIRD))


class NearThin(Thin, NearWorld):
    """A thin market on the exchange inside."""

    deeds: ClassVar[Mapping[str, int]] = {**NEW_DEEDS, "fault": 2}


class FarThin(Thin, FarWorld):
    """A thin market, the exchange far away."""

    deeds: ClassVar[Mapping[str, int]] = {**NEW_DEEDS, "weather": 2}
