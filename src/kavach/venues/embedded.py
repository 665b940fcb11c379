"""
The embedded exchange as a venue: translates, and misbehaves on request.

The exchange knows no cover orders and the core no books; here a request of the one becomes a
request of the other, and an event a report. Faults stand between them: an operator may let the
next matching requests be refused, or an accepted order be cancelled by the exchange.

Self-trade prevention is chosen by leg: an entry that would meet our own stop goes itself, an
exit that meets our own stray entry removes it.

Source: docs/spec/cover_order.md, "What the system owes"; docs/wire/README.md, "Cancelling and
getting out"; docs/twin.md.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, cast, get_args

import msgspec

from kavach.core import events as core
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.engine.engine import Engine
from kavach.engine.quote import EVERYTHING, Quote
from kavach.exchange import messages as ex
from kavach.exchange.exchange import Exchange
from kavach.exchange.snapshot import Snapshot as ExchangeSnapshot
from kavach.instruments import Instrument, Listing, listing
from kavach.units import Exchange as Segment
from kavach.units import InstrumentKey, OrderType, Phase, Pips, Quantity, TimestampNs
from kavach.venues.day_notes import DayNotes
from kavach.venues.delayed_reports import DelayedReports, all_same
from kavach.venues.faults import Fault, FaultBoard, FaultEffect

_CLOSING: Final = {
    ex.Removal.CANCELLED: core.Closing.CANCELLED,
    ex.Removal.REMOVED: core.Closing.REMOVED,
    ex.Removal.EXPIRED: core.Closing.EXPIRED,
}


class VenueAnswer(msgspec.Struct, gc=False):
    """What the exchange said within the call."""

    reports: list[core.ExecutionReport]
    moved: dict[InstrumentKey, int]
    journaled: list[ex.Event]


class VenueSnapshot(msgspec.Struct, frozen=True, array_like=True):
    """What lasts of the venue; what is untold belongs to it, or its trades would be lost."""

    exchange: ExchangeSnapshot
    undelivered: list[core.Report]


_STOPS: Final = frozenset({OrderType.SL, OrderType.SLM})
_REPORTS: Final = frozenset(get_args(core.Report))
_QUIET: Final[dict[InstrumentKey, int]] = {}


class EmbeddedVenue:
    """The exchange inside, behind the engine's port."""

    links_orders = True

    def __init__(self, instruments: Iterable[Instrument] | Listing) -> None:
        """Open the exchange; a listing that the engine has too tells it of recorded terms."""
        self._instruments = listing(instruments)
        self.exchange = Exchange(self._instruments)
        self.faults = FaultBoard()
        self.delayed = DelayedReports()
        self.touched: set[InstrumentKey] = set()  # What a feed has still to look at.
        self.days = DayNotes(self._instruments, self.exchange.day)

    # --- The port -----------------------------------------------------------------------------

    def send(
        self, request: core.Request, order: VenueOrder, parent: ParentOrder, at_ns: int
    ) -> VenueAnswer:
        """Return what the exchange says to a request."""
        assert self.delayed.up, "nothing is sent over a link that is down"
        fault = self.faults.take(request, order, parent.client_id) if self.faults else None
        if fault is not None:
            return self._suffer(fault, request, order, parent, at_ns)
        return self.reports_of(self._ask(request, order, parent, at_ns), parent.instrument, request)

    def _ask(
        self, request: core.Request, order: VenueOrder, parent: ParentOrder, at_ns: int
    ) -> list[ex.Event]:
        if type(request) is core.OrderSubmitted:
            return self._submit(request, parent, at_ns)
        if type(request) is core.OrderCancelSent:
            return self.exchange.cancel(ex.CancelOrder(order.exchange_order_id))
        if type(request) is core.StrayCancelSent:
            return self.exchange.cancel(ex.CancelOrder(request.exchange_order_id))
        assert type(request) is core.OrderAmendSent
        return self._amend(request, order, at_ns)

    def _suffer(
        self,
        fault: Fault,
        request: core.Request,
        order: VenueOrder,
        parent: ParentOrder,
        at_ns: int,
    ) -> VenueAnswer:
        """Let a request suffer what an operator wanted."""
        effect = fault.effect
        if effect is FaultEffect.REJECT:
            return VenueAnswer([_refusal(request, fault)], _QUIET, [])
        if effect is FaultEffect.DROP_REQUEST:
            return VenueAnswer([], _QUIET, [])
        events = self._ask(request, order, parent, at_ns)
        if effect is FaultEffect.REMOVE_FIRED:
            for target in _accepted(request.tag, order, events):
                self.exchange.remove_when_fired(target, fault.code, fault.reason)
            return self.reports_of(events, parent.instrument, request)
        if effect is FaultEffect.CANCEL_RESTING:
            events = events + self._cancel_resting(request.tag, order, events, fault)
            return self.reports_of(events, parent.instrument, request)
        heard = self.reports_of(events, parent.instrument, request)
        mine = [report for report in heard.reports if report.tag == request.tag]
        others = [report for report in heard.reports if report.tag != request.tag]
        if effect is FaultEffect.DUPLICATE_REPORT:
            return VenueAnswer(heard.reports + mine, heard.moved, heard.journaled)
        for report in mine:
            assert not isinstance(report, core.OrderStatus | core.OrderAbsent)
            if effect is FaultEffect.DELAY:
                self.delayed.delay(report, at_ns + fault.delay_ns)
            else:
                self.delayed.hold(report)
        return VenueAnswer(others, heard.moved, heard.journaled)

    # --- Asked, and late ----------------------------------------------------------------------

    def statuses(self, orders: Iterable[VenueOrder]) -> VenueAnswer:
        """Return all that the exchange knows of these orders, told or untold."""
        said: list[core.ExecutionReport] = []
        for order in orders:
            said.extend(self._status(order))
        return VenueAnswer(said, _QUIET, [])

    def set_link(self, *, up: bool) -> None:
        """Cut or mend the link; what happens meanwhile is kept for the snapshot."""
        self.delayed.up = up

    def late(self, now_ns: int) -> VenueAnswer:
        """Return the late reports that have arrived by now."""
        return VenueAnswer(list(self.delayed.take_due(now_ns)), _QUIET, [])

    def _status(self, order: VenueOrder) -> Iterator[core.ExecutionReport]:
        """Yield what the core was never told of an order, in order, and then where it stands."""
        undelivered = self.delayed.take(order.tag)
        yield from undelivered
        exchange_id = order.exchange_order_id
        filled = order.filled_quantity
        for report in undelivered:
            if isinstance(report, core.OrderRejected):
                return
            if isinstance(report, core.OrderAccepted):
                exchange_id = report.exchange_order_id
            elif isinstance(report, core.OrderTraded):
                filled += report.quantity
        if not exchange_id:
            yield core.OrderAbsent(order.tag)
            return
        lives = self.exchange.order(exchange_id)
        if lives is None:
            yield _gone(order, exchange_id, filled)
            return
        waits = lives.order_type in _STOPS and not lives.triggered
        yield core.OrderStatus(
            order.tag,
            exchange_id,
            core.Standing.WAITING if waits else core.Standing.WORKING,
            lives.order_type,
            lives.quantity,
            lives.price_pips,
            lives.trigger_price_pips,
            lives.filled_quantity,
            (),
            serial=order.serial,
        )

    # --- What a record holds ------------------------------------------------------------------

    def spare(self, events: Sequence[ex.Event]) -> bool:
        """Return whether these events of a step need no record: they are prices only."""
        return self.days.forget(events)

    def record(
        self, keys: Callable[[], set[InstrumentKey]], events: Sequence[ex.Event]
    ) -> Sequence[ex.Event]:
        """Return what a record about these instruments holds: unrecorded prices, these events."""
        owed = self.days.owed(keys, events)
        return [*owed, *events] if owed else events

    # --- Recovery -----------------------------------------------------------------------------

    def replay(self, events: Sequence[ex.Event], told: Iterable[core.Event]) -> None:
        """Let exchange events have happened again; ``told`` is what the core heard in that step."""
        for event in events:
            self.exchange.apply(event)
        happened = [r for event in events if (r := _REPORT[type(event)](event, 0, 0)) is not None]
        heard = [cast(core.Report, event) for event in told if type(event) in _REPORTS]
        if self.delayed.undelivered() or not all_same(happened, heard):
            self.delayed.reconcile(heard, happened)

    def prices(self) -> dict[InstrumentKey, int]:
        """Return the last price, in pips, of every instrument that has a book."""
        return {key: self.exchange.last_price_pips(key) for key in self.exchange.opened()}

    def traded(self) -> list[InstrumentKey]:
        """Return the instruments that have ever traded, in order."""
        return self.exchange.traded()

    def every_day(self) -> list[ex.DayNoted]:
        """Return where the day of every instrument stands that has ever traded."""
        return [self.exchange.day(key) for key in self.exchange.traded()]

    def go_on(self, days: Iterable[ex.DayNoted]) -> None:
        """Let the days be these, where they go further than what the records tell."""
        for day in days:
            known = self._instruments.get(day.instrument)
            if known is not None and day.at_ns > self.exchange.ticker(day.instrument).at_ns:
                self.exchange.apply(day)

    def quote(self, key: InstrumentKey, levels: int = 5) -> Quote:
        """Return an instrument as everybody sees it; ``KeyError`` for an unknown one."""
        exchange = self.exchange
        ticker = exchange.ticker(key)
        bids, asks = exchange.depth(key, levels)
        bid_total, ask_total = exchange.totals(key)
        return Quote(
            last_price_pips=ticker.last_price_pips,
            last_quantity=ticker.last_quantity,
            traded_at_ns=ticker.at_ns,
            open_pips=ticker.open_pips,
            high_pips=ticker.high_pips,
            low_pips=ticker.low_pips,
            volume=ticker.volume,
            value_pips=ticker.value_pips,
            previous_close_pips=self._instruments[key].previous_close_pips,
            bids=bids,
            asks=asks,
            bid_total=bid_total,
            ask_total=ask_total,
        )

    def snapshot(self) -> bytes:
        """Return the exchange's state and what is untold of it, MessagePack."""
        taken = VenueSnapshot(self.exchange.snapshot(), self.delayed.every_undelivered())
        return msgspec.msgpack.encode(taken)

    def restore(self, snapshot: bytes) -> None:
        """Let the exchange and the post be what the snapshot holds."""
        taken = msgspec.msgpack.decode(snapshot, type=VenueSnapshot)
        self.exchange.restore(taken.exchange)
        for report in taken.undelivered:
            self.delayed.hold(report)

    def state_hash(self) -> str:
        """Return the hash of the exchange's own state, but for prices, which records tell of last.

        They stand outside: those that no rule looked at are in no record.
        """
        return self.exchange.state_hash(days=False)

    # --- Translation --------------------------------------------------------------------------

    def reports_of(
        self, events: list[ex.Event], key: InstrumentKey, asked: core.Request | None = None
    ) -> VenueAnswer:
        """Return events of one instrument as the core hears them, or keep them for later.

        ``asked`` is the request that caused them; an answer that no longer finds its order is
        about that one.
        """
        self.touched.add(key)
        if events:
            self.days.touch(key)
        tag = 0 if asked is None else asked.tag
        serial = getattr(asked, "serial", 0)
        heard = VenueAnswer([], _QUIET, [])
        for event in events:
            self._hear(event, tag, serial, heard)
            if type(event) is ex.Traded or type(event) is ex.Printed:
                heard.moved = {key: self.exchange.last_price_pips(key)}
        return heard

    def set_phase(
        self, exchange: Segment, phase: Phase, at_ns: int, session: str = ""
    ) -> VenueAnswer:
        """Bring a session, or all of an exchange, into a phase, and return what that did.

        An auction that ends is matched, which moves the prices of what traded in it.
        """
        heard = VenueAnswer([], {}, [])
        self.touched.add(EVERYTHING)
        for event in self.exchange.set_phase(exchange, phase, TimestampNs(at_ns), session):
            self._hear(event, 0, 0, heard)
            if type(event) is ex.Matched:
                self.touched.add(event.instrument)
                if event.quantity:
                    self.days.touch(event.instrument)
                    heard.moved[event.instrument] = event.price_pips
        return heard

    def _hear(self, event: ex.Event, tag: int, serial: int, heard: VenueAnswer) -> None:
        """Add to an answer what the core hears of an event, and what the journal holds of it."""
        kind = type(event)
        report = _REPORT[kind](event, tag, serial)
        if report is None:
            pass
        elif self.delayed.up:
            heard.reports.append(report)
        else:
            self.delayed.hold(report)
        if kind not in _UNCHANGED:
            heard.journaled.append(event)

    def _submit(
        self, request: core.OrderSubmitted, parent: ParentOrder, at_ns: int
    ) -> list[ex.Event]:
        """Submit an order; one that takes risk away goes before one's own that would meet it."""
        entry = request.purpose is core.Purpose.ENTRY and not parent.squares_off
        return self.exchange.submit(
            ex.NewOrder(
                request.tag,
                request.client_id,
                request.instrument,
                request.side,
                request.order_type,
                request.quantity,
                request.disclosed_quantity,
                request.price_pips,
                request.trigger_price_pips,
                request.validity,
                ex.SelfTrade.CANCEL_ACTIVE if entry else ex.SelfTrade.CANCEL_PASSIVE,
                request.link,
            ),
            TimestampNs(at_ns),
        )

    def _amend(self, request: core.OrderAmendSent, order: VenueOrder, at_ns: int) -> list[ex.Event]:
        return self.exchange.amend(
            ex.AmendOrder(
                order.exchange_order_id,
                request.order_type,
                request.quantity,
                request.disclosed_quantity,
                request.price_pips,
                request.trigger_price_pips,
            ),
            TimestampNs(at_ns),
        )

    def _cancel_resting(
        self, tag: int, order: VenueOrder, events: list[ex.Event], fault: Fault
    ) -> list[ex.Event]:
        """Let the exchange cancel, on its own, what it has just accepted."""
        removed: list[ex.Event] = []
        for target in _accepted(tag, order, events):
            removed += self.exchange.remove(target, fault.code, fault.reason)
        return removed


