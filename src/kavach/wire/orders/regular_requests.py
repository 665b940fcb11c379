"""
What clients send to ``/orders``: place, modify and cancel of regular and after-market orders.

As loosely typed as their senders, like the messages of ``kavach.wire.orders.requests``. A cancel
may travel in the four ways of ``kavach.wire.orders.cancel_encoding``; none of its fields need be
there, because the id in the path says it all.

Source: docs/wire/README.md, "Regular and after-market orders".
"""

from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Meta

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

RegularExecution = Annotated[
    Any,
    Meta(
        description="REGULAR, or AMO: keep it until the session opens; in any case.",
        extra_json_schema={"type": "string"},
    ),
]


NoPrice = Annotated[
    Any,
    Meta(
        description="Of cover and bracket orders, which go to /orders/kart: nothing or 0.",
        extra_json_schema={"type": ["number", "string"], "minimum": 0},
    ),
]
NoFlag = Annotated[
    Any,
    Meta(
        description="Of cover and bracket orders: nothing or false.",
        extra_json_schema={"type": ["boolean", "string"]},
    ),
]


class NoExits(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What only cover and bracket orders have: a client that sends it means one of those."""

    stop_loss_value: NoPrice = UNSET
    square_off_value: NoPrice = UNSET
    trailing_stop_loss: NoPrice = UNSET
    is_trailing: NoFlag = UNSET


class PlaceOrderRequest(NoExits, kw_only=True, omit_defaults=True):
    """Buy or sell."""

    required: ClassVar = (
        "exchange",
        "instrument_token",
        "order_type",
        "quantity",
        "validity",
        "product",
        "order_side",
    )
    exchange: ExchangeWord = UNSET
    instrument_token: Token = UNSET
    client_id: ClientId = UNSET
    order_type: OrderTypeWord = UNSET
    amo: Flag = UNSET
    price: Price = UNSET
    quantity: Count = UNSET
    disclosed_quantity: Count = UNSET
    validity: ValidityWord = UNSET
    product: ProductWord = UNSET
    order_side: SideWord = UNSET
    device: Device = UNSET
    user_order_id: Correlation = UNSET
    trigger_price: TriggerPrice = UNSET
    execution_type: RegularExecution = UNSET
    market_protection_percentage: Protection = UNSET


class ModifyOrderRequest(NoExits, kw_only=True, omit_defaults=True):
    """Change a living order; what is not sent stays as it is."""

    required: ClassVar = ("oms_order_id",)
    client_id: ClientId = UNSET
    oms_order_id: OrderId = UNSET
    execution_type: RegularExecution = UNSET
    exchange_order_id: ExchangeOrderId = UNSET
    exchange: ExchangeWord = UNSET
    instrument_token: Token = UNSET
    order_side: SideWord = UNSET
    product: ProductWord = UNSET
    order_type: OrderTypeWord = UNSET
    price: Price = UNSET
    quantity: Count = UNSET
    disclosed_quantity: Count = UNSET
    filled_quantity: Count = UNSET
    remaining_quantity: Count = UNSET
    validity: ValidityWord = UNSET
    trigger_price: TriggerPrice = UNSET
    last_activity_reference: Reference = UNSET
    user_order_id: Correlation = UNSET
    device: Device = UNSET
    market_protection_percentage: Protection = UNSET


class CancelOrderRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Cancel what has not traded."""

    required: ClassVar = ()
    client_id: ClientId = UNSET
    execution_type: RegularExecution = UNSET
    oms_order_id: OrderId = UNSET


place_order_decoder: Final = msgspec.json.Decoder(PlaceOrderRequest, float_hook=JsonNumber)
modify_order_decoder: Final = msgspec.json.Decoder(ModifyOrderRequest, float_hook=JsonNumber)
cancel_order_decoder: Final = msgspec.json.Decoder(CancelOrderRequest, float_hook=JsonNumber)
