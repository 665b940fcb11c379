"""
The stock exchange: requests in, events out, pure and deterministic.

It knows accounts and orders, not strategies: what a cover order is, it has never heard. Every
call returns the list of what happened, in order; applying those events to a fresh exchange
builds the same client state. Nothing here reads a clock: the time of a call comes with it.

Source: docs/spec/exchange.md.
"""

from collections.abc import Iterable

import msgspec

from kavach.exchange import liquidity, snapshot
from kavach.exchange.book import STOPS, Book
from kavach.exchange.codes import TEXT, Code
from kavach.exchange.day import change_phase
from kavach.exchange.ladder import LIQUIDITY, Ladder, Order
from kavach.exchange.liquidity import FIRST_LIQUIDITY_ID, Quotes
from kavach.exchange.matching import emit, removed, work
from kavach.exchange.messages import (
    Accepted,
    Amended,
    AmendOrder,
    AmendRejected,
    CancelOrder,
    CancelRejected,
    DayNoted,
    Event,
    NewOrder,
    Rejected,
    Removal,
)
from kavach.exchange.phases import MATCHING, amend_fault, band, cancel_fault, entry_fault
from kavach.exchange.rules import fault
from kavach.exchange.snapshot import OrderRecord, Snapshot
from kavach.exchange.state import State
from kavach.instruments import Instrument, Listing
from kavach.units import (
    Exchange as Segment,
)
from kavach.units import (
    InstrumentKey,
    Phase,
    Pips,
    Quantity,
    Side,
    TimestampNs,
)

DepthLevel = tuple[Pips, Quantity, int]  # Price, visible quantity, orders.


class Ticker(msgspec.Struct, frozen=True):
    """An instrument's day so far; open, high and low are 0 until it has traded."""

    last_price_pips: Pips
    open_pips: Pips
    high_pips: Pips
    low_pips: Pips
    volume: Quantity
    at_ns: TimestampNs  # Of the last trade, 0 if there was none.
    value_pips: int  # The day's trades, price times quantity.
    last_quantity: Quantity


