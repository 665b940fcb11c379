"""
What a client may ask of regular orders: place, modify, cancel.

Each ask first looks for a reason to refuse, in the order of ``Reason``; then it establishes facts,
from which the obligations follow; and when the venue has answered, ``conclude`` returns what became
of it. A cancel that is already fulfilled is answered as the first time.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/wire/README.md, "Decisions";
docs/spec/cover_order.md; docs/wire/README.md, "Cancelling and getting out".
"""

from typing import Final

from kavach.core.commands import Leg
from kavach.core.events import EntryCancelRequested, EntryModifyRequested, Source
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.money.account import Client
from kavach.core.model.money.margin import holding_text, order_margin_paise
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder, PlaceOrder
from kavach.core.model.regular.events import RegularOrderEnded, RegularOrderPlaced
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.regular.tables import CANCELLED, FILLED, NEW, REJECTED
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.core.rules.advance import advance
from kavach.core.rules.context import StepContext
from kavach.core.rules.decisions import Decision, Request
from kavach.core.rules.limits.order_attributes import (
    lacks_protection,
    mark,
    protect_anew,
    protection_after,
)
from kavach.core.rules.orders.answers import (
    HOLDING_CODE,
    MARGIN_CODE,
    OFFLINE_CODE,
    REFERENCE_TOLERANCE_NS,
    in_doubt,
    means_text,
    offline_text,
    shortfall_text,
    venue_refused,
)
from kavach.core.rules.orders.changes import asked
from kavach.core.rules.orders.entry_change import (
    amend_entries,
    check_wanted,
    differs,
    wanted_terms,
    without_rest,
)
from kavach.core.rules.orders.field_rules import check_terms, reference_price
from kavach.core.rules.pending import UNKNOWN, Doing, PendingRequest
from kavach.core.rules.regular.square_off import square_off_rest
from kavach.core.rules.regular.tables import REQUEST
from kavach.instruments import Instrument
from kavach.units import Pips, Product, Side

CANCEL_PENDING: Final = "CANCEL_PENDING"

REFUSED: Final[dict[Decision, Reason]] = {
    Decision.EXECUTED: Reason.ORDER_ALREADY_EXECUTED,
    Decision.IN_FLIGHT: Reason.ORDER_IN_FLIGHT,
    Decision.CLOSED: Reason.ALREADY_CLOSED,
    Decision.REJECTED: Reason.ALREADY_REJECTED,
}


# --- Place ------------------------------------------------------------------------------------


def place_order(context: StepContext, command: PlaceOrder) -> PendingRequest | Refusal:
    """Own a regular order, and send it unless it is to wait for the session."""
    state = context.state
    instrument = state.instruments.get(command.instrument)
    if instrument is None:
        return Refusal(Reason.INSTRUMENT_MUST_EXIST, command.instrument)
    if lacks_protection(context, command.order_type, command.protection_bp):
        return Refusal(Reason.MARKET_PROTECTION_MUST_BE_GIVEN)
    last = context.last_price(instrument)
    reason = _check_product(instrument, command.product) or check_terms(
        instrument,
        state.settings,
        command.side,
        command.order_type,
        command.quantity,
        command.disclosed_quantity,
        command.price_pips,
        command.trigger_price_pips,
        command.validity,
        last,
        sliced=False,
    )
    if reason is not None:
        return Refusal(reason)
    client = state.clients[command.client_id]
    reference = reference_price(
        command.order_type, command.price_pips, command.trigger_price_pips, last
    )
    gives_back = reduces(client, command)
    # When it is closed the exchange refuses the order, in its row.
    closed = state.sessions.is_closed(instrument)
    late = state.sessions.squares_off(instrument) and not closed
    late = late and command.product is Product.MIS
    if (client.killed or (late and not command.amo)) and not gives_back:
        return Refusal(Reason.ENTRIES_MUST_BE_ALLOWED)
    # After this point it must succeed.
    rejection = _rejection(context, client, instrument, command, reference)
    order_id = context.next_order_id()
    context.emit(
        RegularOrderPlaced(
            order_id,
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
            Pips(reference),
            command.user_order_id,
            command.device,
            command.amo,
            by_system=False,
        )
    )
    order = state.regulars[order_id]
    mark(context, order, command.protection_bp)
    if rejection is not None:
        context.emit(RegularOrderEnded(order_id, REJECTED, *rejection))
    advance(context, order, NEW)
    return PendingRequest(Doing.PLACE, order)


