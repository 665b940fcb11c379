"""
What a client may ask of its saved baskets, as columns of early returns.

A basket is found by its id, and only by its owner: foreign and unknown are one. Executing places
every order in one step; each order's own outcome is kept, because some may be refused where others
are placed. What is refused as a whole (no such basket, nothing in it, an instrument that may not
be hedged) has placed nothing.

Source: docs/wire/baskets.md; docs/wire/errors.md.
"""

from typing import Final

from msgspec.structs import replace

from kavach.core.model.baskets import events as e
from kavach.core.model.baskets.basket import BasketType, SavedBasket
from kavach.core.model.baskets.commands import (
    AddBasketOrder,
    CreateBasket,
    DeleteBasket,
    EditBasketOrder,
    ExecuteBasket,
    RemoveBasketOrder,
    RenameBasket,
)
from kavach.core.model.orders.terms import OrderTerms, check_kept
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.core.rules.pending import PendingRequest
from kavach.core.rules.placing import place_terms
from kavach.core.rules.uuids import uuid_of
from kavach.instruments import Instrument
from kavach.units import opposite

NAME_LENGTH_MAX: Final = 20
BASKETS_MAX: Final = 50  # A client.
BASKET_ORDERS_MAX: Final = 20  # A basket.
ALL: Final = "ALL"
HEDGED: Final = frozenset({"NIFTY", "BANKNIFTY"})  # What a hedge basket's derivatives are of.


def create_basket(context: StepContext, command: CreateBasket) -> PendingRequest | Refusal:
    """Keep a new, empty basket."""
    state = context.state
    reason = _check_name(context, command.client_id, command.name)
    if reason is not None:
        return Refusal(reason)
    if state.shelf.count(command.client_id) >= BASKETS_MAX:
        return Refusal(Reason.BASKETS_MUST_BE_FEWER)
    basket_id = uuid_of("basket", command.client_id, state.uuids_given)
    context.emit(
        e.BasketCreated(
            basket_id,
            command.client_id,
            command.name,
            command.basket_type,
            command.product_type,
            command.order_type,
        )
    )
    return _done(basket_id)


def rename_basket(context: StepContext, command: RenameBasket) -> PendingRequest | Refusal:
    """Give a basket another name; its own name again changes nothing."""
    basket = _find(context, command.client_id, command.basket_id)
    if basket is None:
        return Refusal(Reason.BASKET_MUST_EXIST)
    if command.name != basket.name:
        reason = _check_name(context, command.client_id, command.name)
        if reason is not None:
            return Refusal(reason)
        context.emit(e.BasketRenamed(basket.basket_id, command.name))
    return _done(basket.basket_id)


def delete_basket(context: StepContext, command: DeleteBasket) -> PendingRequest | Refusal:
    """Forget a basket; what it has placed stays placed."""
    basket = _find(context, command.client_id, command.basket_id)
    if basket is None:
        return Refusal(Reason.BASKET_TO_DELETE_MUST_EXIST)
    context.emit(e.BasketDeleted(basket.basket_id))
    return _done(basket.basket_id, basket.name)


def add_basket_order(context: StepContext, command: AddBasketOrder) -> PendingRequest | Refusal:
    """Keep one more order in a basket."""
    basket = _find(context, command.client_id, command.basket_id)
    if basket is None:
        return Refusal(Reason.BASKET_MUST_EXIST)
    refusal = _check_order(context, basket, command.terms)
    if refusal is not None:
        return refusal
    if len(basket.orders) >= BASKET_ORDERS_MAX:
        return Refusal(Reason.BASKET_ORDERS_MUST_BE_FEWER)
    line_id = uuid_of("basket order", command.client_id, context.state.uuids_given)
    context.emit(e.BasketOrderAdded(basket.basket_id, line_id, command.terms))
    return _done(basket.basket_id)


def edit_basket_order(context: StepContext, command: EditBasketOrder) -> PendingRequest | Refusal:
    """Replace an order of a basket."""
    basket = _find(context, command.client_id, command.basket_id)
    if basket is None:
        return Refusal(Reason.BASKET_MUST_EXIST)
    if basket.line(command.line_id) is None:
        return Refusal(Reason.BASKET_ORDER_MUST_EXIST)
    refusal = _check_order(context, basket, command.terms, instead_of=command.line_id)
    if refusal is not None:
        return refusal
    context.emit(e.BasketOrderEdited(basket.basket_id, command.line_id, command.terms))
    return _done(basket.basket_id)


