"""
``/api/v1/orders/kart``: place, modify, cancel and exit of cover and bracket orders.

A route reads a message into one command and words its outcome. What a field may hold is read here;
whether the order allows it is decided in the core.

Source: docs/wire/README.md, "Placing"; docs/wire/README.md, "Decisions"; docs/wire/README.md,
"Cancelling and getting out".
"""

from typing import Any, Final

from kavach.api.gateway.route import ORDER_ID, PREFIX, Route
from kavach.api.gateway.view import View, check_owner
from kavach.api.http.call import AuthenticatedRequest, Reply, encode
from kavach.api.routes import baskets, regular
from kavach.api.routes.fields import (
    accepted,
    named_id,
    price_of,
    same_instrument,
)
from kavach.core.commands import (
    CancelCoverOrder,
    Leg,
    ModifyCoverOrder,
    PlaceCoverOrder,
)
from kavach.core.model.baskets.commands import ExecuteBasket
from kavach.core.model.limits.profiles import LimitClass
from kavach.core.model.regular.commands import CancelOrder
from kavach.core.refusals import Answer
from kavach.units import (
    Pips,
    Quantity,
    instrument_key,
)
from kavach.wire import fields as read
from kavach.wire import headers
from kavach.wire.activity import time_of
from kavach.wire.baskets import ExecuteBasketRequest
from kavach.wire.errors import BadField
from kavach.wire.exact import exact
from kavach.wire.orders import answers
from kavach.wire.orders.cancel_encoding import read_cancel as read_cancel_message
from kavach.wire.orders.requests import (
    CancelRequest,
    ModifyRequest,
    PlaceRequest,
    decode,
    modify_decoder,
    place_decoder,
)

KART: Final = f"{PREFIX}/orders/kart"
UNKNOWN: Final = "UNKNOWN"  # An answer's reason: the venue has not said what became of it.

_LEGS: Final = {word: Leg(word.value) for word in read.LegWord}
_NOTHING_TO_SQUARE_OFF: Final = frozenset({Pips(0), Pips(10_000)})  # 0 and 1 rupee: samples.

_CO: Final = read.ExecutionType.CO.value


def read_place(view: View, request: AuthenticatedRequest) -> PlaceCoverOrder | ExecuteBasket:
    """Return the command of a POST: a cover order, or the saved basket that is to be placed."""
    raw: Any = decode(place_decoder, request.body)
    if raw.execution_type != _CO and _is(raw.execution_type, read.ExecutionType.NML):
        return baskets.read_execute(request)
    return place_command(exact(raw), request)


def write_place(view: View, command: PlaceCoverOrder | ExecuteBasket, answer: Answer) -> Reply:
    """Return the answer to POST: the basket of a new cover order."""
    if isinstance(command, ExecuteBasket):
        return baskets.write_execute(view, answer)
    return accepted(answer, encode(answers.placed(str(answer.basket_id))))


def _is(value: object, kind: read.ExecutionType) -> bool:
    return isinstance(value, str) and value.upper() == kind.value


def read_modify(view: View, request: AuthenticatedRequest) -> ModifyCoverOrder:
    """Return the command of a PUT; what is blank stays as it is."""
    return modify_command(view, exact(decode(modify_decoder, request.body)), request)


def write_modify(view: View, command: ModifyCoverOrder, answer: Answer) -> Reply:
    """Return the answer to PUT: the entry or the stop will be as asked."""
    return accepted(answer, encode(answers.modified(_basket_id(view, answer))))


def read_cancel(view: View, request: AuthenticatedRequest) -> CancelCoverOrder | CancelOrder:
    """Return the command of a DELETE; some documents send after-market orders this way."""
    raw: Any = read_cancel_message(request.body, request.query)
    if _is(raw.execution_type, read.ExecutionType.AMO):
        return regular.read_cancel(view, request)
    return cancel_command(raw, request)


def write_cancel(view: View, command: CancelCoverOrder | CancelOrder, answer: Answer) -> Reply:
    """Return the answer to DELETE: the entry's rest is cancelled, or the position exited."""
    if isinstance(command, CancelOrder):
        return regular.write_cancel(view, command, answer)
    text = answers.CANCEL_SUBMITTED if answer.reason == UNKNOWN else answers.CANCELLED
    return accepted(answer, encode(answers.cancelled(_basket_id(view, answer), text)))


def _basket_id(view: View, answer: Answer) -> str:
    return "" if view.options.blank_basket_id else str(answer.basket_id)


def place_command(message: PlaceRequest, request: AuthenticatedRequest) -> PlaceCoverOrder:
    """Return the command that a place request amounts to."""
    check_owner(request, message.client_id)
    bracket = message.execution_type
    exchange, token = message.exchange, message.instrument_token
    order_type = message.order_type
    stop_pips = message.stop_loss_value
    target_pips = _target(message, bracket)
    if bracket and target_pips is None:
        raise BadField("square_off_value", blank=True)
    return PlaceCoverOrder(
        client_id=request.client_id,
        instrument=instrument_key(exchange, token),
        side=message.order_side,
        order_type=order_type,
        quantity=message.quantity,
        disclosed_quantity=message.disclosed_quantity or Quantity(0),
        price_pips=price_of(order_type, message.price),
        trigger_price_pips=message.trigger_price or Pips(0),
        validity=message.validity,
        product=message.product,
        stop_price_pips=Pips(0) if bracket else stop_pips,
        trailing_step_pips=_trailing_step(message) or Pips(0),
        user_order_id=message.user_order_id or 0,
        device=message.device or "",
        bracket=bracket,
        stop_offset_pips=stop_pips if bracket else Pips(0),
        target_offset_pips=target_pips or Pips(0),
        protection_bp=message.market_protection_percentage or 0,
    )


