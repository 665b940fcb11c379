"""
What a moment of the day, or the kill switch, does to a regular order.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/spec/cover_order.md, "What the
system owes".
"""

from typing import Final

from kavach.core.events import EntryCancelRequested, Source
from kavach.core.model.regular.events import RegularOrderEnded, RegularOrderReleased
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.regular.tables import CANCELLED
from kavach.core.rules.context import StepContext
from kavach.core.rules.decisions import ClockAction, ClockEvent
from kavach.core.rules.regular.tables import CLOCK, SQUARE_OFF_CLOCK
from kavach.units import Product

# A client's cancel is over when the venue refuses it; what the system wants stays wanted.
_WITHDRAWN: Final = (None, Source.USER)


def pass_moment(
    context: StepContext, order: RegularOrder, moment: ClockEvent, source: Source
) -> None:
    """Establish what the moment asks of the order; its obligations follow from that."""
    table = SQUARE_OFF_CLOCK if order.squares_off else CLOCK
    action = table[order.state][moment]
    assert action is not ClockAction.NEVER, f"{order.order_id}: {moment} in {order.state}"
    if action is ClockAction.RELEASE:
        context.emit(RegularOrderReleased(order.order_id))
    elif action is ClockAction.DROP:
        context.emit(RegularOrderEnded(order.order_id, CANCELLED, 0, source))
    intraday = action is ClockAction.CANCEL_INTRADAY and order.product is Product.MIS
    # Of a client's own cancel nothing is left once the venue refuses it.
    if (action is ClockAction.CANCEL or intraday) and order.cancel_source in _WITHDRAWN:
        context.emit(EntryCancelRequested(order.order_id, source))
