"""
The exchange's lasting state as plain values: to store, to restore, to compare by hash.

Orders are listed as they stand in the books: instrument by instrument by their keys, bids, asks,
buy stops, sell stops, market orders that wait for a match, each best price first and then by time.
Two states with the same clients' orders in the same queues, the same prices, phases, counters and
fills of links have the same bytes, whichever instruments have been looked at. The house's orders
are not part of it.

Source: docs/spec/exchange.md (state hash).
"""

from hashlib import sha256

import msgspec

from kavach.exchange.book import Book
from kavach.exchange.ladder import LIQUIDITY, Order
from kavach.exchange.messages import SelfTrade
from kavach.exchange.state import State
from kavach.instruments import SESSIONS
from kavach.units import (
    Exchange,
    InstrumentKey,
    OrderType,
    Phase,
    Pips,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)


class OrderRecord(msgspec.Struct, frozen=True, array_like=True):
    """One live client order as it stands."""

    exchange_order_id: str
    order_ref: int
    account: str
    instrument: InstrumentKey
    side: Side
    order_type: OrderType
    quantity: Quantity
    filled_quantity: Quantity
    disclosed_quantity: Quantity
    visible_quantity: Quantity
    price_pips: Pips
    trigger_price_pips: Pips
    triggered: bool
    validity: Validity
    self_trade: SelfTrade
    priority: int
    group: int = 0


class GroupRecord(msgspec.Struct, frozen=True, array_like=True):
    """What the orders of one link have traded in this session, the gone ones included."""

    instrument: InstrumentKey
    account: str
    side: Side
    group: int
    filled_quantity: Quantity


class GroupOver(msgspec.Struct, frozen=True, array_like=True):
    """Up to which number the links of an account are over in an instrument."""

    instrument: InstrumentKey
    account: str
    group: int


class TickerRecord(msgspec.Struct, frozen=True, array_like=True):
    """What everybody sees of one instrument that has traded."""

    instrument: InstrumentKey
    last_price_pips: Pips
    open_pips: Pips
    high_pips: Pips
    low_pips: Pips
    volume: Quantity
    at_ns: TimestampNs
    last_trade_id: str
    value_pips: int = 0  # 0 in snapshots of before it was kept.
    last_quantity: Quantity = Quantity(0)


class ReferenceRecord(msgspec.Struct, frozen=True, array_like=True):
    """The reference price of a closing auction that is on."""

    instrument: InstrumentKey
    price_pips: Pips


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """Everything that outlives the process."""

    phases: list[tuple[str, Phase]]  # By session; in older ones by exchange, for all its sessions.
    last_order_ids: list[tuple[Exchange, int]]
    last_trade_id: int
    priority: int
    tickers: list[TickerRecord]
    orders: list[OrderRecord]
    groups: list[GroupRecord] = []
    groups_over: list[GroupOver] = []
    references: list[ReferenceRecord] = []


def take(state: State) -> Snapshot:
    """Return the lasting state."""
    books = state.books.in_order()
    return Snapshot(
        phases=list(state.phases.items()),
        last_order_ids=list(state.last_order_id.items()),
        last_trade_id=state.last_trade_id,
        priority=state.priority,
        tickers=[_ticker(book) for book in books if book.at_ns],
        orders=[
            record(order)
            for book in books
            for ladder in book.ladders
            for order in ladder
            if order.account != LIQUIDITY
        ],
        groups=[
            GroupRecord(book.instrument.key, *group, Quantity(filled))
            for book in books
            for group, filled in book.groups.fills()
        ],
        groups_over=[
            GroupOver(book.instrument.key, account, group)
            for book in books
            for account, group in sorted(book.groups.over.items())
        ],
        references=[
            ReferenceRecord(book.instrument.key, book.reference_pips)
            for book in books
            if book.reference_pips
        ],
    )


def restore(state: State, snapshot: Snapshot) -> None:
    """Bring a fresh state to where the snapshot was taken."""
    assert state.priority == 0, "only a fresh state can be restored"
    told = dict(snapshot.phases)
    for exchange, sessions in SESSIONS.items():
        for session in sessions:
            state.phases[session] = told.get(session, told[exchange.value])
    state.last_order_id.update(snapshot.last_order_ids)
    state.last_trade_id = snapshot.last_trade_id
    state.priority = snapshot.priority
    for ticker in snapshot.tickers:
        book = state.books[ticker.instrument]
        book.last_price = ticker.last_price_pips
        book.day_open = ticker.open_pips
        book.day_high = ticker.high_pips
        book.day_low = ticker.low_pips
        book.volume = ticker.volume
        book.value_pips = ticker.value_pips or ticker.volume * ticker.last_price_pips
        book.last_quantity = ticker.last_quantity
        book.at_ns = ticker.at_ns
        book.last_trade_id = ticker.last_trade_id
    for group in snapshot.groups:
        groups = state.books[group.instrument].groups
        groups.remember(state.one(group.account), group.side, group.group, group.filled_quantity)
    for past in snapshot.groups_over:
        state.books[past.instrument].groups.over[state.one(past.account)] = past.group
    for reference in snapshot.references:
        state.books[reference.instrument].reference_pips = reference.price_pips
    for item in snapshot.orders:
        order = state.orders[item.exchange_order_id] = _order(state, item)
        book = state.books[item.instrument]
        if order.group:
            book.groups.join(order)
        book.place(order)


def state_hash(state: State, *, days: bool = True) -> str:
    """Return the SHA-256 of the lasting state, in hex; with or without the instruments' days.

    Without: of what a journal tells. Prices that no rule looked at are in no record.
    """
    taken = take(state)
    if not days:
        taken = msgspec.structs.replace(taken, tickers=[])
    return sha256(msgspec.msgpack.encode(taken)).hexdigest()


def record(order: Order) -> OrderRecord:
    """Return the order as plain values."""
    return OrderRecord(
        exchange_order_id=order.exchange_order_id,
        order_ref=order.order_ref,
        account=order.account,
        instrument=order.instrument,
        side=order.side,
        order_type=order.order_type,
        quantity=Quantity(order.quantity),
        filled_quantity=Quantity(order.filled),
        disclosed_quantity=Quantity(order.disclosed),
        visible_quantity=Quantity(order.visible),
        price_pips=Pips(order.price),
        trigger_price_pips=Pips(order.trigger),
        triggered=order.triggered,
        validity=order.validity,
        self_trade=order.self_trade,
        priority=order.priority,
        group=order.group,
    )


def _order(state: State, item: OrderRecord) -> Order:
    order = Order(
        state.books[item.instrument].instrument.key,
        item.order_ref,
        item.exchange_order_id,
        state.one(item.account),
        item.side,
        item.order_type,
        item.quantity,
        item.disclosed_quantity,
        item.price_pips,
        item.trigger_price_pips,
        item.validity,
        item.self_trade,
        item.priority,
        item.group,
    )
    order.filled = order.counted = item.filled_quantity
    order.visible = item.visible_quantity
    order.triggered = item.triggered
    return order


def _ticker(book: Book) -> TickerRecord:
    return TickerRecord(
        instrument=book.instrument.key,
        last_price_pips=book.last_price,
        open_pips=book.day_open,
        high_pips=book.day_high,
        low_pips=book.day_low,
        volume=book.volume,
        at_ns=book.at_ns,
        last_trade_id=book.last_trade_id,
        value_pips=book.value_pips,
        last_quantity=book.last_quantity,
    )