def modify_command(
    view: View, message: ModifyRequest, request: AuthenticatedRequest
) -> ModifyCoverOrder:
    """Return the command that a modify request amounts to; what is blank stays as it is."""
    check_owner(request, message.client_id)
    bracket = message.execution_type
    order_id = message.oms_order_id
    leg = message.leg_order_indicator
    reference = message.last_activity_reference
    stop_pips = message.stop_loss_value
    if stop_pips == 0 and _speaks_of_entry(view, order_id, leg):
        stop_pips = None  # Published samples of such a modify send 0; a stop is never taken away.
    target_pips = _target(message, bracket)
    _ = message.user_order_id
    return ModifyCoverOrder(
        client_id=request.client_id,
        order_id=order_id,
        leg=None if leg is None else _LEGS[leg],
        exchange_order_id=message.exchange_order_id,
        instrument=same_instrument(view, message.exchange, message.instrument_token, order_id),
        side=message.order_side,
        product=message.product,
        last_activity_ns=None if reference is None else time_of(reference),
        order_type=message.order_type,
        quantity=message.quantity,
        disclosed_quantity=message.disclosed_quantity,
        price_pips=message.price,
        trigger_price_pips=message.trigger_price,
        validity=message.validity,
        stop_price_pips=None if bracket else stop_pips,
        trailing_step_pips=_trailing_step(message, changes=True),
        stop_offset_pips=stop_pips if bracket else None,
        target_offset_pips=target_pips,
        bracket=bracket,
        protection_bp=message.market_protection_percentage or None,
        filled_quantity=message.filled_quantity,
        remaining_quantity=message.remaining_quantity,
    )


def _speaks_of_entry(view: View, order_id: int, leg: read.LegWord | None) -> bool:
    """Return whether a modify addresses the entry, by the word for the leg or by the row's id."""
    if leg is not None:
        return leg is read.LegWord.ENTRY
    found = view.engine.state.leg(order_id)
    return found is not None and found[1] is Leg.ENTRY


def cancel_command(raw: Any, request: AuthenticatedRequest) -> CancelCoverOrder:
    """Return the command that a cancel amounts to; the id is the path's.

    What is written as most clients write it is not read any further: this is the hottest path.
    """
    message: CancelRequest = exact(raw)
    if raw.client_id != request.client_id:
        check_owner(request, message.client_id)
    exchange_order_id = message.exchange_order_id
    leg = message.leg_order_indicator
    return CancelCoverOrder(
        client_id=request.client_id,
        leg=_LEGS[leg],
        exchange_order_id=exchange_order_id,
        bracket=False if raw.execution_type == _CO else message.execution_type,
        order_id=named_id(raw.oms_order_id, request),
    )


def _trailing_step(message: PlaceRequest | ModifyRequest, *, changes: bool = False) -> Pips | None:
    """Return the step: 0 when trailing is switched off, None when nothing is said of it."""
    step = message.trailing_stop_loss
    trails = message.is_trailing
    if trails is None:
        # A change to a step means that step; 0 is what clients send that have none in mind.
        return step or None if changes else None
    if trails and step is None:
        raise BadField("trailing_stop_loss", blank=True)
    if trails and step == 0:
        raise BadField("trailing_stop_loss", hint="above 0 where is_trailing is true")
    return step if trails else Pips(0)


def _target(message: PlaceRequest | ModifyRequest, bracket: bool) -> Pips | None:
    """Return a bracket's target; a cover order has none, and may hold nothing, 0 or 1 there."""
    offset = message.square_off_value
    if bracket:
        return offset
    if offset is not None and offset not in _NOTHING_TO_SQUARE_OFF:
        raise BadField("square_off_value", hint="a cover order has no target")
    return None


ROUTES: Final = (
    Route(
        method="POST",
        path=KART,
        name="placeConditionalOrder",
        summary="Enter a position together with its protective stop (CO), and a target (BO).",
        read=read_place,
        write=write_place,
        request=PlaceRequest,
        other_requests=(ExecuteBasketRequest,),
        limit=LimitClass.ORDERS,
        answer=answers.PlaceAnswer,
        headers=(headers.BASKET_ORDERS,),
    ),
    Route(
        method="PUT",
        path=KART,
        name="modifyConditionalOrder",
        summary="Change the living entry, the stop, or a bracket's target.",
        read=read_modify,
        write=write_modify,
        request=ModifyRequest,
        limit=LimitClass.ORDERS,
        answer=answers.BasketAnswer,
    ),
    Route(
        method="DELETE",
        path=f"{KART}/{{{ORDER_ID}}}",
        name="cancelConditionalOrder",
        summary="Cancel what has not traded of the entry (ENTRY), or get out (SECOND, THIRD).",
        read=read_cancel,
        write=write_cancel,
        waits=True,
        request=CancelRequest,
        limit=LimitClass.ORDERS,
        answer=answers.BasketAnswer,
    ),
    Route(
        method="DELETE",
        path=KART,
        name="cancelConditionalOrderById",
        summary="The same, the order id in the parameters alone.",
        read=read_cancel,
        write=write_cancel,
        waits=True,
        request=CancelRequest,
        limit=LimitClass.ORDERS,
        answer=answers.BasketAnswer,
    ),
)
