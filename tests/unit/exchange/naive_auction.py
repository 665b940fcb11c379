"""
Auctions, written to be obviously right: every price is tried, by counting every order again.

The naive exchange has the orders and says what happens. Nothing is shared with the exchange's
auctions: they add up sides once, this asks at each price what each order would do.
"""

from fractions import Fraction
from typing import TYPE_CHECKING

from kavach.exchange import messages as m
from kavach.exchange.codes import TEXT, Code
from kavach.units import InstrumentKey, OrderType, Phase, Pips, Quantity, TimestampNs, Validity

if TYPE_CHECKING:
    from tests.unit.exchange.naive import NaiveExchange, Resting

HALF_MINUTE = 30_000_000_000


def kind(phase: Phase) -> str:
    """Return which auction a phase belongs to, as the first word of its name."""
    word = phase.value.split("_")[0]
    return word if word in ("pre", "closing") else ""


def takes(phase: Phase) -> bool:
    """Return whether a session takes orders in a phase."""
    return phase not in (Phase.CLOSED, Phase.BUFFER, Phase.CLOSING_REFERENCE)


def trades(phase: Phase) -> bool:
    """Return whether orders trade as they come."""
    return phase in (Phase.OPEN, Phase.POST_CLOSE)


def barred(phase: Phase, order_type: OrderType, validity: Validity, disclosed: int) -> Code:
    """Return why a phase takes no such order."""
    if phase is Phase.CLOSED:
        return Code.MARKET_CLOSED
    if not takes(phase):
        return Code.NOT_IN_THIS_PHASE
    if phase is Phase.OPEN:
        return Code.NONE
    if order_type in (OrderType.SL, OrderType.SLM):
        return Code.STOP_NOT_ALLOWED
    if validity is Validity.IOC and phase is not Phase.POST_CLOSE:
        return Code.IOC_NOT_IN_AUCTION
    if validity is Validity.DAY and disclosed:
        return Code.DISCLOSED_NOT_IN_AUCTION
    frozen = phase.value.endswith("_limit") and order_type is OrderType.MARKET
    return Code.NOT_IN_THIS_PHASE if frozen else Code.NONE


def unchangeable(phase: Phase, order_type: OrderType) -> tuple[Code, Code]:
    """Return why an order that rests may not be changed, and why it may not be cancelled."""
    if not takes(phase):
        return Code.NOT_IN_THIS_PHASE, Code.CANNOT_CANCEL
    if phase.value.endswith("_limit") and order_type is OrderType.MARKET:
        return Code.CANNOT_MODIFY, Code.CANNOT_CANCEL
    return Code.NONE, Code.NONE


def change_book(
    naive: "NaiveExchange", key: InstrumentKey, before: Phase, after: Phase, at: int
) -> None:
    """Match, expire and remove, as the change of phase asks."""
    if kind(before) and kind(before) != kind(after):
        uncross(naive, key, kind(before), at)
    if after in (Phase.CLOSED, Phase.POST_CLOSE):
        naive.live = [o for o in naive.live if o.key != key or o.ref]
        reason = {
            Phase.CLOSED: "The session has ended",
            Phase.POST_CLOSE: "Trading has ended, but at the closing price",
        }[after]
        for order in naive.in_book_order(key):
            naive.end(order, m.Removal.EXPIRED, Code.NONE, reason)
    if kind(after) and kind(before) != kind(after):
        for order in naive.in_book_order(key):
            if order.type in (OrderType.SL, OrderType.SLM):
                code = Code.STOP_NOT_ALLOWED
                naive.end(order, m.Removal.EXPIRED, code, TEXT[code])
        if kind(after) == "closing":
            begin_closing(naive, key, at)


