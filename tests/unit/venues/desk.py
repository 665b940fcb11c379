"""A client and the exchange inside, for tests of what one step does: ask, and look at once."""

from kavach.core import events as e
from kavach.core.commands import (
    CancelCoverOrder,
    EndSession,
    Leg,
    OpenClient,
    OpenSession,
    PlaceCoverOrder,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.refusals import Outcome
from kavach.core.settings import Settings
from kavach.engine.engine import Engine, accepted
from kavach.engine.record import decode_record
from kavach.instruments import Instrument
from kavach.journal.memory import MemoryJournal
from kavach.units import (
    Exchange,
    InstrumentKey,
    OrderType,
    Paise,
    Phase,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from kavach.venues.embedded import EmbeddedVenue
from kavach.venues.faults import Fault, FaultEffect, FaultOn
from tests.unit.core.scenario import HandClock
from tests.unit.core.stocks import stock


class Desk:
    """An engine with the exchange inside, one share and the clients A and B."""

    def __init__(
        self, item: Instrument | None = None, journal: MemoryJournal | None = None
    ) -> None:
        self.item = item or stock()
        self.clock = HandClock()
        self.journal = journal or MemoryJournal()
        self.venue = EmbeddedVenue([self.item])
        self.engine = Engine([self.item], Settings(), self.journal, self.venue, self.clock)
        self.engine.recover()
        if journal is None:
            for client in "AB":
                opened = OpenClient(client_id=client, cash_paise=Paise(10**9))
                accepted(self.engine.execute(opened))

    def place(
        self,
        client: str = "A",
        side: Side = Side.BUY,
        quantity: int = 100,
        price: int = 130_000,
        stop: int = 0,
    ) -> CoverOrder:
        """Return a new cover order whose stop is there, or a rupee behind its price."""
        behind = -10_000 if side is Side.BUY else 10_000
        placed = accepted(
            self.engine.execute(
                PlaceCoverOrder(
                    client_id=client,
                    instrument=self.item.key,
                    side=side,
                    order_type=OrderType.LIMIT,
                    quantity=Quantity(quantity),
                    disclosed_quantity=Quantity(0),
                    price_pips=Pips(price),
                    trigger_price_pips=Pips(0),
                    validity=Validity.DAY,
                    product=Product.MIS,
                    stop_price_pips=Pips(stop or price + behind),
                    trailing_step_pips=Pips(0),
                    user_order_id=1,
                )
            )
        )
        return self.engine.state.covers[placed.order_id]

    def cancel(self, cover: CoverOrder, leg: Leg) -> Outcome:
        """Return the answer to C1 or C2."""
        orders = cover.entries if leg is Leg.ENTRY else cover.exits or cover.entries
        return self.engine.execute(
            CancelCoverOrder(
                client_id=cover.client_id,
                order_id=cover.order_id,
                leg=leg,
                exchange_order_id=orders[0].exchange_order_id,
            )
        )

    def trade(self, side: Side, quantity: int, price: int) -> None:
        """Let an anonymous order come."""
        exchange, key = self.venue.exchange, self.item.key
        self.engine.market(
            lambda at_ns: self.venue.reports_of(
                exchange.liquidity_order(
                    key, side, Pips(price), Quantity(quantity), TimestampNs(at_ns)
                )[2],
                key,
            )
        )

    def printed(self, price: int) -> None:
        """Let somebody trade elsewhere."""
        exchange, key = self.venue.exchange, self.item.key
        self.engine.market(
            lambda at_ns: self.venue.reports_of(
                exchange.print_trade(key, Pips(price), Quantity(1), TimestampNs(at_ns)), key
            )
        )

    def session(self, phase: Phase) -> None:
        """Close or open the exchange."""
        exchange = self.venue.exchange
        command = OpenSession if phase is Phase.OPEN else EndSession
        accepted(
            self.engine.change_phase(
                command(Exchange.NSE),
                lambda at_ns: self.venue.reports_of(
                    exchange.set_phase(Exchange.NSE, phase, TimestampNs(at_ns)), InstrumentKey("")
                ),
                self.engine.now_ns(),
            )
        )

    def wait(self, milliseconds: int) -> None:
        """Let time pass, and what is due happen."""
        self.clock.at_ns += milliseconds * 1_000_000
        self.engine.catch_up(self.clock.at_ns)

    def fault(
        self, on: FaultOn, effect: FaultEffect, leg: Leg | None = None, times: int = 1
    ) -> None:
        """Let the next matching requests suffer."""
        self.venue.faults.add(
            Fault(
                fault_id="F",
                on=on,
                leg=leg,
                client_id=None,
                effect=effect,
                code=17070,
                reason="out of range",
                times=times,
            )
        )

    def last_record(self) -> list[e.Event]:
        """Return the core's events of the last record."""
        *_, (_, body) = self.journal.records()
        return list(decode_record(body).events)

    def again(self) -> "Desk":
        """Return a desk that starts from this one's journal."""
        return Desk(self.item, self.journal)
