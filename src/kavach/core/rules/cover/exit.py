"""
How a position leaves: the stop is converted in place, what no order exits goes by a fresh one.

``flatten`` is the duty of a cover order on its way out. A working exit reaches one protection
further each T_rp, up to the band; one that was refused or taken out is followed by the next after
a pause that grows. Exits of one client that would meet take turns (``core.rules.orders.turns``).

Quantities are shares, prices pips, times nanoseconds.

Source: docs/spec/cover_order.md, "What the system owes".
"""

from kavach.core.events import Alarm, ExitHardened, OrderSubmitted, Purpose, StopLegNamed
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.life import InFlight, Life
from kavach.core.model.orders.venue_order import LINK_FILLED_CODE, VenueOrder
from kavach.core.model.sessions import TAKES_EXITS
from kavach.core.rules.context import StepContext
from kavach.core.rules.cover.target import drop_target, name_target_leg, submit_linked
from kavach.core.rules.orders.pricing import (
    WHOLE_BP,
    at_band_edge,
    ceil_tick,
    floor_tick,
    marketable,
)
from kavach.core.rules.orders.sending import amend, cancel, growing_pause_ns, may_ask_again
from kavach.core.rules.orders.turns import Contest, aside_price, contest_of, turn_price, would_meet
from kavach.instruments import Instrument
from kavach.units import OrderType, Phase, Pips, Quantity, Side, Validity

LIMIT = OrderType.LIMIT
MARKET = OrderType.MARKET
OUT_OF_BAND_CODE = 16284  # NSE's number for a price that its band does not hold.
AUCTION_REACH_BP = 200
_NONE = InFlight.NONE
_UNDISCLOSED = Quantity(0)


def name_stop_leg(context: StepContext, cover: CoverOrder) -> None:
    if not cover.stop.order_id:
        context.emit(StopLegNamed(cover.order_id, context.next_order_id()))
    name_target_leg(context, cover)


def submit_exits(
    context: StepContext,
    cover: CoverOrder,
    instrument: Instrument,
    purpose: Purpose,
    quantity: int,
    order_type: OrderType,
    price_pips: int,
    trigger_pips: int,
) -> None:
    """Send orders on the exit side, in slices; the sum that keeps us safe is checked here."""
    if cover.is_bracket:
        submit_linked(context, cover, purpose, order_type, price_pips, trigger_pips)
        return
    assert 0 < quantity <= cover.position - cover.exit_leaves_max, "exit larger than is open"
    left = quantity
    while left > 0:
        part = min(left, instrument.slice_max)
        context.send(
            OrderSubmitted(
                context.state.next_tag,
                cover.order_id,
                purpose,
                cover.instrument,
                cover.client_id,
                cover.exit_side,
                order_type,
                Quantity(part),
                _UNDISCLOSED,
                Pips(price_pips),
                Pips(trigger_pips),
                Validity.DAY,
            )
        )
        left -= part


def exit_what_is_open(context: StepContext, cover: CoverOrder, instrument: Instrument) -> None:
    """Send fresh exits for the position that no exit, in flight included, could fill."""
    missing = cover.uncovered
    if missing <= 0 or context.now_ns < retry_at_ns(context, cover):
        return
    price = _exit_price(context, cover, instrument, contest_of(context, cover))
    if price is not None:
        submit_exits(context, cover, instrument, Purpose.EXIT, missing, LIMIT, price, 0)


def _exit_price(
    context: StepContext, cover: CoverOrder, instrument: Instrument, contest: Contest | None
) -> int | None:
    """Return where an exit is priced now; None while it would meet one of the same client."""
    if contest is None:
        last = context.last_price(instrument)
        settings, attempts = context.state.settings, cover.exit_attempts
        return marketable(instrument, settings, cover.exit_side, last, attempts)
    price = turn_price(context, contest, cover.exit_side, instrument)
    return None if would_meet(contest, cover.exit_side, price) else price


def retry_at_ns(context: StepContext, cover: CoverOrder) -> int:
    """Return when a fresh exit may be sent: not at once after the venue refused or took one.

    Whatever it has against the exit may last, so the pause doubles with each that came to nothing,
    up to T_naked (INV-26).
    """
    latest = failures = 0
    for order in cover.exits:
        exits = order.purpose is Purpose.EXIT or order.order_type is LIMIT
        if order.is_target or order.code == LINK_FILLED_CODE or not exits:
            continue  # That did what it was there for.
        if order.removed or order.life is Life.REJECTED:
            latest = max(latest, order.updated_at_ns)
            failures = 1 if order.filled_quantity else failures + 1
        else:
            failures = 0
    return latest + growing_pause_ns(context, failures) if latest else 0


