"""
What the system owes a cover order in each state, and how it pays.

``enforce`` runs after everything that happens to an order. It looks at the facts, does what
the state's duty says, and goes on until nothing more can be done now. It never remembers an
intention: what is wanted is computed from what is (the position, the plan of the stop, who
wants out), so that a repetition asks for nothing twice.

The safety of each request is the same sum: an exit is only ever sent for
``position - exit_leaves_max``, so that F_x + W <= F_e whatever the venue does next (INV-3).

Source: docs/spec/cover_order.md, "What the system owes".
"""

from collections.abc import Callable
from typing import Final

from kavach.core.events import (
    Alarm,
    CoverOrderEnded,
    EntryCancelRequested,
    ExitIntended,
    Purpose,
    Source,
    StopRetried,
)
from kavach.core.model.cover.exit_group import total_for
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import EXITING, NEW, TERMINAL, TRIGGERED, UNPROTECTED, State
from kavach.core.model.orders.life import InFlight, Life
from kavach.core.model.orders.venue_order import LINK_CODES, VenueOrder
from kavach.core.model.sessions import TAKES_EXITS
from kavach.core.rules.context import StepContext
from kavach.core.rules.cover.exit import (
    exit_in_auction,
    exit_what_is_open,
    flatten,
    locked,
    name_stop_leg,
    retry_at_ns,
    submit_exits,
)
from kavach.core.rules.cover.tables import CLOCK, OBLIGATION
from kavach.core.rules.cover.target import (
    drop_old_targets,
    drop_target,
    stop_buying,
    target_wakes,
    tend_target,
)
from kavach.core.rules.decisions import ClockAction, ClockEvent, Obligation
from kavach.core.rules.orders.deduplication import denied
from kavach.core.rules.orders.pricing import beyond, stop_limit
from kavach.core.rules.orders.sending import (
    amend,
    cancel,
    cancel_remainder,
    entry_wakes,
    follow_market,
    may_ask_again,
    submit_entry,
)
from kavach.core.rules.orders.turns import contest_of
from kavach.core.rules.orders.unacknowledged import wakes_in_doubt
from kavach.instruments import Instrument
from kavach.units import OrderType, Phase, Pips, Quantity

LIMIT, MARKET, SL, SLM = OrderType
_NONE = InFlight.NONE
_PASSES_MAX = 8
_ZERO = Pips(0)
_UNDISCLOSED = Quantity(0)


def enforce(context: StepContext, cover: CoverOrder) -> State:
    """Do what is owed to a cover order until nothing more can be done now; return its state."""
    everything = context.state
    instrument = everything.instruments[cover.instrument]
    state = cover.state
    if everything.venue_disconnected:
        return state  # Nothing can be sent; the snapshot comes first, then everything owed.
    sessions = everything.sessions
    if sessions.closed and sessions.is_closed(instrument):
        return conclude(context, cover, state, closed=True)
    if sessions.auctions and (phase := sessions.auction(instrument)) is not None:
        return _in_auction(context, cover, instrument, phase)
    for _ in range(_PASSES_MAX):
        if state is NEW:
            submit_entry(context, cover, instrument)
            return cover.state
        done = len(context.events)
        if cover.is_bracket:
            stop_buying(context, cover)
            drop_old_targets(context, cover)
        if cover.cancel_source is not None:
            cancel_remainder(context, cover)
        if cover.exits:
            trim_exits(context, cover)
        obligation = OBLIGATION.get(state)
        if obligation is not None:
            _HOW[obligation](context, cover, instrument)
        before, state = state, state if len(context.events) == done else cover.state
        if state is before:
            return conclude(context, cover, state, closed=False)
    raise AssertionError(f"{cover.order_id}: no end of duties in {cover.state}")


