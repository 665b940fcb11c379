"""
A world around the exchange inside: clients, the house, and an operator who breaks things.

Orders of the clients meet the house's quotes and each other. Everything the exchange says is
said within the step, so the auditor stands between the engine and the venue and hears it there.
"""

from collections.abc import Callable, Sequence
from typing import Final

from kavach.core import events as e
from kavach.core.commands import EndSession, Leg, OpenSession
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.engine.engine import accepted
from kavach.units import Exchange, InstrumentKey, Phase, Pips, Quantity, Side, TimestampNs
from kavach.venues.embedded import EmbeddedVenue, VenueAnswer
from kavach.venues.faults import Fault, FaultEffect, FaultOn
from tests.simulation.property.auditor import Auditor
from tests.simulation.property.clients import SHARES, Clients

_EFFECTS: Final = (
    (FaultOn.NEW, FaultEffect.REJECT),
    (FaultOn.NEW, FaultEffect.CANCEL_RESTING),
    (FaultOn.AMEND, FaultEffect.REJECT),
    (FaultOn.CANCEL, FaultEffect.REJECT),
)


class OverheardVenue(EmbeddedVenue):
    """The exchange inside, with an auditor who hears what is asked and what is said."""

    def __init__(self) -> None:
        super().__init__(SHARES)
        self.auditor: Auditor | None = None
        self.requests: list[e.Request] = []

    def send(
        self, request: e.Request, order: VenueOrder, parent: ParentOrder, at_ns: int
    ) -> VenueAnswer:
        """Return what the exchange says, after the auditor heard both."""
        self.requests.append(request)
        assert self.auditor is not None
        self.auditor.sent(request)
        heard = super().send(request, order, parent, at_ns)
        for report in heard.reports:
            self.auditor.told(report)
        return heard


