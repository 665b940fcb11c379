"""
What a moment of the day, or the kill switch, does to a regular order.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/spec/cover_order.md, "What the
system owes".
"""

from kavach.core.events import EntryCancelRequested, Source
from kavach.core.model.regular.events import RegularOrderEnded, RegularOrderReleased
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.regular.tables import CANCELLED, DAY, NEW, DayAct, DayEvent
from kavach.core.rules.context import StepContext
from kavach.units import Product


def pass_moment(
    context: StepContext, order: RegularOrder, moment: DayEvent, source: Source
) -> None:
    """Establish what the moment asks of the order; its duties follow from that."""
    act = DAY[order.state][moment]
    if order.squares_off:
        # It opens nothing, so nothing stops it; but what was not sent in its session is not sent
        # in the next one, for which the position may be meant.
        over = moment is DayEvent.O_OPEN or moment is DayEvent.T2_SESSION_END
        act = DayAct.DROP if over and order.state is NEW else DayAct.NOTHING
    if act is DayAct.RELEASE:
        context.emit(RegularOrderReleased(order.order_id))
    elif act is DayAct.DROP:
        context.emit(RegularOrderEnded(order.order_id, CANCELLED, 0, source))
    elif act is not DayAct.CANCEL_INTRADAY or order.product is Product.MIS:
        cancels = act is DayAct.CANCEL or act is DayAct.CANCEL_INTRADAY
        if cancels and order.cancel_source in (None, Source.USER):
            # Of a client's own cancel nothing is left once the venue refuses it.
            context.emit(EntryCancelRequested(order.order_id, source))