def remove_basket_order(
    context: StepContext, command: RemoveBasketOrder
) -> PendingRequest | Refusal:
    """Take an order out of a basket."""
    basket = _find(context, command.client_id, command.basket_id)
    if basket is None:
        return Refusal(Reason.BASKET_MUST_EXIST)
    if basket.line(command.line_id) is None:
        return Refusal(Reason.BASKET_ORDER_MUST_EXIST)
    context.emit(e.BasketOrderRemoved(basket.basket_id, command.line_id))
    return _done(basket.basket_id)


def execute_basket(context: StepContext, command: ExecuteBasket) -> PendingRequest | Refusal:
    """Place every order of a basket, each on its own feet."""
    basket = _find(context, command.client_id, command.basket_id)
    if basket is None:
        return Refusal(Reason.BASKET_MUST_EXIST)
    if not basket.orders:
        return Refusal(Reason.BASKET_MUST_HOLD_ORDERS)
    unhedged = _not_for_hedging(context, basket)
    if unhedged is not None:
        return Refusal(Reason.HEDGED_INSTRUMENT_MUST_BE_DERIVATIVE, unhedged.trading_symbol)
    # After this point it must succeed.
    execution_id = context.next_order_id()
    context.emit(e.BasketExecuted(execution_id, basket.basket_id, command.square_off))
    for order in basket.orders:
        terms = order.terms
        if command.square_off:
            terms = replace(terms, side=opposite(terms.side))
        placed = place_terms(context, command.client_id, terms)
        context.emit(e.BasketOrderSettled(execution_id, order.line_id, placed.order_id))
    return PendingRequest(answer=Answer(0, execution_id, "", subject=basket.basket_id))


# --- What must hold ---------------------------------------------------------------------------


def _find(context: StepContext, client_id: str, basket_id: str) -> SavedBasket | None:
    basket = context.state.shelf.baskets.get(basket_id)
    return basket if basket is not None and basket.client_id == client_id else None


def _check_name(context: StepContext, client_id: str, name: str) -> Reason | None:
    if len(name) > NAME_LENGTH_MAX:
        return Reason.BASKET_NAME_MUST_BE_SHORT
    if any(basket.name == name for basket in context.state.shelf.of(client_id)):
        return Reason.BASKET_NAME_MUST_BE_NEW
    return None


def _check_order(
    context: StepContext, basket: SavedBasket, terms: OrderTerms, instead_of: str = ""
) -> Refusal | None:
    """Return why this order cannot be in this basket."""
    state = context.state
    instrument = state.instruments.get(terms.instrument)
    if instrument is None:
        return Refusal(Reason.INSTRUMENT_MUST_EXIST, terms.instrument)
    reason = check_kept(terms, instrument, state.settings)
    if reason is Reason.PRICE_MUST_BE_POSITIVE:
        return Refusal(Reason.BASKET_PRICE_MUST_NOT_BE_ZERO)
    if reason is not None:
        return Refusal(reason)
    if basket.product_type not in (ALL, terms.product):
        return Refusal(Reason.BASKET_PRODUCT_MUST_MATCH, f"the basket is for {basket.product_type}")
    if basket.order_type not in (ALL, terms.order_type):
        text = f"the basket is for {basket.order_type}"
        return Refusal(Reason.BASKET_ORDER_TYPE_MUST_MATCH, text)
    if _is_hedge(basket) and _is_derivative(instrument) and instrument.symbol not in HEDGED:
        return Refusal(Reason.HEDGED_UNDERLYING_MUST_BE_AN_INDEX)
    for order in basket.orders:
        if order.terms.instrument == terms.instrument and order.line_id != instead_of:
            return Refusal(Reason.BASKET_INSTRUMENT_MUST_BE_NEW)
    return None


def _not_for_hedging(context: StepContext, basket: SavedBasket) -> Instrument | None:
    """Return the first instrument of a hedge basket that hedges nothing."""
    if _is_hedge(basket):
        for order in basket.orders:
            instrument = context.state.instruments[order.terms.instrument]
            if not _is_derivative(instrument):
                return instrument
    return None


def _is_hedge(basket: SavedBasket) -> bool:
    return basket.basket_type is BasketType.HEDGE


def _is_derivative(instrument: Instrument) -> bool:
    return instrument.segment != "Capital"


def _done(basket_id: str, state: str = "") -> PendingRequest:
    return PendingRequest(answer=Answer(0, 0, state, subject=basket_id))
