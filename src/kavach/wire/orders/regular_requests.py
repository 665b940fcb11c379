"""
What clients send to ``/orders``: place, modify and cancel of regular and after-market orders.

As loosely typed as their senders, like the messages of ``kavach.wire.orders.requests``. A cancel
may travel in the four ways of ``kavach.wire.orders.cancel_encoding``; none of its fields need be
there, because the id in the path says it all.

Source: docs/wire/README.md, "Regular and after-market orders".
"""

from typing import Annotated, Final

import msgspec

from kavach.units import Pips
from kavach.wire import fields as read
from kavach.wire.exact import BLANK, Maybe, Needed, Request
from kavach.wire.fields import JsonNumber
from kavach.wire.orders.requests import (
    ClientId,
    Correlation,
    Count,
    Device,
    ExchangeOrderId,
    ExchangeWord,
    Flag,
    OrderId,
    OrderTypeWord,
    Price,
    ProductWord,
    Protection,
    Reference,
    SideWord,
    Token,
    TriggerPrice,
    ValidityWord,
)

_execution: Final = read.word(read.ExecutionType, hint="REGULAR or AMO")

RegularExecution = Annotated[
    read.ExecutionType, "REGULAR, or AMO: keep it until the session opens; in any case.", _execution
]


NoPrice = Annotated[
    Pips, "Of cover and bracket orders, which go to /orders/kart: nothing or 0.", read.price
]
NoFlag = Annotated[bool, "Of cover and bracket orders: nothing or false.", read.flag]


class NoExits(Request, kw_only=True):
    """What only cover and bracket orders have: a client that sends it means one of those."""

    stop_loss_value: Maybe[NoPrice] = BLANK
    square_off_value: Maybe[NoPrice] = BLANK
    trailing_stop_loss: Maybe[NoPrice] = BLANK
    is_trailing: Maybe[NoFlag] = BLANK


class PlaceOrderRequest(NoExits, kw_only=True):
    """Buy or sell."""

    exchange: Needed[ExchangeWord] = BLANK
    instrument_token: Needed[Token] = BLANK
    client_id: Maybe[ClientId] = BLANK
    order_type: Needed[OrderTypeWord] = BLANK
    amo: Maybe[Flag] = BLANK
    price: Maybe[Price] = BLANK
    quantity: Needed[Count] = BLANK
    disclosed_quantity: Maybe[Count] = BLANK
    validity: Needed[ValidityWord] = BLANK
    product: Needed[ProductWord] = BLANK
    order_side: Needed[SideWord] = BLANK
    device: Maybe[Device] = BLANK
    user_order_id: Maybe[Correlation] = BLANK
    trigger_price: Maybe[TriggerPrice] = BLANK
    execution_type: Maybe[RegularExecution] = BLANK
    market_protection_percentage: Maybe[Protection] = BLANK


class ModifyOrderRequest(NoExits, kw_only=True):
    """Change a living order; what is not sent stays as it is."""

    client_id: Maybe[ClientId] = BLANK
    oms_order_id: Needed[OrderId] = BLANK
    execution_type: Maybe[RegularExecution] = BLANK
    exchange_order_id: Maybe[ExchangeOrderId] = BLANK
    exchange: Maybe[ExchangeWord] = BLANK
    instrument_token: Maybe[Token] = BLANK
    order_side: Maybe[SideWord] = BLANK
    product: Maybe[ProductWord] = BLANK
    order_type: Maybe[OrderTypeWord] = BLANK
    price: Maybe[Price] = BLANK
    quantity: Maybe[Count] = BLANK
    disclosed_quantity: Maybe[Count] = BLANK
    filled_quantity: Maybe[Count] = BLANK
    remaining_quantity: Maybe[Count] = BLANK
    validity: Maybe[ValidityWord] = BLANK
    trigger_price: Maybe[TriggerPrice] = BLANK
    last_activity_reference: Maybe[Reference] = BLANK
    user_order_id: Maybe[Correlation] = BLANK
    device: Maybe[Device] = BLANK
    market_protection_percentage: Maybe[Protection] = BLANK


class CancelOrderRequest(Request, kw_only=True):
    """Cancel what has not traded."""

    client_id: Maybe[ClientId] = BLANK
    execution_type: Maybe[RegularExecution] = BLANK
    oms_order_id: Maybe[OrderId] = BLANK


place_order_decoder: Final = msgspec.json.Decoder(PlaceOrderRequest, float_hook=JsonNumber)
modify_order_decoder: Final = msgspec.json.Decoder(ModifyOrderRequest, float_hook=JsonNumber)
cancel_order_decoder: Final = msgspec.json.Decoder(CancelOrderRequest, float_hook=JsonNumber)
