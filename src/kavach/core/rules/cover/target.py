"""
What the system owes a bracket beside what it owes its stop: a target, and the end of it.

The stop always goes first. A target is placed, grown or moved only while nothing that filled is
open, and nothing about a target ever delays a stop or an exit: they share one quantity at the
venue, so they need not wait for each other (``core.model.cover.exit_group``).

A target that has traded is a profit taken: what has not traded of the entry is cancelled.

Source: docs/spec/cover_order.md (brackets).
"""

from kavach.core.events import (
    EntryCancelRequested,
    OrderSubmitted,
    Purpose,
    Source,
)
from kavach.core.model.cover.events import TargetLegNamed
from kavach.core.model.cover.exit_group import total_for, traded
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import EXITING, TRIGGERED, State
from kavach.core.model.orders.life import InFlight, Life
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.rules.context import StepContext
from kavach.core.rules.orders.sending import amend, cancel, cancel_again_ns, may_ask_again
from kavach.units import OrderType, Pips, Quantity, Validity

LIMIT = OrderType.LIMIT


def name_target_leg(context: StepContext, cover: CoverOrder) -> None:
    """Give the target a row, once there is something to sell at it."""
    if cover.target is not None and not cover.target.order_id:
        context.emit(TargetLegNamed(cover.order_id, context.next_order_id()))


def stop_buying(context: StepContext, cover: CoverOrder) -> None:
    """Want the rest of the entry gone once the target has traded."""
    if cover.cancel_source is None and not cover.entry_dead and _targets_filled(cover):
        context.emit(EntryCancelRequested(cover.order_id, Source.TARGET))


def submit_linked(
    context: StepContext,
    cover: CoverOrder,
    purpose: Purpose,
    order_type: OrderType,
    price_pips: int,
    trigger_pips: int,
) -> None:
    """Send an exit for the whole position that shares its quantity with all others.

    Nothing is sent while exits of an earlier session could still trade all of it.
    """
    link = cover.link or context.state.next_tag
    total = total_for(cover.exits, link, cover.position)
    assert total <= cover.entry_filled, "exit larger than was ever held"
    if total <= traded(cover.exits, link):
        return
    context.send(
        OrderSubmitted(
            context.state.next_tag,
            cover.order_id,
            purpose,
            cover.instrument,
            cover.client_id,
            cover.exit_side,
            order_type,
            Quantity(total),
            Quantity(0),
            Pips(price_pips),
            Pips(trigger_pips),
            Validity.DAY,
            link,
        )
    )


def tend_target(context: StepContext, cover: CoverOrder) -> None:
    """Place the target, or bring it to price and size; one request at a time, no stop's ahead."""
    planned = cover.target
    if planned is None or cover.position == 0 or any(order.waits for order in cover.exits):
        return
    live = [order for order in cover.exits if order.is_target and order.live]
    if not live:
        if not planned.lost:
            submit_linked(context, cover, Purpose.TARGET, LIMIT, planned.price_pips, 0)
        return
    *spare, target = live
    for order in spare:  # One that was denied has come to light beside its successor.
        _cancel(context, order)
    total = total_for(cover.exits, target.link, cover.position)
    stands = (target.quantity, target.price_pips)
    if not target.limit_refused and stands != (total, planned.price_pips):
        amend(context, target, LIMIT, total, planned.price_pips, 0)


def drop_target(context: StepContext, cover: CoverOrder) -> None:
    """Take the target back: the position leaves by another way."""
    for order in cover.exits:
        if order.is_target and order.leaves_max:
            _cancel(context, order)


def drop_old_targets(context: StepContext, cover: CoverOrder) -> None:
    """Take back what may be left of an earlier session's targets.

    A link ends with its session. As long as such a target is not known to be gone it counts at
    its most, and no stop can be sent beside it. To cancel it is always safe, and a refusal is as
    good as its end: then the venue is asked.
    """
    for order in cover.exits:
        if order.is_target and order.link != cover.link:
            _cancel(context, order)


def target_wakes(context: StepContext, cover: CoverOrder, state: State) -> list[int]:
    """Return when a refused cancel of the target is asked for again."""
    leaves = state in (TRIGGERED, EXITING)
    return [
        cancel_again_ns(context, order)
        for order in cover.exits
        if order.is_target
        and order.live
        and order.cancel_refused_at_ns
        and (leaves or order.link != cover.link)
    ]


def _cancel(context: StepContext, order: VenueOrder) -> None:
    idle = order.in_flight is InFlight.NONE
    if order.life is Life.WORKING and order.live and idle and may_ask_again(context, order):
        cancel(context, order)


def _targets_filled(cover: CoverOrder) -> bool:
    return any(order.is_target and order.filled_quantity for order in cover.exits)
