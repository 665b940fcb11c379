"""An engine and an exchange for a market to act on, under a clock that a test sets."""

from typing import Final

from kavach.core.commands import OpenClient, PlaceCoverOrder, session_change
from kavach.core.model.cover.order import CoverOrder
from kavach.core.refusals import Answer
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.engine.journal_port import Journal
from kavach.instruments import Instrument, listing
from kavach.journal.memory import MemoryJournal
from kavach.twin.audit import audit
from kavach.twin.clock import TwinClock
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

START_NS: Final = 1_795_060_800_000_000_000
SECOND: Final = 1_000_000_000
IDEA: Final = InstrumentKey("NSE:14366")


class Street:
    """Where a market is made."""

    def __init__(self, *, speed: int = 1, journal: Journal | None = None) -> None:
        self.wall_ns = START_NS
        self.instruments = load_instruments()
        known = listing(self.instruments)
        self.clock = TwinClock(lambda: self.wall_ns, speed=speed)
        self.venue = EmbeddedVenue(known)
        self.journal = journal or MemoryJournal()
        self.engine = Engine(known, Settings(), self.journal, self.venue, self.clock)
        self.engine.recover()

    def instrument(self, key: InstrumentKey = IDEA) -> Instrument:
        """Return an instrument."""
        return self.engine.instruments[key]

    def pass_time(self, seconds: int, step_ns: int = SECOND // 4) -> None:
        """Let the wall run on, and the engine keep up with it."""
        for _ in range(seconds * SECOND // step_ns):
            self.wall_ns += step_ns
            self.engine.catch_up(self.engine.now_ns())

    def leap(self, seconds: int) -> None:
        """Take the clock ahead at once, as a machine that wakes up does."""
        self.clock.advance(seconds)
        self.engine.catch_up(self.engine.now_ns())

    def again(self) -> Engine:
        """Return an engine that was recovered from the journal of this one."""
        venue = EmbeddedVenue(listing(self.instruments))
        engine = Engine(listing(self.instruments), Settings(), self.journal, venue, self.clock)
        engine.recover()
        engine.quotes = venue
        return engine

    def close(self, exchange: Exchange) -> None:
        """Close a segment."""
        at_ns = TimestampNs(self.engine.now_ns())
        self.venue.exchange.set_phase(exchange, Phase.CLOSED, at_ns)

    def session(self, phase: Phase) -> None:
        """Bring the shares of the NSE into a phase."""
        self.engine.change_phase(
            session_change(Exchange.NSE, phase),
            lambda at_ns: self.venue.set_phase(Exchange.NSE, phase, at_ns),
            self.engine.now_ns(),
        )

    def place(self, **changes: object) -> CoverOrder:
        """Return a cover order for IDEA that was placed, its client's account opened first."""
        if "DEMO1" not in self.engine.state.clients:
            account = OpenClient(client_id="DEMO1", cash_paise=Paise(10_000_000_00))
            self.engine.execute(account)
        last = self.venue.exchange.last_price_pips(IDEA)
        fields: dict[str, object] = {
            "client_id": "DEMO1",
            "instrument": IDEA,
            "side": Side.BUY,
            "order_type": OrderType.LIMIT,
            "quantity": Quantity(100_000),
            "disclosed_quantity": Quantity(0),
            "price_pips": last,
            "trigger_price_pips": Pips(0),
            "validity": Validity.DAY,
            "product": Product.MIS,
            "stop_price_pips": Pips(last - 200),
            "trailing_step_pips": Pips(0),
            "user_order_id": 1,
        }
        answer = self.engine.execute(PlaceCoverOrder(**(fields | changes)))  # type: ignore[arg-type]
        assert isinstance(answer, Answer), answer
        return self.engine.state.covers[answer.order_id]

    def violations(self) -> list[str]:
        """Return what the auditor finds."""
        report = audit(self.engine.state, self.venue.exchange.snapshot(), self.engine.core.now_ns)
        return [f"{v.invariant} {v.order}: {v.detail}" for v in report.violations]

    def tape(self) -> list[tuple[object, ...]]:
        """Return every instrument's day and book: what two equal markets agree on."""
        exchange = self.venue.exchange
        return [(i.key, exchange.ticker(i.key), exchange.depth(i.key)) for i in self.instruments]