class NearWorld(Clients):
    """Clients and the house on the exchange inside."""

    def __init__(self) -> None:
        self.venue = OverheardVenue()
        super().__init__(self.venue)
        self.auditor.prompt = True
        self.venue.auditor = self.auditor

    def requests(self) -> Sequence[e.Request]:
        """Return everything that was ever sent."""
        return self.venue.requests

    def fresh_venue(self) -> EmbeddedVenue:
        """Return an empty exchange: replay fills it."""
        return EmbeddedVenue(SHARES)

    def look(self) -> None:
        """Let the auditor judge; with the exchange inside nothing is ever on its way."""
        self.prices.update(self.venue.prices())
        for cover in self.engine.state.every_cover():
            assert all(o.amend is None for o in cover.entries + cover.exits), "left unanswered"
            if cover.exit_source is not None:
                self.auditor.leaving.add(cover.order_id)
        super().look()

    def _act(self, key: InstrumentKey, act: Callable[[int], VenueAnswer]) -> None:
        def overheard(at_ns: int) -> VenueAnswer:
            heard = act(at_ns)
            for report in heard.reports:
                self.auditor.told(report)
            return heard

        self.clock.at_ns += 1_000
        self.engine.catch_up(self.clock.at_ns)
        self.look()
        if self.venue.exchange.phase(Exchange.NSE) is Phase.OPEN:
            self.engine.market(overheard)
        self.look()

    # --- Deeds of the house -------------------------------------------------------------------

    def quote(self, which: int, by: int, size: int) -> None:
        """Quote around the last price, perhaps through somebody's order."""
        share = SHARES[which % 2]
        middle = self.prices[share.key] + 100 * (by % 41 - 20)
        bid = max(share.band_low_pips, min(middle - 100, share.band_high_pips - 100))
        ask = max(bid + 100, min(middle + 100, share.band_high_pips))
        exchange = self.venue.exchange
        self._act(
            share.key,
            lambda at_ns: self.venue.reports_of(
                exchange.liquidity_quote(
                    share.key,
                    Pips(bid),
                    Quantity(size % 120),
                    Pips(ask),
                    Quantity(size // 7 % 120),
                    TimestampNs(at_ns),
                ),
                share.key,
            ),
        )

    def order(self, which: int, by: int, size: int) -> None:
        """Send an anonymous order, priced or not."""
        share, side = SHARES[which % 2], (Side.BUY, Side.SELL)[by % 2]
        price = self.prices[share.key] + 100 * (by // 2 % 41 - 20)
        price = min(max(price, share.band_low_pips), share.band_high_pips)
        wish = None if by % 5 == 0 else Pips(price)
        exchange, many = self.venue.exchange, Quantity(1 + size % 90)
        self._act(
            share.key,
            lambda at_ns: self.venue.reports_of(
                exchange.liquidity_order(share.key, side, wish, many, TimestampNs(at_ns))[2],
                share.key,
            ),
        )

    def print_trade(self, which: int, by: int) -> None:
        """Let somebody trade elsewhere: stops fire."""
        share = SHARES[which % 2]
        price = self.prices[share.key] + 100 * (by % 61 - 30)
        price = min(max(price, share.band_low_pips), share.band_high_pips)
        exchange = self.venue.exchange
        self._act(
            share.key,
            lambda at_ns: self.venue.reports_of(
                exchange.print_trade(share.key, Pips(price), Quantity(1), TimestampNs(at_ns)),
                share.key,
            ),
        )

    # --- Deeds of the operator ----------------------------------------------------------------

    def fault(self, which: int, leg: int, times: int) -> None:
        """Let some of the next requests go wrong."""
        on, effect = _EFFECTS[which % len(_EFFECTS)]
        self.venue.faults.add(
            Fault(
                fault_id=f"F{which}",
                on=on,
                leg=(Leg.ENTRY, Leg.THIRD, None, Leg.SECOND)[leg % 4],
                client_id=None,
                effect=effect,
                code=17070,
                reason="out of range",
                times=1 + times % 3,
            )
        )

    def session(self) -> None:
        """Close the exchange, or open it."""
        self.open = not self.open
        phase = Phase.OPEN if self.open else Phase.CLOSED
        self.auditor.session_over()  # What was wanted in the night ends with it, too.
        command = (OpenSession if self.open else EndSession)(Exchange.NSE)
        exchange = self.venue.exchange

        def change(at_ns: int) -> VenueAnswer:
            events = exchange.set_phase(Exchange.NSE, phase, TimestampNs(at_ns))
            heard = self.venue.reports_of(events, InstrumentKey(""))
            for report in heard.reports:
                self.auditor.told(report)
            return heard

        self.clock.at_ns += 1_000
        self.engine.catch_up(self.clock.at_ns)
        self.look()
        accepted(self.engine.change_phase(command, change, self.engine.now_ns()))
        self.look()

    # --- The end ------------------------------------------------------------------------------

    def wind_up(self) -> None:
        """Let everybody out into a deep market without faults; nothing may be left."""
        self.venue.faults.clear()
        if not self.open:
            self.session()
        self.everybody_out()
        for _ in range(20):
            for which in range(2):
                for by in (10, 21, 10, 21):
                    self.order(which, by, 89)
            self.wait(3)
        for which in range(2):
            self.quote(which, 20, 119 * 7)
        for _ in range(10):
            for which in range(2):
                self.quote(which, 20, 119 * 7)
            self.wait(3)
        self.nobody_left()


DEEDS: Final[tuple[tuple[str, int, int], ...]] = (
    # Name, how many numbers it takes, how often it happens.
    ("place", 4, 8),
    ("cancel_entry", 1, 3),
    ("exit", 1, 3),
    ("modify", 4, 5),
    ("snoop", 1, 1),
    ("wait", 1, 8),
    ("quote", 3, 12),
    ("order", 3, 16),
    ("print_trade", 2, 4),
    ("fault", 3, 2),
    ("square_off", 0, 1),
    ("kill", 1, 1),
    ("session", 0, 1),
)