def _in_auction(
    context: StepContext, cover: CoverOrder, instrument: Instrument, phase: Phase
) -> State:
    """Do what can be done while no stop can stand: cancel the entry, exit what is to leave."""
    if cover.cancel_source is not None:
        cancel_remainder(context, cover)
    leaves = cover.state is EXITING
    if leaves:
        exit_in_auction(context, cover, instrument, phase)
    state = conclude(context, cover, cover.state, closed=not leaves)
    if cover.ended is None and cover.unconfirmed > 0:
        bare = f"{cover.unconfirmed} of {cover.position} without a stop"
        context.alarm(cover, Alarm.NAKED, f"{bare}, which no auction takes")
    return state


def trim_exits(context: StepContext, cover: CoverOrder) -> None:
    """Take back exits for more than is held: a venue contradicted itself, or denied an order."""
    excess = cover.exit_leaves_max - cover.position
    for order in cover.exits if excess > 0 else ():
        if order.live and order.in_flight is _NONE and may_ask_again(context, order):
            # Whole orders only: what is then missing is placed anew, once this one is dead.
            cancel(context, order)
            excess -= order.leaves_max
            if excess <= 0:
                return


# --- The duties -------------------------------------------------------------------------------


def _follow(context: StepContext, cover: CoverOrder, instrument: Instrument) -> None:
    """The venue works; a protected market entry follows the market."""
    if cover.order_type is MARKET:
        follow_market(context, cover, instrument)


def _cover(context: StepContext, cover: CoverOrder, instrument: Instrument) -> None:
    """Place the stop, or grow it, until nothing that filled is open."""
    name_stop_leg(context, cover)
    _raise_naked_alarm(context, cover)
    if not beyond(cover.exit_side, cover.stop.price_pips, context.last_price(instrument)):
        context.emit(ExitIntended(cover.order_id, Source.BREACHED_ON_ARRIVAL))
        return
    _protect(context, cover, instrument)
    _follow(context, cover, instrument)


def _raise_naked_alarm(context: StepContext, cover: CoverOrder) -> None:
    naked_ns = context.now_ns - cover.naked_since_ns
    if cover.naked_since_ns and naked_ns >= context.state.settings.t_naked_alarm_ns:
        context.alarm(cover, Alarm.NAKED, f"{cover.unconfirmed} of {cover.position} without a stop")


def _protect(context: StepContext, cover: CoverOrder, instrument: Instrument) -> None:
    """Send one stop operation for the part of the position that no exit covers."""
    missing = cover.uncovered
    if missing <= 0 or _busy(cover):
        return
    for order in reversed(cover.exits):
        room = instrument.slice_max - order.quantity
        if order.life is Life.WAITING and room > 0 and not order.growth_refused:
            total = order.quantity + min(missing, room)
            if order.link:
                total = total_for(cover.exits, order.link, cover.position)
            _move_stop(context, cover, instrument, order, total)
            return  # What is still missing follows when this is answered.
    _submit_stops(context, cover, instrument, missing)


def _busy(cover: CoverOrder) -> bool:
    """Whether a stop operation is in flight: one at a time, then compare again (F-24).

    A target delays no stop; nor does what the link of one that is over still owes us.
    """
    for order in cover.exits:
        if order.waits and not order.is_target and not order.link_owes:
            return True
    return False


def _stop_terms(
    context: StepContext, cover: CoverOrder, instrument: Instrument
) -> tuple[OrderType, Pips]:
    """Return type and limit of the stop: with a limit where the exchange wants one."""
    refused = any(
        order.order_type is SLM and order.life is Life.REJECTED and _was_wrong(order)
        for order in cover.exits
    )
    if instrument.slm_allowed and not refused:
        return SLM, _ZERO
    settings = context.state.settings
    limit = stop_limit(instrument, settings, cover.exit_side, cover.stop.price_pips)
    return SL, Pips(limit)


def _was_wrong(order: VenueOrder) -> bool:
    """Whether a stop was refused for what it was, and not because it came too late or never."""
    return not denied(order) and order.code not in LINK_CODES


