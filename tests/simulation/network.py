"""
A network that is late, lossy and repeats itself, and the exchange at its far end.

``FarVenue`` is what the engine talks to: it keeps what it is given until the record of the step
is durable, then posts it. ``Network`` carries parcels both ways; the weather says how late, how
often twice, how often never. ``Gateway`` is the member's door at the exchange: it knows requests
by (tag, serial) and takes each once, keeps a ledger of every order that ever came, and answers
questions from it. Which order a parcel arrives in is nobody's promise.

Times are nanoseconds. No parcel is older than ``AGE_MAX_NS``.

Source: docs/spec/cover_order.md (A6, B8); docs/spec/cover_order.md, "What the system owes".
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from random import Random
from typing import Final, NamedTuple

import msgspec

from kavach.core import events as e
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.exchange import messages as x
from kavach.exchange.exchange import Exchange
from kavach.units import NS_PER_MS, InstrumentKey, OrderType, Quantity, TimestampNs
from kavach.venues.scripted import Told

AGE_MAX_NS: Final = 1_500 * NS_PER_MS
STOPS: Final = frozenset({OrderType.SL, OrderType.SLM})
CLOSINGS: Final = {
    x.Removal.CANCELLED: e.Closing.CANCELLED,
    x.Removal.REMOVED: e.Closing.REMOVED,
    x.Removal.EXPIRED: e.Closing.EXPIRED,
}


class Weather(msgspec.Struct, frozen=True):
    """How bad it is; chances are permille, latencies milliseconds."""

    latency_max: int = 30
    late: int = 0  # How often a parcel takes up to its greatest age.
    lost: int = 0
    twice: int = 0
    refused: int = 0  # How often the gateway refuses what the exchange would have taken.


CALM: Final = Weather(latency_max=5)
WEATHERS: Final = (
    CALM,
    Weather(),
    Weather(latency_max=300, late=50),
    Weather(late=100, twice=150),
    Weather(lost=80),
    Weather(latency_max=200, lost=150, twice=100, late=50),
    Weather(refused=200),
    Weather(latency_max=100, lost=50, twice=100, late=50, refused=100),
    Weather(lost=600),
)


class Query(NamedTuple):
    """A question about one order; ``serial`` is that of the last request when it was asked."""

    tag: int
    serial: int
    asked_ns: int  # When the order's clock says that it was asked.


class Price(NamedTuple):
    """The last traded price, numbered so that an old one can't pass for a new one."""

    number: int
    instrument: InstrumentKey
    price_pips: int


ToVenue = e.Request | Query
ToEngine = e.ExecutionReport | Price


class Parcel(NamedTuple):
    """Something on its way."""

    due_ns: int
    number: int
    payload: ToVenue | ToEngine
    to_venue: bool


class Network:
    """Parcels on their way."""

    def __init__(self) -> None:
        self.up = True
        self.weather = CALM
        self.faults: Counter[str] = Counter()
        self._parcels: list[Parcel] = []
        self._sent = 0

    def post(
        self, payload: ToVenue | ToEngine, now_ns: int, chance: Random, *, to_venue: bool
    ) -> None:
        """Send something: it arrives once, twice or never, sooner or later."""
        weather = self.weather
        if not self.up or chance.randrange(1000) < weather.lost:
            self.faults["lost"] += 1
            return
        copies = 1
        if chance.randrange(1000) < weather.twice:
            self.faults["twice"] += 1
            copies = 2
        for _ in range(copies):
            delay = chance.randrange(1, weather.latency_max * NS_PER_MS)
            if chance.randrange(1000) < weather.late:
                self.faults["late"] += 1
                delay = chance.randrange(AGE_MAX_NS)
            self._sent += 1
            heappush(self._parcels, Parcel(now_ns + delay, self._sent, payload, to_venue))

    def next_due_ns(self) -> int | None:
        """Return when the next parcel arrives."""
        return self._parcels[0].due_ns if self._parcels else None

    def take(self) -> Parcel:
        """Return the next parcel."""
        return heappop(self._parcels)

    def break_off(self, chance: Random) -> None:
        """End the connection: nothing more arrives at the engine, at the venue perhaps."""
        kept = [p for p in self._parcels if p.to_venue and chance.randrange(2)]
        self.faults["lost"] += len(self._parcels) - len(kept)
        heapify(kept)
        self._parcels = kept

    def on_the_way(self, tag: int) -> bool:
        """Return whether a request about this order has yet to arrive at the venue."""
        return any(
            p.to_venue and not isinstance(p.payload, Query | Price) and p.payload.tag == tag
            for p in self._parcels
        )