class Exchange:
    """All segments of the exchange in one object; every segment starts open."""

    __slots__ = ("_liquidity_id", "_state")

    def __init__(self, instruments: Iterable[Instrument] | Listing) -> None:
        self._state = State(instruments)
        self._liquidity_id = FIRST_LIQUIDITY_ID

    # --- Clients --------------------------------------------------------------------------

    def submit(self, new: NewOrder, at_ns: TimestampNs) -> list[Event]:
        """Return what became of a new order, and of whatever it met."""
        assert new.account != LIQUIDITY, new.order_ref
        state = self._state
        if new.instrument not in state.instruments:
            return [_rejected(new, Code.INSTRUMENT_UNKNOWN)]
        book = state.books[new.instrument]
        phase = state.phases[book.session]
        code = _entry_fault(phase, new) if phase is not Phase.OPEN else Code.NONE
        code = code or _group_fault(book, new)
        code = code or fault(
            book.instrument,
            band(book, phase),
            book.last_price,
            new.side,
            new.order_type,
            new.quantity,
            new.disclosed_quantity,
            new.price_pips,
            new.trigger_price_pips,
        )
        if code:
            return [_rejected(new, code)]
        order_id = str(state.last_order_id[book.instrument.exchange] + 1)
        accepted = Accepted(order_id, state.priority + 1, new)
        state.apply(accepted)
        out: list[Event] = [accepted]
        if phase in MATCHING:
            if new.order_type not in STOPS:
                work(state, book, state.orders[order_id], at_ns, out)
            book.check()
        return out

    def amend(self, amend: AmendOrder, at_ns: TimestampNs) -> list[Event]:
        """Return what became of a change, and of whatever the changed order met."""
        state = self._state
        order = state.orders.get(amend.exchange_order_id)
        if order is None:
            code = self._why_not_live(amend.exchange_order_id, Code.CANNOT_MODIFY)
            return [AmendRejected(0, amend.exchange_order_id, code.value, TEXT[code])]
        book = state.books[order.instrument]
        phase = state.phases[book.session]
        code = _amend_fault(book, phase, order, amend)
        if code:
            ref, order_id = order.order_ref, order.exchange_order_id
            return [AmendRejected(ref, order_id, code.value, TEXT[code])]
        out: list[Event] = []
        keeps = _keeps_place(order, amend)
        event = Amended(
            order.order_ref,
            amend.exchange_order_id,
            amend.order_type,
            amend.quantity,
            amend.disclosed_quantity,
            amend.price_pips,
            amend.trigger_price_pips,
            order.priority if keeps else state.priority + 1,
        )
        emit(state, out, event)
        if phase in MATCHING:
            if not keeps and amend.order_type not in STOPS:
                work(state, book, order, at_ns, out)
            book.check()
        return out

    def cancel(self, cancel: CancelOrder) -> list[Event]:
        """Return the order's removal, or the refusal: none such lives, or it may not go now."""
        state = self._state
        order = state.orders.get(cancel.exchange_order_id)
        if order is None:
            code = self._why_not_live(cancel.exchange_order_id, Code.CANNOT_CANCEL)
            return [CancelRejected(0, cancel.exchange_order_id, code.value, TEXT[code])]
        phase = state.phases[state.books[order.instrument].session]
        if code := cancel_fault(phase, order.order_type):
            ref, order_id = order.order_ref, order.exchange_order_id
            return [CancelRejected(ref, order_id, code.value, TEXT[code])]
        event = removed(order, Removal.CANCELLED, 0, "")
        state.apply(event)
        return [event]

    def remove(self, exchange_order_id: str, code: int, reason: str) -> list[Event]:
        """Return the exchange's own removal of an order; nothing if it lives no more."""
        out: list[Event] = []
        order = self._state.orders.get(exchange_order_id)
        if order is not None:
            emit(self._state, out, removed(order, Removal.REMOVED, code, reason))
        return out

    def remove_when_fired(self, exchange_order_id: str, code: int, reason: str) -> None:
        """Remove a stop instead of letting it trade when it fires, as protection would."""
        order = self._state.orders.get(exchange_order_id)
        if order is not None:
            order.doom = code, reason

    # --- The house and the day ------------------------------------------------------------

    def liquidity_quote(
        self,
        key: InstrumentKey,
        bid_pips: Pips,
        bid_quantity: Quantity,
        ask_pips: Pips,
        ask_quantity: Quantity,
        at_ns: TimestampNs,
    ) -> list[Event]:
        """Replace all house quotes by one bid and one ask (quantity 0: none)."""
        bids, asks = [(bid_pips, bid_quantity)], [(ask_pips, ask_quantity)]
        return self.liquidity_quotes(key, bids, asks, at_ns)

    def liquidity_quotes(
        self, key: InstrumentKey, bids: Quotes, asks: Quotes, at_ns: TimestampNs
    ) -> list[Event]:
        """
        Replace all house quotes by these levels, and return what that did.

        Raises ``LiquidityError``, having changed nothing, for a closed segment, a price off tick
        or band, a quantity that is not whole lots, a bid not below an ask.
        """
        first_id = self._next_liquidity_ids(len(bids) + len(asks))
        return liquidity.replace_quotes(self._state, self._book(key), bids, asks, first_id, at_ns)

    def liquidity_order(
        self,
        key: InstrumentKey,
        side: Side,
        price_pips: Pips | None,
        quantity: Quantity,
        at_ns: TimestampNs,
    ) -> tuple[int, str, list[Event]]:
        """Return how much of an anonymous order filled, its id, and what happened."""
        liquidity_id = self._next_liquidity_ids(1)
        filled, events = liquidity.trade_order(
            self._state, self._book(key), side, price_pips, quantity, liquidity_id, at_ns
        )
        return filled, str(liquidity_id), events

    def print_trade(
        self, key: InstrumentKey, price_pips: Pips, quantity: Quantity, at_ns: TimestampNs
    ) -> list[Event]:
        """Return what a trade elsewhere does here: it moves the last price and fires stops."""
        return liquidity.print_trade(self._state, self._book(key), price_pips, quantity, at_ns)

    def set_phase(
        self, exchange: Segment, phase: Phase, at_ns: TimestampNs, session: str = ""
    ) -> list[Event]:
        """
        Return what it did to bring a session, or all of an exchange, into a phase.

        An auction that ends is matched. Closing expires every client order, the beginning of an
        auction every stop. A session that is in the phase already is let be.
        """
        return change_phase(self._state, exchange, phase, at_ns, session)

    # --- Looking --------------------------------------------------------------------------

    def phase(self, session: str) -> Phase:
        """Return the phase of a session; an exchange's name is that of its main session."""
        return self._state.phases[session]

    def price_band(self, key: InstrumentKey) -> tuple[Pips, Pips]:
        """Return the lowest and the highest price that an instrument takes in its phase."""
        book = self._look(key)
        low, high = band(book, self._state.phases[book.session])
        return Pips(low), Pips(high)

    def last_price_pips(self, key: InstrumentKey) -> Pips:
        """Return the last traded price, or the previous close if nothing has traded."""
        return self._look(key).last_price

    def ticker(self, key: InstrumentKey) -> Ticker:
        """Return the instrument's day so far."""
        book = self._look(key)
        return Ticker(
            book.last_price,
            book.day_open,
            book.day_high,
            book.day_low,
            book.volume,
            book.at_ns,
            book.value_pips,
            book.last_quantity,
        )

    def day(self, key: InstrumentKey) -> DayNoted:
        """Return the instrument's day as an event that makes it so."""
        book = self._look(key)
        return DayNoted(
            book.instrument.key,
            book.last_price,
            book.last_quantity,
            book.at_ns,
            book.day_open,
            book.day_high,
            book.day_low,
            book.volume,
            book.value_pips,
        )

    def traded(self) -> list[InstrumentKey]:
        """Return the keys of the instruments that have ever traded, in order."""
        return [key for key in self.opened() if self._state.books[key].at_ns]

    def depth(
        self, key: InstrumentKey, levels: int = 5
    ) -> tuple[list[DepthLevel], list[DepthLevel]]:
        """Return the best bids and asks, best first: price, visible quantity, orders."""
        book = self._look(key)
        return _top(book.bids, levels), _top(book.asks, levels)

    def totals(self, key: InstrumentKey) -> tuple[Quantity, Quantity]:
        """Return the visible quantity of all bids, and of all asks."""
        book = self._look(key)
        return Quantity(book.bids.visible), Quantity(book.asks.visible)

    def opened(self) -> list[InstrumentKey]:
        """Return the keys of the instruments that have a book, in order."""
        return sorted(self._state.books)

    def order(self, exchange_order_id: str) -> OrderRecord | None:
        """Return a live client order as it stands, or ``None``."""
        order = self._state.orders.get(exchange_order_id)
        return None if order is None else snapshot.record(order)

    def leave(self, key: InstrumentKey) -> bool:
        """
        Return whether the house is gone from an instrument: not where a client's order rests.

        A book that nothing lasting is in goes too.
        """
        book = self._state.books.get(key)
        if book is None:
            return True
        if book.serves_clients:
            return False
        liquidity.vanish(book)
        if book.is_blank:
            del self._state.books[key]
        return True

    # --- Replay ---------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Bring one event of an earlier run about again."""
        self._state.apply(event)

    def snapshot(self) -> Snapshot:
        """Return the lasting state: clients' orders, prices, phases, counters."""
        return snapshot.take(self._state)

    def restore(self, taken: Snapshot) -> None:
        """Bring this fresh exchange to where the snapshot was taken."""
        snapshot.restore(self._state, taken)

    def state_hash(self, *, days: bool = True) -> str:
        """Return the SHA-256 of the lasting state, in hex; ``days``: prices and volumes, too."""
        return snapshot.state_hash(self._state, days=days)

    # --- Inside ---------------------------------------------------------------------------

    def _book(self, key: InstrumentKey) -> Book:
        return self._state.books[key]

    def _look(self, key: InstrumentKey) -> Book:
        """Return the instrument's book, or one that looks like it: looking opens none."""
        return self._state.books.get(key) or Book(self._state.instruments[key])

    def _next_liquidity_ids(self, count: int) -> int:
        first = self._liquidity_id + 1
        self._liquidity_id += count
        return first

    def _why_not_live(self, exchange_order_id: str, gone: Code) -> Code:
        return gone if self._state.ever_issued(exchange_order_id) else Code.ORDER_NOT_FOUND


