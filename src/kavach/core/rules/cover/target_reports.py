"""
What a venue's report of a target establishes, and what the end of a linked order does.

Source: docs/spec/cover_order.md (brackets).
"""

from kavach.core.commands import Leg
from kavach.core.events import (
    Alarm,
    Closing,
    OrderClosed,
    OrderRejected,
    Report,
)
from kavach.core.model.cover.events import TargetLost, TargetPlanned
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.venue_order import LINK_CODES, LINK_OVER_CODE, VenueOrder
from kavach.core.rules.context import StepContext
from kavach.core.rules.orders.deduplication import denied
from kavach.core.rules.orders.unacknowledged import ask_siblings
from kavach.units import Pips


def ended_by_link(order: VenueOrder, report: Report) -> bool:
    """Return whether it is no accident that an order is not there: its link left it nothing."""
    if not isinstance(report, OrderClosed | OrderRejected) or not order.link:
        return False
    return report.code in LINK_CODES


def note_end_by_link(
    context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report
) -> None:
    """Apply the end of an order by its link, and query what that leaves open."""
    context.emit(report)
    if order.code == LINK_OVER_CODE:
        ask_siblings(context, cover, order)


def target_lost(context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report) -> None:
    """A target was refused or has gone: raise an alarm; the stop stays as it is."""
    if ended_by_link(order, report):
        note_end_by_link(context, cover, order, report)
        return
    context.emit(report)
    assert isinstance(report, OrderRejected | OrderClosed)
    if isinstance(report, OrderClosed) and report.closing is Closing.CANCELLED:
        return  # We asked for it.
    if cover.position == 0 or denied(order):
        return  # What never arrived is sent again.
    if not context.state.sessions.is_continuous(context.state.instruments[cover.instrument]):
        return
    refused = isinstance(report, OrderRejected)
    alarm = Alarm.TARGET_REFUSED if refused else Alarm.TARGET_REMOVED
    context.alarm(cover, alarm, f"{report.code} {report.reason}")
    context.emit(TargetLost(cover.order_id))


def keep_target(context: StepContext, cover: CoverOrder, order: VenueOrder, report: Report) -> None:
    """The change is not made: the plan goes back to where the target stands."""
    context.emit(report)
    if order.live and order.price_pips != cover.exit_of(Leg.SECOND).price_pips:
        offset = Pips(abs(order.price_pips - cover.reference_price_pips))
        context.emit(TargetPlanned(cover.order_id, Pips(order.price_pips), offset))
