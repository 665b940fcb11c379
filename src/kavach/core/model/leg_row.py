"""
The facts of a leg's row: the one place where the facts of a row are made (INV-22).

A leg is one row, however many orders at the venue carry it out, and the row is what the venue's
reports imply of them together. The order book, the history and the feed read it here, so that
they cannot differ.

    filled      what its orders have traded
    remaining   what stands at the venue and could still trade, as far as it has been confirmed
    total       an entry: the sum over its orders, of a withdrawn one what it has traded;
                an exit: what the position's exits have traded, and what of this leg remains;
                if nothing of it stands, what the entry has filled
    prices      those of its *speaker*: the first order that is not over, or the last that was

An exit stands as long as the venue has it and some of its confirmed total is left, by what its
orders and those of its link have traded. A change that the venue has not confirmed is in none of
it.

Quantities are shares, prices pips, values pips times shares.

Source: docs/spec/cover_order.md (rows); docs/decisions/0019.
"""

from typing import Final, NamedTuple

from kavach.core.commands import Leg
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.life import CLOSED, Life
from kavach.core.model.orders.parent_order import LegChange, ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.instruments import Instrument
from kavach.units import OrderType, Validity

STOPS: Final = frozenset({OrderType.SL, OrderType.SLM})
UNPRICED: Final = frozenset({OrderType.MARKET, OrderType.SLM})
_ENTRY: Final = Leg.ENTRY
_SECOND: Final = Leg.SECOND


class LegRow(NamedTuple):
    """The facts of a row: what a leg is, and what has become of it."""

    order_type: OrderType
    quantity: int
    filled_quantity: int
    filled_value: int
    remaining_quantity: int
    price_pips: int
    trigger_price_pips: int
    exchange_order_id: str
    works: bool  # Whether an order of it is not over.


def leg_row(parent: ParentOrder, leg: Leg) -> LegRow:
    """Return the facts of a leg's row as they are now."""
    if leg is _ENTRY:
        return _entry_row(parent)
    assert isinstance(parent, CoverOrder), f"{parent.order_id} has no {leg}"
    return _exit_row(parent, leg)


def shown_row(parent: ParentOrder, leg: Leg, instrument: Instrument) -> LegRow:
    """Return the same, with the order type that a stop which is still planned will have."""
    row = leg_row(parent, leg)
    planned = leg is Leg.THIRD and not parent.orders_of(leg)
    if planned and not instrument.slm_allowed:
        return row._replace(order_type=OrderType.SL)
    return row


def speaker_of(orders: tuple[VenueOrder, ...]) -> VenueOrder | None:
    """Return the order whose id and prices the row shows: the first not over, or the last that was.

    One that was withdrawn while others went on speaks only if it has traded and no other did.
    """
    last = None
    for order in orders:
        if order.life not in CLOSED:
            return order
        if last is None or not order.withdrawn or (last.withdrawn and order.filled_quantity):
            last = order
    return last


def is_owed(cover: CoverOrder, leg: Leg) -> bool:
    """Return whether an exit that is not there shall come: a target, as long as it can be met."""
    if cover.ended is not None or cover.position == 0:
        return False
    if leg is not _SECOND:
        return leg is Leg.THIRD
    assert cover.target is not None, f"{cover.order_id} has no target"
    return not (cover.target.lost or cover.triggered_at_ns or cover.exit_source is not None)


def _entry_row(parent: ParentOrder) -> LegRow:
    """Return what the client asked for; a change of it counts once the venue has it."""
    orders = parent.entries
    order_type, filled = parent.order_type, parent.entry_filled
    if not orders:
        price, trigger, total = parent.price_pips, parent.trigger_price_pips, parent.quantity
        return LegRow(order_type, total, filled, 0, total - filled, price, trigger, "", False)
    if len(orders) == 1:  # As nearly always.
        speaker = orders[0]
        works = speaker.life not in CLOSED
        total = filled if speaker.withdrawn else speaker.quantity
        value = speaker.filled_value
    else:
        found = speaker_of(orders)
        assert found is not None, f"{parent.order_id} has entries"
        speaker, works, total = found, parent.entry_works, parent.total
        value = sum(order.filled_value for order in orders)
    return LegRow(
        order_type,
        total,
        filled,
        value,
        total - filled,
        0 if order_type in UNPRICED else speaker.price_pips,
        speaker.trigger_price_pips if order_type in STOPS else 0,
        speaker.exchange_order_id,
        works,
    )