class FarVenue:
    """What the engine talks to; its requests wait here until their record is durable."""

    links_orders = True

    def __init__(self, exchange: Exchange, keys: Iterable[InstrumentKey]) -> None:
        self.outbox: list[ToVenue] = []  # Waits for the disk.
        self.handed: list[ToVenue] = []  # All that was ever put there.
        self._exchange = exchange
        self._keys = list(keys)

    def send(self, request: e.Request, order: VenueOrder, parent: ParentOrder, at_ns: int) -> Told:
        """Return nothing: whatever the venue says comes through the network."""
        self.outbox.append(request)
        self.handed.append(request)
        return Told()

    def statuses(self, orders: Iterable[VenueOrder]) -> Told:
        """Return nothing: questions travel, too."""
        asked = [Query(order.tag, order.serial, order.queried_at_ns) for order in orders]
        self.outbox.extend(asked)
        self.handed.extend(asked)
        return Told()

    def replay(self, events: Sequence[x.Event], told: Iterable[e.Event]) -> None:
        """Refuse: what happens far away is not in our journal."""
        assert not events, f"a venue far away journals nothing, least of all {events}"

    def prices(self) -> dict[InstrumentKey, int]:
        """Return the last prices, which everybody may look up at any time."""
        return {key: self._exchange.last_price_pips(key) for key in self._keys}

    def snapshot(self) -> bytes:
        """Return nothing."""
        return b""

    def restore(self, snapshot: bytes) -> None:
        """Do nothing: the venue lives on while the engine restarts."""
        assert snapshot == b"", "a venue far away has no snapshot"

    def state_hash(self) -> str:
        """Return nothing."""
        return ""


class Entry:
    """A line of the ledger: all that ever happened to one order at the exchange."""

    def __init__(self, asked: e.OrderSubmitted) -> None:
        self.asked = asked
        self.exchange_order_id = ""
        self.order_type = asked.order_type
        self.quantity = int(asked.quantity)
        self.price_pips = asked.price_pips
        self.trigger_price_pips = asked.trigger_price_pips
        self.triggered = False
        self.trades: list[e.OrderTraded] = []
        self.filled = 0
        self.rejected: e.OrderRejected | None = None
        self.closed: e.OrderClosed | None = None
        self.seen: set[int] = set()  # Serials of the requests that were taken.

    @property
    def alive(self) -> bool:
        """Whether it may still trade."""
        over = self.rejected is not None or self.closed is not None
        return not over and self.filled < self.quantity

    def status(self, query: Query, *, settled: bool) -> e.ExecutionReport:
        """Return what the exchange knows of it."""
        if self.rejected is not None:
            return self.rejected
        waits = self.order_type in STOPS and not self.triggered
        living = e.Standing.WAITING if waits else e.Standing.WORKING
        closed = self.closed
        return e.OrderStatus(
            self.asked.tag,
            self.exchange_order_id,
            living if self.alive else e.Standing.CLOSED,
            self.order_type,
            Quantity(self.quantity),
            self.price_pips,
            self.trigger_price_pips,
            Quantity(self.filled),
            tuple(self.trades),
            closed.closing if closed else e.Closing.REMOVED,
            closed.code if closed else 0,
            closed.reason if closed else "",
            settled=settled,
            serial=query.serial,
            queried_at_ns=query.asked_ns,
        )


