"""
An order of a client as the auditor sees it: from its trades and from the exchange's own book.

Nothing here is a sum that the rules keep. What has filled is folded from distinct trades; what
lives is what the exchange holds.

Source: docs/spec/cover_order.md, "Quantities"; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Iterator, Mapping

import msgspec

from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.state import OmsState
from kavach.core.settings import Settings
from kavach.exchange.snapshot import OrderRecord
from kavach.instruments import Instrument


class Violation(msgspec.Struct, frozen=True):
    """A broken invariant; ``order`` is the order's id, 0 where it is none's."""

    invariant: str
    order: int
    detail: str


class SeenOrder(msgspec.Struct, frozen=True):
    """An order and what was found out about it without asking it."""

    parent: ParentOrder
    instrument: Instrument
    settings: Settings
    at_venue: Mapping[int, OrderRecord]  # By tag, its own orders only.
    filled: Mapping[int, tuple[int, int]]  # By tag: quantity and value, from distinct trades.
    last_price_pips: int
    session_closed: bool
    venue_disconnected: bool
    now_ns: int

    def filled_of(self, orders: tuple[VenueOrder, ...]) -> int:
        """Return what these orders have filled."""
        return sum(self.filled.get(order.tag, (0, 0))[0] for order in orders)

    @property
    def position(self) -> int:
        """R, by the trades and what was paid out at the end of a contract."""
        held = self.filled_of(self.parent.entries) - self.filled_of(self.parent.exits)
        return held - self.parent.settled_quantity


def folded(parent: ParentOrder) -> dict[int, tuple[int, int]]:
    """Return quantity and value that each order at the venue has filled, from distinct trades."""
    filled: dict[int, tuple[int, int]] = {}
    known: set[tuple[int, str]] = set()
    for trade in parent.trades or ():
        if (trade.tag, trade.trade_id) in known:
            continue
        known.add((trade.tag, trade.trade_id))
        quantity, value = filled.get(trade.tag, (0, 0))
        filled[trade.tag] = (quantity + trade.quantity, value + trade.quantity * trade.price_pips)
    return filled


def see_regular(
    state: OmsState,
    order: RegularOrder,
    at_venue: Mapping[int, OrderRecord],
    last_price_pips: int,
    now_ns: int,
) -> SeenOrder:
    """Return a regular order with what trades and exchange say of it."""
    instrument = state.instruments[order.instrument]
    tags = [one.tag for one in order.entries]
    return SeenOrder(
        order,
        instrument,
        state.settings,
        {tag: at_venue[tag] for tag in tags if tag in at_venue},
        folded(order),
        last_price_pips,
        state.sessions.is_closed(instrument),
        state.venue_disconnected,
        now_ns,
    )


def check_regular(seen: SeenOrder) -> Iterator[Violation]:
    """Yield what is wrong with one regular order."""
    order = seen.parent
    assert isinstance(order, RegularOrder), f"{order.order_id} is no regular order"

    def wrong(invariant: str, detail: str) -> Violation:
        return Violation(invariant, order.order_id, detail)

    filled = seen.filled_of(order.entries)
    if filled != order.entry_filled:
        yield wrong("INV-11", f"has filled {order.entry_filled}, its trades {filled}")
    if filled > order.quantity and not order.contradicted and order.modify is None:
        yield wrong("INV-3", f"has filled {filled} of {order.quantity}")
    if order.parked and (order.entries or seen.at_venue):
        yield wrong("INV-5", "is parked and has an order at the venue")
    for one in order.entries:
        record = seen.at_venue.get(one.tag)
        if record is not None and order.over:
            yield wrong("INV-5", f"has ended, {record.exchange_order_id} lives")
        if record is None or seen.venue_disconnected or one.waits or one.closed:
            continue
        if record.quantity != one.quantity or record.filled_quantity != seen.filled_of((one,)):
            detail = f"holds {one.quantity}, filled {one.filled_quantity}; the exchange "
            yield wrong("INV-6", f"{detail}{record.quantity}, {record.filled_quantity}")