def _exit_row(cover: CoverOrder, leg: Leg) -> LegRow:
    """Return what stands at the venue; of an exit of which nothing stands, what is planned.

    An order that is not over though its total has traded stands no more: trades or its end are
    still to be reported, or a growth of it is to be answered. Either gives back what is left.
    """
    orders = cover.orders_of(leg)
    filled = value = remaining = 0
    works = comes = False
    shared: dict[int, int] = {}  # By link: its orders have one quantity among them.
    for order in orders:
        filled += order.filled_quantity
        value += order.filled_value
        if order.life not in CLOSED:
            works = True
            comes = comes or order.exchange_order_id == ""
            if order.link:
                shared[order.link] = max(shared.get(order.link, 0), order.confirmed_leaves)
            else:
                remaining += order.confirmed_leaves
    remaining += sum(shared.values())
    speaker = speaker_of(orders)
    quantity = cover.exits_filled + remaining
    if not remaining:
        quantity = cover.entry_filled
        if comes or is_owed(cover, leg):
            remaining = cover.position
        elif leg is _SECOND and speaker is not None:  # It has ended; what fills now is not its own.
            quantity = max(filled, speaker.quantity)
    if speaker is not None:
        terms = speaker.order_type, speaker.price_pips, speaker.trigger_price_pips
        exchange_order_id = speaker.exchange_order_id
    else:
        planned = cover.exit_of(leg).price_pips
        terms = (OrderType.LIMIT, planned, 0) if leg is _SECOND else (OrderType.SLM, 0, planned)
        exchange_order_id = ""
    order_type, price, trigger = terms
    return LegRow(
        order_type, quantity, filled, value, remaining, price, trigger, exchange_order_id, works
    )


def is_over(parent: ParentOrder, leg: Leg) -> bool:
    """Return whether a leg has ended: nothing of it works, and nothing more of it shall come."""
    if leg is _ENTRY:
        return bool(parent.entries) and not parent.entry_works
    assert isinstance(parent, CoverOrder), f"{parent.order_id} has no {leg}"
    works = any(order.life not in CLOSED for order in parent.orders_of(leg))
    return not works and not is_owed(parent, leg)


# --- What one leg does to the rows of the others ------------------------------------------------

Looks = tuple[tuple[Leg, LegRow, bool], ...]


def other_rows(parent: ParentOrder, leg: Leg) -> Looks:
    """Return how the rows of stop and target look, that of ``leg`` apart."""
    if not isinstance(parent, CoverOrder) or not parent.stop.order_id:
        return ()
    return tuple(
        (other, leg_row(parent, other), is_owed(parent, other))
        for other in parent.legs
        if other is not leg and other is not _ENTRY
    )


def touch_changed(parent: ParentOrder, before: Looks, at_ns: int) -> None:
    """Make another version of each of these rows that does not look as before."""
    if not before:
        return
    assert isinstance(parent, CoverOrder), f"{parent.order_id} has but one row"
    for leg, row, owed in before:
        still = is_owed(parent, leg)
        if (row, owed) != (leg_row(parent, leg), still):
            parent.touch(leg, at_ns)
        if owed and not still and not parent.orders_of(leg):
            add_line(parent, leg, "cancelled", Life.CANCELLED, at_ns)  # It never came.


def touch_planned(cover: CoverOrder, at_ns: int) -> None:
    """Make another version of each row that shows a plan which is about to change.

    A leg that has ended goes on to show the plan as it was (INV-24).
    """
    for leg in cover.legs:
        if not is_over(cover, leg):
            cover.touch(leg, at_ns)
        elif cover.kept_plans is None:
            cover.kept_plans = {leg: cover.plan}
        else:
            cover.kept_plans.setdefault(leg, cover.plan)


# --- What is kept of a row ----------------------------------------------------------------------


def add_line(
    parent: ParentOrder, leg: Leg, what: str, life: Life, at_ns: int, reason: str = ""
) -> None:
    """Add the leg's row, as it stands now, to the order's history."""
    row = leg_row(parent, leg)
    if parent.changes is None:
        parent.changes = []
    entry = leg is Leg.ENTRY
    parent.changes.append(
        LegChange(
            at_ns,
            leg,
            what,
            life,
            row.order_type,
            row.quantity,
            row.filled_quantity,
            row.price_pips,
            row.trigger_price_pips,
            reason,
            row.filled_value,
            row.exchange_order_id,
            parent.disclosed_quantity if entry else 0,
            parent.validity if entry else Validity.DAY,
            row.works,
        )
    )
