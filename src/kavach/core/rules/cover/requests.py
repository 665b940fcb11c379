"""
What a client may ask of a cover order: place, modify, cancel, exit.

Each ask first looks for a reason to refuse, in the order of ``Reason``; then it establishes facts,
from which the obligations follow; and when the venue has answered, ``conclude`` returns what became
of it. A request that is already fulfilled is answered as the first time (INV-7).

Source: docs/spec/cover_order.md; docs/wire/README.md, "Cancelling and getting out";
docs/wire/README.md, "Decisions".
"""

from typing import Final

from kavach.core.commands import CancelCoverOrder, Leg, ModifyCoverOrder, PlaceCoverOrder
from kavach.core.events import (
    CoverOrderEnded,
    CoverOrderPlaced,
    CoverOrderReopened,
    EntryCancelRequested,
    ExitIntended,
    Source,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import State
from kavach.core.model.money.margin import holding_text, margin_paise
from kavach.core.model.orders.life import Life
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.core.rules.advance import advance
from kavach.core.rules.context import StepContext
from kavach.core.rules.cover.modify import modify_entry, modify_stop
from kavach.core.rules.cover.tables import REQUEST
from kavach.core.rules.cover.target_plan import check_bracket, modify_target, priced
from kavach.core.rules.decisions import Decision, Request
from kavach.core.rules.limits.budget import slices_of, too_many_slices
from kavach.core.rules.limits.order_attributes import lacks_protection, mark
from kavach.core.rules.orders.answers import (
    HOLDING_CODE,
    MARGIN_CODE,
    OFFLINE_CODE,
    REFERENCE_TOLERANCE_NS,
    in_doubt,
    offline_text,
    shortfall_text,
    venue_refused,
)
from kavach.core.rules.orders.changes import asked, gets_out
from kavach.core.rules.orders.field_rules import check_placement, reference_price
from kavach.core.rules.pending import UNKNOWN, Doing, PendingRequest
from kavach.instruments import Instrument
from kavach.units import Pips, Side

_ENTRY, _SECOND, _THIRD = Leg
_FILLED: Final = Life.FILLED
_USER: Final = Source.USER
_PLACING: Final = Doing.PLACE
_CANCELLING: Final = Doing.CANCEL
_MODIFYING: Final = Doing.MODIFY

REFUSED: Final[dict[Decision, Reason]] = {
    Decision.EXECUTED: Reason.ENTRY_ALREADY_EXECUTED,
    Decision.IN_FLIGHT: Reason.ENTRY_IN_FLIGHT,
    Decision.FIRED: Reason.STOP_ALREADY_TRIGGERED,
    Decision.EXITING: Reason.EXIT_IN_PROGRESS,
    Decision.CLOSED: Reason.ALREADY_CLOSED,
    Decision.EXITED: Reason.ALREADY_EXITED,
    Decision.REJECTED: Reason.ALREADY_REJECTED,
    Decision.CARRIED: Reason.CARRIED_OVER,
}


# --- Place ------------------------------------------------------------------------------------


def place_cover_order(context: StepContext, command: PlaceCoverOrder) -> PendingRequest | Refusal:
    """Own a cover order and send its entry."""
    state = context.state
    instrument = state.instruments.get(command.instrument)
    if instrument is None:
        return Refusal(Reason.INSTRUMENT_MUST_EXIST, command.instrument)
    last = context.last_price(instrument)
    reference = reference_price(
        command.order_type, command.price_pips, command.trigger_price_pips, last
    )
    command, target = priced(command, reference)
    if lacks_protection(context, command.order_type, command.protection_bp):
        return Refusal(Reason.MARKET_PROTECTION_MUST_BE_GIVEN)
    if command.bracket and not context.links_orders:
        return Refusal(Reason.BRACKET_MUST_BE_OFFERED)  # Stop and target could both fill.
    reason = check_placement(command, instrument, state.settings, last)
    reason = reason or check_bracket(command, instrument, target, reference)
    if reason is not None:
        return Refusal(reason)
    if state.budgeted and too_many_slices(
        context, command.client_id, slices_of(instrument, command.quantity)
    ):
        return Refusal(Reason.QUANTITY_MUST_BE_WITHIN_LIMIT)
    client = state.clients[command.client_id]
    if client.killed or not state.sessions.takes_covers(instrument):
        return Refusal(Reason.ENTRIES_MUST_BE_ALLOWED)
    # After this point it must succeed.
    rejection = _rejection(context, instrument, command, reference)
    basket_id = context.next_order_id()
    cover_id = context.next_order_id(ahead=1)
    context.emit(
        CoverOrderPlaced(
            cover_id,
            basket_id,
            command.client_id,
            command.instrument,
            command.side,
            command.order_type,
            command.quantity,
            command.disclosed_quantity,
            command.price_pips,
            command.trigger_price_pips,
            command.validity,
            command.product,
            command.stop_price_pips,
            command.trailing_step_pips,
            Pips(reference),
            command.user_order_id,
            command.device,
            command.stop_offset_pips if command.bracket else Pips(0),
            command.target_offset_pips if command.bracket else Pips(0),
            target,
        )
    )
    cover = state.covers[cover_id]
    mark(context, cover, command.protection_bp)
    if rejection is not None:
        context.emit(CoverOrderEnded(cover_id, State.REJECTED, *rejection))
    advance(context, cover, State.NEW)
    return PendingRequest(_PLACING, cover)


def _rejection(
    context: StepContext, instrument: Instrument, command: PlaceCoverOrder, reference_pips: int
) -> tuple[int, str] | None:
    """Return code and text of a row that says REJECTED, as the vendor's does, or None."""
    state, quantity = context.state, command.quantity
    if command.side is Side.SELL:
        shares = state.sellable(command.client_id, instrument.key, command.product)
        if shares is not None and quantity > shares:
            return HOLDING_CODE, holding_text(shares, quantity)
    available = state.clients[command.client_id].available_paise
    needed = margin_paise(instrument, state.settings, command.product, quantity, reference_pips)
    if needed > available:
        return MARGIN_CODE, shortfall_text(available, needed)
    return (OFFLINE_CODE, offline_text(instrument.exchange)) if state.venue_disconnected else None


# --- Cancel and exit --------------------------------------------------------------------------


def cancel_cover_order(context: StepContext, command: CancelCoverOrder) -> PendingRequest | Refusal:
    """Cancel what has not traded (ENTRY), or get out (SECOND, THIRD)."""
    found = _find(context, command.client_id, command.order_id)
    if type(found) is Refusal:
        return found
    assert type(found) is tuple
    cover, own_leg = found
    reason = _check_leg(cover, command.leg, own_leg, command.bracket)
    if reason is not None:
        return Refusal(reason)
    if not has_exchange_id(cover, command.leg, command.exchange_order_id):
        return Refusal(Reason.EXCHANGE_ORDER_ID_MUST_MATCH)
    before = cover.state
    pending = (
        _cancel_entry(context, cover, before)
        if command.leg is _ENTRY
        else _exit(context, cover, before)
    )
    if type(pending) is PendingRequest and pending.answer is None:
        advance(context, cover, before)
    return pending


def _find(
    context: StepContext, client_id: str, order_id: int
) -> tuple[CoverOrder, Leg | None] | Refusal:
    """Return the cover order and, unless it was named by its basket, the leg of the id."""
    cover = context.state.covers.get(order_id)
    if cover is None or cover.client_id != client_id:
        return Refusal(_why_no_cover(context, client_id, order_id))
    if order_id == cover.basket_id:
        return cover, None
    return cover, cover.leg_of(order_id)


def _why_no_cover(context: StepContext, client_id: str, order_id: int) -> Reason:
    """Return why an id is no cover order's of the client; foreign and unknown are one (INV-20)."""
    regular = context.state.regulars.get(order_id)
    own = regular is not None and regular.client_id == client_id
    if regular is not None and own and regular.squares_off:
        return Reason.ORDER_MUST_BE_THE_CLIENTS
    return Reason.ORDER_MUST_EXIST


def _check_leg(
    cover: CoverOrder, leg: Leg, own_leg: Leg | None, bracket: bool | None
) -> Reason | None:
    """Return why a request does not speak of a leg that this order has; ``own_leg`` is the id's."""
    if bracket is not None and bracket is not cover.is_bracket:
        return Reason.EXECUTION_TYPE_MUST_MATCH
    if leg is _SECOND and not cover.is_bracket:
        return Reason.LEG_MUST_EXIST
    if own_leg in (_SECOND, _THIRD) and leg is not own_leg:
        return Reason.LEG_MUST_MATCH_ID
    return None


def has_exchange_id(cover: CoverOrder, leg: Leg, exchange_order_id: str) -> bool:
    """Return whether the venue knows the leg by this id; an exit not placed yet has its entry's."""
    orders = cover.orders_of(leg)
    placed = False
    for order in orders:
        if order.exchange_order_id == exchange_order_id:
            return exchange_order_id != ""
        placed = placed or order.exchange_order_id != ""
    if placed and not (leg is not _ENTRY and cover.exited_by_user):
        return False
    # Who got out under the entry's id, before the stop had one, may say so again (INV-7).
    # Where the venue has given no id yet there is nothing that could differ.
    return leg is _ENTRY or has_exchange_id(cover, _ENTRY, exchange_order_id)


def _answered(context: StepContext, cover: CoverOrder, *, replayed: bool = False) -> Answer:
    unknown = in_doubt(context, cover)
    over = cover.ended is not None
    reason = UNKNOWN if unknown and not over else ""
    return Answer(cover.order_id, cover.basket_id, _stands(cover), reason, replayed=replayed)


def _stands(cover: CoverOrder) -> str:
    """The state as a cancel's client should read it: pending while the entry can still fill."""
    state = cover.state
    if cover.ended is None and cover.cancel_source is not None and not cover.entry_dead:
        return state if state is State.EXITING else "CANCEL_PENDING"
    return state


def _all_filled(cover: CoverOrder) -> bool:
    for order in cover.entries:  # A generator costs more than the answer.
        if order.life is not _FILLED:
            return False
    return True


def _replay(context: StepContext, cover: CoverOrder) -> PendingRequest:
    return PendingRequest(parent=cover, answer=_answered(context, cover, replayed=True))


def _decide(cover: CoverOrder, state: State, request: Request) -> Decision:
    """Return what a request does in this state."""
    decision = REQUEST[state][request]
    assert decision is not Decision.NEVER, f"{cover.order_id}: {request} in {state}"
    return decision


def _cancel_case(cover: CoverOrder) -> Request:
    """Return what of a cancel of the entry is so already."""
    if not _all_filled(cover):
        if cover.entry_cancelled_by_user:
            return Request.CANCEL_AGAIN
        leaves = cover.exit_source is not None or cover.triggered_at_ns
        if cover.exited_by_user or (cover.ended is None and cover.cancel_source and leaves):
            return Request.CANCEL_FOR_EXIT
    return Request.CANCEL_DONE if cover.entry_dead else Request.CANCEL_ENTRY


def _exit_case(cover: CoverOrder) -> Request:
    """Return what of an exit is so already."""
    if cover.exited_by_user:
        return Request.EXIT_AGAIN
    return Request.EXIT_CANCELLED if cover.entry_cancelled_by_user else Request.EXIT


def _cancel_entry(
    context: StepContext, cover: CoverOrder, state: State
) -> PendingRequest | Refusal:
    decision = _decide(cover, state, _cancel_case(cover))
    if decision is Decision.REPLAY:
        return _replay(context, cover)
    if decision in REFUSED:
        return Refusal(REFUSED[decision])
    context.emit(EntryCancelRequested(cover.order_id, _USER))
    return PendingRequest(_CANCELLING, cover)


def _exit(context: StepContext, cover: CoverOrder, state: State) -> PendingRequest | Refusal:
    decision = _decide(cover, state, _exit_case(cover))
    if decision is Decision.REPLAY:
        return _replay(context, cover)
    if decision in REFUSED:
        return Refusal(REFUSED[decision])
    if decision is Decision.RESUME:
        if not context.state.sessions.is_continuous(context.state.instruments[cover.instrument]):
            return Refusal(Reason.CARRIED_OVER)
        if cover.position == 0:
            return Refusal(Reason.ALREADY_CLOSED, "the contract has ended and is settled")
        context.emit(CoverOrderReopened(cover.order_id))
    context.emit(ExitIntended(cover.order_id, Source.USER))
    return PendingRequest(Doing.EXIT, cover)


# --- Modify -----------------------------------------------------------------------------------

_CHANGE: Final = {
    Leg.ENTRY: (modify_entry, Request.MODIFY_ENTRY),
    Leg.SECOND: (modify_target, Request.MODIFY_STOP),
    Leg.THIRD: (modify_stop, Request.MODIFY_STOP),
}


def modify_cover_order(context: StepContext, command: ModifyCoverOrder) -> PendingRequest | Refusal:
    """Change the entry and the plan of its exits, or one of the exits alone."""
    found = _find(context, command.client_id, command.order_id)
    if isinstance(found, Refusal):
        return found
    cover, own_leg = found
    leg = command.leg or own_leg or Leg.ENTRY
    reason = _check_address(cover, leg, own_leg, command)
    if reason is not None:
        return Refusal(reason)
    before = cover.state
    if gets_out(leg, command):
        return _exit_by_change(context, cover, leg, command)
    change, request = _CHANGE[leg]
    decision = _decide(cover, before, request)
    if decision in REFUSED:
        return Refusal(REFUSED[decision])
    wish = asked(context, cover, leg, command)
    if isinstance(wish, Refusal):
        return wish
    refusal = change(context, cover, wish)
    if refusal is not None:
        return refusal
    advance(context, cover, before)
    return PendingRequest(Doing.MODIFY, cover)


def _exit_by_change(
    context: StepContext, cover: CoverOrder, leg: Leg, command: ModifyCoverOrder
) -> PendingRequest | Refusal:
    """Get out as a cancel of the leg does: MARKET, asked of an exit, can mean nothing else."""
    before = cover.state
    first = cover.exit_source is None
    if first and _decide(cover, before, _exit_case(cover)) is Decision.EXIT:
        wish = asked(context, cover, leg, command)
        if isinstance(wish, Refusal):
            return wish
    pending = _exit(context, cover, before)
    if type(pending) is PendingRequest and pending.answer is None:
        advance(context, cover, before)
    return pending


def _check_address(
    cover: CoverOrder, leg: Leg, own_leg: Leg | None, command: ModifyCoverOrder
) -> Reason | None:
    """Return why the command does not speak of this leg as it is."""
    reason = _check_leg(cover, leg, own_leg, command.bracket)
    if reason is not None:
        return reason
    if command.exchange_order_id and not has_exchange_id(cover, leg, command.exchange_order_id):
        return Reason.EXCHANGE_ORDER_ID_MUST_MATCH
    if command.instrument is not None and command.instrument != cover.instrument:
        return Reason.INSTRUMENT_MUST_NOT_CHANGE
    # Who names a leg by the entry's id has read the entry's row.
    sides = {cover.side if leg is Leg.ENTRY else cover.exit_side}
    if own_leg not in (_SECOND, _THIRD):
        sides.add(cover.side)
    if command.side is not None and command.side not in sides:
        return Reason.SIDE_MUST_NOT_CHANGE
    if command.product is not None and command.product is not cover.product:
        return Reason.PRODUCT_MUST_NOT_CHANGE
    seen = command.last_activity_ns
    if seen is not None and abs(seen - cover.version_of(leg)) > REFERENCE_TOLERANCE_NS:
        return Reason.REFERENCE_MUST_BE_CURRENT
    return None


# --- Conclude ---------------------------------------------------------------------------------


def conclude(context: StepContext, pending: PendingRequest) -> Outcome:
    """Return what became of a request about a cover order, as far as the venue has spoken."""
    cover = pending.parent
    assert isinstance(cover, CoverOrder), "a cover order's ticket"
    doing = pending.doing
    if doing is _CANCELLING:
        return _conclude_cancel(context, cover)
    if doing is _MODIFYING:
        return venue_refused(context, cover) or Answer(cover.order_id, cover.basket_id, cover.state)
    if doing is _PLACING:
        return Answer(cover.order_id, cover.basket_id, cover.state)
    return _answered(context, cover)


def _conclude_cancel(context: StepContext, cover: CoverOrder) -> Outcome:
    if not cover.entry_cancelled_by_user:
        return venue_refused(context, cover) or Refusal(Reason.VENUE_REFUSED)
    if cover.entries and _all_filled(cover):
        return Refusal(Reason.TOO_LATE)  # The fill won (race 1).
    return _answered(context, cover)