def _submit_stops(
    context: StepContext, cover: CoverOrder, instrument: Instrument, quantity: int
) -> None:
    order_type, limit = _stop_terms(context, cover, instrument)
    submit_exits(
        context, cover, instrument, Purpose.STOP, quantity, order_type, limit, cover.stop.price_pips
    )


def _move_stop(
    context: StepContext,
    cover: CoverOrder,
    instrument: Instrument,
    order: VenueOrder,
    quantity: int,
) -> None:
    """Bring a waiting stop to the planned trigger and this total quantity."""
    limit = 0
    if order.order_type is SL:
        settings = context.state.settings
        limit = stop_limit(instrument, settings, cover.exit_side, cover.stop.price_pips)
    amend(context, order, order.order_type, quantity, limit, cover.stop.price_pips)


def _keep(context: StepContext, cover: CoverOrder, instrument: Instrument) -> None:
    """Bring every waiting stop to where the stop shall stand."""
    for order in cover.exits:
        if (
            order.life is Life.WAITING
            and order.in_flight is _NONE
            and order.leaves_max > 0
            and cover.stop.price_pips not in (order.trigger_price_pips, order.refused_trigger_pips)
        ):
            _move_stop(context, cover, instrument, order, order.quantity)
    tend_target(context, cover)
    _follow(context, cover, instrument)


def _clear(context: StepContext, cover: CoverOrder, instrument: Instrument) -> None:
    """Exit at once what the fired stop does not; chase it when it does not fill."""
    if cover.cancel_source is None and not cover.entry_dead:
        context.emit(EntryCancelRequested(cover.order_id, Source.TRIGGERED))
        cancel_remainder(context, cover)
    name_stop_leg(context, cover)
    drop_target(context, cover)
    exit_what_is_open(context, cover, instrument)
    if (
        context.now_ns - cover.priced_at_ns >= context.state.settings.t_chase_ns
        and cover.position > 0
    ):
        context.emit(ExitIntended(cover.order_id, Source.CHASE))


def _recover_stop(context: StepContext, cover: CoverOrder, instrument: Instrument) -> None:
    """Place the stop again; act on the price here meanwhile; flatten when it takes too long."""
    settings = context.state.settings
    naked_ns = context.now_ns - cover.naked_since_ns
    name_stop_leg(context, cover)
    _raise_naked_alarm(context, cover)
    if not beyond(cover.exit_side, cover.stop.price_pips, context.last_price(instrument)):
        context.emit(ExitIntended(cover.order_id, Source.BREACHED_ON_ARRIVAL))
        return
    if naked_ns >= settings.t_naked_ns:
        context.emit(ExitIntended(cover.order_id, Source.NAKED_TOO_LONG))
        return
    missing = cover.uncovered
    if missing > 0 and cover.recovery_tries < settings.stop_tries_max and not _busy(cover):
        context.emit(StopRetried(cover.order_id))
        _submit_stops(context, cover, instrument, missing)
    _follow(context, cover, instrument)


def conclude(context: StepContext, cover: CoverOrder, state: State, *, closed: bool) -> State:
    """End the order when nothing of it lives at the venue and nothing is held, or can be."""
    for order in cover.entries:
        if order.final_filled != order.filled_quantity:
            return state  # The entry lives.
    if cover.ended is not None or not cover.entries or not cover.exits_dead:
        return state
    if cover.entry_filled == 0:
        ended = _why_nothing_filled(cover)
        last = cover.entries[-1]
        context.emit(CoverOrderEnded(cover.order_id, ended, last.code, last.reason))
    elif cover.position == 0:
        context.emit(CoverOrderEnded(cover.order_id, State.EXITED, 0, ""))
    elif closed:
        instrument = context.state.instruments[cover.instrument]
        context.emit(CoverOrderEnded(cover.order_id, State.CARRIED, 0, "session ended"))
        context.alarm(
            cover, Alarm.CARRIED, _carried(cover, context.state.sessions.auction(instrument))
        )
    return cover.state