def _rejection(
    context: StepContext,
    client: Client,
    instrument: Instrument,
    command: PlaceOrder,
    reference_pips: int,
) -> tuple[int, str] | None:
    """Return code and text of a row that says REJECTED, as the vendor's does, or None."""
    if command.side is Side.SELL:
        shares = context.state.sellable(client.client_id, instrument.key, command.product)
        if shares is not None and command.quantity > shares:
            return HOLDING_CODE, holding_text(shares, command.quantity)
    needed = order_margin_paise(
        client,
        instrument,
        context.state.settings,
        command.product,
        command.side,
        command.quantity,
        reference_pips,
    )
    available = client.available_paise
    if needed > available and needed > 0:
        return MARGIN_CODE, shortfall_text(available, needed)
    if context.state.venue_disconnected and not command.amo:
        return OFFLINE_CODE, offline_text(instrument.exchange)
    return None


def reduces(client: Client, command: PlaceOrder) -> bool:
    """Return whether the order only gives back what regular orders hold (INV-12)."""
    position = client.position(command.instrument, command.product)
    if position is None:
        return False
    sells = command.side is Side.SELL
    held = position.plain_net if sells else -position.plain_net
    return command.quantity <= held - position.open_of(command.side).quantity


def _check_product(instrument: Instrument, product: Product) -> Reason | None:
    """Return why a regular order of this instrument cannot have this product."""
    cash = instrument.segment == "Capital"
    if product in (Product.CNC, Product.MTF) and not cash:
        return Reason.PRODUCT_MUST_BE_OFFERED
    if product is Product.MIS and not instrument.intraday_allowed:
        return Reason.PRODUCT_MUST_BE_OFFERED
    return None


# --- Cancel and modify ------------------------------------------------------------------------


def _decide(order: RegularOrder, request: Request) -> Decision:
    """Return what a request does to the order as it is."""
    decision = REQUEST[order.state][request]
    assert decision is not Decision.NEVER, f"{order.order_id}: {request} in {order.state}"
    return decision


def cancel_order(context: StepContext, command: CancelOrder) -> PendingRequest | Refusal:
    """Cancel what has not traded."""
    order = _find(context, command.client_id, command.order_id)
    if isinstance(order, Refusal):
        return order
    before = order.state
    again = order.entry_cancelled_by_user and before is not FILLED
    decision = _decide(order, Request.CANCEL_AGAIN if again else Request.CANCEL_ENTRY)
    if decision is Decision.REPLAY:
        return PendingRequest(parent=order, answer=_answered(context, order, replayed=True))
    if decision in REFUSED:
        return Refusal(REFUSED[decision])
    context.emit(EntryCancelRequested(order.order_id, Source.USER))
    if decision is Decision.DROP:
        context.emit(RegularOrderEnded(order.order_id, CANCELLED, 0, ""))
    advance(context, order, before)
    square_off_rest(context, order)  # No report of its end will come.
    return PendingRequest(Doing.CANCEL, order)


def modify_order(context: StepContext, command: ModifyOrder) -> PendingRequest | Refusal:
    """Change a living order, or the plan of one that is parked."""
    order = _find(context, command.client_id, command.order_id)
    if isinstance(order, Refusal):
        return order
    reason = _check_address(order, command)
    if reason is not None:
        return Refusal(reason)
    before = order.state
    decision = _decide(order, Request.MODIFY_ENTRY)
    if decision in REFUSED:
        return Refusal(REFUSED[decision])
    if order.cancel_source is not None:
        return Refusal(Reason.ORDER_BEING_CANCELLED)
    if decision is Decision.AMEND:
        if context.state.venue_disconnected:
            return Refusal(Reason.VENUE_MUST_BE_REACHABLE)
        if order.modify is not None or any(one.waits for one in order.entries):
            return Refusal(Reason.ORDER_IN_FLIGHT)
    wish = asked(context, order, Leg.ENTRY, command)
    if isinstance(wish, Refusal):
        return wish
    command = wish
    instrument = context.state.instruments[order.instrument]
    wanted = wanted_terms(context, order, instrument, command)
    if lacks_protection(context, wanted.order_type, protection_after(order, command)):
        return Refusal(Reason.MARKET_PROTECTION_MUST_BE_GIVEN)
    reason = check_wanted(context, order, instrument, wanted)
    if reason is not None:
        return Refusal(reason)
    refusal = _check_means(context, order, instrument, wanted)
    if refusal is not None:
        return refusal
    protect_anew(context, order, command.protection_bp)
    if wanted.quantity == order.entry_filled:
        context.emit(without_rest(order, wanted))
        context.emit(EntryCancelRequested(order.order_id, Source.USER))
    elif differs(order, wanted):
        context.emit(wanted)
        if decision is Decision.AMEND:
            amend_entries(context, order, instrument, wanted)
    advance(context, order, before)
    return PendingRequest(Doing.MODIFY, order)


