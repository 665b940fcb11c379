"""
The rest of the market, anonymous: quotes, orders and prints that nobody keeps.

House orders queue and trade like a client's, but they have no owner, know no self-trade, need
no freeze check, say nothing of themselves and are gone when the segment closes or the process
ends. What they do to clients' orders and to the last price is said, as always, by events.

Source: docs/spec/exchange.md (the house).
"""

from collections.abc import Container, Sequence
from typing import Final

from kavach.exchange.book import Book
from kavach.exchange.codes import TEXT
from kavach.exchange.ladder import LIQUIDITY, Order, unlink
from kavach.exchange.matching import emit, fire_stops, work
from kavach.exchange.messages import Event, Printed, SelfTrade
from kavach.exchange.phases import CLOSING_AUCTION, COLLECTING, MATCHING, band, entry_fault
from kavach.exchange.state import State
from kavach.units import (
    InstrumentKey,
    OrderType,
    Phase,
    Pips,
    Quantity,
    Side,
    TimestampNs,
    Validity,
    rupees_text,
)

FIRST_LIQUIDITY_ID: Final = 1_900_000_000_000_000

Quotes = Sequence[tuple[Pips, Quantity]]


class LiquidityError(ValueError):
    """What the house was asked to do can't be done; the text names the field. Nothing changed."""


def check_open(state: State, book: Book, phases: Container[Phase]) -> Phase:
    """Return the phase of the instrument's session; ``LiquidityError`` for another than these."""
    phase = state.phases[book.session]
    if phase not in phases:
        raise LiquidityError(f"exchange: {book.session} is {phase.value}")
    return phase


def check_price(book: Book, phase: Phase, field: str, price: int) -> None:
    """Raise ``LiquidityError`` unless the price is on tick and inside the phase's band."""
    instrument = book.instrument
    if price % instrument.tick_pips:
        tick = rupees_text(instrument.tick_pips)
        raise LiquidityError(f"{field}: {rupees_text(price)} is not a multiple of the tick {tick}")
    low, high = band(book, phase)
    if not low <= price <= high:
        range_text = f"{rupees_text(low)} to {rupees_text(high)}"
        whose = "auction's" if phase in CLOSING_AUCTION else "day's"
        wrong = f"is outside the {whose} range {range_text}"
        raise LiquidityError(f"{field}: {rupees_text(price)} {wrong}")


def check_quantity(book: Book, field: str, quantity: int, least: int) -> None:
    """Raise ``LiquidityError`` unless the quantity is whole lots and at least ``least``."""
    lot = book.instrument.lot
    if quantity < least or quantity % lot:
        raise LiquidityError(
            f"{field}: {quantity} must be at least {least} and a multiple of {lot}"
        )


def replace_quotes(
    state: State, book: Book, bids: Quotes, asks: Quotes, first_id: int, at_ns: TimestampNs
) -> list[Event]:
    """
    Replace all that the house quotes, and return what that did to clients.

    A bid of the new quotes must be below every ask of them. Ids from ``first_id`` on are used.
    """
    quotes = [("bid", Side.BUY, *quote) for quote in bids]
    quotes += [("ask", Side.SELL, *quote) for quote in asks]
    phase = check_open(state, book, COLLECTING | MATCHING)
    for field, _, price, quantity in quotes:
        check_quantity(book, f"{field}_quantity", quantity, least=0)
        if quantity:
            check_price(book, phase, field, price)
    best_bid = max((price for price, quantity in bids if quantity), default=None)
    best_ask = min((price for price, quantity in asks if quantity), default=None)
    if best_bid is not None and best_ask is not None and best_bid >= best_ask:
        raise LiquidityError(
            f"bid: {rupees_text(best_bid)} is not below the ask {rupees_text(best_ask)}"
        )
    for order in book.liquidity_quotes:
        if order.level is not None:
            unlink(order)
    book.liquidity_quotes = []
    out: list[Event] = []
    for number, (_, side, price, quantity) in enumerate(quotes, start=first_id):
        if quantity:
            order = _order(book, number, side, OrderType.LIMIT, price, quantity)
            book.liquidity_quotes.append(order)
            book.place(order)
            if phase in MATCHING:
                work(state, book, order, at_ns, out)
    if phase in MATCHING:
        book.check()
    return out


def trade_order(
    state: State,
    book: Book,
    side: Side,
    price: Pips | None,
    quantity: Quantity,
    liquidity_id: int,
    at_ns: TimestampNs,
) -> tuple[int, list[Event]]:
    """Return how much of an anonymous order filled at once, and the events; the rest stays.

    In an auction nothing fills at once; outside of one the rest of a market order goes.
    """
    phase = check_open(state, book, COLLECTING | MATCHING)
    check_quantity(book, "quantity", quantity, least=1)
    order_type = OrderType.MARKET if price is None else OrderType.LIMIT
    if price is not None:
        check_price(book, phase, "price", price)
    elif code := entry_fault(phase, order_type, Validity.DAY, 0):
        raise LiquidityError(f"price: {TEXT[code]}")
    order = _order(book, liquidity_id, side, order_type, price or Pips(0), quantity)
    book.place(order)
    out: list[Event] = []
    if phase in MATCHING:
        work(state, book, order, at_ns, out)
        if price is None and order.level is not None:
            unlink(order)
        book.check()
    return order.filled, out


def print_trade(
    state: State, book: Book, price: Pips, quantity: Quantity, at_ns: TimestampNs
) -> list[Event]:
    """Return what a trade elsewhere in the market does: the last price moves, stops fire."""
    phase = check_open(state, book, {Phase.OPEN})
    check_price(book, phase, "price", price)
    check_quantity(book, "quantity", quantity, least=1)
    out: list[Event] = []
    book.touched_low = book.touched_high = price
    emit(state, out, Printed(book.instrument.key, price, quantity, at_ns))
    fire_stops(state, book, at_ns, out)
    book.check()
    return out


def vanish(book: Book) -> None:
    """Take every house order out of the book."""
    for ladder in book.ladders:
        for order in list(ladder):
            if order.account == LIQUIDITY:
                unlink(order)
    book.liquidity_quotes = []


def _order(
    book: Book, number: int, side: Side, order_type: OrderType, price: int, quantity: int
) -> Order:
    key: InstrumentKey = book.instrument.key
    day, flag = Validity.DAY, SelfTrade.CANCEL_ACTIVE
    return Order(
        key, 0, str(number), LIQUIDITY, side, order_type, quantity, 0, price, 0, day, flag, 0
    )
