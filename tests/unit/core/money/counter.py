"""
A trading counter: clients, a few instruments and the exchange inside, for tests of money.

Regular orders trade at once against an anonymous order; time and sessions are moved by hand.
After everything it does, the auditor adds every account up anew.
"""

from datetime import datetime
from typing import Final

from kavach.core.commands import (
    CancelCoverOrder,
    Command,
    Leg,
    OpenClient,
    PlaceCoverOrder,
    Shares,
    session_change,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.money.account import Client
from kavach.core.model.regular.commands import CancelOrder, PlaceOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.refusals import Outcome
from kavach.core.settings import Settings
from kavach.engine.engine import Engine, accepted
from kavach.instruments import Instrument
from kavach.journal.memory import MemoryJournal
from kavach.twin.audit import audit
from kavach.units import (
    PIPS_PER_RUPEE,
    Exchange,
    OrderType,
    Paise,
    Phase,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
    opposite,
)
from kavach.venues.embedded import EmbeddedVenue
from tests.unit.core.scenario import HandClock
from tests.unit.core.stocks import stock

RUPEE: Final = PIPS_PER_RUPEE
SHARE: Final = stock()
OTHER: Final = stock(token=11915)
FUTURE: Final = stock(token=53001, exchange=Exchange.NFO, segment="FutOpt", multiplier=1)


def at(moment: str) -> int:
    """Return a time in India, as ``2027-01-04T09:15``, in nanoseconds."""
    return int(datetime.fromisoformat(f"{moment}+05:30").timestamp()) * 1_000_000_000


class Counter:
    """An engine with the exchange inside, and the client C; prices are whole rupees."""

    def __init__(
        self,
        *items: Instrument,
        cash: int = 1_000_000,
        moment: str = "2027-01-04T10:00",
        journal: MemoryJournal | None = None,
        holdings: tuple[Shares, ...] = (),
    ) -> None:
        self.items = items or (SHARE, OTHER, FUTURE)
        self.clock = HandClock()
        self.clock.at_ns = at(moment)
        self.journal = journal or MemoryJournal()
        self.venue = EmbeddedVenue(list(self.items))
        self.engine = Engine(self.items, Settings(), self.journal, self.venue, self.clock)
        self.engine.recover()
        if journal is None:
            opened = OpenClient(client_id="C", cash_paise=Paise(cash * 100), holdings=holdings)
            accepted(self.engine.execute(opened))

    @property
    def client(self) -> Client:
        """The client as it is now."""
        return self.engine.state.clients["C"]

    def ask(self, command: Command) -> Outcome:
        """Return the answer to a command."""
        outcome = self.engine.execute(command)
        self.check()
        return outcome

    def order(
        self,
        side: Side,
        quantity: int,
        rupees: int,
        product: Product = Product.MIS,
        item: Instrument = SHARE,
    ) -> RegularOrder:
        """Return a new regular order with a limit."""
        placed = accepted(
            self.ask(
                PlaceOrder(
                    client_id="C",
                    instrument=item.key,
                    side=side,
                    order_type=OrderType.LIMIT,
                    quantity=Quantity(quantity),
                    disclosed_quantity=Quantity(0),
                    price_pips=Pips(rupees * RUPEE),
                    trigger_price_pips=Pips(0),
                    validity=Validity.DAY,
                    product=product,
                )
            )
        )
        return self.engine.state.regulars[placed.order_id]

    def trade(
        self,
        side: Side,
        quantity: int,
        rupees: int,
        product: Product = Product.MIS,
        item: Instrument = SHARE,
    ) -> RegularOrder:
        """Return a regular order that has traded at its limit."""
        order = self.order(side, quantity, rupees, product, item)
        assert order.ended_code == 0, order.ended_reason
        self.house(opposite(side), quantity, rupees, item)
        assert order.entry_filled == quantity, f"{order.entry_filled} of {quantity} traded"
        return order

    def cancel(self, order: RegularOrder) -> Outcome:
        """Return the answer to a cancel."""
        return self.ask(CancelOrder(client_id="C", order_id=order.order_id))

    def cover(
        self,
        side: Side = Side.BUY,
        quantity: int = 100,
        rupees: int = 13,
        product: Product = Product.MIS,
        item: Instrument = SHARE,
    ) -> CoverOrder:
        """Return a cover order that has traded at its limit; its stop is a rupee behind."""
        behind = -1 if side is Side.BUY else 1
        placed = accepted(
            self.ask(
                PlaceCoverOrder(
                    client_id="C",
                    instrument=item.key,
                    side=side,
                    order_type=OrderType.LIMIT,
                    quantity=Quantity(quantity),
                    disclosed_quantity=Quantity(0),
                    price_pips=Pips(rupees * RUPEE),
                    trigger_price_pips=Pips(0),
                    validity=Validity.DAY,
                    product=product,
                    stop_price_pips=Pips((rupees + behind) * RUPEE),
                    trailing_step_pips=Pips(0),
                    user_order_id=1,
                )
            )
        )
        self.house(opposite(side), quantity, rupees, item)
        return self.engine.state.covers[placed.order_id]

    def exit(self, cover: CoverOrder) -> Outcome:
        """Return the answer to a client who wants out of a cover order."""
        return self.ask(
            CancelCoverOrder(
                client_id="C",
                order_id=cover.order_id,
                leg=Leg.THIRD,
                exchange_order_id=(cover.exits or cover.entries)[0].exchange_order_id,
            )
        )

    def house(self, side: Side, quantity: int, rupees: int, item: Instrument = SHARE) -> None:
        """Let an anonymous order come."""
        price, exchange = Pips(rupees * RUPEE), self.venue.exchange
        self.engine.market(
            lambda at_ns: self.venue.reports_of(
                exchange.liquidity_order(
                    item.key, side, price, Quantity(quantity), TimestampNs(at_ns)
                )[2],
                item.key,
            )
        )
        self.check()

    def close_at(self, rupees: int, item: Instrument = SHARE) -> None:
        """Let somebody trade elsewhere, so that this is the last price."""
        exchange = self.venue.exchange
        self.engine.market(
            lambda at_ns: self.venue.reports_of(
                exchange.print_trade(
                    item.key, Pips(rupees * RUPEE), Quantity(1), TimestampNs(at_ns)
                ),
                item.key,
            )
        )

    def session(self, phase: Phase, exchange: Exchange = Exchange.NSE) -> None:
        """Bring an exchange into a phase."""
        accepted(
            self.engine.change_phase(
                session_change(exchange, phase),
                lambda at_ns: self.venue.set_phase(exchange, phase, at_ns),
                self.engine.now_ns(),
            )
        )
        self.check()

    def end_day(self, *closes: tuple[Instrument, int]) -> None:
        """End the session at these prices and open the next one a day later."""
        for item, rupees in closes:
            self.close_at(rupees, item)
        for exchange in sorted({item.exchange for item in self.items}):
            self.session(Phase.CLOSED, exchange)
        self.clock.at_ns += 86_400 * 1_000_000_000
        for exchange in sorted({item.exchange for item in self.items}):
            self.session(Phase.OPEN, exchange)

    def go(self, moment: str) -> None:
        """Let it become this late, and what is due happen."""
        self.clock.at_ns = at(moment)
        self.engine.catch_up(self.clock.at_ns)
        self.check()

    def check(self) -> None:
        """Assert that the auditor finds nothing wrong."""
        engine = self.engine
        report = audit(engine.state, self.venue.exchange.snapshot(), engine.now_ns())
        assert not report.violations, report.violations

    def again(self) -> "Counter":
        """Return a counter that starts from this one's journal."""
        counter = Counter(*self.items, journal=self.journal)
        counter.clock.at_ns = self.clock.at_ns
        assert counter.engine.state_hash() == self.engine.state_hash(), "replay is another state"
        return counter
