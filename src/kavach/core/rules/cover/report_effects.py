"""
What a venue's report establishes, beyond the quantities it carries.

Each function first lets the report have happened, then adds the fact its cell names. What the
order is owed from then on is the business of ``core.rules.cover.protect``.

Source: docs/spec/cover_order.md.
"""

from collections.abc import Callable
from typing import Final

from kavach.core.events import (
    Alarm,
    CoverOrderReopened,
    EntryCancelFailed,
    ExitIntended,
    OrderCancelRefused,
    OrderClosed,
    OrderRejected,
    OrderTraded,
    Report,
    Source,
    StopLost,
    StopPlanned,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import State
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.rules.context import StepContext
from kavach.core.rules.cover.target_reports import (
    ended_by_link,
    keep_target,
    note_end_by_link,
    target_lost,
)
from kavach.core.rules.decisions import ReportEffect
from kavach.units import Pips


def apply_report(
    context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report, effect: ReportEffect
) -> None:
    """Apply the report and establish its effect in the state before it."""
    _APPLY[effect](context, cover, order, report)


def _noted(context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report) -> None:
    context.emit(report)


def _late_fill(context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report) -> None:
    context.emit(report)
    assert isinstance(report, OrderTraded)
    context.alarm(cover, Alarm.LATE_FILL, f"{report.quantity} filled after the entry was over")


def _reopen(context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report) -> None:
    """A fill after the end: the order lives again (race 18)."""
    ended = cover.state
    context.emit(CoverOrderReopened(cover.order_id))
    context.emit(report)
    assert isinstance(report, OrderTraded)
    context.alarm(cover, Alarm.RESURRECTED, f"{report.quantity} filled after {ended.value}")
    if cover.triggered_at_ns and cover.exit_source is None:
        # The stop has fired already: there is none to protect this, so it goes at once.
        context.emit(ExitIntended(cover.order_id, Source.TRIGGERED))


def _cancel_failed(
    context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report
) -> None:
    """A client's cancel is over; one that the system needs is asked for again."""
    context.emit(report)
    assert isinstance(report, OrderCancelRefused)
    if cover.exit_source is None and cover.cancel_source is Source.USER:
        context.emit(EntryCancelFailed(cover.order_id, report.code, report.reason))


def _stop_lost(context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report) -> None:
    """A protective order was refused or has gone: the ladder, or out if the stop had fired."""
    if ended_by_link(order, report):
        note_end_by_link(context, cover, order, report)
        return
    had_fired = cover.state is State.TRIGGERED
    context.emit(report)
    if cover.position == 0 or (order.dead and cover.unconfirmed == 0):
        return
    if not context.state.sessions.is_continuous(context.state.instruments[cover.instrument]):
        return  # The end of the day is no accident.
    assert isinstance(report, OrderRejected | OrderClosed)
    refused = isinstance(report, OrderRejected)
    alarm = Alarm.STOP_REFUSED if refused else Alarm.STOP_REMOVED
    context.alarm(cover, alarm, f"{report.code} {report.reason}")
    if had_fired:
        context.emit(ExitIntended(cover.order_id, Source.TRIGGERED))
    else:
        context.emit(StopLost(cover.order_id))


def _keep_stop(context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report) -> None:
    """The change is not made: the plan goes back to where the stop stands.

    Unless another slice of the stop stands at the plan, has stood there, or is on its way: then
    going back would loosen it, and the refused slice is left where it is.
    """
    context.emit(report)
    stands = order.trigger_price_pips
    if not order.live or order.triggered or stands in (0, cover.stop.price_pips):
        return
    if cover.plan_stood:
        return
    for other in cover.exits:
        goal = other.amend or other
        if other.live and goal.trigger_price_pips == cover.stop.price_pips:
            return
    offset = 0  # As it was: a trailing stop does not show what the client wanted.
    if cover.is_bracket and not cover.trailing_step_pips:
        offset = abs(stands - cover.reference_price_pips)
    context.emit(
        StopPlanned(
            cover.order_id,
            Pips(stands),
            Pips(cover.trailing_step_pips),
            Pips(cover.trailing_distance_pips),
            Pips(offset),
        )
    )


_APPLY: Final[dict[ReportEffect, Callable[[StepContext, CoverOrder, VenueOrder, Report], None]]] = {
    ReportEffect.NOTED: _noted,
    ReportEffect.LATE_FILL: _late_fill,
    ReportEffect.REOPEN: _reopen,
    ReportEffect.CANCEL_FAILED: _cancel_failed,
    ReportEffect.STOP_LOST: _stop_lost,
    ReportEffect.KEEP_STOP: _keep_stop,
    ReportEffect.TARGET_LOST: target_lost,
    ReportEffect.KEEP_TARGET: keep_target,
}
