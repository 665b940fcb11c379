"""
When a regular order may be sent.

At once, as a rule; where the house bounds requests, when there is room. A square-off that ended
without a trade is followed by the next only after a pause: whatever the exchange has against it
may last, and each is a row of its own. The pause doubles from T_rp to the length of a turn
(INV-26). One that would meet a cover order's exit waits for its turn (``core.rules.orders.turns``).

Times are nanoseconds.

Source: docs/spec/cover_order.md, "What the system owes".
"""

from typing import Final

from kavach.core.commands import Leg
from kavach.core.model.regular.order import RegularOrder
from kavach.core.rules.context import StepContext
from kavach.core.rules.limits.budget import fits, fits_at_ns
from kavach.core.rules.orders.turns import contest_of, turn_price, would_meet

FAILURES_MAX: Final = 8  # More would not make the pause longer.


def may_go(context: StepContext, order: RegularOrder) -> bool:
    """Return whether an order that was not sent yet may go to the venue now."""
    if order.squares_off:
        if not context.state.sessions.takes_exits(context.state.instruments[order.instrument]):
            return False  # The next phase looks again.
        return goes_at_ns(context, order) <= context.now_ns and not _waits_its_turn(context, order)
    return fits(context, order)


def goes_at_ns(context: StepContext, order: RegularOrder) -> int:
    """Return from when on an order that was not sent yet may go to the venue."""
    at_ns = fits_at_ns(context, order)
    return max(at_ns, _after_failure_ns(context, order)) if order.squares_off else at_ns


def _waits_its_turn(context: StepContext, order: RegularOrder) -> bool:
    """Whether an exit of the same client on the other side works, which it would meet."""
    contest = contest_of(context, order)
    if contest is None:
        return False
    instrument = context.state.instruments[order.instrument]
    price = turn_price(context, contest, order.side, instrument)
    return not contest.has_turn or would_meet(contest, order.side, price)


def _after_failure_ns(context: StepContext, order: RegularOrder) -> int:
    """Return when a square-off of the position may follow one that came to nothing."""
    latest_ns = failures = 0
    for other in reversed(context.state.index.square_offs(order.client_id, order.instrument)):
        if other.over:
            if other.entry_filled or failures == FAILURES_MAX:
                break
            latest_ns = latest_ns or other.leg_updated_at_ns(Leg.ENTRY)
            failures += 1
    pause_ns = context.state.settings.t_reprice_ns << max(failures - 1, 0)
    return latest_ns + min(pause_ns, context.state.settings.t_turn_ns) if latest_ns else 0