def _rejected(new: NewOrder, code: Code) -> Rejected:
    return Rejected(new.order_ref, code.value, TEXT[code])


def _group_fault(book: Book, new: NewOrder) -> Code:
    if not new.group:
        return Code.NONE
    if book.groups.is_over(new.account, new.group):
        return Code.GROUP_OVER
    if new.quantity <= book.groups.filled(new.account, new.side, new.group):
        return Code.QUANTITY_TRADED_BY_GROUP
    return Code.NONE


def _entry_fault(phase: Phase, new: NewOrder) -> Code:
    return entry_fault(phase, new.order_type, new.validity, new.disclosed_quantity)


def _amend_fault(book: Book, phase: Phase, order: Order, amend: AmendOrder) -> Code:
    if phase is not Phase.OPEN:
        code = amend_fault(
            phase, order.order_type, amend.order_type, order.validity, amend.disclosed_quantity
        )
        if code:
            return code
    if amend.quantity <= order.filled:
        return Code.CANNOT_MODIFY
    if amend.quantity <= order.counted:
        return Code.QUANTITY_TRADED_BY_GROUP
    if order.triggered and amend.order_type in STOPS:
        return Code.CANNOT_MODIFY
    return fault(
        book.instrument,
        band(book, phase),
        book.last_price,
        order.side,
        amend.order_type,
        amend.quantity,
        amend.disclosed_quantity,
        amend.price_pips,
        amend.trigger_price_pips,
    )


def _keeps_place(order: Order, amend: AmendOrder) -> bool:
    """Return whether the order keeps its time priority: nothing changed but quantity, down."""
    return (
        amend.quantity <= order.quantity
        and amend.order_type is order.order_type
        and amend.price_pips == order.price
        and (amend.trigger_price_pips == order.trigger or order.triggered)
        and amend.disclosed_quantity == order.disclosed
    )


def _top(ladder: Ladder, levels: int) -> list[DepthLevel]:
    return [
        (Pips(level.price), Quantity(level.visible), level.count) for level in ladder.top(levels)
    ]
