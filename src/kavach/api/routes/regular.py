"""
``/api/v1/orders``: place, modify and cancel of regular and after-market orders.

The id in the path says all that a cancel needs; what else is sent is checked if it is an account
and otherwise ignored, because clients disagree about it. ``amo`` decides nothing: the execution
type does.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/wire/README.md, "Decisions".
"""

from typing import Final

from kavach.api.gateway.gateway import Edge, check_owner
from kavach.api.gateway.route import ORDER_ID, PREFIX, Route
from kavach.api.http.call import Call, Reply, encode
from kavach.api.routes.fields import (
    accepted,
    keyed,
    named_id,
    price_of,
    protection_of,
    refused_change,
    same_instrument,
)
from kavach.core.model.limits.profiles import LimitClass
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder, PlaceOrder
from kavach.core.refusals import Outcome, Refusal
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


def place(edge: Edge, call: Call) -> Reply:
    """Return the answer to POST: the id of a new order."""
    request = decode(place_order_decoder, call.body)
    command = place_command(request, call)
    outcome = edge.backend.execute(keyed(call, command))
    if isinstance(outcome, Refusal):
        return edge.refusal(outcome, command=command)
    return accepted(outcome, encode(answers.placed(str(outcome.order_id))))


def modify(edge: Edge, call: Call) -> Reply:
    """Return the answer to PUT: the order will be as asked."""
    request = decode(modify_order_decoder, call.body)
    command = keyed(call, modify_command(edge, request, call))
    outcome = edge.backend.execute(command)
    if isinstance(outcome, Refusal):
        return refused_change(edge, command, outcome)
    return accepted(outcome, encode(answers.modified(str(outcome.order_id))))


def cancel(edge: Edge, call: Call) -> Reply:
    """Return the answer to DELETE: what has not traded is cancelled."""
    request = read_order_cancel(call.body, call.query)
    outcome = edge.backend.execute(keyed(call, cancel_command(request, call)))

    def reword(outcome: Outcome) -> Reply:
        if isinstance(outcome, Refusal):
            return edge.refusal(outcome)
        return accepted(outcome, encode(answers.cancelled(str(outcome.order_id))))

    reply = reword(outcome)
    reply.reword = reword
    return reply


def place_command(request: PlaceOrderRequest, call: Call) -> PlaceOrder:
    """Return the command that a place request amounts to."""
    check_owner(call, read.optional(read.text, request.client_id, "client_id"))
    exchange = read.exchange(request.exchange, "exchange")
    token = read.token(request.instrument_token, "instrument_token")
    order_type = read.order_type(request.order_type, "order_type")
    read.optional(read.flag, request.amo, "amo")
    _check_no_exits(request)
    return PlaceOrder(
        client_id=call.client_id,
        instrument=instrument_key(exchange, token),
        side=read.side(request.order_side, "order_side"),
        order_type=order_type,
        quantity=read.quantity(request.quantity, "quantity"),
        disclosed_quantity=read.optional(
            read.quantity, request.disclosed_quantity, "disclosed_quantity"
        )
        or Quantity(0),
        price_pips=price_of(order_type, request.price),
        trigger_price_pips=read.optional(read.price, request.trigger_price, "trigger_price")
        or Pips(0),
        validity=read.validity(request.validity, "validity"),
        product=read.product(request.product, "product"),
        amo=_is_amo(request.execution_type),
        user_order_id=read.optional(read.integer, request.user_order_id, "user_order_id") or 0,
        device=read.optional(read.text, request.device, "device") or "",
        protection_bp=protection_of(request) or 0,
    )


def modify_command(edge: Edge, request: ModifyOrderRequest, call: Call) -> ModifyOrder:
    """Return the command that a modify request amounts to; what is blank stays as it is."""
    check_owner(call, read.optional(read.text, request.client_id, "client_id"))
    order_id = read.order_id(request.oms_order_id, "oms_order_id")
    reference = read.optional(
        read.activity_reference, request.last_activity_reference, "last_activity_reference"
    )
    read.optional(read.integer, request.user_order_id, "user_order_id")
    read.optional(read.text, request.device, "device")
    _check_no_exits(request)
    return ModifyOrder(
        client_id=call.client_id,
        order_id=order_id,
        exchange_order_id=read.optional(
            read.identifier, request.exchange_order_id, "exchange_order_id"
        ),
        instrument=same_instrument(edge, request, order_id),
        side=read.optional(read.side, request.order_side, "order_side"),
        product=read.optional(read.product, request.product, "product"),
        last_activity_ns=None if reference is None else time_of(reference),
        order_type=read.optional(read.order_type, request.order_type, "order_type"),
        quantity=read.optional(read.quantity, request.quantity, "quantity"),
        disclosed_quantity=read.optional(
            read.quantity, request.disclosed_quantity, "disclosed_quantity"
        ),
        price_pips=read.optional(read.price, request.price, "price"),
        trigger_price_pips=read.optional(read.price, request.trigger_price, "trigger_price"),
        validity=read.optional(read.validity, request.validity, "validity"),
        protection_bp=protection_of(request),
        filled_quantity=read.optional(read.quantity, request.filled_quantity, "filled_quantity"),
        remaining_quantity=read.optional(
            read.quantity, request.remaining_quantity, "remaining_quantity"
        ),
        amo=None if read.is_blank(request.execution_type) else _is_amo(request.execution_type),
    )


def cancel_command(request: CancelOrderRequest, call: Call) -> CancelOrder:
    """Return the command that a cancel amounts to; the id is the path's."""
    if request.client_id != call.client_id:
        check_owner(call, read.optional(read.text, request.client_id, "client_id"))
    return CancelOrder(client_id=call.client_id, order_id=named_id(request, call))


def _check_no_exits(request: NoExits) -> None:
    """Raise where a stop or a target is asked for: without one the order would be naked."""
    hint = "a regular order has none; CO and BO go to /api/v1/orders/kart"
    for name in ("stop_loss_value", "square_off_value"):
        if read.optional(read.price, getattr(request, name), name):
            raise BadField(name, hint=hint)
    trails = read.optional(read.flag, request.is_trailing, "is_trailing")
    step = read.optional(read.price, request.trailing_stop_loss, "trailing_stop_loss")
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
        handler=place,
        request=PlaceOrderRequest,
        limit=LimitClass.ORDERS,
        answer=answers.OrderIdAnswer,
    ),
    Route(
        method="PUT",
        path=ORDERS,
        name="modifyOrder",
        summary="Change a living regular order.",
        handler=modify,
        request=ModifyOrderRequest,
        limit=LimitClass.ORDERS,
        answer=answers.OrderIdAnswer,
    ),
    Route(
        method="DELETE",
        path=f"{ORDERS}/{{{ORDER_ID}}}",
        name="cancelOrder",
        summary="Cancel what has not traded of a regular order.",
        handler=cancel,
        request=CancelOrderRequest,
        limit=LimitClass.ORDERS,
        answer=answers.OrderIdAnswer,
    ),
)
