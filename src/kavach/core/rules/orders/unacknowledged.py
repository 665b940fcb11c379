"""
Requests that a venue does not answer: when they are doubted, and when it is asked what it knows.

A request in doubt is still counted at its most. The venue is asked, less and less often, until
it answers; the answer is read in ``core.rules.orders.deduplication``.

Times are nanoseconds.

Source: docs/spec/cover_order.md.
"""

from kavach.core.events import Alarm, OrderDoubted, OrderQuerySent
from kavach.core.model.orders.life import InFlight
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.rules.context import StepContext
from kavach.core.rules.orders.sending import cancel, may_ask_again


def query_unacknowledged(context: StepContext, parent: ParentOrder, order: VenueOrder) -> None:
    """Doubt a request that was not answered in time, and ask the venue, less and less often."""
    settings = context.state.settings
    if not order.doubted:
        if context.now_ns - order.asked_at_ns < settings.t_ack_ns:
            return
        context.emit(OrderDoubted(order.tag))
        context.alarm(parent, Alarm.UNKNOWN, f"no answer about order {order.tag}")
    if context.now_ns >= query_due_ns(context, order):
        if nothing_left(order) and may_ask_again(context, order):
            cancel(context, order)  # Its link has traded all of it, and its end was not reported.
        context.send(OrderQuerySent(order.tag))
        if order.link_owes:
            ask_siblings(context, parent, order)


def nothing_left(order: VenueOrder) -> bool:
    """Return whether an order that is believed to live has nothing left that it could trade."""
    return order.live and order.in_flight is InFlight.NONE and order.leaves_max == 0


def ask_siblings(context: StepContext, parent: ParentOrder, order: VenueOrder) -> None:
    """Ask about all others of a link if an order's close code implies trades not yet reported."""
    for other in parent.exits:
        if other is not order and other.link == order.link and not other.dead:
            context.send(OrderQuerySent(other.tag))


def compare_unasked(context: StepContext, order: VenueOrder) -> None:
    """Ask about a live order of which nothing is awaited, where the settings ask for it.

    A report that was lost while nothing was in doubt is found in no other way.
    """
    idle = order.live and not order.waits
    if (
        context.state.settings.t_reconcile_ns
        and idle
        and context.now_ns >= compare_due_ns(context, order)
    ):
        context.send(OrderQuerySent(order.tag))


def compare_due_ns(context: StepContext, order: VenueOrder) -> int:
    """Return when a live order is to be compared with the venue's, unasked."""
    last_ns = max(order.accepted_at_ns, order.compared_at_ns)
    return last_ns + context.state.settings.t_reconcile_ns


def query_due_ns(context: StepContext, order: VenueOrder) -> int:
    """Return when the venue is to be asked next about a request in doubt."""
    backoff = context.state.settings.query_backoff_ns
    if not order.doubted or order.queries == 0:  # What was asked before was not about this.
        return order.asked_at_ns + context.state.settings.t_ack_ns
    return order.queried_at_ns + backoff[min(order.queries, len(backoff)) - 1]


def wakes_in_doubt(context: StepContext, parent: ParentOrder) -> list[int]:
    """Return when the venue is to be asked about orders of it, awaited or not."""
    orders = parent.entries + parent.exits
    due = [query_due_ns(context, order) for order in orders if order.waits]
    if context.state.settings.t_reconcile_ns:
        due += [
            compare_due_ns(context, order) for order in orders if order.live and not order.waits
        ]
    return due
