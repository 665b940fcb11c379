"""
All that the exchange knows, and the one way in which clients' part of it changes: ``apply``.

Matching decides what happens and says it as an event; ``apply`` makes it so. Replaying the
events on a fresh state goes through the same code, so the live and the rebuilt state can't
differ. House orders change the books directly and are no part of it.

Source: docs/spec/exchange.md (events, replay).
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from kavach.exchange.book import LIMIT, MARKET, STOPS, Book
from kavach.exchange.ladder import Order, unlink
from kavach.exchange.messages import (
    Accepted,
    Amended,
    AmendRejected,
    CancelRejected,
    DayNoted,
    Event,
    Matched,
    PhaseChanged,
    Priced,
    Printed,
    Referenced,
    Rejected,
    Removed,
    Traded,
    Triggered,
)
from kavach.instruments import SESSIONS, Instrument, Listing, listing
from kavach.units import Exchange, InstrumentKey, OrderType, Phase, Pips

# An order id is a prefix that tells the segment, then a count: 16 digits, MCX 15.
FIRST_ORDER_ID: Final[dict[Exchange, int]] = {
    Exchange.NSE: 1_100_000_000_000_000,
    Exchange.NFO: 1_200_000_000_000_000,
    Exchange.CDS: 1_300_000_000_000_000,
    Exchange.BSE: 1_400_000_000_000_000,
    Exchange.BFO: 1_500_000_000_000_000,
    Exchange.MCX: 200_000_000_000_000,
}
ORDER_ID_DIGITS_MAX: Final = 16
FIRST_TRADE_ID: Final = 10_000_000


class Books(dict[InstrumentKey, Book]):
    """The books there are; one that is missing is made when it is first needed."""

    def __init__(self, instruments: Listing) -> None:
        super().__init__()
        self._instruments = instruments

    def __missing__(self, key: InstrumentKey) -> Book:
        """Open an instrument's book; ``KeyError`` for an unknown one."""
        book = self[key] = Book(self._instruments[key])
        return book

    def in_order(self) -> list[Book]:
        """Return the books by their keys: which one was needed first tells nobody anything."""
        return [self[key] for key in sorted(self)]


class State:
    """Books, live client orders, phases and counters."""

    __slots__ = (
        "_accounts",
        "books",
        "instruments",
        "last_order_id",
        "last_trade_id",
        "orders",
        "phases",
        "priority",
    )

    def __init__(self, instruments: Iterable[Instrument] | Listing) -> None:
        self.instruments = listing(instruments)
        self.books = Books(self.instruments)
        self.orders: dict[str, Order] = {}
        self.phases = {name: Phase.OPEN for names in SESSIONS.values() for name in names}
        self.last_order_id = dict(FIRST_ORDER_ID)
        self.last_trade_id = FIRST_TRADE_ID
        self.priority = 0
        self._accounts: dict[str, str] = {}

    def apply(self, event: Event) -> None:
        """Change the state as the event says."""
        _APPLY[type(event)](self, event)

    def one(self, account: str) -> str:
        """Return an account's name, the same object for all its orders: many share it."""
        return self._accounts.setdefault(account, account)

    def ever_issued(self, exchange_order_id: str) -> bool:
        """Return whether an order once had this id, living or not."""
        if not (exchange_order_id.isascii() and exchange_order_id.isdecimal()):
            return False
        if len(exchange_order_id) > ORDER_ID_DIGITS_MAX or exchange_order_id.startswith("0"):
            return False
        number = int(exchange_order_id)
        return any(
            first < number <= self.last_order_id[segment]
            for segment, first in FIRST_ORDER_ID.items()
        )


def _accept(state: State, event: Accepted) -> None:
    new = event.order
    book = state.books[new.instrument]
    order_id = event.exchange_order_id
    assert order_id not in state.orders, order_id
    state.last_order_id[book.instrument.exchange] = int(order_id)
    state.priority = event.priority
    order = state.orders[order_id] = Order(
        book.instrument.key,
        new.order_ref,
        order_id,
        state.one(new.account),
        new.side,
        new.order_type,
        new.quantity,
        new.disclosed_quantity,
        new.price_pips,
        new.trigger_price_pips,
        new.validity,
        new.self_trade,
        event.priority,
        new.group,
    )
    if new.group:
        book.groups.join(order)
    book.place(order)


