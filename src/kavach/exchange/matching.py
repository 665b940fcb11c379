"""
How orders meet: the incoming one takes the best prices first, the earliest order first.

Everything that happens to a client's order is said as an event and applied at once; house
orders are changed in place. Stops fire after the order whose trades touched them is done, one
by one, in a loop and not by recursion, so that a cascade of any length is only a loop. A trade
of a linked order shrinks the others of its link before anybody can trade again.

Source: docs/spec/exchange.md (matching, self-trades, stops).
"""

from typing import Final

from kavach.exchange.book import BUY, LIMIT, Book
from kavach.exchange.codes import TEXT, Code
from kavach.exchange.ladder import LIQUIDITY, Order
from kavach.exchange.messages import (
    Event,
    Priced,
    Printed,
    Removal,
    Removed,
    SelfTrade,
    Traded,
    Triggered,
)
from kavach.exchange.protection import is_protected_against
from kavach.exchange.state import State
from kavach.units import Pips, Quantity, TimestampNs, Validity

_OUT_OF_RANGE: Final = (Code.OUT_OF_PROTECTION_RANGE.value, TEXT[Code.OUT_OF_PROTECTION_RANGE])


def work(state: State, book: Book, order: Order, at_ns: TimestampNs, out: list[Event]) -> None:
    """Match an order that has just become active, dispose of its rest, fire what it touched."""
    _match(state, book, order, at_ns, out)
    _dispose(state, book, order, out)
    if book.touched_high:
        fire_stops(state, book, at_ns, out)


def fire_stops(state: State, book: Book, at_ns: TimestampNs, out: list[Event]) -> None:
    """Release every stop that the running command's trades have touched, and their cascade."""
    while (order := book.next_stop()) is not None:
        ref, order_id = order.order_ref, order.exchange_order_id
        emit(state, out, Triggered(ref, order_id, state.priority + 1))
        if order.doom is not None or _may_not_trade(book, order, at_ns):
            emit(state, out, removed(order, Removal.REMOVED, *(order.doom or _OUT_OF_RANGE)))
            continue
        _match(state, book, order, at_ns, out)
        _dispose(state, book, order, out)
    book.touched_low = book.touched_high = 0


def emit(state: State, out: list[Event], event: Event) -> None:
    """Say that something happened, and let it happen."""
    state.apply(event)
    out.append(event)


def removed(order: Order, why: Removal, code: int, reason: str) -> Removed:
    """Return the event that ends this order."""
    filled = Quantity(order.filled)
    return Removed(order.order_ref, order.exchange_order_id, filled, why, code, reason)


def _match(state: State, book: Book, order: Order, at_ns: TimestampNs, out: list[Event]) -> None:
    buying = order.side is BUY
    opposite = book.asks if buying else book.bids
    limited = order.order_type is LIMIT
    while order.counted < order.quantity and (level := opposite.best()) is not None:
        if limited and (level.price > order.price if buying else level.price < order.price):
            return
        passive = level.head
        assert passive is not None, level.price
        if order.account == passive.account and order.account != LIQUIDITY:
            if order.self_trade is SelfTrade.CANCEL_ACTIVE:
                _prevent_self_trade(state, order, out)
                return
            _prevent_self_trade(state, passive, out)
        else:
            _trade(state, book, order, passive, at_ns, out)


def _may_not_trade(book: Book, order: Order, at_ns: TimestampNs) -> bool:
    """Return whether a stop that has just fired would trade, and its limit is out of range."""
    if order.order_type is not LIMIT or not is_protected_against(book, order.price, at_ns):
        return False
    level = (book.asks if order.side is BUY else book.bids).best()
    if level is None:
        return False
    return level.price <= order.price if order.side is BUY else level.price >= order.price


def _prevent_self_trade(state: State, order: Order, out: list[Event]) -> None:
    code = Code.SELF_TRADE
    emit(state, out, removed(order, Removal.REMOVED, code.value, TEXT[code]))


def _trade(
    state: State, book: Book, active: Order, passive: Order, at_ns: TimestampNs, out: list[Event]
) -> None:
    quantity = Quantity(min(active.quantity - active.counted, passive.visible))
    price = Pips(passive.price)
    book.touched_high = max(book.touched_high, price)
    book.touched_low = min(book.touched_low or price, price)
    if active.account == LIQUIDITY and passive.account == LIQUIDITY:
        emit(state, out, Printed(book.instrument.key, price, quantity, at_ns))
    trade_id = str(state.last_trade_id + 1)
    for order in (active, passive):
        if order.account == LIQUIDITY:
            if order is active:
                book.take(order, quantity)
            else:
                book.give(order, quantity, order.priority)
            continue
        priority = order.priority
        if order is passive and quantity == order.visible < order.quantity - order.counted:
            priority = state.priority + 1
        event = Traded(
            order.order_ref,
            order.exchange_order_id,
            trade_id,
            quantity,
            price,
            order is active,
            priority,
            at_ns,
        )
        emit(state, out, event)
    for order in (active, passive):
        if order.group:
            remove_exhausted(state, book, order, out)


def remove_exhausted(state: State, book: Book, traded: Order, out: list[Event]) -> None:
    """Remove every order of a link for which its trades have left nothing, unless it is filled."""
    code = Code.GROUP_FILLED
    for order in book.groups.exhausted_by(traded):
        emit(state, out, removed(order, Removal.REMOVED, code.value, TEXT[code]))


def _dispose(state: State, book: Book, order: Order, out: list[Event]) -> None:
    """Decide what becomes of the part that found no counterparty."""
    if order.validity is Validity.DAY and order.order_type is LIMIT:
        return
    if state.orders.get(order.exchange_order_id) is not order:
        return
    if order.validity is Validity.IOC:
        code = Code.IOC_UNMATCHED
        emit(state, out, removed(order, Removal.EXPIRED, code.value, TEXT[code]))
    else:
        ref, order_id = order.order_ref, order.exchange_order_id
        emit(state, out, Priced(ref, order_id, book.last_price, state.priority + 1))
