"""
A leg of a cover order as a client sees it: one row, however many orders at the venue.

Quantities are summed; ids and prices are those of the leg's first order that is not over. The
entry shows what the client asked for (a MARKET entry is MARKET, though a protected limit was
sent); the stop shows what stands at the venue. A leg's status is read off its orders, never
stored.

Source: wire 3.1, Decisions 11, 12.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from kavach.core.commands import Leg
from kavach.core.cover_order import CoverOrder
from kavach.core.order_life import CLOSED, InFlight, Life
from kavach.core.parent_order import ParentOrder
from kavach.core.regular.order import RegularOrder
from kavach.core.venue_order import VenueOrder
from kavach.instruments import Instrument
from kavach.units import InstrumentKey, OrderType
from kavach.wire.statuses import OrderStatus

STOPS: Final = frozenset({OrderType.SL, OrderType.SLM})
NOTHING_LEFT: Final = frozenset(
    {OrderStatus.COMPLETE, OrderStatus.CANCEL_CONFIRMED, OrderStatus.AMO_CANCEL_CONFIRMED}
)
UNPRICED: Final = frozenset({OrderType.MARKET, OrderType.SLM})


class LegView:
    """One leg of an order, summed over its orders at the venue; a regular order has but one leg."""

    __slots__ = (
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
        "speaker",
        "status",
        "trigger_price_pips",
        "updated_at_ns",
    )

    def __init__(self, parent: ParentOrder, leg: Leg, instrument: Instrument) -> None:
        self.parent = parent
        self.leg = leg
        self.instrument = instrument
        if leg is Leg.ENTRY:
            self.orders = parent.entries
            self.order_id = parent.order_id
            self.side = parent.side
            self.filled = parent.entry_filled
            self.quantity = _entry_quantity(parent)
        else:
            cover = _cover(parent)
            self.orders = cover.orders_of(leg)
            self.order_id = cover.id_of(leg)
            self.side = cover.exit_side
            self.filled = _filled(self.orders) if cover.is_bracket else cover.exits_filled
            self.quantity = cover.entry_filled
        self.speaker = _speaker(self.orders)
        self.updated_at_ns = parent.leg_updated_at_ns(leg)
        self.order_type, self.price_pips, self.trigger_price_pips = (
            _entry_prices(parent, self.speaker) if leg is Leg.ENTRY else self._exit_prices()
        )
        self.status = _status(parent, leg, self.orders, self.filled, self.quantity)
        self.remaining = 0 if self.status in NOTHING_LEFT else self._open_quantity()

    @property
    def exchange_order_id(self) -> str:
        """The exchange's id of the order that speaks for the leg; empty before it has one."""
        return self.speaker.exchange_order_id if self.speaker else ""

    @property
    def value(self) -> int:
        """What has traded, in pips times quantity."""
        return sum(order.filled_value for order in self.orders)

    @property
    def entered_at_ns(self) -> int:
        """When the leg came into being."""
        if self.leg is Leg.ENTRY or not self.orders:
            return self.parent.placed_at_ns
        return self.orders[0].sent_at_ns

    @property
    def rejection(self) -> tuple[int, str]:
        """The code and the text of a leg that was rejected."""
        if self.speaker is not None and self.speaker.life is Life.REJECTED:
            return self.speaker.code, self.speaker.reason
        return self.parent.ended_code, self.parent.ended_reason

    def _open_quantity(self) -> int:
        """What is left: what a bracket's target has sold is not left for its stop."""
        if self.leg is Leg.ENTRY:
            return self.quantity - self.filled
        return self.parent.position

    def _exit_prices(self) -> tuple[OrderType, int, int]:
        if self.speaker is not None:
            at_venue = self.speaker
            return at_venue.order_type, at_venue.price_pips, at_venue.trigger_price_pips
        if self.leg is Leg.SECOND:
            return OrderType.LIMIT, _cover(self.parent).target_price_pips, 0
        kind = OrderType.SLM if self.instrument.slm_allowed else OrderType.SL
        return kind, 0, _cover(self.parent).stop_price_pips


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


def _speaker(orders: tuple[VenueOrder, ...]) -> VenueOrder | None:
    """Return the order whose id and prices the row shows: the first that is not over."""
    for order in orders:
        if order.life not in CLOSED:
            return order
    return orders[-1] if orders else None


def _entry_quantity(parent: ParentOrder) -> int:
    if not parent.entries:
        return parent.quantity
    return sum(order.quantity for order in parent.entries)


def _entry_prices(parent: ParentOrder, at_venue: VenueOrder | None) -> tuple[OrderType, int, int]:
    """Return what the client asked for; a change counts once the venue has it."""
    if at_venue is None:
        return parent.order_type, parent.price_pips, parent.trigger_price_pips
    price_pips = 0 if parent.order_type in UNPRICED else at_venue.price_pips
    trigger_pips = at_venue.trigger_price_pips if parent.order_type in STOPS else 0
    return parent.order_type, price_pips, trigger_pips


def _status(
    parent: ParentOrder, leg: Leg, orders: tuple[VenueOrder, ...], filled: int, quantity: int
) -> OrderStatus:
    if isinstance(parent, RegularOrder) and not orders:
        return _parked_status(parent)
    open_orders = [order for order in orders if order.life not in CLOSED]
    if open_orders:
        return _open_status(parent, leg, open_orders, filled)
    if leg is not Leg.ENTRY and parent.position and not parent.over and _is_owed(parent, leg):
        return OrderStatus.PENDING  # The stop was lost; another is on its way.
    if filled and filled >= quantity:
        return OrderStatus.COMPLETE
    if not orders and not parent.over and leg is Leg.ENTRY:
        return OrderStatus.PENDING
    if filled == 0 and any(order.life is Life.REJECTED for order in orders):
        return OrderStatus.REJECTED
    if not orders and parent.state == "REJECTED":
        return OrderStatus.REJECTED
    return OrderStatus.CANCEL_CONFIRMED


def _is_owed(parent: ParentOrder, leg: Leg) -> bool:
    """Return whether an exit that is not there shall come: a target, as long as it can be met."""
    cover = _cover(parent)
    over = cover.target_lost or cover.triggered_at_ns or cover.exit_source is not None
    return leg is Leg.THIRD or not over


def _filled(orders: tuple[VenueOrder, ...]) -> int:
    return sum(order.filled_quantity for order in orders)


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
    if any(order.in_flight is InFlight.CANCEL for order in orders):
        return OrderStatus.CANCEL_PENDING
    if any(order.in_flight is InFlight.AMEND for order in orders):
        return OrderStatus.MODIFY_PENDING
    if all(order.life is Life.SENT for order in orders):
        return OrderStatus.PENDING
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
