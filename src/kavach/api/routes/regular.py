"""
``/api/v1/orders``: place, modify and cancel of regular and after-market orders.

The id in the path says all that a cancel needs; what else is sent is checked if it is an account
and otherwise ignored, because clients disagree about it. ``amo`` decides nothing: the execution
type does.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/wire/README.md, "Decisions".
"""

from typing import Any, Final

from kavach.api.gateway.route import ORDER_ID, PREFIX, Route
from kavach.api.gateway.view import View, check_owner
from kavach.api.http.call import AuthenticatedRequest, Reply, encode
from kavach.api.routes.fields import (
    accepted,
    named_id,
    price_of,
    same_instrument,
)
from kavach.core.model.limits.profiles import LimitClass
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder, PlaceOrder
from kavach.core.refusals import Answer
from kavach.units import (
    Pips,
    Quantity,
    instrument_key,
)
from kavach.wire import fields as read
from kavach.wire.activity import time_of
from kavach.wire.errors import BadField
from kavach.wire.exact import exact
from kavach.wire.orders import regular_answers as answers
from kavach.wire.orders.cancel_encoding import read_order_cancel
from kavach.wire.orders.regular_requests import (
    CancelOrderRequest,
    ModifyOrderRequest,
    NoExits,
    PlaceOrderRequest,
    modify_order_decoder,
    place_order_decoder,
)
from kavach.wire.orders.requests import decode

ORDERS: Final = f"{PREFIX}/orders"


def read_place(view: View, request: AuthenticatedRequest) -> PlaceOrder:
    """Return the command of a POST."""
    return place_command(exact(decode(place_order_decoder, request.body)), request)


def write_place(view: View, command: PlaceOrder, answer: Answer) -> Reply:
    """Return the answer to POST: the id of a new order."""
    return accepted(answer, encode(answers.placed(str(answer.order_id))))


def read_modify(view: View, request: AuthenticatedRequest) -> ModifyOrder:
    """Return the command of a PUT."""
    return modify_command(view, exact(decode(modify_order_decoder, request.body)), request)


def write_modify(view: View, command: ModifyOrder, answer: Answer) -> Reply:
    """Return the answer to PUT: the order will be as asked."""
    return accepted(answer, encode(answers.modified(str(answer.order_id))))


def read_cancel(view: View, request: AuthenticatedRequest) -> CancelOrder:
    """Return the command of a DELETE; the id is the path's."""
    raw: Any = read_order_cancel(request.body, request.query)
    check_owner(request, exact(raw).client_id)
    return CancelOrder(client_id=request.client_id, order_id=named_id(raw.oms_order_id, request))


def write_cancel(view: View, command: CancelOrder, answer: Answer) -> Reply:
    """Return the answer to DELETE: what has not traded is cancelled."""
    return accepted(answer, encode(answers.cancelled(str(answer.order_id))))


def place_command(message: PlaceOrderRequest, request: AuthenticatedRequest) -> PlaceOrder:
    """Return the command that a place request amounts to."""
    check_owner(request, message.client_id)
    exchange, token = message.exchange, message.instrument_token
    order_type = message.order_type
    _ = message.amo
    _check_no_exits(message)
    return PlaceOrder(
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
        amo=_is_amo(message.execution_type) or False,
        user_order_id=message.user_order_id or 0,
        device=message.device or "",
        protection_bp=message.market_protection_percentage or 0,
    )


def modify_command(
    view: View, message: ModifyOrderRequest, request: AuthenticatedRequest
) -> ModifyOrder:
    """Return the command that a modify request amounts to; what is blank stays as it is."""
    check_owner(request, message.client_id)
    order_id = message.oms_order_id
    reference = message.last_activity_reference
    _ = message.user_order_id, message.device
    _check_no_exits(message)
    return ModifyOrder(
        client_id=request.client_id,
        order_id=order_id,
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
        protection_bp=message.market_protection_percentage or None,
        filled_quantity=message.filled_quantity,
        remaining_quantity=message.remaining_quantity,
        amo=_is_amo(message.execution_type),
    )


def _check_no_exits(message: NoExits) -> None:
    """Raise where a stop or a target is asked for: without one the order would be naked."""
    hint = "a regular order has none; CO and BO go to /api/v1/orders/kart"
    for name in ("stop_loss_value", "square_off_value"):
        if getattr(message, name):
            raise BadField(name, hint=hint)
    trails = message.is_trailing
    step = message.trailing_stop_loss
    if trails:
        raise BadField("is_trailing", hint=hint)
    if step and trails is None:
        raise BadField("trailing_stop_loss", hint=hint)


def _is_amo(kind: read.ExecutionType | None) -> bool | None:
    """Return whether the order is to wait for the session; None if nothing is said of it."""
    if kind in (None, read.ExecutionType.REGULAR, read.ExecutionType.AMO):
        return None if kind is None else kind is read.ExecutionType.AMO
    raise BadField("execution_type", hint="conditional orders go to /api/v1/orders/kart")


ROUTES: Final = (
    Route(
        method="POST",
        path=ORDERS,
        name="placeOrder",
        summary="Buy or sell; as AMO, when the session opens.",
        read=read_place,
        write=write_place,
        request=PlaceOrderRequest,
        limit=LimitClass.ORDERS,
        answer=answers.OrderIdAnswer,
    ),
    Route(
        method="PUT",
        path=ORDERS,
        name="modifyOrder",
        summary="Change a living regular order.",
        read=read_modify,
        write=write_modify,
        request=ModifyOrderRequest,
        limit=LimitClass.ORDERS,
        answer=answers.OrderIdAnswer,
    ),
    Route(
        method="DELETE",
        path=f"{ORDERS}/{{{ORDER_ID}}}",
        name="cancelOrder",
        summary="Cancel what has not traded of a regular order.",
        read=read_cancel,
        write=write_cancel,
        waits=True,
        request=CancelOrderRequest,
        limit=LimitClass.ORDERS,
        answer=answers.OrderIdAnswer,
    ),
)
