"""
Changing a living cover order: its entry (C3) and the plan of its stop (C4).

The entry changes when the venue has amended it, not when we asked; the plan of the stop
changes at once, and the stop follows. A request that says again what already is sends nothing.

Source: cover-order 5.3 (C3, C4), race 22; wire Decision 19.
"""

from kavach.core.accounts import margin_paise
from kavach.core.commands import ModifyCoverOrder
from kavach.core.cover_order import CoverOrder
from kavach.core.cover_tables import State
from kavach.core.desk import Desk
from kavach.core.duties import amend, cancel, submit_slices, venue_terms
from kavach.core.events import (
    EntryCancelRequested,
    EntryModifyRequested,
    Source,
    StopPlanned,
)
from kavach.core.pricing import beyond
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules import check_stop, check_stop_side, check_terms, reference_price
from kavach.instruments import Instrument
from kavach.units import OrderType, Pips, Quantity

_STOP_TYPES = frozenset({OrderType.SL, OrderType.SLM})


def modify_entry(desk: Desk, cover: CoverOrder, command: ModifyCoverOrder) -> Refusal | None:
    """Ask the venue for the entry's new terms and plan the stop; return a refusal, or None."""
    if cover.entry_dead:
        return Refusal(Reason.ENTRY_ALREADY_EXECUTED)
    if cover.cancel_source is not None:
        return Refusal(Reason.ENTRY_BEING_CANCELLED)
    if desk.state.link_down:
        return Refusal(Reason.VENUE_MUST_BE_REACHABLE)
    if cover.modify is not None or any(order.waits for order in cover.entries):
        return Refusal(Reason.ENTRY_IN_FLIGHT)
    instrument = desk.state.instruments[cover.instrument]
    wanted = _wanted(desk, cover, instrument, command)
    reason = _check_wanted(desk, cover, instrument, wanted)
    if reason is not None:
        return Refusal(reason)
    planned = planned_stop(
        desk,
        cover,
        instrument,
        command.stop_price_pips,
        command.trailing_step_pips,
        wanted.reference_price_pips,
    )
    if isinstance(planned, Reason):
        return Refusal(planned)
    if planned is not None:
        desk.emit(planned)
    if wanted.quantity == cover.entry_filled:
        desk.emit(EntryCancelRequested(cover.cover_id, Source.USER))
    elif _differs(cover, wanted):
        desk.emit(wanted)
        _amend_entry(desk, cover, instrument, wanted)
    return None


def modify_stop(desk: Desk, cover: CoverOrder, command: ModifyCoverOrder) -> Refusal | None:
    """Plan the stop anew; return a refusal, or None. The stop follows when it can."""
    instrument = desk.state.instruments[cover.instrument]
    stop = command.stop_price_pips
    if stop is None and command.trigger_price_pips:
        stop = command.trigger_price_pips
    planned = planned_stop(
        desk, cover, instrument, stop, command.trailing_step_pips, cover.reference_price_pips
    )
    if isinstance(planned, Reason):
        return Refusal(planned)
    if planned is not None:
        desk.emit(planned)
    return None


def _wanted(
    desk: Desk, cover: CoverOrder, instrument: Instrument, command: ModifyCoverOrder
) -> EntryModifyRequested:
    """Return the entry as the client wants it, unmentioned terms as they are."""
    c = command
    order_type = cover.order_type if c.order_type is None else c.order_type
    price = cover.price_pips if c.price_pips is None else c.price_pips
    trigger = cover.trigger_price_pips if c.trigger_price_pips is None else c.trigger_price_pips
    quantity = cover.quantity if c.quantity is None else c.quantity
    disclosed = cover.disclosed_quantity
    if c.disclosed_quantity is not None:
        disclosed = c.disclosed_quantity
    if order_type not in _STOP_TYPES and c.trigger_price_pips is None:
        trigger = 0
    reference = cover.reference_price_pips
    if not order_type is cover.order_type is OrderType.MARKET:
        reference = reference_price(order_type, price, trigger, desk.last_price(instrument))
    return EntryModifyRequested(
        cover.cover_id,
        order_type,
        Quantity(quantity),
        Quantity(disclosed),
        Pips(price),
        Pips(trigger),
        cover.validity if c.validity is None else c.validity,
        Pips(reference),
    )


