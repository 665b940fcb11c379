"""
What becomes of a carried cover order when the next session opens.

Its protection ended with the session, so until then the bounded clock of promise 5 is the night. At
the opening it lives again, without what was wanted or lost the day before: an intraday position
is squared off, as it may not be held; of any other product it gets its stop again, and its target
if it is a bracket, as large as what is left. A contract that was settled meanwhile holds nothing
and is left alone.

Source: docs/decisions/0024-a-carried-order-lives-on.md; docs/spec/cover_order.md, "What the system
owes".
"""

from collections.abc import Collection

from kavach.core.events import Alarm, CoverOrderResumed, ExitIntended, Source
from kavach.core.model.cover.tables import CARRIED
from kavach.core.rules.advance import advance
from kavach.core.rules.context import StepContext
from kavach.units import Product


def resume_carried(context: StepContext, names: Collection[str]) -> None:
    """Resume every carried cover order of these sessions, and send what it is owed."""
    state = context.state
    for cover in list(state.every_cover()):
        if cover.ended is not CARRIED or cover.position == 0:
            continue
        if state.instruments[cover.instrument].session not in names:
            continue
        intraday = cover.product is Product.MIS
        context.emit(CoverOrderResumed(cover.order_id))
        way = "is squared off" if intraday else "gets its stop again"
        context.alarm(cover, Alarm.RESUMED, f"{cover.position} carried over: the position {way}")
        if intraday:
            context.emit(ExitIntended(cover.order_id, Source.SQUARE_OFF))
        advance(context, cover, CARRIED)