def begin_closing(naive: "NaiveExchange", key: InstrumentKey, at: int) -> None:
    """Set the reference price, and take out what is too far from it."""
    since = at // HALF_MINUTE - 30
    seen = [(p, q) for p, q, t in naive.tapes[key].trades if t // HALF_MINUTE >= since]
    reference = naive.tapes[key].last
    if seen:
        average = Fraction(sum(p * q for p, q in seen), sum(q for _, q in seen))
        tick = naive.instruments[key].tick_pips
        reference = int(average / tick + Fraction(1, 2)) * tick
    if naive.tapes[key].at or any(o.key == key for o in naive.live):
        naive.references[key] = reference
        naive.say(m.Referenced(key, Pips(reference)))
    for order in naive.in_book_order(key):
        if order.type is OrderType.LIMIT and not in_auction_band(naive, key, order.price):
            drop(naive, order, m.Removal.REMOVED, Code.PRICE_OUT_OF_BAND)


def in_auction_band(naive: "NaiveExchange", key: InstrumentKey, price: int) -> bool:
    """Return whether a price is within 3 % of the reference, and in the day's band."""
    item, reference = naive.instruments[key], reference_of(naive, key)
    inside = item.band_low_pips <= price <= item.band_high_pips
    return inside and abs(price - reference) * 100 <= reference * 3


def reference_of(naive: "NaiveExchange", key: InstrumentKey) -> int:
    """Return the reference price of an auction."""
    return naive.references.get(key, naive.tapes[key].last)


def would_trade(naive: "NaiveExchange", key: InstrumentKey, side: str, price: int) -> int:
    """Return how much one side would trade at a price."""
    willing = [o for o in in_auction_order(naive, key, side) if is_willing(naive, o, price)]
    alone = sum(naive.left(o) for o in willing if not o.group)
    links = {o.family for o in willing if o.group}
    return alone + sum(max(naive.left(o) for o in willing if o.family == f) for f in links)


def is_willing(naive: "NaiveExchange", order: "Resting", price: int) -> bool:
    """Return whether an order would trade at a price."""
    if order.type is OrderType.MARKET:
        return True
    return order.price >= price if order.side == "BUY" else order.price <= price


def find_price(naive: "NaiveExchange", key: InstrumentKey) -> tuple[int, int]:
    """Return the price of the auction and what would trade at it, by trying every one."""
    reference = reference_of(naive, key)
    limits = {o.price for o in naive.live if o.key == key and o.type is OrderType.LIMIT}
    tried = []
    for price in limits or {reference}:
        buy, sell = (would_trade(naive, key, side, price) for side in ("BUY", "SELL"))
        tried.append((min(buy, sell), abs(buy - sell), abs(price - reference), price))
    most = max(traded for traded, *_ in tried)
    least = min(rest for traded, rest, *_ in tried if traded == most)
    near = min(away for traded, rest, away, _ in tried if (traded, rest) == (most, least))
    best = [price for *rank, price in tried if rank == [most, least, near]]
    return (best[0] if len(best) == 1 and most else reference), most


def uncross(naive: "NaiveExchange", key: InstrumentKey, which: str, at: int) -> None:
    """Trade the first of both sides at one price, until one side is empty."""
    if not any(o.key == key for o in naive.live) and key not in naive.references:
        return
    price, quantity = find_price(naive, key)
    while quantity:
        first = []
        for side in ("BUY", "SELL"):
            willing = [o for o in in_auction_order(naive, key, side) if is_willing(naive, o, price)]
            first += willing[:1]
        if len(first) < 2:
            break
        trade_at(naive, first, price, min(map(naive.left, first)), at)
    naive.references.pop(key, None)
    naive.touched = []
    naive.say(m.Matched(key, Pips(price), Quantity(quantity), TimestampNs(at)))
    settle_auction(naive, key, which, price)


def settle_auction(naive: "NaiveExchange", key: InstrumentKey, which: str, price: int) -> None:
    """Let market orders rest at the price of the opening; end all that the closing leaves."""
    for order in naive.in_book_order(key):
        if which == "closing":
            drop(naive, order, m.Removal.EXPIRED, Code.NONE, "Not traded in the closing auction")
        elif order.type is OrderType.MARKET:
            order.type, order.price = OrderType.LIMIT, price
            if order.ref:
                order.priority, order.place = naive.newest()
                naive.say(m.Priced(order.ref, order.id, Pips(price), order.priority))
            else:
                naive.places += 1
                order.place = naive.places


def trade_at(
    naive: "NaiveExchange", both: "list[Resting]", price: int, quantity: int, at: int
) -> None:
    """Let two orders trade; neither is the aggressor."""
    key = both[0].key
    for order in both:
        order.filled += quantity
        if order.group:
            naive.linked_trades.append((order.family, quantity))
        naive.show(order)
    naive.see(key, price, quantity, at)
    if not both[0].ref and not both[1].ref:
        naive.say_printed(key, price, quantity, at)
    else:
        naive.trades += 1
        naive.tapes[key].last_id = str(10_000_000 + naive.trades)
    for order in both:
        if order.filled == order.quantity:
            naive.live.remove(order)
        if order.ref:
            half = (order.ref, order.id, naive.tapes[key].last_id, Quantity(quantity))
            naive.say(m.Traded(*half, Pips(price), True, order.priority, TimestampNs(at)))
    for order in both:
        naive.shrink_relatives(order)


def drop(
    naive: "NaiveExchange", order: "Resting", why: m.Removal, code: Code, reason: str = ""
) -> None:
    """Take an order out; of the house's nothing is said."""
    if order.ref:
        naive.end(order, why, code, reason or TEXT[code])
    else:
        naive.live.remove(order)


def in_auction_order(naive: "NaiveExchange", key: str, side: str) -> "list[Resting]":
    """Return a side's orders as they trade in an auction."""
    return market_orders(naive, key, side) + naive.side(key, side)


def market_orders(naive: "NaiveExchange", key: str, side: str) -> "list[Resting]":
    """Return a side's market orders, the earliest first."""
    mine = [o for o in naive.live if (o.key, o.side) == (key, side)]
    return sorted((o for o in mine if o.type is OrderType.MARKET), key=lambda o: o.place)