def _carried(cover: CoverOrder, phase: Phase | None) -> str:
    if phase is None:
        return f"{cover.position} held at the end of the session"
    return f"{cover.position} held, and no stop stands in the closing auction"


def _why_nothing_filled(cover: CoverOrder) -> State:
    lives = [order.life for order in cover.entries]
    if Life.EXPIRED in lives:
        return State.EXPIRED
    if lives.count(Life.REJECTED) == len(lives):
        return State.REJECTED
    return State.CANCELLED


_HOW: Final[dict[Obligation, Callable[[StepContext, CoverOrder, Instrument], None]]] = {
    Obligation.FOLLOW: _follow,
    Obligation.COVER: _cover,
    Obligation.KEEP: _keep,
    Obligation.CLEAR: _clear,
    Obligation.FLATTEN: flatten,
    Obligation.RECOVER: _recover_stop,
}


def next_wake_ns(context: StepContext, cover: CoverOrder, state: State) -> int:
    """Return when time alone will owe this order something; 0 when it never will."""
    settings = context.state.settings
    if context.state.venue_disconnected:
        return 0
    due = wakes_in_doubt(context, cover)
    sessions = context.state.sessions
    instrument = context.state.instruments[cover.instrument]
    if sessions.auctions and (phase := sessions.auction(instrument)) is not None:
        if state is EXITING and phase in TAKES_EXITS and cover.uncovered > 0:
            due.append(retry_at_ns(context, cover))
        return min((max(at_ns, context.now_ns + settings.t_reprice_ns) for at_ns in due), default=0)
    if state is TRIGGERED:
        due.append(cover.priced_at_ns + settings.t_chase_ns)
    if state in (TRIGGERED, EXITING) and contest_of(context, cover) is not None:
        due.append(context.now_ns + settings.t_reprice_ns)
    if state is EXITING:
        if not cover.entry_dead:
            due.append(cover.exit_since_ns + settings.t_cancel_ns)
        reported = Alarm.CIRCUIT_LOCKED in cover.alarms
        if cover.priced_at_ns and not (reported and locked(context, cover)):
            due.append(cover.priced_at_ns + settings.t_reprice_ns)
        if cover.uncovered > 0:
            due.append(retry_at_ns(context, cover))
    elif state is UNPROTECTED:
        due.append(cover.naked_since_ns + settings.t_naked_ns)
    if cover.naked_since_ns and Alarm.NAKED not in cover.alarms:
        due.append(cover.naked_since_ns + settings.t_naked_alarm_ns)
    due += entry_wakes(context, cover)
    if cover.is_bracket:
        due += target_wakes(context, cover, state)
    if not due:
        return 0
    # What is due and could not be done now is tried again a moment later, never in a circle.
    again_ns = context.now_ns + settings.t_reprice_ns
    return min(at_ns if at_ns > context.now_ns else again_ns for at_ns in due)


def wants_price(cover: CoverOrder, state: State) -> bool:
    """Whether the order wants to know its instrument's price: to trail, or for a stop it lost."""
    action = CLOCK[state][_PRICE]
    return action is _WATCH or (action is _TRAIL and cover.trailing_step_pips > 0)


def wants_nothing(cover: CoverOrder, state: State) -> bool:
    """Whether neither time nor price can owe the order anything: most of them, most of the time."""
    if state in TERMINAL:
        return True
    return (
        state in _PATIENT
        and cover.trailing_step_pips == 0
        and cover.cancel_source is None
        and cover.order_type is not MARKET
        and not cover.waits
    )


_PATIENT: Final = frozenset({State.ENTRY_OPEN, State.COVERED_OPEN, State.COVERED})
_WATCH: Final = ClockAction.WATCH
_TRAIL: Final = ClockAction.TRAIL
_PRICE: Final = ClockEvent.PRICE