def _check_means(
    context: StepContext, order: RegularOrder, instrument: Instrument, wanted: EntryModifyRequested
) -> Refusal | None:
    """Return why the client has not the money, or the shares, for an order that has changed."""
    client = context.state.clients[order.client_id]
    leaves = wanted.quantity - order.entry_filled
    if order.side is Side.SELL:
        shares = context.state.sellable(order.client_id, instrument.key, order.product)
        if shares is not None and leaves > (most := shares + order.counted.quantity):
            return Refusal(Reason.HOLDING_MUST_SUFFICE, holding_text(most, leaves))
    more = order_margin_paise(
        client,
        instrument,
        context.state.settings,
        order.product,
        order.side,
        leaves,
        wanted.reference_price_pips,
        instead_of=order.counted,
    )
    if more == 0 or more <= client.available_paise:
        return None
    return Refusal(Reason.MARGIN_MUST_SUFFICE, means_text(client.available_paise, more))


def _find(context: StepContext, client_id: str, order_id: int) -> RegularOrder | Refusal:
    state = context.state
    order = state.regulars.get(order_id)
    if order is not None and order.client_id == client_id:
        return Refusal(Reason.ORDER_MUST_BE_THE_CLIENTS) if order.squares_off else order
    cover = state.covers.get(order_id)
    if isinstance(cover, CoverOrder) and cover.client_id == client_id:
        return Refusal(Reason.LEG_MUST_BE_CANCELLED_AS_SUCH)
    return Refusal(Reason.ORDER_MUST_EXIST)  # Foreign and unknown are one (INV-20).


def _check_address(order: RegularOrder, command: ModifyOrder) -> Reason | None:
    """Return why the command does not speak of this order as it is."""
    named = command.exchange_order_id
    if named and all(one.exchange_order_id != named for one in order.entries):
        return Reason.EXCHANGE_ORDER_ID_MUST_MATCH
    if command.amo is not None and command.amo is not order.amo:
        return Reason.EXECUTION_TYPE_MUST_MATCH
    if command.instrument is not None and command.instrument != order.instrument:
        return Reason.INSTRUMENT_MUST_NOT_CHANGE
    if command.side is not None and command.side is not order.side:
        return Reason.SIDE_MUST_NOT_CHANGE
    if command.product is not None and command.product is not order.product:
        return Reason.PRODUCT_MUST_NOT_CHANGE
    seen = command.last_activity_ns
    if seen is not None and abs(seen - order.version_of(Leg.ENTRY)) > REFERENCE_TOLERANCE_NS:
        return Reason.REFERENCE_MUST_BE_CURRENT
    return None


# --- Conclude ---------------------------------------------------------------------------------


def conclude(context: StepContext, pending: PendingRequest) -> Outcome:
    """Return what became of a request about a regular order, as far as the venue has spoken."""
    order = pending.parent
    assert isinstance(order, RegularOrder), "a regular order's ticket"
    if pending.doing is Doing.PLACE:
        return Answer(order.order_id, 0, order.state)
    if pending.doing is Doing.CANCEL:
        if order.state is FILLED:
            return Refusal(Reason.TOO_LATE)  # The fill won.
        if not order.entry_cancelled_by_user:
            return venue_refused(context, order) or Refusal(Reason.VENUE_REFUSED)
    else:
        refused = venue_refused(context, order)
        if refused is not None:
            return refused
    return _answered(context, order)


def _answered(context: StepContext, order: RegularOrder, *, replayed: bool = False) -> Answer:
    stands: str = order.state
    if not order.over and order.cancel_source is not None:
        stands = CANCEL_PENDING
    reason = UNKNOWN if in_doubt(context, order) and not order.over else ""
    return Answer(order.order_id, 0, stands, reason, replayed=replayed)