def flatten(context: StepContext, cover: CoverOrder, instrument: Instrument) -> None:
    """Cancel the remainder, convert the stop in place, exit what no order exits."""
    settings = context.state.settings
    name_stop_leg(context, cover)
    contest = contest_of(context, cover)
    keeps_stop = contest is not None and not contest.has_turn
    if not cover.entry_dead and context.now_ns < cover.exit_since_ns + settings.t_cancel_ns:
        keeps_stop = True  # First the remainder, or the exit could be too small.
    price = _exit_price(context, cover, instrument, contest)
    drop_target(context, cover)
    due = context.now_ns - cover.priced_at_ns >= settings.t_reprice_ns
    for order in cover.exits:
        if order.in_flight is not _NONE or not order.live or order.is_target:
            continue
        if order.leaves_max == 0:
            continue  # Its link has left it nothing: the venue is about to say so.
        if order.life is Life.WAITING and keeps_stop:
            continue
        if order.limit_refused:
            # It cannot be changed: cancel it, await how much it filled, then exit afresh.
            if may_ask_again(context, order):
                cancel(context, order)
        elif price is not None and (
            order.order_type is not LIMIT
            or _changes_place(contest, instrument, order, price, due=due)
        ):
            amend(context, order, LIMIT, order.quantity, price, 0)
    waited_ns = context.now_ns - cover.priced_at_ns
    if cover.position > 0 and cover.priced_at_ns and waited_ns >= settings.t_reprice_ns:
        step_exit_price(context, cover, instrument)
    exit_what_is_open(context, cover, instrument)


def exit_in_auction(
    context: StepContext, cover: CoverOrder, instrument: Instrument, phase: Phase
) -> None:
    """Exit at the auction's price: at market where that is taken, else by a marketable limit.

    What rests as a limit goes on into the auction; it is made a market order where it can be, so
    that it trades before every limit. Nothing is re-priced: no price moves before the match.
    """
    name_stop_leg(context, cover)
    if phase not in TAKES_EXITS:
        return
    drop_target(context, cover)
    at_market = phase is Phase.CLOSING_AUCTION
    for order in cover.exits if at_market else ():
        if order.in_flight is not _NONE or not order.live or order.is_target:
            continue
        if order.leaves_max > 0 and order.order_type is not MARKET and not order.limit_refused:
            amend(context, order, MARKET, order.quantity, 0, 0)
    missing = cover.uncovered
    if missing <= 0 or context.now_ns < retry_at_ns(context, cover):
        return
    price = 0 if at_market else _auction_limit(context, cover, instrument)
    order_type = MARKET if at_market else LIMIT
    submit_exits(context, cover, instrument, Purpose.EXIT, missing, order_type, price, 0)


def _auction_limit(context: StepContext, cover: CoverOrder, instrument: Instrument) -> int:
    """Return the limit of an exit in an auction, whose band only the venue knows.

    It reaches through the last price by less than the band is wide on one side, and a step less
    far after each limit that the venue has refused: some step is inside.
    """
    refused = 0
    for order in reversed(cover.exits):
        if order.life is not Life.REJECTED or order.code != OUT_OF_BAND_CODE:
            break
        refused += 1
    last, reach = context.last_price(instrument), AUCTION_REACH_BP * (1 - refused)
    if reach > 0:
        return marketable(instrument, context.state.settings, cover.exit_side, last, own_bp=reach)
    back = last * -reach // WHOLE_BP
    if cover.exit_side is Side.BUY:
        return max(instrument.band_low_pips, floor_tick(last - back, instrument.tick_pips))
    return min(instrument.band_high_pips, ceil_tick(last + back, instrument.tick_pips))


def _changes_place(
    contest: Contest | None,
    instrument: Instrument,
    order: VenueOrder,
    price_pips: int,
    *,
    due: bool,
) -> bool:
    """Whether a working exit steps aside, comes back, or moves with its turn."""
    if order.price_pips == price_pips:
        return False
    aside = aside_price(instrument, order.side)
    if aside in (order.price_pips, price_pips):
        return True
    return contest is not None and due


def step_exit_price(context: StepContext, cover: CoverOrder, instrument: Instrument) -> None:
    """Price the working exit one protection further, or raise an alarm at the band's edge.

    A working exit follows the market here and nowhere else: at most once a T_rp, so that the
    fills it causes cannot make it chase itself. Those who take turns go by the clock instead.
    """
    if contest_of(context, cover) is not None:
        return
    price = _exit_price(context, cover, instrument, None)
    assert price is not None, "no exit is in the way"
    if at_band_edge(instrument, cover.exit_side, price):
        text = f"exit rests at the edge of the band, {price} pips"
        context.alarm(cover, Alarm.CIRCUIT_LOCKED, text)
    else:
        context.emit(ExitHardened(cover.order_id))
        price = _exit_price(context, cover, instrument, None)
        assert price is not None, "no exit is in the way"
    for order in cover.exits:
        if (
            order.life is Life.WORKING
            and not order.waits
            and not order.limit_refused
            and not order.is_target
            and _less_eager(cover.exit_side, order, price)
        ):
            amend(context, order, LIMIT, order.quantity, price, 0)


def _less_eager(side: Side, order: VenueOrder, price_pips: int) -> bool:
    """Whether a working exit waits at a price that the market may not reach."""
    return order.price_pips < price_pips if side is Side.BUY else order.price_pips > price_pips


def locked(context: StepContext, cover: CoverOrder) -> bool:
    """Whether every live exit already rests at the band's edge."""
    instrument = context.state.instruments[cover.instrument]
    live = [order for order in cover.exits if order.live and not order.is_target]
    return bool(live) and all(
        order.order_type is LIMIT and at_band_edge(instrument, cover.exit_side, order.price_pips)
        for order in live
    )
