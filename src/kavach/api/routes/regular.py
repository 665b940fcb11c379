"""
``/api/v1/orders``: place, modify and cancel of regular and after-market orders.

The id in the path says all that a cancel needs; what else is sent is checked if it is an account
and otherwise ignored, because clients disagree about it. ``amo`` decides nothing: the execution
type does.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/wire/README.md, "Decisions".
"""

from typing import Final

from kavach.api.gateway.route import ORDER_ID, PREFIX, Route
from kavach.api.gateway.view import View, check_owner
from kavach.api.http.call import AuthenticatedRequest, Reply, encode
from kavach.api.routes.fields import (
    accepted,
    named_id,
    price_of,
    protection_of,
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

_execution: Final = read.word(read.ExecutionType, hint="REGULAR or AMO")


def read_place(view: View, request: AuthenticatedRequest) -> PlaceOrder:
    """Return the command of a POST."""
    return place_command(decode(place_order_decoder, request.body), request)


def write_place(view: View, command: PlaceOrder, answer: Answer) -> Reply:
    """Return the answer to POST: the id of a new order."""
    return accepted(answer, encode(answers.placed(str(answer.order_id))))


def read_modify(view: View, request: AuthenticatedRequest) -> ModifyOrder:
    """Return the command of a PUT."""
    return modify_command(view, decode(modify_order_decoder, request.body), request)


def write_modify(view: View, command: ModifyOrder, answer: Answer) -> Reply:
    """Return the answer to PUT: the order will be as asked."""
    return accepted(answer, encode(answers.modified(str(answer.order_id))))


def read_cancel(view: View, request: AuthenticatedRequest) -> CancelOrder:
    """Return the command of a DELETE; the id is the path's."""
    message = read_order_cancel(request.body, request.query)
    if message.client_id != request.client_id:
        check_owner(request, read.optional(read.text, message.client_id, "client_id"))
    return CancelOrder(client_id=request.client_id, order_id=named_id(message, request))


def write_cancel(view: View, command: CancelOrder, answer: Answer) -> Reply:
    """Return the answer to DELETE: what has not traded is cancelled."""
    return accepted(answer, encode(answers.cancelled(str(answer.order_id))))


def place_command(message: PlaceOrderRequest, request: AuthenticatedRequest) -> PlaceOrder:
    """Return the command that a place request amounts to."""
    check_owner(request, read.optional(read.text, message.client_id, "client_id"))
    exchange = read.exchange(message.exchange, "exchange")
    token = read.token(message.instrument_token, "instrument_token")
    order_type = read.order_type(message.order_type, "order_type")
    read.optional(read.flag, message.amo, "amo")
    _check_no_exits(message)
    return PlaceOrder(
        client_id=request.client_id,
        instrument=instrument_key(exchange, token),
        side=read.side(message.order_side, "order_side"),
        order_type=order_type,
        quantity=read.quantity(message.quantity, "quantity"),
        disclosed_quantity=read.optional(
            read.quantity, message.disclosed_quantity, "disclosed_quantity"
        )
        or Quantity(0),
        price_pips=price_of(order_type, message.price),
        trigger_price_pips=read.optional(read.price, message.trigger_price, "trigger_price")
        or Pips(0),
        validity=read.validity(message.validity, "validity"),
        product=read.product(message.product, "product"),
        amo=_is_amo(message.execution_type),
        user_order_id=read.optional(read.integer, message.user_order_id, "user_order_id") or 0,
        device=read.optional(read.text, message.device, "device") or "",
        protection_bp=protection_of(message) or 0,
    )


def modify_command(
    view: View, message: ModifyOrderRequest, request: AuthenticatedRequest
) -> ModifyOrder:
    """Return the command that a modify request amounts to; what is blank stays as it is."""
    check_owner(request, read.optional(read.text, message.client_id, "client_id"))
    order_id = read.order_id(message.oms_order_id, "oms_order_id")
    reference = read.optional(
        read.activity_reference, message.last_activity_reference, "last_activity_reference"
    )
    read.optional(read.integer, message.user_order_id, "user_order_id")
    read.optional(read.text, message.device, "device")
    _check_no_exits(message)
    return ModifyOrder(
        client_id=request.client_id,
        order_id=order_id,
        exchange_order_id=read.optional(
            read.identifier, message.exchange_order_id, "exchange_order_id"
        ),
        instrument=same_instrument(view, message, order_id),
        side=read.optional(read.side, message.order_side, "order_side"),
        product=read.optional(read.product, message.product, "product"),
        last_activity_ns=None if reference is None else time_of(reference),
        order_type=read.optional(read.order_type, message.order_type, "order_type"),
        quantity=read.optional(read.quantity, message.quantity, "quantity"),
        disclosed_quantity=read.optional(
            read.quantity, message.disclosed_quantity, "disclosed_quantity"
        ),
        price_pips=read.optional(read.price, message.price, "price"),
        trigger_price_pips=read.optional(read.price, message.trigger_price, "trigger_price"),
        validity=read.optional(read.validity, message.validity, "validity"),
        protection_bp=protection_of(message),
        filled_quantity=read.optional(read.quantity, message.filled_quantity, "filled_quantity"),
        remaining_quantity=read.optional(
            read.quantity, message.remaining_quantity, "remaining_quantity"
        ),
        amo=None if read.is_blank(message.execution_type) else _is_amo(message.execution_type),
    )


def _check_no_exits(message: NoExits) -> None:
    """Raise where a stop or a target is asked for: without one the order would be naked."""
    hint = "a regular order has none; CO and BO go to /api/v1/orders/kart"
    for name in ("stop_loss_value", "square_off_value"):
        if read.optional(read.price, getattr(message, name), name):
            raise BadField(name, hint=hint)
    trails = read.optional(read.flag, message.is_trailing, "is_trailing")
    step = read.optional(read.price, message.trailing_stop_loss, "trailing_stop_loss")
    if trails:
        raise BadField("is_trailing", hint=hint)
    if step and trails is None:
        raise BadField("trailing_stop_loss", hint=hint)


def _is_amo(value: object) -> bool:
    """Return whether the order is to wait for the session; blank means that it is not."""
    kind = read.optional(_execution, value, "execution_type")
    if kind in (None, read.ExecutionType.REGULAR, read.ExecutionType.AMO):
        return kind is read.ExecutionType.AMO
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
