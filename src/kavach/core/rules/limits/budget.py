"""
The budget of requests to a venue: at most so many a second for one client and segment (INV-18).

Two rings are asked. Everything that goes to the venue counts in the first; entries, and changes of
entries, also in the second, which is smaller. So an entry finds room only while a share is left
that nothing but protection may use. Protection itself (stops, exits, cancels) never asks: it is
sent at once, because a stop that waits for a limit is a naked position, and the entries give way
until the second has room again.

Times are nanoseconds.

Source: docs/spec/cover_order.md, "What the system owes"; docs/spec/cover_order.md, "What must
hold".
"""

from kavach.core.model.limits.windows import Limit, Tally, in_the_way, room_at_ns
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.instruments import Instrument
from kavach.units import InstrumentKey, Side


def fits(context: StepContext, parent: ParentOrder) -> bool:
    """Return whether one more entry request of this order may go to the venue now."""
    return not context.state.budgeted or fits_at_ns(context, parent) <= context.now_ns


def fits_at_ns(context: StepContext, parent: ParentOrder) -> int:
    """Return from when on one more entry request of this order may go to the venue."""
    if isinstance(parent, RegularOrder) and _gives_back(context, parent):
        return context.now_ns
    refusal = no_room(context, parent.client_id, parent.instrument, 1)
    return context.now_ns if refusal is None else refusal.retry_at_ns


def _gives_back(context: StepContext, order: RegularOrder) -> bool:
    """Return whether all that is open on this side only gives back what regular orders hold."""
    position = context.state.clients[order.client_id].position(order.instrument, order.product)
    if position is None:
        return False
    held = position.plain_net if order.side is Side.SELL else -position.plain_net
    return position.open_of(order.side).quantity <= held


def no_room(
    context: StepContext, client_id: str, instrument: InstrumentKey, entries: int
) -> Refusal | None:
    """Return why, and until when, so many entry requests do not fit to the venue; None: they do."""
    limits = context.state.limits
    budget = limits.budget(client_id)
    if budget is None:
        return None
    wire = limits.seen(client_id, instrument)
    if wire is None or entries <= 0:
        return None
    entries = min(entries, budget.entries_most)  # A request that needs more is refused by a rule.
    of_all = later(context, wire.all, budget.all, entries)
    of_entries = later(context, wire.entries, budget.entries, entries)
    both = [refusal for refusal in (of_all, of_entries) if refusal is not None]
    return max(both, key=lambda refusal: refusal.retry_at_ns, default=None)


def later(context: StepContext, tally: Tally, limit: Limit, more: int) -> Refusal | None:
    """Return a refusal that names when the limit has room again, or None if it has now."""
    now_ns = context.now_ns
    at_ns = room_at_ns(tally, limit, now_ns, more)
    if at_ns <= now_ns:
        return None
    words = in_the_way(tally, limit, now_ns, more)
    return Refusal(Reason.REQUESTS_MUST_BE_WITHIN_LIMIT, f"at most {words}", at_ns)


def changes(parent: ParentOrder, instrument: Instrument, quantity: int) -> int:
    """Return how many requests it can take to give an entry this total quantity."""
    live = [order for order in parent.entries if order.live]
    if not parent.sliced:
        return len(live)
    room = sum(instrument.slice_max - order.filled_quantity for order in live)
    return len(live) + slices_of(instrument, quantity - parent.entry_filled - room)


def too_many_slices(context: StepContext, client_id: str, slices: int) -> bool:
    """Return whether a command needs more requests at once than the budget ever has room for."""
    budget = context.state.limits.budget(client_id)
    return budget is not None and slices > budget.entries_most


def slices_of(instrument: Instrument, quantity: int) -> int:
    """Return how many orders at the exchange a quantity is cut into."""
    return max(0, -(-quantity // instrument.slice_max))
