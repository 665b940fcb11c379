"""
Changing a living cover order: its entry (C3) and the plan of its stop (C4).

The entry changes when the venue has amended it, not when we asked; the plan of the stop
changes at once, and the stop follows. A request that repeats what already is sends nothing.

Source: docs/spec/cover_order.md; docs/wire/README.md, "Decisions".
"""

from kavach.core.commands import ModifyCoverOrder
from kavach.core.events import EntryCancelRequested, EntryModifyRequested, Source, StopPlanned
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import State
from kavach.core.model.money.margin import holding_text, margin_paise
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.core.rules.cover.target_plan import in_force, planned_target, stop_from
from kavach.core.rules.limits.budget import changes, too_many_slices
from kavach.core.rules.limits.order_attributes import (
    lacks_protection,
    protect_anew,
    protection_after,
)
from kavach.core.rules.orders.answers import means_text
from kavach.core.rules.orders.entry_change import (
    amend_entries,
    check_wanted,
    differs,
    wanted_terms,
    without_rest,
)
from kavach.core.rules.orders.field_rules import check_stop, check_stop_side
from kavach.core.rules.orders.pricing import beyond
from kavach.instruments import Instrument
from kavach.units import Pips, Side


def modify_entry(
    context: StepContext, cover: CoverOrder, command: ModifyCoverOrder
) -> Refusal | None:
    """Ask the venue for the entry's new terms and plan the stop; return a refusal, or None."""
    if cover.entry_dead:
        return Refusal(Reason.ENTRY_ALREADY_EXECUTED)
    if cover.cancel_source is not None:
        return Refusal(Reason.ENTRY_BEING_CANCELLED)
    if context.state.venue_disconnected:
        return Refusal(Reason.VENUE_MUST_BE_REACHABLE)
    if cover.modify is not None or any(order.waits for order in cover.entries):
        return Refusal(Reason.ENTRY_IN_FLIGHT)
    instrument = context.state.instruments[cover.instrument]
    wanted = wanted_terms(context, cover, instrument, command)
    if lacks_protection(context, wanted.order_type, protection_after(cover, command)):
        return Refusal(Reason.MARKET_PROTECTION_MUST_BE_GIVEN)
    if context.state.budgeted and too_many_slices(
        context, cover.client_id, changes(cover, instrument, wanted.quantity)
    ):
        return Refusal(Reason.QUANTITY_MUST_BE_WITHIN_LIMIT)
    reason = check_wanted(context, cover, instrument, wanted)
    refusal = Refusal(reason) if reason else _check_growth(context, cover, wanted)
    if refusal is not None:
        return refusal
    reference = wanted.reference_price_pips
    stop = planned_stop(
        context,
        cover,
        instrument,
        stop_from(cover, command, reference),
        command.trailing_step_pips,
        reference,
    )
    if isinstance(stop, Reason):
        return Refusal(stop)
    target = None
    if cover.is_bracket:
        stop = in_force(cover, command, stop)
        target = planned_target(context, cover, command.target_offset_pips, None, reference)
    if isinstance(target, Reason):
        return Refusal(target)
    for planned in (stop, target):
        if planned is not None:
            context.emit(planned)
    protect_anew(context, cover, command.protection_bp)
    if wanted.quantity == cover.entry_filled:
        context.emit(without_rest(cover, wanted))
        context.emit(EntryCancelRequested(cover.order_id, Source.USER))
    elif differs(cover, wanted):
        context.emit(wanted)
        amend_entries(context, cover, instrument, wanted)
    return None


def modify_stop(
    context: StepContext, cover: CoverOrder, command: ModifyCoverOrder
) -> Refusal | None:
    """Plan the stop anew; return a refusal, or None. The stop follows when it can."""
    instrument = context.state.instruments[cover.instrument]
    reference = cover.reference_price_pips
    stop, by = stop_from(cover, command, reference), ""
    if stop is None and command.trigger_price_pips is not None:
        stop, by = command.trigger_price_pips, "trigger_price_pips"
    planned = planned_stop(context, cover, instrument, stop, command.trailing_step_pips, reference)
    if isinstance(planned, Reason):
        return Refusal(planned, by="" if planned is Reason.TRAILING_STEP_MUST_FIT else by)
    if planned is not None:
        context.emit(planned)
    return None


def _check_growth(
    context: StepContext, cover: CoverOrder, wanted: EntryModifyRequested
) -> Refusal | None:
    """Return why the order may not become as large or as dear as this."""
    state = context.state
    instrument = state.instruments[cover.instrument]
    if wanted.quantity > cover.total and cover.state is State.UNPROTECTED:
        return Refusal(Reason.QUANTITY_MUST_NOT_GROW)
    if cover.side is Side.SELL:
        shares = state.sellable(cover.client_id, cover.instrument, cover.product)
        own, leaves = cover.entry_leaves_max, wanted.quantity - cover.entry_filled
        if shares is not None and leaves > shares + own:
            return Refusal(Reason.HOLDING_MUST_SUFFICE, holding_text(shares + own, leaves))
    exposure = wanted.quantity - cover.exits_filled
    needed = margin_paise(
        instrument, state.settings, cover.product, exposure, wanted.reference_price_pips
    )
    more = needed - cover.blocked_paise
    available = state.clients[cover.client_id].available_paise
    if more > 0 and more > available:
        return Refusal(Reason.MARGIN_MUST_SUFFICE, means_text(available, more))
    return None


def planned_stop(
    context: StepContext,
    cover: CoverOrder,
    instrument: Instrument,
    stop_pips: int | None,
    trailing_step_pips: int | None,
    reference_pips: int,
) -> StopPlanned | Reason | None:
    """Return the new plan of the stop, None when nothing changes, or why it cannot be."""
    stop = cover.stop.price_pips if stop_pips is None else stop_pips
    step = cover.trailing_step_pips if trailing_step_pips is None else trailing_step_pips
    reason = check_stop(instrument, stop, step)
    moves = stop != cover.stop.price_pips
    last = context.last_price(instrument)
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
    is_now = (cover.stop.price_pips, cover.trailing_step_pips, cover.trailing_distance_pips)
    if (stop, step, distance) == is_now:
        return None
    offset = abs(reference_pips - stop) if cover.is_bracket and moves else 0
    return StopPlanned(cover.order_id, Pips(stop), Pips(step), Pips(distance), Pips(offset))
