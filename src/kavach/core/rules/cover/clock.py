"""
What a moment of the day, a price or the kill switch does to a cover order.

Prices are pips.

Source: docs/spec/cover_order.md.
"""

from typing import Final

from kavach.core.events import EntryCancelRequested, ExitIntended, Source, StopPlanned
from kavach.core.model.cover.order import CoverOrder
from kavach.core.rules.context import StepContext
from kavach.core.rules.cover.exit import step_exit_price
from kavach.core.rules.cover.tables import CLOCK
from kavach.core.rules.decisions import ClockAction, ClockEvent
from kavach.units import Pips, Product, Side

_INTRADAY: Final = {True: ClockAction.EXIT, False: ClockAction.CANCEL}
# A client's cancel is over when the venue refuses it; what the system wants stays wanted.
_WITHDRAWN: Final = (None, Source.USER)


def pass_moment(
    context: StepContext, cover: CoverOrder, moment: ClockEvent, source: Source
) -> None:
    """Establish what the moment asks of the order; its obligations follow from that."""
    action = CLOCK[cover.state].get(moment, ClockAction.NOTHING)
    assert action is not ClockAction.NEVER, f"{cover.order_id}: {moment} in {cover.state}"
    if action is ClockAction.EXIT_INTRADAY:
        action = _INTRADAY[cover.product is Product.MIS]
    if moment is ClockEvent.AUCTION and not context.state.settings.exit_in_auction:
        action = ClockAction.CANCEL if action is ClockAction.EXIT else action
    if action is ClockAction.EXIT:
        context.emit(ExitIntended(cover.order_id, source))
    elif action is ClockAction.STEP_PRICE and not context.state.venue_disconnected:
        step_exit_price(context, cover, context.state.instruments[cover.instrument])
    elif (
        action is ClockAction.CANCEL and cover.cancel_source in _WITHDRAWN and not cover.entry_dead
    ):
        context.emit(EntryCancelRequested(cover.order_id, source))


def pass_price(context: StepContext, cover: CoverOrder, last_pips: int) -> None:
    """Move the plan of a trailing stop after the price, by whole steps, never back (INV-16).

    A step is whole ticks, so a stop that stands on tick is moved to one. Of a move over several
    steps all are taken at once; what is less than a step stays for the next price.
    """
    action = CLOCK[cover.state][ClockEvent.PRICE]
    assert action is not ClockAction.NEVER, f"{cover.order_id}: a price in {cover.state}"
    step, distance = cover.trailing_step_pips, cover.trailing_distance_pips
    if action is not ClockAction.TRAIL or not step:
        return
    sign = 1 if cover.side is Side.BUY else -1
    moved = sign * (last_pips - cover.stop.price_pips) - distance
    if moved >= step:
        stop = cover.stop.price_pips + sign * (moved // step * step)
        context.emit(StopPlanned(cover.order_id, Pips(stop), Pips(step), Pips(distance)))