def _amend(state: State, event: Amended) -> None:
    order = state.orders[event.exchange_order_id]
    assert event.quantity > order.counted, order.exchange_order_id
    if event.priority == order.priority:
        # Only the quantity fell: the order keeps its place, and its level shows less.
        level = order.level
        assert level is not None, order.exchange_order_id
        visible = min(order.visible, event.quantity - order.counted)
        level.visible += visible - order.visible
        order.visible = visible
        order.quantity = event.quantity
        return
    unlink(order)
    state.priority = order.priority = event.priority
    order.order_type = event.order_type
    order.quantity = event.quantity
    order.disclosed = event.disclosed_quantity
    leaves = event.quantity - order.counted
    order.visible = min(event.disclosed_quantity or leaves, leaves)
    order.price = event.price_pips
    order.trigger = event.trigger_price_pips
    state.books[order.instrument].place(order)


def _trigger(state: State, event: Triggered) -> None:
    order = state.orders[event.exchange_order_id]
    assert order.order_type in STOPS, order.exchange_order_id
    unlink(order)
    order.order_type = LIMIT if order.order_type is OrderType.SL else MARKET
    order.triggered = True
    state.priority = order.priority = event.priority
    state.books[order.instrument].place(order)


def _trade(state: State, event: Traded) -> None:
    order = state.orders[event.exchange_order_id]
    book = state.books[order.instrument]
    if event.trade_id != book.last_trade_id:  # The other half has not been seen.
        book.last_trade_id = event.trade_id
        state.last_trade_id = int(event.trade_id)
        book.see_trade(event.price_pips, event.quantity, event.at_ns)
    if event.active:
        book.take(order, event.quantity)
    else:
        if event.priority != order.priority:
            state.priority = event.priority
        book.give(order, event.quantity, event.priority)
    if order.group:
        book.groups.count(order, event.quantity)
    if order.filled == order.quantity:
        del state.orders[event.exchange_order_id]
        if order.group:
            book.groups.leave(order)


def _price(state: State, event: Priced) -> None:
    order = state.orders[event.exchange_order_id]
    unlink(order)
    order.order_type = LIMIT
    order.price = event.price_pips
    state.priority = order.priority = event.priority
    state.books[order.instrument].place(order)


def _remove(state: State, event: Removed) -> None:
    order = state.orders.pop(event.exchange_order_id)
    assert order.filled == event.filled_quantity, order.exchange_order_id
    if order.level is not None:
        unlink(order)
    if order.group:
        state.books[order.instrument].groups.leave(order)


def _print(state: State, event: Printed) -> None:
    state.books[event.instrument].see_trade(event.price_pips, event.quantity, event.at_ns)


def _note_day(state: State, event: DayNoted) -> None:
    book = state.books[event.instrument]
    book.last_price = event.price_pips
    book.day_open = event.open_pips
    book.day_high = event.high_pips
    book.day_low = event.low_pips
    book.volume = event.volume
    book.at_ns = event.at_ns
    book.value_pips = event.value_pips
    book.last_quantity = event.quantity


def _refer(state: State, event: Referenced) -> None:
    state.books[event.instrument].reference_pips = event.price_pips


def _end_auction(state: State, event: Matched) -> None:
    state.books[event.instrument].reference_pips = Pips(0)


def _change_phase(state: State, event: PhaseChanged) -> None:
    sessions = (event.session,) if event.session else SESSIONS[event.exchange]
    for book in state.books.values():
        if book.session in sessions:
            if event.phase is Phase.CLOSED:
                book.groups.forget()
            elif state.phases[book.session] is Phase.CLOSED:
                book.begin_day()
    state.phases.update(dict.fromkeys(sessions, event.phase))


def _nothing(state: State, event: Rejected | AmendRejected | CancelRejected) -> None:
    """A refusal changes nothing."""


_APPLY: Final[dict[type[Event], Callable[[State, Any], None]]] = {
    Accepted: _accept,
    Rejected: _nothing,
    Amended: _amend,
    AmendRejected: _nothing,
    CancelRejected: _nothing,
    Triggered: _trigger,
    Traded: _trade,
    Priced: _price,
    Removed: _remove,
    Printed: _print,
    PhaseChanged: _change_phase,
    DayNoted: _note_day,
    Referenced: _refer,
    Matched: _end_auction,
}
