"""
Whose turn it is to leave: one client's ways out that would trade with each other.

Theory. A long and a short order of one client, both on their way out, would sell to and buy from
each other. An exchange does not allow that: it takes one of the two out of the book, the next
attempt takes out the other, and so on for as long as no other order is there. So only one side
works at a time. The other keeps its stop, or, where it has an order in the book already, stands
aside: at the end of the band where it can meet nothing of ours.

The side that wanted out first has the first turn. After ``t_turn_ns`` the smaller side goes
first, after another the larger, and so on: where only one side finds takers, its turn comes.
Whose turn it is follows from the orders' own facts and the time, so nothing has to be remembered,
and a restart goes on with the same turn. In its turn a side works at the protected price of a
market order; in the last seconds of the second turn and all later ones it reaches through the band
once, a step each T_rp, and goes back to where it was. It never rests at the edge, where the next
quote would be far away.

A way out is a cover order whose exit works or whose stop has fired, or a square-off of regular
orders. Quantities are shares, prices pips, times nanoseconds.

Source: docs/decisions/0023-exits-that-would-meet-take-turns.md; docs/spec/cover_order.md, "What
must hold" (INV-26).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.life import Life
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.rules.context import StepContext
from kavach.core.rules.orders.pricing import at_band_edge, marketable
from kavach.instruments import Instrument
from kavach.units import OrderType, Side

BUY = Side.BUY
LIMIT = OrderType.LIMIT
REACHES: Final = 8  # Times T_rp before its end, a turn begins to reach further.


class Contest(NamedTuple):
    """How a way out stands to those on the other side."""

    rivals: list[ParentOrder]
    has_turn: bool
    number: int  # Of the turn, from 0.
    began_ns: int  # When the turn began.


def contest_of(context: StepContext, parent: ParentOrder) -> Contest | None:
    """Return how a way out stands to those on the other side; None where there are none."""
    found = context.leaving.get((parent.client_id, parent.instrument))
    if not found:
        return None
    side = _side(parent)
    rivals = [other for other in found.values() if _side(other) is not side]
    if not rivals:
        return None
    ours = [other for other in found.values() if _side(other) is side and other is not parent]
    ours.append(parent)
    mine, theirs = _first(ours), _first(rivals)
    since_ns = max(mine[0], theirs[0])
    turn_ns = context.state.settings.t_turn_ns
    number = max(0, context.now_ns - since_ns) // turn_ns
    first = mine < theirs
    small, large = _size(ours), _size(rivals)
    smaller = small < large or (small == large and first)
    has_turn = first if number == 0 else smaller is (number % 2 == 1)
    return Contest(rivals, has_turn, number, since_ns + number * turn_ns)


def note_leaving(context: StepContext, parent: ParentOrder) -> None:
    """Keep the list of ways out up to date; called after everything that touched an order."""
    key = (parent.client_id, parent.instrument)
    if _leaves(parent):
        found = context.leaving.setdefault(key, {})
        if parent.order_id not in found:
            # Those who were alone may have to step aside, or to come back from the band's edge.
            for other_id in found:
                context.timers.wake_by(
                    other_id, context.now_ns + context.state.settings.t_reprice_ns
                )
        found[parent.order_id] = parent
    elif key in context.leaving:
        context.leaving[key].pop(parent.order_id, None)
        if not context.leaving[key]:
            del context.leaving[key]


def turn_price(context: StepContext, contest: Contest, side: Side, instrument: Instrument) -> int:
    """Return where a contested way out works: at market in its turn, else aside."""
    if not contest.has_turn:
        return aside_price(instrument, side)
    steps = _steps(context, contest)
    if steps and at_band_edge(instrument, side, _price(context, side, instrument, steps - 1)):
        steps = 0  # It has reached through the whole band, and met no order.
    price = _price(context, side, instrument, steps)
    # The very edge is where the other side stands aside.
    if side is BUY:
        return min(price, instrument.band_high_pips - instrument.tick_pips)
    return max(price, instrument.band_low_pips + instrument.tick_pips)


def _steps(context: StepContext, contest: Contest) -> int:
    """Return how many protections further than the first a turn reaches now."""
    settings = context.state.settings
    reaching_ns = contest.began_ns + settings.t_turn_ns - REACHES * settings.t_reprice_ns
    if contest.number == 0 or context.now_ns < reaching_ns:
        return 0
    return (context.now_ns - reaching_ns) // settings.t_reprice_ns


def aside_price(instrument: Instrument, side: Side) -> int:
    """Return where an order of a side can meet nothing of ours that works."""
    return instrument.band_low_pips if side is BUY else instrument.band_high_pips


def would_meet(contest: Contest, side: Side, price_pips: int) -> bool:
    """Return whether an order at this price could trade with one of the rivals'."""
    return any(
        _meets(order, side, price_pips)
        for rival in contest.rivals
        for order in _ways(rival)
        if not order.closed
    )


def _meets(order: VenueOrder, side: Side, price_pips: int) -> bool:
    """Return whether a rival's order, or what it is being changed to, could trade at a price."""
    amend = order.amend
    prices = []
    if order.life is Life.WORKING or order.order_type is LIMIT:
        prices.append(order.price_pips)
    if amend is not None and amend.order_type is LIMIT:
        prices.append(amend.price_pips)
    # A stop that fired without a limit rests where the exchange has put it: anywhere.
    return any(
        price == 0 or (price <= price_pips if side is BUY else price >= price_pips)
        for price in prices
    )


def _price(context: StepContext, side: Side, instrument: Instrument, steps: int) -> int:
    last = context.last_price(instrument)
    return marketable(instrument, context.state.settings, side, last, steps)


def _leaves(parent: ParentOrder) -> bool:
    if parent.over:
        return False
    if isinstance(parent, CoverOrder):
        out = parent.exit_source is not None or parent.triggered_at_ns > 0
        return out and parent.position > 0
    return parent.squares_off


def _side(parent: ParentOrder) -> Side:
    return parent.exit_side if isinstance(parent, CoverOrder) else parent.side


def _ways(parent: ParentOrder) -> Iterable[VenueOrder]:
    return parent.exits if isinstance(parent, CoverOrder) else parent.entries


def _first(orders: list[ParentOrder]) -> tuple[int, int]:
    """Return since when, and by which order, a side has been on its way out."""
    return min((_since_ns(order), order.order_id) for order in orders)


def _since_ns(parent: ParentOrder) -> int:
    if not isinstance(parent, CoverOrder):
        return parent.placed_at_ns
    return min(at_ns for at_ns in (parent.exit_since_ns, parent.triggered_at_ns) if at_ns)


def _size(orders: list[ParentOrder]) -> int:
    """Return how much a side began to leave with: it does not change while it leaves."""
    return sum(
        order.entry_filled if isinstance(order, CoverOrder) else order.quantity for order in orders
    )
