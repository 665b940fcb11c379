"""
What the system owes a regular order: to send it, to cancel what is not wanted any more, to end it.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/spec/cover_order.md, "What the
system owes".
"""

from kavach.core.events import (
    Alarm,
    EntryCancelFailed,
    OrderCancelRefused,
    OrderTraded,
    Report,
    Source,
)
from kavach.core.model.orders.life import Life
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.model.regular.events import RegularOrderEnded, RegularOrderReopened
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.regular.tables import (
    CANCELLED,
    EXPIRED,
    FILLED,
    NEW,
    OPEN,
    PARKED,
    REJECTED,
    TERMINAL,
    RegularState,
)
from kavach.core.rules.context import StepContext
from kavach.core.rules.decisions import ReportEffect
from kavach.core.rules.orders.sending import (
    cancel_remainder,
    entry_wakes,
    follow_market,
    submit_entry,
)
from kavach.core.rules.orders.unacknowledged import wakes_in_doubt
from kavach.core.rules.regular.pacing import goes_at_ns, may_go
from kavach.units import OrderType


def enforce(context: StepContext, order: RegularOrder) -> RegularState:
    """Do what is owed to a regular order now; return its state."""
    everything = context.state
    instrument = everything.instruments[order.instrument]
    state = order.state
    if everything.venue_disconnected or state is PARKED or state in TERMINAL:
        return state
    if everything.sessions.closed and everything.sessions.is_closed(instrument) and order.entries:
        return conclude(context, order)
    if state is NEW:
        if order.cancel_source is not None:
            context.emit(RegularOrderEnded(order.order_id, CANCELLED, 0, order.cancel_source))
        elif may_go(context, order):  # One of many at once: its turn comes within seconds.
            submit_entry(context, order, instrument)
        return order.state
    if order.cancel_source is not None:
        cancel_remainder(context, order)
    elif order.order_type is OrderType.MARKET and everything.sessions.is_continuous(instrument):
        follow_market(context, order, instrument)
    return conclude(context, order)


def conclude(context: StepContext, order: RegularOrder) -> RegularState:
    """End the order when nothing of it lives at the venue."""
    if order.ended is None and order.entry_dead:
        last = order.entries[-1]
        ended = _why(order, last)
        context.emit(RegularOrderEnded(order.order_id, ended, last.code, last.reason))
    return order.state


def _why(order: RegularOrder, last: VenueOrder) -> RegularState:
    if order.entry_filled >= order.total:
        return FILLED
    if last.life is Life.REJECTED:
        return CANCELLED if order.entry_filled else REJECTED
    return EXPIRED if last.life is Life.EXPIRED else CANCELLED


def apply_report(
    context: StepContext,
    order: RegularOrder,
    at_venue: VenueOrder,
    report: Report,
    effect: ReportEffect,
) -> None:
    """Apply the report and establish its effect in the state before it."""
    if effect is ReportEffect.REOPEN:
        ended = order.state
        context.emit(RegularOrderReopened(order.order_id))
        context.emit(report)
        assert isinstance(report, OrderTraded)
        context.alarm(order, Alarm.RESURRECTED, f"{report.quantity} filled after {ended.value}")
        return
    context.emit(report)
    if effect is ReportEffect.CANCEL_FAILED and order.cancel_source is Source.USER:
        assert isinstance(report, OrderCancelRefused)
        context.emit(EntryCancelFailed(order.order_id, report.code, report.reason))


def next_wake_ns(context: StepContext, order: RegularOrder, state: RegularState) -> int:
    """Return when time alone will owe this order something; 0 when it never will."""
    if context.state.venue_disconnected or state is PARKED:
        return 0
    due = wakes_in_doubt(context, order) + entry_wakes(context, order)
    instrument = context.state.instruments[order.instrument]
    if state is NEW and (not order.squares_off or context.state.sessions.takes_exits(instrument)):
        due.append(goes_at_ns(context, order))
    again_ns = context.now_ns + context.state.settings.t_reprice_ns
    return min((at_ns if at_ns > context.now_ns else again_ns for at_ns in due), default=0)


def wants_nothing(order: RegularOrder, state: RegularState) -> bool:
    """Whether time cannot owe the order anything."""
    if state in TERMINAL or state is PARKED:
        return True
    quiet = order.cancel_source is None and order.order_type is not OrderType.MARKET
    return state is OPEN and quiet and not order.waits
