"""
Saved baskets on the wire: what clients send about them, and the rows they get.

Fields are declared ``Any`` for the reason given in ``kavach.wire.orders.requests``. The official
SDK knows ``BasketId``, ``BasketName`` and ``OrderId``; they are other names of ``basket_id``,
``name`` and ``order_id``. In a line, ``disclosedQuantity`` and ``disclosed_quantity`` are one
field.

Source: docs/wire/baskets.md.
"""

from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Meta

from kavach.units import OrderType, Product
from kavach.wire.messages import inner
from kavach.wire.orders.answers import Success
from kavach.wire.orders.requests import (
    ClientId,
    Correlation,
    Count,
    Device,
    ExchangeWord,
    Flag,
    OrderTypeWord,
    Price,
    ProductWord,
    Protection,
    SideWord,
    Token,
    TriggerPrice,
    ValidityWord,
)
from kavach.wire.orders.rows import Number

ALL: Final = "ALL"
NAMES: Final = {
    "BasketId": "basket_id",
    "BasketName": "name",
    "basket_name": "name",
    "OrderId": "order_id",
    "LoginId": "login_id",
    "ClientId": "client_id",
}
LINE_NAMES: Final = {"disclosedQuantity": "disclosed_quantity"}

_TEXT: Final[dict[str, Any]] = {"type": "string", "maxLength": 64}

BasketName = Annotated[
    Any,
    Meta(description="At most 20 characters, one basket a name.", extra_json_schema=_TEXT),
]
BasketId = Annotated[Any, Meta(description="UUID of the basket.", extra_json_schema=_TEXT)]
LineId = Annotated[
    Any, Meta(description="UUID of the order in the basket.", extra_json_schema=_TEXT)
]
BasketTypeWord = Annotated[
    Any,
    Meta(
        description="NORMAL, or HEDGE for index derivatives.",
        extra_json_schema={"type": "string", "enum": ["NORMAL", "HEDGE"]},
    ),
]
ProductOrAll = Annotated[
    Any,
    Meta(
        description="The only product in the basket, or ALL.",
        extra_json_schema={"type": "string", "enum": [ALL, *Product]},
    ),
]
OrderTypeOrAll = Annotated[
    Any,
    Meta(
        description="The only order type in the basket, or ALL.",
        extra_json_schema={"type": "string", "enum": [ALL, *OrderType]},
    ),
]
LineExecution = Annotated[
    Any,
    Meta(description="REGULAR or AMO, in any case.", extra_json_schema={"type": "string"}),
]
StopLoss = Annotated[
    Any,
    Meta(
        description="Of cover and bracket orders, which no basket holds: nothing or 0.",
        extra_json_schema={"type": ["number", "string"], "minimum": 0},
    ),
]
KartExecution = Annotated[Any, Meta(description="NML.", extra_json_schema={"type": "string"})]


class LineRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An order to be kept in a basket; in an edit, what is not sent stays as it is."""

    required: ClassVar[tuple[str, ...]] = (
        "exchange",
        "instrument_token",
        "order_type",
        "quantity",
        "product",
        "order_side",
    )
    client_id: ClientId = UNSET
    exchange: ExchangeWord = UNSET
    instrument_token: Token = UNSET
    order_side: SideWord = UNSET
    order_type: OrderTypeWord = UNSET
    price: Price = UNSET
    trigger_price: TriggerPrice = UNSET
    quantity: Count = UNSET
    disclosed_quantity: Count = UNSET
    validity: ValidityWord = UNSET
    product: ProductWord = UNSET
    execution_type: LineExecution = UNSET
    stop_loss_value: StopLoss = UNSET
    square_off_value: StopLoss = UNSET
    user_order_id: Correlation = UNSET
    device: Device = UNSET
    market_protection_percentage: Protection = UNSET


class EditedLine(LineRequest, kw_only=True, omit_defaults=True):
    """What of an order in a basket shall change."""

    required: ClassVar = ()


class CreateBasketRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Keep a new basket."""

    required: ClassVar = ("name",)
    login_id: ClientId = UNSET
    client_id: ClientId = UNSET
    name: BasketName = UNSET
    type: BasketTypeWord = UNSET
    product_type: ProductOrAll = UNSET
    order_type: OrderTypeOrAll = UNSET


class RenameBasketRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Give a basket another name."""

    required: ClassVar = ("basket_id", "name")
    login_id: ClientId = UNSET
    client_id: ClientId = UNSET
    basket_id: BasketId = UNSET
    name: BasketName = UNSET


class DeleteBasketRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Forget a basket; its name may be sent, the id decides."""

    required: ClassVar = ("basket_id",)
    login_id: ClientId = UNSET
    client_id: ClientId = UNSET
    basket_id: BasketId = UNSET
    name: BasketName = UNSET


NewLine = Annotated[Any, Meta(description="The order.", extra_json_schema=inner(LineRequest))]
ChangedLine = Annotated[
    Any, Meta(description="What of it shall change.", extra_json_schema=inner(EditedLine))
]


class AddLineRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Keep one more order in a basket."""

    required: ClassVar = ("basket_id", "order_info")
    parts: ClassVar = (LineRequest,)
    login_id: ClientId = UNSET
    client_id: ClientId = UNSET
    basket_id: BasketId = UNSET
    name: BasketName = UNSET
    order_info: NewLine = UNSET


class EditLineRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Change an order in a basket."""

    required: ClassVar = ("basket_id", "order_id", "order_info")
    parts: ClassVar = (EditedLine,)
    login_id: ClientId = UNSET
    client_id: ClientId = UNSET
    basket_id: BasketId = UNSET
    name: BasketName = UNSET
    order_id: LineId = UNSET
    order_info: ChangedLine = UNSET


class RemoveLineRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Take an order out of a basket."""

    required: ClassVar = ("basket_id", "order_id")
    login_id: ClientId = UNSET
    client_id: ClientId = UNSET
    basket_id: BasketId = UNSET
    name: BasketName = UNSET
    order_id: LineId = UNSET


class ExecuteBasketRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Place every order of a basket; with ``square_off``, each on the other side."""

    required: ClassVar = ("execution_type", "basket_id")
    client_id: ClientId = UNSET
    execution_type: KartExecution = UNSET
    basket_id: BasketId = UNSET
    name: BasketName = UNSET
    execution_state: Flag = UNSET
    square_off: Flag = UNSET


class LineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A kept order: the keys of an order row, most of them empty, in published order."""

    login_id: None
    order_status: None
    rejection_code: int
    exchange: str
    sl_trigger_price: Number
    client_id: str
    mode: str
    product: str
    rejection_reason: str
    order_side: str
    market_protection_percentage: Number
    nnf_id: int
    validity: str
    trading_symbol: str
    trigger_price: Number
    is_trailing: bool
    series: str
    lot_size: int
    leg_order_indicator: None
    disclosed_quantity: int
    order_entry_time: int
    sl_order_quantity: int
    order_type: str
    average_price: Number
    deposit: Number
    contract_description: dict[str, Any]
    average_trade_price: Number
    oms_order_id: str
    filled_quantity: int
    order_status_info: str
    trailing_stop_loss: None
    price: Number
    segment: str
    underlying_token: str
    sl_order_price: Number
    instrument_token: int
    trade_price: Number
    symbol: str
    target_price_type: str
    execution_type: str
    quantity: int
    order_tag: str
    spread_token: None
    isin: str
    pro_cli: str
    tags: list[str]
    last_activity_reference: int
    square_off_value: None
    remaining_quantity: int
    square_off: bool
    stop_loss_value: None
    exchange_order_id: str
    exchange_time: int
    device: str | None
    user_order_id: int
    source: None


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a basket."""

    order_id: str
    order_info: LineInfo


class BasketRow(msgspec.Struct, frozen=True, kw_only=True):
    """A saved basket."""

    basket_id: str
    basket_type: str
    is_executed: bool
    login_id: str
    name: str
    order_type: str
    orders: list[LineRow]
    product_type: str
    sip_eligible: bool
    sip_enabled: bool


class BasketListAnswer(Success[list[BasketRow]], frozen=True):
    """The answer that holds all baskets."""


class SavedBasketAnswer(Success[BasketRow], frozen=True):
    """The answer that holds the basket it is about."""


class LinesAnswer(Success[list[LineRow]], frozen=True):
    """The answer that holds what is left in the basket."""
