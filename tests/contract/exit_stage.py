"""
One share, a few clients and the exchange inside, under a clock that is moved by hand.

What goes to the exchange is read from the journal, so it is counted whoever caused it.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from kavach.core import events as e
from kavach.core.commands import (
    CancelCoverOrder,
    Command,
    EndSession,
    Leg,
    ModifyCoverOrder,
    OpenClient,
    OpenSession,
    PlaceCoverOrder,
    SquareOff,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.regular.commands import PlaceOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.refusals import Answer, Outcome
from kavach.core.settings import Settings
from kavach.engine.engine import Engine
from kavach.engine.record import decode_record
from kavach.instruments import Instrument
from kavach.journal.memory import MemoryJournal
from kavach.twin.audit import audit
from kavach.units import (
    NS_PER_MS,
    NS_PER_SECOND,
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
)
from kavach.venues.embedded import DelayedReportSource, EmbeddedVenue
from tests.unit.core.scenario import START_NS, HandClock
from tests.unit.core.stocks import stock

BUY, SELL = Side
MINUTE_NS: Final = 60 * NS_PER_SECOND
DAY_NS: Final = 86_400 * NS_PER_SECOND


class Sent(NamedTuple):
    """One request that went to the exchange."""

    at_ns: int
    request: e.OrderSubmitted | e.OrderAmendSent | e.OrderCancelSent


def pips(rupees: float) -> Pips:
    """Return a price of the test as the core has it."""
    return Pips(round(rupees * 10_000))


class Stage:
    """An engine, the exchange inside it, and a clock."""

    def __init__(self, item: Instrument | None = None, settings: Settings | None = None) -> None:
        self.item = item or stock()
        self.settings = settings or Settings()
        self.clock = HandClock()
        self.journal = MemoryJournal()
        self.start()
        self.ask(OpenClient(client_id="C", cash_paise=Paise(10_000_000_00)))

    def start(self) -> None:
        """Become what the journal says, as a process does that starts."""
        self.venue = EmbeddedVenue([self.item])
        self.engine = Engine([self.item], self.settings, self.journal, self.venue, self.clock)
        self.engine.recover()
        self.engine.add_source(DelayedReportSource(self.engine, self.venue))

    # --- Clients --------------------------------------------------------------------------

    def ask(self, command: Command) -> Outcome:
        """Return what became of a command."""
        return self.engine.execute(command)

    def cover(
        self,
        side: Side,
        quantity: int,
        stop: float,
        price: float = 13.0,
        product: Product = Product.MIS,
        step: float = 0.0,
        target_offset: float = 0.0,
    ) -> CoverOrder:
        """Return a cover order that was just placed, with its stop (or offset) at ``stop``."""
        outcome = self.ask(
            PlaceCoverOrder(
                client_id="C",
                instrument=self.item.key,
                side=side,
                order_type=OrderType.LIMIT,
                quantity=Quantity(quantity),
                disclosed_quantity=Quantity(0),
                price_pips=pips(price),
                trigger_price_pips=Pips(0),
                validity=Validity.DAY,
                product=product,
                stop_price_pips=Pips(0) if target_offset else pips(stop),
                trailing_step_pips=pips(step),
                user_order_id=1,
                bracket=bool(target_offset),
                stop_offset_pips=pips(stop) if target_offset else Pips(0),
                target_offset_pips=pips(target_offset),
            )
        )
        assert isinstance(outcome, Answer), outcome
        return self.engine.state.covers[outcome.order_id]

    def held(self, side: Side, quantity: int, stop: float, **more: object) -> CoverOrder:
        """Return a cover order that was filled at 13.00 by somebody else, and is covered."""
        cover = self.cover(side, quantity, stop, **more)  # type: ignore[arg-type]
        self.trade(SELL if side is BUY else BUY, 13.0, quantity)
        assert cover.position == quantity, cover.state
        return cover

    def regular(
        self, side: Side, quantity: int, price: float, product: Product = Product.MIS
    ) -> RegularOrder:
        """Return a regular order that was just placed; a price of 0 is MARKET."""
        outcome = self.ask(
            PlaceOrder(
                client_id="C",
                instrument=self.item.key,
                side=side,
                order_type=OrderType.LIMIT if price else OrderType.MARKET,
                quantity=Quantity(quantity),
                disclosed_quantity=Quantity(0),
                price_pips=pips(price),
                trigger_price_pips=Pips(0),
                validity=Validity.DAY,
                product=product,
            )
        )
        assert isinstance(outcome, Answer), outcome
        return self.engine.state.regulars[outcome.order_id]

    def leave(self, cover: CoverOrder) -> Outcome:
        """Ask for the exit of a cover order."""
        stops = cover.orders_of(Leg.THIRD)
        orders = [order for order in stops if order.live] or list(cover.entries)
        return self.ask(
            CancelCoverOrder(
                client_id="C",
                order_id=cover.order_id,
                leg=Leg.THIRD,
                exchange_order_id=orders[-1].exchange_order_id,
            )
        )

    def plan_stop(self, cover: CoverOrder, **terms: float) -> Outcome:
        """Ask for another stop or another step: ``stop=``, ``step=``."""
        names = {"stop": "stop_price_pips", "step": "trailing_step_pips"}
        wanted = {names[name]: pips(value) for name, value in terms.items()}
        return self.ask(
            ModifyCoverOrder(client_id="C", order_id=cover.order_id, leg=Leg.THIRD, **wanted)  # type: ignore[arg-type]
        )

    # --- Others ---------------------------------------------------------------------------

    def trade(self, side: Side, price: float, quantity: int) -> None:
        """Let a stranger trade at a limit; what does not trade leaves again."""
        key, limit = self.item.key, pips(price)

        def act(at_ns: int) -> object:
            exchange, now = self.venue.exchange, TimestampNs(at_ns)
            _, _, events = exchange.liquidity_order(key, side, limit, Quantity(quantity), now)
            return self.venue.reports_of(events, key)

        self.engine.market(act)  # type: ignore[arg-type]

    def quote(self, bid: float, ask: float, quantity: int = 100_000) -> None:
        """Let strangers quote both sides; a price of 0 is no quote."""
        key = self.item.key

        def act(at_ns: int) -> object:
            events = self.venue.exchange.liquidity_quote(
                key,
                pips(bid or 10.4),
                Quantity(quantity if bid else 0),
                pips(ask or 15.6),
                Quantity(quantity if ask else 0),
                TimestampNs(at_ns),
            )
            return self.venue.reports_of(events, key)

        self.engine.market(act)  # type: ignore[arg-type]

    def price(self, last: float) -> None:
        """Let a trade elsewhere move the last price."""
        key = self.item.key

        def act(at_ns: int) -> object:
            events = self.venue.exchange.print_trade(
                key, pips(last), Quantity(1), TimestampNs(at_ns)
            )
            return self.venue.reports_of(events, key)

        self.engine.market(act)  # type: ignore[arg-type]

    # --- Time -----------------------------------------------------------------------------

    def run(self, seconds: float, step_ms: int = 100) -> None:
        """Let time pass in steps, with everything that becomes due."""
        ends_ns = self.clock.at_ns + round(seconds * NS_PER_SECOND)
        while self.clock.at_ns < ends_ns:
            self.clock.at_ns = min(self.clock.at_ns + step_ms * NS_PER_MS, ends_ns)
            self.engine.catch_up(self.clock.at_ns)

    def square_off(self) -> None:
        """Let the square-off time come."""
        self.ask(SquareOff(Exchange.NSE))

    def end_day(self) -> None:
        """Let the session end."""
        self._phase(EndSession(Exchange.NSE), Phase.CLOSED)

    def next_day(self) -> None:
        """Let the night pass, and the next session open."""
        self.clock.at_ns += DAY_NS
        self.engine.catch_up(self.clock.at_ns)
        self._phase(OpenSession(Exchange.NSE), Phase.OPEN)

    def _phase(self, command: OpenSession | EndSession, phase: Phase) -> None:
        def act(at_ns: int) -> object:
            exchange = self.venue.exchange
            events = exchange.set_phase(Exchange.NSE, phase, TimestampNs(at_ns))
            return self.venue.reports_of(events, self.item.key)

        self.engine.change_phase(command, act, self.engine.now_ns())  # type: ignore[arg-type]

    # --- Looking --------------------------------------------------------------------------

    def sent(self, since_ns: int = START_NS) -> list[Sent]:
        """Return what went to the exchange since a time, oldest first."""
        return [
            Sent(at_ns, event)
            for at_ns, event in self.happened(since_ns)
            if isinstance(event, e.OrderSubmitted | e.OrderAmendSent | e.OrderCancelSent)
        ]

    def per_minute(self, since_ns: int) -> int:
        """Return the most requests that one leg of an order caused in any minute since (INV-26)."""
        state = self.engine.state
        times: dict[tuple[int, str], list[int]] = {}
        for at_ns, request in self.sent(since_ns):
            order = state.orders[request.tag]
            times.setdefault((order.parent_id, order.leg), []).append(at_ns)
        return max(
            (
                sum(at_ns <= other < at_ns + MINUTE_NS for other in of_one)
                for of_one in times.values()
                for at_ns in of_one
            ),
            default=0,
        )

    def happened(self, since_ns: int = START_NS) -> Iterable[tuple[int, e.Event]]:
        """Yield every event since a time, with its time."""
        for _, body in self.journal.records():
            record = decode_record(body)
            if record.at_ns >= since_ns:
                yield from ((record.at_ns, event) for event in record.events)

    def check(self) -> None:
        """Assert that the audit finds nothing, and that a restart finds the same."""
        state, exchange = self.engine.state, self.venue.exchange.snapshot()
        found = audit(state, exchange, self.engine.now_ns())
        assert not found.violations, found.violations
        venue = EmbeddedVenue([self.item])
        again = Engine([self.item], self.settings, self.journal, venue, self.clock)
        again.recover()
        assert again.state_hash() == self.engine.state_hash(), "a restart differs (INV-19)"
