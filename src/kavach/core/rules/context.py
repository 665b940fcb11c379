"""
The desk at which the rules work: the state, today's prices and date, and the two trays.

Into one tray go events, which have happened; into the other requests, which leave once they
are durable. Rules put things there and nowhere else.

Times are nanoseconds, prices pips.

Source: docs/spec/cover_order.md, "What the system owes"; docs/wire/README.md, "Rows".
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

from kavach.core import events as e
from kavach.core.commands import Leg
from kavach.core.day import day_of, next_midnight_ns
from kavach.core.evolve.apply import APPLY
from kavach.core.model.gtt.watch import GttWatch
from kavach.core.model.listing.events import InstrumentListed
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.model.state import OmsState
from kavach.core.rules.decisions import ClockEvent, ExecType, ReportEffect
from kavach.core.rules.timers import Timers
from kavach.instruments import Instrument
from kavach.units import Exchange, InstrumentKey

# Events that name an instrument, by themselves or in the terms of an order that is kept for later:
# what is traded is on record before they are.
INSTRUMENT_OF: Final[dict[type, Callable[[e.Event], InstrumentKey]]] = {
    **{kind: attrgetter("instrument") for kind in APPLY if "instrument" in kind.__annotations__},
    **{
        kind: attrgetter("terms.instrument")
        for kind in APPLY
        if kind.__annotations__.get("terms") is OrderTerms
    },
}


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """How the rules treat orders of one kind; the types cannot say that both are of that kind."""

    enforce: "Callable[[StepContext, Any], StrEnum]"  # Sends what is owed, returns the state.
    moves: Mapping[Any, frozenset[Any]]
    terminal: frozenset[Any]
    reports: Mapping[Leg, Mapping[Any, Mapping[ExecType, ReportEffect]]]  # By leg and state.
    apply_report: "Callable[[StepContext, Any, VenueOrder, e.Report, ReportEffect], None]"
    pass_moment: "Callable[[StepContext, Any, ClockEvent, e.Source], None]"
    reopened: Callable[[int], e.Event]
    next_wake_ns: "Callable[[StepContext, Any, Any], int]"
    wants_price: Callable[[Any, Any], bool]
    wants_nothing: Callable[[Any, Any], bool]


class StepContext:
    """What every rule may use."""

    def __init__(self, state: OmsState, policies: Mapping[type[ParentOrder], OrderPolicy]) -> None:
        self.state = state
        self.policies = policies
        self.now_ns = 0
        self.links_orders = True  # Whether the venue lets orders share one quantity.
        self.prices: dict[InstrumentKey, int] = {}  # Last traded; ephemeral, not state.
        self.timers = Timers()
        self.changed_orders: dict[int, ParentOrder] = {}  # In this step, by id.
        # Ways out by client and instrument: computed from the orders, as the agenda is.
        self.leaving: dict[tuple[str, InstrumentKey], dict[int, ParentOrder]] = {}
        self.gtts = GttWatch()
        self.events: list[e.Event] = []
        self.requests: deque[e.Request] = deque()
        self.refused: dict[int, tuple[int, str]] = {}  # By tag: what the venue refused just now.
        self.days_over: dict[Exchange, int] = {}  # To be settled when this step ends.
        self._day_ends_ns = 0
        self._day = 0

    def emit(self, event: e.Event) -> None:
        """Record an event and apply it."""
        state = self.state
        if type(event) in INSTRUMENT_OF:
            self.use(INSTRUMENT_OF[type(event)](event))
        self.events.append(event)
        APPLY[type(event)](state, event, self.now_ns)  # ``evolve``, without a call between.
        state.events += 1

    def use(self, key: InstrumentKey) -> None:
        """Have the terms of a contract on record before anything is done with it."""
        if self.state.is_unlisted(key):
            self.emit(InstrumentListed(self.state.instruments[key]))

    def send(self, request: e.Request) -> None:
        """Send a request; it leaves when the step is durable."""
        self.emit(request)
        self.requests.append(request)

    def alarm(self, parent: ParentOrder, alarm: e.Alarm, detail: str) -> None:
        """Raise an alarm, once an order and kind."""
        if alarm.value not in parent.alarms:
            self.emit(e.AlarmRaised(parent.order_id, alarm, detail))

    def last_price(self, instrument: Instrument) -> int:
        """Return the last traded price in pips; before the first trade, the previous close."""
        return self.prices.get(instrument.key) or instrument.previous_close_pips

    def next_order_id(self, ahead: int = 0) -> int:
        """Return the next id of the day: the date in India, then a counter from 1."""
        day = self.day()
        given = self.state.day_counter if day == self.state.day else 0
        return int(f"{day}{given + 1 + ahead}")

    def day(self) -> int:
        """Return today's date in India as YYYYMMDD."""
        if self.now_ns >= self._day_ends_ns:
            self._day = day_of(self.now_ns)
            self._day_ends_ns = next_midnight_ns(self.now_ns)
        return self._day