def _accepted(tag: int, order: VenueOrder, events: Iterable[ex.Event]) -> list[str]:
    """Return under which id the exchange has an order since these events; none if it has not."""
    ids = [e.exchange_order_id for e in events if type(e) is ex.Accepted and e.order_ref == tag]
    return ids or [one for one in [order.exchange_order_id] if one]


def _gone(order: VenueOrder, exchange_id: str, filled: int) -> core.OrderStatus:
    """Return the status of an order that is no longer in the book."""
    return core.OrderStatus(
        order.tag,
        exchange_id,
        core.Standing.CLOSED,
        order.order_type,
        Quantity(order.quantity),
        Pips(order.price_pips),
        Pips(order.trigger_price_pips),
        Quantity(filled),
        (),
        serial=order.serial,
    )


class DelayedReportSource:
    """Late reports, as a time source of the engine."""

    def __init__(self, engine: Engine, venue: EmbeddedVenue) -> None:
        self._engine = engine
        self._venue = venue

    def next_due_ns(self) -> int | None:
        """Return when the next late report arrives."""
        return self._venue.delayed.next_due_ns()

    def fire(self, at_ns: int) -> None:
        """Let the core hear what has arrived."""
        self._engine.market_step(self._venue.late, at_ns)


def _refusal(request: core.Request, fault: Fault) -> core.Report:
    if type(request) is core.OrderSubmitted:
        return core.OrderRejected(request.tag, fault.code, fault.reason)
    if type(request) is core.OrderCancelSent:
        return core.OrderCancelRefused(request.tag, fault.code, fault.reason, request.serial)
    assert type(request) is core.OrderAmendSent
    return core.OrderAmendRefused(request.tag, fault.code, fault.reason, request.serial)


