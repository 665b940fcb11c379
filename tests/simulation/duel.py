"""
Two things at the same time, in every order: a cover order on the far exchange, and a race.

A race is set up, then two acts are let go within milliseconds of each other over a network whose
delays are drawn from a seed; many seeds are many orders of events, at either end. The auditor of
the simulation looks on after each event. What is counted is how it ends.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from kavach.core.commands import (
    Leg,
    ModifyCoverOrder,
    OpenClient,
    PlaceCoverOrder,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.refusals import Answer, Outcome
from kavach.units import (
    NS_PER_MS,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from tests.simulation.far import FarWorld
from tests.simulation.network import CALM, Weather
from tests.simulation.process import SHARES

BREEZE: Final = Weather(latency_max=20)
APART_MS: Final = 25
ROUNDS: Final = 25
ENTRY: Final = 130_000
STOP: Final = 120_000


class Duel(FarWorld):
    """One client, one share, and acts that are let go at almost the same time."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.share = SHARES[0]
        self.network.weather = BREEZE
        self.execute(OpenClient(client_id="R", cash_paise=Paise(10**10)))
        self.outcomes: list[Outcome | None] = []
        self.cover_id = 0

    # --- What is asked ------------------------------------------------------------------------

    def place_order(
        self,
        quantity: int = 100,
        side: Side = Side.BUY,
        validity: Validity = Validity.DAY,
        stop: int = STOP,
        trail: int = 0,
        target: int = 0,
    ) -> CoverOrder:
        """Place the cover order that the race is about; with a target, a bracket."""
        outcome = self.execute(
            PlaceCoverOrder(
                client_id="R",
                idempotency_key=f"{len(self.decided)}",
                instrument=self.share.key,
                side=side,
                order_type=OrderType.LIMIT,
                quantity=Quantity(quantity),
                disclosed_quantity=Quantity(0),
                price_pips=Pips(ENTRY),
                trigger_price_pips=Pips(0),
                validity=validity,
                product=Product.MIS,
                stop_price_pips=Pips(stop),
                trailing_step_pips=Pips(trail),
                user_order_id=1,
                bracket=target > 0,
                stop_offset_pips=Pips(abs(ENTRY - stop)),
                target_offset_pips=Pips(abs(target - ENTRY) if target else 0),
            )
        )
        assert isinstance(outcome, Answer), outcome
        self.decided[outcome.order_id] = len(self.decided)
        self.cover_id = outcome.order_id
        return self.cover

    @property
    def cover(self) -> CoverOrder:
        """The cover order that the race is about, as it is now."""
        return self.engine.state.covers[self.cover_id]

    def c1(self) -> None:
        """Cancel the entry."""
        self.outcomes.append(self.execute(self.cancel(self.cover, Leg.ENTRY)))

    def c2(self) -> None:
        """Get out."""
        self.outcomes.append(self.execute(self.cancel(self.cover, Leg.THIRD)))

    def c3(self, quantity: int) -> None:
        """Change the entry."""
        self._change(Leg.ENTRY, quantity=Quantity(quantity))

    def c4(self, stop: int) -> None:
        """Change the stop."""
        self._change(Leg.THIRD, stop_price_pips=Pips(stop))

    def _change(
        self, leg: Leg, quantity: Quantity | None = None, stop_price_pips: Pips | None = None
    ) -> None:
        command = ModifyCoverOrder(
            client_id="R",
            order_id=self.cover_id,
            leg=leg,
            quantity=quantity,
            stop_price_pips=stop_price_pips,
        )
        self.outcomes.append(self.execute(command))

    # --- What others do -----------------------------------------------------------------------

    def sell(self, quantity: int, price: int = ENTRY) -> None:
        """Let a stranger sell, to the entry if it is there."""
        self._stranger(Side.SELL, quantity, price)

    def buy(self, quantity: int, price: int) -> None:
        """Let a stranger bid, for the exits to meet."""
        self._stranger(Side.BUY, quantity, price)

    def _stranger(self, side: Side, quantity: int, price: int) -> None:
        self.at_exchange(
            self.share.key,
            lambda at_ns: self.exchange.liquidity_order(
                self.share.key, side, Pips(price), Quantity(quantity), TimestampNs(at_ns)
            )[2],
        )

    def trades_at(self, price: int) -> None:
        """Let the share trade elsewhere, at a price that may fire stops."""
        self.at_exchange(
            self.share.key,
            lambda at_ns: self.exchange.print_trade(
                self.share.key, Pips(price), Quantity(1), TimestampNs(at_ns)
            ),
        )

    def remove_stop(self) -> None:
        """Let the exchange take the stop out of the book."""
        stop = self.cover.exits[0].exchange_order_id
        self.at_exchange(
            self.share.key, lambda at_ns: self.exchange.remove(stop, 17070, "out of range")
        )

    # --- The race -----------------------------------------------------------------------------

    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.run_until(self.true_ns + ms * NS_PER_MS)

    def at_once(self, *acts: Callable[[], object]) -> None:
        """Let the acts go within a few milliseconds, in an order that the seed decides."""
        for act in acts:
            self.later(self.chance.randrange(APART_MS * NS_PER_MS), act)
        self.wait(3_000)

    def settle_down(self) -> None:
        """Let whatever is under way come to its end."""
        self.network.weather = CALM
        self.wait(12_000)
        self.compare_with_exchange()

    def end(self) -> str:
        """Return how it ended: state, shares bought, shares sold, exits sent."""
        cover = self.cover
        exits = len(cover.exits)
        if cover.ended is None:
            assert cover.protected == cover.position, f"INV-1: {cover.state} with a gap"
        return f"{cover.state} {cover.entry_filled} {cover.exits_filled} by {exits}"


def opened(duel: Duel) -> None:
    """Place an entry for 100 that rests."""
    duel.place_order()
    duel.wait(100)


def covered(duel: Duel) -> None:
    """Have 100, with a stop for 100 behind them."""
    opened(duel)
    duel.sell(100)
    duel.wait(200)
    assert duel.cover.state == "COVERED"


def half_covered(duel: Duel) -> None:
    """Have 40 of 100, with a stop for 40 behind them."""
    opened(duel)
    duel.sell(40)
    duel.wait(200)
    assert duel.cover.state == "COVERED_OPEN"


def ends(race: Callable[[Duel], None], rounds: int = ROUNDS) -> Counter[str]:
    """Return how a race ended in so many rounds, each with other delays."""
    how: Counter[str] = Counter()
    for seed in range(rounds):
        duel = Duel(seed)
        race(duel)
        duel.settle_down()
        how[duel.end()] += 1
    return how
