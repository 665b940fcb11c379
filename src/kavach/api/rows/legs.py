"""
A leg of a cover order as a client sees it: one row, however many orders at the venue.

Quantities are summed; ids and prices are those of the leg's first order that is not over. The
entry shows what the client asked for (a MARKET entry is MARKET, though a protected limit was
sent); the stop shows what stands at the venue. A leg's status is read off its orders, never
stored.

Source: docs/wire/README.md, "Rows"; docs/wire/README.md, "Decisions".
"""

from collections.abc import Iterator, Mapping
from typing import Final

from kavach.core.commands import Leg
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.leg_row import is_owed, shown_row, speaker_of
from kavach.core.model.orders.life import CLOSED, InFlight, Life
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.instruments import Instrument
from kavach.units import InstrumentKey
from kavach.wire.orders.statuses import OrderStatus

NOTHING_LEFT: Final = frozenset(
    {OrderStatus.COMPLETE, OrderStatus.CANCEL_CONFIRMED, OrderStatus.AMO_CANCEL_CONFIRMED}
)


class LegView:
    """One leg of an order, summed over its orders at the venue; a regular order has but one leg."""

    __slots__ = (
        "exchange_order_id",
        "filled",
        "instrument",
        "leg",
        "order_id",
        "order_type",
        "orders",
        "parent",
        "price_pips",
        "quantity",
        "remaining",
        "side",
        "status",
        "trigger_price_pips",
        "updated_at_ns",
        "value",
        "version_ns",
    )

    def __init__(self, parent: ParentOrder, leg: Leg, instrument: Instrument) -> None:
        self.parent = parent
        self.leg = leg
        self.instrument = instrument
        self.orders = parent.orders_of(leg)
        if leg is Leg.ENTRY:
            self.order_id = parent.order_id
            self.side = parent.side
        else:
            cover = _cover(parent)
            self.order_id = cover.id_of(leg)
            self.side = cover.exit_side
        row = shown_row(parent, leg, instrument)
        self.order_type = row.order_type
        self.quantity = row.quantity
        self.filled = row.filled_quantity
        self.value = row.filled_value
        self.price_pips = row.price_pips
        self.trigger_price_pips = row.trigger_price_pips
        self.exchange_order_id = row.exchange_order_id
        self.updated_at_ns = parent.leg_updated_at_ns(leg)
        self.version_ns = parent.version_of(leg)
        self.status = _status(parent, leg, self.orders, self.filled, self.quantity)
        self.remaining = 0 if self.status in NOTHING_LEFT else row.remaining_quantity

    @property
    def entered_at_ns(self) -> int:
        """When the leg came into being."""
        if self.leg is Leg.ENTRY:
            return self.parent.placed_at_ns
        return _cover(self.parent).exits_named_at_ns

    @property
    def rejection(self) -> tuple[int, str]:
        """The code and the text of a leg that was rejected."""
        speaker = speaker_of(self.orders)
        if speaker is not None and speaker.life is Life.REJECTED:
            return speaker.code, speaker.reason
        return self.parent.ended_code, self.parent.ended_reason


def legs_of(
    parent: ParentOrder, instruments: Mapping[InstrumentKey, Instrument]
) -> Iterator[LegView]:
    """Yield the entry, and the exits once the first fill has given them ids."""
    instrument = instruments[parent.instrument]
    yield LegView(parent, Leg.ENTRY, instrument)
    if isinstance(parent, CoverOrder):
        for leg in (Leg.SECOND, Leg.THIRD):
            if parent.id_of(leg):
                yield LegView(parent, leg, instrument)


def _cover(parent: ParentOrder) -> CoverOrder:
    """Return the cover order, the only kind that has a stop."""
    assert isinstance(parent, CoverOrder), f"{parent.order_id} has no stop"
    return parent


def _status(
    parent: ParentOrder, leg: Leg, orders: tuple[VenueOrder, ...], filled: int, quantity: int
) -> OrderStatus:
    if isinstance(parent, RegularOrder) and not orders:
        return _parked_status(parent)
    open_orders = [order for order in orders if order.life not in CLOSED]
    if open_orders:
        return _open_status(parent, leg, open_orders, filled)
    if leg is not Leg.ENTRY and is_owed(_cover(parent), leg):
        return OrderStatus.PENDING  # The stop was lost; another is on its way.
    if filled and filled >= quantity:
        return OrderStatus.COMPLETE
    if not orders and not parent.over and leg is Leg.ENTRY:
        return OrderStatus.PENDING
    speaker = speaker_of(orders)
    if filled == 0 and speaker is not None and speaker.life is Life.REJECTED:
        return OrderStatus.REJECTED
    if not orders and parent.state == "REJECTED":
        return OrderStatus.REJECTED
    return OrderStatus.CANCEL_CONFIRMED


def _parked_status(order: RegularOrder) -> OrderStatus:
    """Return where an order stands that was never sent."""
    if order.parked and not order.over:
        modified = order.entry_modified
        return OrderStatus.AMO_MODIFY_CONFIRMED if modified else OrderStatus.AMO_REQ_RECEIVED
    if order.state == "REJECTED":
        return OrderStatus.REJECTED
    if order.over:
        return OrderStatus.AMO_CANCEL_CONFIRMED
    return OrderStatus.PENDING


def _open_status(
    parent: ParentOrder, leg: Leg, orders: list[VenueOrder], filled: int
) -> OrderStatus:
    if all(order.life is Life.SENT for order in orders):
        return OrderStatus.PENDING
    changes = leg is Leg.ENTRY and parent.modify is not None
    if any(order.in_flight is InFlight.CANCEL for order in orders):
        # A reduction may cancel some of several orders: that is a change, too.
        reduces = changes and parent.cancel_source is None
        return OrderStatus.MODIFY_PENDING if reduces else OrderStatus.CANCEL_PENDING
    if changes or any(order.in_flight is InFlight.AMEND for order in orders):
        return OrderStatus.MODIFY_PENDING
    if filled and (leg is Leg.ENTRY or not any(o.life is Life.WAITING for o in orders)):
        return OrderStatus.PARTIAL_TRADE
    if any(order.life is Life.WAITING for order in orders):
        return OrderStatus.TRIGGER_PENDING
    if any(order.triggered for order in orders):
        return OrderStatus.SL_TRIGGER_CONFIRMED
    if leg is Leg.ENTRY:
        modified = parent.entry_modified
        return OrderStatus.MODIFY_CONFIRMED if modified else OrderStatus.CONFIRMED
    amended = any(order.amends for order in orders)
    return OrderStatus.MODIFY_CONFIRMED if amended else OrderStatus.CONFIRMED