class Gateway:
    """The member's door: each request once, a ledger of every order, answers from it."""

    def __init__(self, exchange: Exchange, network: Network, *, all_knowing: bool) -> None:
        self.exchange = exchange
        self.all_knowing = all_knowing  # Whether it can tell that nothing more is under way.
        self.ledger: dict[int, Entry] = {}
        self.of_cover: dict[int, list[Entry]] = {}
        self._network = network
        self._prices = 0
        self.repeated = 0

    def take(self, payload: ToVenue, at_ns: int, chance: Random) -> None:
        """Take what arrives, and post what comes of it."""
        match payload:
            case Query():
                self._answer(payload, at_ns, chance)
            case e.OrderSubmitted():
                self._submit(payload, at_ns, chance)
            case e.OrderAmendSent() | e.OrderCancelSent():
                self._change(payload, at_ns, chance)
            case _:
                raise AssertionError(f"INV-5: the venue has nothing twice, yet: {payload}")

    def publish(self, events: Iterable[x.Event], at_ns: int, chance: Random) -> None:
        """Write down what happened at the exchange, and post it to whom it concerns."""
        moved: set[InstrumentKey] = set()
        for event in events:
            if isinstance(event, x.Printed):
                moved.add(event.instrument)
            elif isinstance(event, x.Traded):
                moved.add(self.ledger[event.order_ref].asked.instrument)
            report = self._write_down(event)
            if report is not None:
                self._say(report, at_ns, chance)
        for key in sorted(moved):
            self._prices += 1
            price = Price(self._prices, key, self.exchange.last_price_pips(key))
            self._network.post(price, at_ns, chance, to_venue=False)

    def _say(self, report: e.ExecutionReport, at_ns: int, chance: Random) -> None:
        self._network.post(report, at_ns, chance, to_venue=False)

    def _refuses(self, chance: Random) -> bool:
        refuses = chance.randrange(1000) < self._network.weather.refused
        self._network.faults["refused"] += refuses
        return refuses

    def _answer(self, query: Query, at_ns: int, chance: Random) -> None:
        settled = self.all_knowing and not self._network.on_the_way(query.tag)
        entry = self.ledger.get(query.tag)
        if entry is None:
            self._say(e.OrderAbsent(query.tag, settled, query.asked_ns), at_ns, chance)
        else:
            self._say(entry.status(query, settled=settled), at_ns, chance)

    def _submit(self, request: e.OrderSubmitted, at_ns: int, chance: Random) -> None:
        if request.tag in self.ledger:
            self.repeated += 1
            return
        self.ledger[request.tag] = Entry(request)
        self.of_cover.setdefault(request.parent_id, []).append(self.ledger[request.tag])
        if self._refuses(chance):
            events: list[x.Event] = [x.Rejected(request.tag, 17070, "out of range")]
        else:
            entry = request.purpose is e.Purpose.ENTRY
            events = self.exchange.submit(
                x.NewOrder(
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
                    x.SelfTrade.CANCEL_ACTIVE if entry else x.SelfTrade.CANCEL_PASSIVE,
                    request.link,
                ),
                TimestampNs(at_ns),
            )
        self.publish(events, at_ns, chance)

    def _change(
        self, request: e.OrderAmendSent | e.OrderCancelSent, at_ns: int, chance: Random
    ) -> None:
        entry = self.ledger[request.tag]
        if request.serial in entry.seen:
            self.repeated += 1
            return
        assert request.serial > max(entry.seen, default=0), "INV-6: an old request comes back"
        entry.seen.add(request.serial)
        tag, order_id, serial = request.tag, entry.exchange_order_id, request.serial
        amends = isinstance(request, e.OrderAmendSent)
        refusal = e.OrderAmendRefused if amends else e.OrderCancelRefused
        if self._refuses(chance):
            self._say(refusal(tag, 16346, "not now", serial), at_ns, chance)
            return
        if isinstance(request, e.OrderAmendSent):
            amend = x.AmendOrder(
                order_id,
                request.order_type,
                request.quantity,
                request.disclosed_quantity,
                request.price_pips,
                request.trigger_price_pips,
            )
            events = self.exchange.amend(amend, TimestampNs(at_ns))
        else:
            events = self.exchange.cancel(x.CancelOrder(order_id))
        first = events[0]
        if isinstance(first, x.AmendRejected | x.CancelRejected):
            self._say(refusal(tag, first.code, first.reason, serial), at_ns, chance)
        elif isinstance(first, x.Amended):
            self._write_down(first)
            self._say(e.OrderAmended(tag, serial), at_ns, chance)
            self.publish(events[1:], at_ns, chance)
        else:
            self.publish(events, at_ns, chance)

    def _write_down(self, event: x.Event) -> e.Report | None:
        """Return the report of an event, now that it is in the ledger."""
        match event:
            case x.Accepted():
                self.ledger[event.order_ref].exchange_order_id = event.exchange_order_id
                return e.OrderAccepted(event.order_ref, event.exchange_order_id)
            case x.Rejected():
                entry = self.ledger[event.order_ref]
                entry.rejected = e.OrderRejected(event.order_ref, event.code, event.reason)
                return entry.rejected
            case x.Triggered():
                entry = self.ledger[event.order_ref]
                entry.triggered = True
                return e.OrderTriggered(event.order_ref)
            case x.Priced():
                self.ledger[event.order_ref].price_pips = event.price_pips
                return None
            case x.Traded():
                ref = event.order_ref
                trade = e.OrderTraded(ref, event.trade_id, event.quantity, event.price_pips)
                self.ledger[ref].trades.append(trade)
                self.ledger[ref].filled += event.quantity
                return trade
            case x.Amended():
                entry = self.ledger[event.order_ref]
                entry.order_type = event.order_type
                entry.quantity = event.quantity
                entry.price_pips = event.price_pips
                entry.trigger_price_pips = event.trigger_price_pips
                return None
            case x.Removed():
                entry = self.ledger[event.order_ref]
                entry.closed = e.OrderClosed(
                    event.order_ref,
                    event.filled_quantity,
                    CLOSINGS[event.why],
                    event.code,
                    event.reason,
                )
                return entry.closed
            case _:
                return None
