"""
When a regular order may be sent.

At once, as a rule; where the house bounds requests, when there is room. A square-off that ended
without a trade is followed by the next only after T_rp, or the two would chase each other without
an end: whatever the exchange has against it, as a self-trade or a closed door, may last.

Times are nanoseconds.

Source: cover-order 5.6 (rate budget, auto square-off).
"""

from kavach.core.commands import Leg
from kavach.core.desk import Desk
from kavach.core.limits.budget import fits, fits_at_ns
from kavach.core.regular.order import RegularOrder


def may_go(desk: Desk, order: RegularOrder) -> bool:
    """Return whether an order that was not sent yet may go to the venue now."""
    if order.squares_off:
        return goes_at_ns(desk, order) <= desk.now_ns
    return fits(desk, order)


def goes_at_ns(desk: Desk, order: RegularOrder) -> int:
    """Return from when on an order that was not sent yet may go to the venue."""
    at_ns = fits_at_ns(desk, order)
    return max(at_ns, _after_failure_ns(desk, order)) if order.squares_off else at_ns


def _after_failure_ns(desk: Desk, order: RegularOrder) -> int:
    """Return when a square-off of the position may follow one that came to nothing."""
    for other in reversed(desk.state.orders_of(order.client_id)):
        if (
            isinstance(other, RegularOrder)
            and other.squares_off
            and other.instrument == order.instrument
            and other.over
        ):
            if other.entry_filled:
                return 0
            return other.leg_updated_at_ns(Leg.ENTRY) + desk.state.settings.t_reprice_ns
    return 0
