"""
An auction: orders are collected, then all that can trade does so at one price.

The price is one at which an order rests, or the reference price where only market orders do. Of
these it is the one that trades the most; of equals the one that leaves the least; of equals the
one nearest to the reference, and the reference itself if it lies halfway between two. Market orders
trade first, then limit orders by price and time. Orders that share a link count once, at the most
that they could still trade together.

No order is the aggressor here, so orders of one account may meet, and both halves of a trade are
told as active. Prices are pips, times nanoseconds.

Source: docs/spec/exchange.md, "Auctions".
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from kavach.exchange.book import LIMIT, MARKET, Book
from kavach.exchange.codes import TEXT, Code
from kavach.exchange.ladder import LIQUIDITY, Ladder, Order, unlink
from kavach.exchange.matching import emit, remove_exhausted, removed
from kavach.exchange.messages import Event, Matched, Priced, Printed, Referenced, Removal, Traded
from kavach.exchange.state import State
from kavach.units import Pips, Quantity, TimestampNs

LEFT_OVER: Final = "Not traded in the closing auction"


class _Interest(NamedTuple):
    """One order in an auction, and how much it adds to what its side wants."""

    order: Order
    adds: int


class Equilibrium(NamedTuple):
    """The price of an auction and what trades at it; quantity 0: nothing does."""

    price_pips: Pips
    quantity: Quantity


def equilibrium(book: Book, reference: Pips) -> Equilibrium:
    """Return the price at which the orders of a book would trade now, and how much."""
    buys = _interests(book.market_bids, book.bids)
    sells = _interests(book.market_asks, book.asks)
    bought, sold = _by_price(buys), _by_price(sells)
    demand, supply = sum(bought.values()), sold.get(0, 0)
    ranked = []
    for price in sorted((bought.keys() | sold.keys()) - {0}) or [int(reference)]:
        supply += sold.get(price, 0)
        traded = min(demand, supply)
        ranked.append((-traded, abs(demand - supply), abs(price - reference), price))
        demand -= bought.get(price, 0)
    ranked.sort()
    best = ranked[0]
    halfway = len(ranked) > 1 and ranked[1][:3] == best[:3]
    price = reference if halfway or not best[0] else Pips(best[3])
    return Equilibrium(price, Quantity(-best[0]))


def match(state: State, book: Book, at_ns: TimestampNs, out: list[Event]) -> Equilibrium:
    """Let all that can trade do so at one price, and return it; what is left stays as it is."""
    found = equilibrium(book, book.reference)
    price = found.price_pips
    if found.quantity:
        buys = _eligible(_interests(book.market_bids, book.bids), lambda limit: limit >= price)
        sells = _eligible(_interests(book.market_asks, book.asks), lambda limit: limit <= price)
        buy, sell = next(buys, None), next(sells, None)
        while buy is not None and sell is not None:
            _trade(state, book, buy, sell, price, at_ns, out)
            buy = buy if buy.leaves > 0 else next(buys, None)
            sell = sell if sell.leaves > 0 else next(sells, None)
    return found


def end(state: State, book: Book, at_ns: TimestampNs, out: list[Event], *, closing: bool) -> None:
    """
    Match, say what came of it, and dispose of what is left.

    Of the opening auction limit orders stay, and market orders become limit orders at the price
    found; what is left of the closing auction is removed.
    """
    if book.is_empty and not book.reference_pips:
        return
    found = match(state, book, at_ns, out)
    key = book.instrument.key
    emit(state, out, Matched(key, found.price_pips, found.quantity, at_ns))
    for ladder in (book.market_bids, book.market_asks):
        for order in [] if closing else list(ladder):
            _price(state, book, order, found.price_pips, out)
    for ladder in book.ladders if closing else ():
        for order in list(ladder):
            _drop(state, order, Removal.EXPIRED, Code.NONE, LEFT_OVER, out)


def begin_closing(state: State, book: Book, at_ns: TimestampNs, out: list[Event]) -> None:
    """Set the reference price of the closing auction, and remove what is outside its band."""
    reference = book.recent.weighted(book.instrument.tick_pips, at_ns) or book.last_price
    if not book.is_empty or book.at_ns:
        emit(state, out, Referenced(book.instrument.key, reference))
    low, high = book.auction_band
    for ladder in (book.bids, book.asks):
        for order in [order for order in ladder if not low <= order.price <= high]:
            code = Code.PRICE_OUT_OF_BAND
            _drop(state, order, Removal.REMOVED, code, TEXT[code], out)


def expire_stops(state: State, book: Book, out: list[Event]) -> None:
    """Remove every stop that waits: none can stand in an auction."""
    code = Code.STOP_NOT_ALLOWED
    for ladder in (book.buy_stops, book.sell_stops):
        for order in list(ladder):
            emit(state, out, removed(order, Removal.EXPIRED, code.value, TEXT[code]))


def _interests(market: Ladder, limits: Ladder) -> list[_Interest]:
    """Return a side's orders, market orders first, then by price and time."""
    linked: dict[tuple[str, int], int] = {}
    interests = []
    for order in [*market, *limits]:
        adds = order.leaves
        if order.group:
            link = order.account, order.group
            most = linked.get(link, 0)
            linked[link] = max(most, adds)
            adds = max(adds - most, 0)
        interests.append(_Interest(order, adds))
    return interests


def _by_price(interests: Sequence[_Interest]) -> dict[int, int]:
    """Return what is wanted by limit price; of market orders (price 0), too."""
    wanted: dict[int, int] = {}
    for order, adds in interests:
        wanted[order.price] = wanted.get(order.price, 0) + adds
    return wanted


def _eligible(interests: Sequence[_Interest], accepts: Callable[[int], bool]) -> Iterator[Order]:
    """Yield what may trade at the price, as long as something of it is left when its turn comes."""
    for order, _ in interests:
        if order.leaves > 0 and (order.order_type is MARKET or accepts(order.price)):
            yield order


def _trade(
    state: State,
    book: Book,
    buy: Order,
    sell: Order,
    price: Pips,
    at_ns: TimestampNs,
    out: list[Event],
) -> None:
    quantity = Quantity(min(buy.leaves, sell.leaves))
    if buy.account == LIQUIDITY and sell.account == LIQUIDITY:
        emit(state, out, Printed(book.instrument.key, price, quantity, at_ns))
    trade_id = str(state.last_trade_id + 1)
    for order in (buy, sell):
        if order.account == LIQUIDITY:
            book.take(order, quantity)
            continue
        ref, order_id, place = order.order_ref, order.exchange_order_id, order.priority
        half = Traded(
            ref, order_id, trade_id, quantity, price, active=True, priority=place, at_ns=at_ns
        )
        emit(state, out, half)
    for order in (buy, sell):
        if order.group:
            remove_exhausted(state, book, order, out)


def _price(state: State, book: Book, order: Order, price: Pips, out: list[Event]) -> None:
    """Let a market order rest as a limit order at this price."""
    if order.account == LIQUIDITY:
        unlink(order)
        order.order_type, order.price = LIMIT, price
        book.place(order)
    else:
        ref, order_id = order.order_ref, order.exchange_order_id
        emit(state, out, Priced(ref, order_id, price, state.priority + 1))


def _drop(
    state: State, order: Order, why: Removal, code: Code, reason: str, out: list[Event]
) -> None:
    """Take an order out of the book."""
    if order.account == LIQUIDITY:
        unlink(order)
    else:
        emit(state, out, removed(order, why, code.value, reason))