# Refusals change nothing inside the exchange, so its journal does not hold them.
_UNCHANGED: Final = frozenset({ex.Rejected, ex.AmendRejected, ex.CancelRejected})

_REPORT: Final[dict[type, Callable[[Any, int, int], core.Report | None]]] = {
    ex.Accepted: lambda e, tag, serial: core.OrderAccepted(e.order.order_ref, e.exchange_order_id),
    ex.Rejected: lambda e, tag, serial: core.OrderRejected(e.order_ref, e.code, e.reason),
    ex.Amended: lambda e, tag, serial: core.OrderAmended(e.order_ref, serial),
    ex.AmendRejected: lambda e, tag, serial: core.OrderAmendRefused(tag, e.code, e.reason, serial),
    ex.CancelRejected: lambda e, tag, serial: core.OrderCancelRefused(
        tag, e.code, e.reason, serial
    ),
    ex.Triggered: lambda e, tag, serial: core.OrderTriggered(e.order_ref),
    ex.Traded: lambda e, tag, serial: core.OrderTraded(
        e.order_ref, e.trade_id, e.quantity, e.price_pips
    ),
    ex.Priced: lambda e, tag, serial: None,
    ex.Removed: lambda e, tag, serial: core.OrderClosed(
        e.order_ref, e.filled_quantity, _CLOSING[e.why], e.code, e.reason
    ),
    ex.Printed: lambda e, tag, serial: None,
    ex.PhaseChanged: lambda e, tag, serial: None,
    ex.DayNoted: lambda e, tag, serial: None,
    ex.Referenced: lambda e, tag, serial: None,
    ex.Matched: lambda e, tag, serial: None,
}