def _check_wanted(
    desk: Desk, cover: CoverOrder, instrument: Instrument, wanted: EntryModifyRequested
) -> Reason | None:
    """Return why the entry cannot become this."""
    state = desk.state
    fired = any(order.triggered for order in cover.entries)  # Its trigger is history.
    as_limit = fired and wanted.order_type is OrderType.SL
    trigger_is_old = as_limit or wanted.trigger_price_pips == cover.trigger_price_pips
    reason = check_terms(
        instrument,
        state.settings,
        cover.side,
        OrderType.LIMIT if as_limit else wanted.order_type,
        wanted.quantity,
        wanted.disclosed_quantity,
        wanted.price_pips,
        0 if as_limit else wanted.trigger_price_pips,
        wanted.validity,
        desk.last_price(instrument),
    )
    if reason is Reason.TRIGGER_PRICE_MUST_BE_BEYOND_LAST_PRICE and trigger_is_old:
        reason = None  # It stands at the venue already.
    if reason is not None:
        return reason
    if wanted.quantity < cover.entry_filled:
        return Reason.QUANTITY_MUST_COVER_FILLS
    grows = wanted.quantity > cover.quantity
    if grows and cover.state is State.UNPROTECTED:
        return Reason.QUANTITY_MUST_NOT_GROW
    exposure = wanted.quantity - cover.exits_filled
    needed = margin_paise(
        instrument, state.settings, cover.product, exposure, wanted.reference_price_pips
    )
    more = needed - cover.blocked_paise
    if more > 0 and more > state.clients[cover.client_id].available_paise:
        return Reason.MARGIN_MUST_SUFFICE
    return None


def planned_stop(
    desk: Desk,
    cover: CoverOrder,
    instrument: Instrument,
    stop_pips: int | None,
    trailing_step_pips: int | None,
    reference_pips: int,
) -> StopPlanned | Reason | None:
    """Return the new plan of the stop, None when nothing changes, or why it cannot be."""
    stop = cover.stop_price_pips if stop_pips is None else stop_pips
    step = cover.trailing_step_pips if trailing_step_pips is None else trailing_step_pips
    reason = check_stop(instrument, stop, step)
    moves = stop != cover.stop_price_pips
    last = desk.last_price(instrument)
    if reason is None and cover.entry_filled == 0:
        reason = check_stop_side(cover.side, stop, reference_pips)
    elif reason is None and moves and not beyond(cover.exit_side, stop, last):
        reason = Reason.STOP_MUST_BE_BEYOND_LAST_PRICE
    if reason is not None:
        return reason
    if cover.entry_filled == 0:
        distance = abs(reference_pips - stop)
    elif moves:
        distance = abs(last - stop)
    else:
        distance = cover.trailing_distance_pips
    is_now = (cover.stop_price_pips, cover.trailing_step_pips, cover.trailing_distance_pips)
    if (stop, step, distance) == is_now:
        return None
    return StopPlanned(cover.cover_id, Pips(stop), Pips(step), Pips(distance))


def _differs(cover: CoverOrder, wanted: EntryModifyRequested) -> bool:
    return (
        wanted.order_type is not cover.order_type
        or wanted.quantity != cover.quantity
        or wanted.disclosed_quantity != cover.disclosed_quantity
        or wanted.price_pips != cover.price_pips
        or wanted.trigger_price_pips != cover.trigger_price_pips
        or wanted.validity is not cover.validity
    )


def _amend_entry(
    desk: Desk, cover: CoverOrder, instrument: Instrument, wanted: EntryModifyRequested
) -> None:
    """Spread the new total over the live slices, front to back, and send what changes."""
    live = [order for order in cover.entries if order.live]
    left = wanted.quantity - cover.entry_filled
    for order in live:
        order_type, price, trigger = venue_terms(
            desk,
            cover.side,
            wanted.order_type,
            wanted.price_pips,
            wanted.trigger_price_pips,
            instrument,
        )
        if order.triggered:
            order_type, trigger = OrderType.LIMIT, Pips(0)
        more = min(left, instrument.slice_max - order.filled_quantity)
        left -= more
        if more == 0:
            cancel(desk, order)
            continue
        total = order.filled_quantity + more
        disclosed = min(wanted.disclosed_quantity, total)
        now = (order.order_type, order.quantity, order.disclosed_quantity)
        prices = (order.price_pips, order.trigger_price_pips)
        if (order_type, total, disclosed) != now or (price, trigger) != prices:
            amend(desk, order, order_type, total, price, trigger, disclosed)
    if left > 0:
        submit_slices(desk, cover, instrument, left, wanted)
