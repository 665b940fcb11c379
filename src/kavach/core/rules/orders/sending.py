"""
How orders of any kind are sent, changed and taken back at a venue.

Each function puts requests on the desk and decides nothing but their shape: an entry above what
one order may hold is cut into slices, and what the exchange should not get raw (MARKET, SLM)
carries a protected limit.

Quantities are shares, prices pips.

Source: cover-order 5.5b, 5.6; wire Decision 20.
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
from kavach.core.rules.context import Desk
from kavach.core.rules.limits.budget import fits
from kavach.core.rules.orders.pricing import marketable, stop_limit
from kavach.core.rules.orders.turns import contest_of, turn_price, would_meet
from kavach.instruments import Instrument
from kavach.units import OrderType, Pips, Quantity

LIMIT, MARKET, SL, SLM = OrderType
_NONE = InFlight.NONE
_ZERO = Pips(0)
_DOUBLINGS_MAX = 8


def submit_entry(desk: Desk, parent: ParentOrder, instrument: Instrument) -> None:
    """Send the entry."""
    submit_slices(desk, parent, instrument, parent.quantity, parent)


def submit_slices(
    desk: Desk,
    parent: ParentOrder,
    instrument: Instrument,
    quantity: int,
    terms: ParentOrder | EntryModifyRequested,
) -> None:
    """Send entry orders of these terms, cut where one exceeds what one order may hold."""
    order_type, price, trigger = venue_terms(
        desk,
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
        desk.send(
            OrderSubmitted(
                desk.state.next_tag,
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
    desk: Desk,
    parent: ParentOrder,
    order_type: OrderType,
    price_pips: int,
    trigger_pips: int,
    instrument: Instrument,
) -> tuple[OrderType, Pips, Pips]:
    """Return what a venue gets for an order type: MARKET and SLM carry a protected limit."""
    settings = desk.state.settings
    if order_type is MARKET:
        return LIMIT, Pips(_market_price(desk, parent, instrument)), _ZERO
    if order_type is SLM:
        limit = stop_limit(instrument, settings, parent.side, trigger_pips, parent.protection_bp)
        return SL, Pips(limit), Pips(trigger_pips)
    return order_type, Pips(price_pips), Pips(trigger_pips)


def _market_price(desk: Desk, parent: ParentOrder, instrument: Instrument) -> int:
    """Return where a market entry is priced now, by its own protection if it has one."""
    return marketable(
        instrument,
        desk.state.settings,
        parent.side,
        desk.last_price(instrument),
        own_bp=parent.protection_bp,
    )


def cancel_remainder(desk: Desk, parent: ParentOrder) -> None:
    """Ask the venue to cancel what has not traded of the entry."""
    for order in parent.entries:
        if order.live and order.in_flight is _NONE and may_ask_again(desk, order):
            cancel(desk, order)


def cancel(desk: Desk, order: VenueOrder) -> None:
    """Ask the venue to cancel an order."""
    desk.send(OrderCancelSent(order.tag, order.serial + 1))


def may_ask_again(desk: Desk, order: VenueOrder) -> bool:
    """Return whether a cancel may be asked for, again if one was refused a while ago."""
    return not order.cancel_refused_at_ns or desk.now_ns >= cancel_again_ns(desk, order)


def cancel_again_ns(desk: Desk, order: VenueOrder) -> int:
    """Return when a refused cancel may be asked for again."""
    return order.cancel_refused_at_ns + growing_pause_ns(desk, order.cancels_refused)


def growing_pause_ns(desk: Desk, failures: int) -> int:
    """Return how long to wait after so many failures in a row: T_rp, doubled, up to T_naked."""
    settings = desk.state.settings
    doubled = settings.t_reprice_ns << min(max(failures - 1, 0), _DOUBLINGS_MAX)
    return min(doubled, max(settings.t_naked_ns, settings.t_reprice_ns))


def follow_market(desk: Desk, parent: ParentOrder, instrument: Instrument) -> None:
    """Let a protected market entry that rests follow the market, now and then."""
    if parent.cancel_source is not None:
        return
    settings = desk.state.settings
    price = _market_price(desk, parent, instrument)
    if parent.squares_off:
        contest = contest_of(desk, parent)
        if contest is not None:
            price = turn_price(desk, contest, parent.side, instrument)
            if would_meet(contest, parent.side, price):
                return
    for order in parent.entries:
        if (
            order.life is Life.WORKING
            and not order.waits
            and not order.limit_refused
            and order.price_pips != price
            and desk.now_ns - order.updated_at_ns >= settings.t_reprice_ns
            and fits(desk, parent)
        ):
            amend(desk, order, LIMIT, order.quantity, price, 0)


def amend(
    desk: Desk,
    order: VenueOrder,
    order_type: OrderType,
    quantity: int,
    price_pips: int,
    trigger_pips: int,
    disclosed_quantity: int | None = None,
) -> None:
    """Send a change of an order; ``quantity`` is the total, what has traded included."""
    disclosed = order.disclosed_quantity if disclosed_quantity is None else disclosed_quantity
    desk.send(
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


def entry_wakes(desk: Desk, parent: ParentOrder) -> list[int]:
    """Return when a refused cancel is asked for again, or a market entry follows the market."""
    settings = desk.state.settings
    due = []
    for order in parent.entries:
        if not order.live:
            continue
        if parent.cancel_source is not None and order.cancel_refused_at_ns:
            due.append(cancel_again_ns(desk, order))
        elif parent.order_type is MARKET and not order.limit_refused:
            due.append(order.updated_at_ns + settings.t_reprice_ns)
    return due
