"""
Placing an order that a client left with us: of a saved basket, or of a GTT rule.

No client waits for an answer that could carry a refusal, so what the rules refuse becomes an order
as well, whose row says REJECTED and why; only where there is no such instrument any more, there
can be no row.

Source: docs/wire/errors.md; docs/decisions/0016.
"""

from typing import Final, NamedTuple

from kavach.core.model.orders.terms import OrderTerms
from kavach.core.model.regular.commands import PlaceOrder
from kavach.core.model.regular.events import RegularOrderEnded, RegularOrderPlaced
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.regular.tables import NEW, REJECTED
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.advance import advance
from kavach.core.rules.context import StepContext
from kavach.core.rules.figures import with_figures
from kavach.core.rules.regular.requests import place_order

INVALID_CODE: Final = 1001
CODES: Final = {
    Reason.INSTRUMENT_MUST_EXIST: 1004,
    Reason.ENTRIES_MUST_BE_ALLOWED: 1010,
    Reason.PRICE_MUST_BE_IN_BAND: 7001,
    Reason.TRIGGER_PRICE_MUST_BE_IN_BAND: 7001,
    Reason.TRIGGER_PRICE_MUST_BE_BEYOND_LAST_PRICE: 16315,
}


class Placed(NamedTuple):
    """What became of it by the rules; what the venue reports comes later in the step."""

    order_id: int  # 0: there is no order.
    rejected: bool
    code: int = 0
    text: str = ""


def place_terms(context: StepContext, client_id: str, terms: OrderTerms) -> Placed:
    """Place an order, or its rejection; return which."""
    command = PlaceOrder(
        client_id=client_id,
        instrument=terms.instrument,
        side=terms.side,
        order_type=terms.order_type,
        quantity=terms.quantity,
        disclosed_quantity=terms.disclosed_quantity,
        price_pips=terms.price_pips,
        trigger_price_pips=terms.trigger_price_pips,
        validity=terms.validity,
        product=terms.product,
        amo=terms.amo,
        user_order_id=terms.user_order_id,
        device=terms.device,
        protection_bp=terms.protection_bp,
    )
    pending = place_order(context, command)
    if isinstance(pending, Refusal):
        return _rejected(context, client_id, terms, command, pending)
    order = pending.parent
    assert isinstance(order, RegularOrder), "a placed order is a regular one"
    return Placed(order.order_id, order.ended is REJECTED, order.ended_code, order.ended_reason)


def _rejected(
    context: StepContext, client_id: str, terms: OrderTerms, command: PlaceOrder, refusal: Refusal
) -> Placed:
    """Place an order that is rejected at once."""
    reason, instruments = refusal.reason, context.state.instruments
    code, text = CODES.get(reason, INVALID_CODE), reason.value.replace("_", " ").capitalize()
    figures = with_figures(
        context.state, lambda key: context.last_price(instruments[key]), command, refusal
    )
    if figures:
        text = f"{text}: {figures}"
    if terms.instrument not in context.state.instruments:
        return Placed(0, True, code, text)
    order_id = context.next_order_id()
    context.emit(
        RegularOrderPlaced(
            order_id,
            client_id,
            terms.instrument,
            terms.side,
            terms.order_type,
            terms.quantity,
            terms.disclosed_quantity,
            terms.price_pips,
            terms.trigger_price_pips,
            terms.validity,
            terms.product,
            terms.price_pips,
            terms.user_order_id,
            terms.device,
            terms.amo,
            by_system=False,
        )
    )
    context.emit(RegularOrderEnded(order_id, REJECTED, code, text))
    advance(context, context.state.regulars[order_id], NEW)
    return Placed(order_id, True, code, text)
