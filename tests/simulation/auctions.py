"""
Worlds of five sessions that open and close by an auction, with clients who ask in every phase.

A session's decisions are played through its phases: the opening auction, continuous trading, the
cut-off, the square-off while stops still stand, the closing auction, the night. What is held
intraday leaves before or in the auction, a delivery order is carried and protected again, and
whatever happens the quantities hold.

Source: docs/spec/exchange.md, "Auctions"; docs/spec/cover_order.md, "The clock, the kill switch,
the connection".
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from kavach.core.commands import SquareOff, StopCovers
from kavach.exchange.phases import COLLECTING, MARKET_FROZEN, STOPS
from kavach.instruments import Instrument
from kavach.units import NS_PER_SECOND, Phase, Pips, Product
from tests.simulation.days import SESSION, NearDays
from tests.simulation.process import NSE
from tests.simulation.schedule import Decision
from tests.simulation.whole import EVENING_NS
from tests.simulation.world import QUIET_NS

# What begins before which decision of a session; a word is no phase.
COURSE: Final[Mapping[int, str]] = {
    0: "pre_open",
    2: "pre_open_limit",
    3: "buffer",
    4: "open",
    12: "cut off",
    13: "square off",
    14: "closing_reference",
    15: "closing_auction",
    17: "closing_auction_limit",
}


class NearAuctions(NearDays):
    """Five sessions with both auctions, on the exchange inside."""

    phase = Phase.OPEN  # As the calendar has it.
    deeds: ClassVar[Mapping[str, int]] = {**NearDays.deeds, "day": 0, "liquidity_order": 60}

    def before(self, decision: Decision) -> None:
        """Let the session take its course; behind the last decision of one lies a night."""
        number = decision.number % SESSION
        if decision.number and number == 0:
            self._close()
        if decision.number >= SESSION or number > 4:
            step = COURSE.get(number, "")
            if step == "cut off":
                self.execute(StopCovers(NSE))
            elif step == "square off":
                self.execute(SquareOff(NSE))
            elif step:
                self.enter(Phase(step))

    def _close(self) -> None:
        """Match the closing auction, let it be evening, and sleep until the next morning."""
        self.tally["auction"] += 1
        self.enter(Phase.BUFFER)
        self.run_until(self.true_ns + NS_PER_SECOND)
        self.enter(Phase.CLOSED)
        self.run_until(self.true_ns + EVENING_NS)
        self.rest()

    # --- Phases -------------------------------------------------------------------------------

    def enter(self, phase: Phase) -> None:
        """Let it be this phase; a process that is down learns of it when it is back."""
        self.phase, self.open = phase, phase is Phase.OPEN
        self.tally[f"phase {phase.value}"] += 1
        if not self.alive:
            return
        before = self._states()
        self.change_phase(phase)
        for who, now in self._states().items():
            if who in before and before[who] != now:
                self.tally[f"{phase.value}: {before[who]} to {now}"] += 1

    def _states(self) -> dict[int, str]:
        return {cover.order_id: cover.state.value for cover in self.engine.state.every_cover()}

    def turn(self, *, is_open: bool) -> None:
        """Leave the session as it is: it takes its own course."""

    def _catch_up_session(self) -> None:
        if self.engine.state.sessions.phase(NSE.value) is not self.phase:
            self.change_phase(self.phase)

    def exchange_open(self) -> bool:
        """Return whether the exchange takes orders of the house."""
        return self.exchange.phase(NSE) in COLLECTING | {Phase.OPEN}

    def a_wish(self, share: Instrument, price: Pips | None) -> Pips | None:
        """Return the price of a stranger's order; not at market where that is frozen."""
        if price is None and self.exchange.phase(NSE) in MARKET_FROZEN:
            return self.near_price(share, 3)
        return price

    # --- What must hold -----------------------------------------------------------------------

    def check_truth(self) -> None:
        """No stop stands in an auction, and what stands there belongs to a client who may trade."""
        super().check_truth()
        if self.exchange.phase(NSE) in COLLECTING:
            for order in self.exchange.snapshot().orders:
                assert order.order_type not in STOPS, f"truth: a stop in {self.phase}"

    def wind_up(self) -> None:
        """Trading is continuous again before everything ends."""
        self.end_faults()
        self.run_until(self.true_ns + QUIET_NS)
        for client in self.engine.state.clients.values():
            self.tally["intraday over night"] += any(
                position.product is Product.MIS and position.net_quantity
                for position in client.positions
            )
        self.enter(Phase.OPEN)
        super().wind_up()
