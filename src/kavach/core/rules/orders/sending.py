"""
How orders of any kind are sent, changed and taken back at a venue.

Each function puts requests on the desk and decides nothing but their shape: an entry above what
one order may hold is cut into slices, and what the exchange should not get raw (MARKET, SLM)
carries a protected limit.

Quantities are shares, prices pips.

Source: docs/spec/cover_order.md, "What the system owes"; docs/wire/README.md, "Decisions".
"""

from kavach.core.events import (
    EntryModifyRequested,
    OrderAmendSent,
    OrderCancelSent,
    OrderSubmitted,
    Purpose,
)
from kavach.core.model.orders.life import InFlight, Life
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.model.sessions import TAKES_MARKET
from kavach.core.rules.context import StepContext
from kavach.core.rules.limits.budget import fits
from kavach.core.rules.orders.pricing import marketable, stop_limit
from kavach.core.rules.orders.turns import contest_of, turn_price, would_meet
from kavach.instruments import Instrument
from kavach.units import OrderType, Pips, Quantity

LIMIT, MARKET, SL, SLM = OrderType
_NONE = InFlight.NONE
_ZERO = Pips(0)
_DOUBLINGS_MAX = 8


def submit_entry(context: StepContext, parent: ParentOrder, instrument: Instrument) -> None:
    """Send the entry."""
    submit_slices(context, parent, instrument, parent.quantity, parent)


def submit_slices(
    context: StepContext,
    parent: ParentOrder,
    instrument: Instrument,
    quantity: int,
    terms: ParentOrder | EntryModifyRequested,
) -> None:
    """Send entry orders of these terms, cut where one exceeds what one order may hold."""
    order_type, price, trigger = venue_terms(
        context,
        parent,
        terms.order_type,
        terms.price_pips,
        terms.trigger_price_pips,
        instrument,
    )
    left = quantity
    part_max = instrument.slice_max if parent.sliced else quantity
    while left > 0:
        part = min(left, part_max)
        context.send(
            OrderSubmitted(
                context.state.next_tag,
                parent.order_id,
                Purpose.ENTRY,
                parent.instrument,
                parent.client_id,
                parent.side,
                order_type,
                Quantity(part),
                Quantity(min(terms.disclosed_quantity, part)),
                price,
                trigger,
                terms.validity,
            )
        )
        left -= part


def venue_terms(
    context: StepContext,
    parent: ParentOrder,
    order_type: OrderType,
    price_pips: int,
    trigger_pips: int,
    instrument: Instrument,
) -> tuple[OrderType, Pips, Pips]:
    """Return what a venue gets for an order type: MARKET and SLM carry a protected limit.

    But in an auction a market order is one: it trades before every limit, in the auction's band.
    """
    settings = context.state.settings
    if order_type is MARKET:
        if context.state.sessions.auction(instrument) in TAKES_MARKET:
            return MARKET, _ZERO, _ZERO
        return LIMIT, Pips(_market_price(context, parent, instrument)), _ZERO
    if order_type is SLM:
        limit = stop_limit(instrument, settings, parent.side, trigger_pips, parent.protection_bp)
        return SL, Pips(limit), Pips(trigger_pips)
    return order_type, Pips(price_pips), Pips(trigger_pips)


def _market_price(context: StepContext, parent: ParentOrder, instrument: Instrument) -> int:
    """Return where a market entry is priced now, by its own protection if it has one."""
    return marketable(
        instrument,
        context.state.settings,
        parent.side,
        context.last_price(instrument),
        own_bp=parent.protection_bp,
    )


def cancel_remainder(context: StepContext, parent: ParentOrder) -> None:
    """Ask the venue to cancel what has not traded of the entry."""
    for order in parent.entries:
        if order.live and order.in_flight is _NONE and may_ask_again(context, order):
            cancel(context, order)


def cancel(context: StepContext, order: VenueOrder) -> None:
    """Ask the venue to cancel an order."""
    context.send(OrderCancelSent(order.tag, order.serial + 1))


def may_ask_again(context: StepContext, order: VenueOrder) -> bool:
    """Return whether a cancel may be asked for, again if one was refused a while ago."""
    return not order.cancel_refused_at_ns or context.now_ns >= cancel_again_ns(context, order)


def cancel_again_ns(context: StepContext, order: VenueOrder) -> int:
    """Return when a refused cancel may be asked for again."""
    return order.cancel_refused_at_ns + growing_pause_ns(context, order.cancels_refused)


def growing_pause_ns(context: StepContext, failures: int) -> int:
    """Return how long to wait after so many failures in a row: T_rp, doubled, up to T_naked."""
    settings = context.state.settings
    doubled = settings.t_reprice_ns << min(max(failures - 1, 0), _DOUBLINGS_MAX)
    return min(doubled, max(settings.t_naked_ns, settings.t_reprice_ns))


def follow_market(context: StepContext, parent: ParentOrder, instrument: Instrument) -> None:
    """Move a resting market entry's limit after the market, at intervals."""
    if parent.cancel_source is not None:
        return
    settings = context.state.settings
    price = _market_price(context, parent, instrument)
    if parent.squares_off:
        contest = contest_of(context, parent)
        if contest is not None:
            price = turn_price(context, contest, parent.side, instrument)
            if would_meet(contest, parent.side, price):
                return
    for order in parent.entries:
        if (
            order.life is Life.WORKING
            and not order.waits
            and not order.limit_refused
            and order.price_pips != price
            and context.now_ns - order.updated_at_ns >= settings.t_reprice_ns
            and fits(context, parent)
        ):
            amend(context, order, LIMIT, order.quantity, price, 0)


def amend(
    context: StepContext,
    order: VenueOrder,
    order_type: OrderType,
    quantity: int,
    price_pips: int,
    trigger_pips: int,
    disclosed_quantity: int | None = None,
) -> None:
    """Send a change of an order; ``quantity`` is the total, what has traded included."""
    disclosed = order.disclosed_quantity if disclosed_quantity is None else disclosed_quantity
    context.send(
        OrderAmendSent(
            order.tag,
            order_type,
            Quantity(quantity),
            Quantity(disclosed),
            Pips(price_pips),
            Pips(trigger_pips),
            order.serial + 1,
        )
    )


def entry_wakes(context: StepContext, parent: ParentOrder) -> list[int]:
    """Return when a refused cancel is asked for again, or a market entry follows the market."""
    settings = context.state.settings
    due = []
    for order in parent.entries:
        if not order.live:
            continue
        if parent.cancel_source is not None and order.cancel_refused_at_ns:
            due.append(cancel_again_ns(context, order))
        elif parent.order_type is MARKET and not order.limit_refused:
            due.append(order.updated_at_ns + settings.t_reprice_ns)
    return due
