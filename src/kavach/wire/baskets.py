"""
Saved baskets on the wire: what clients send about them, and the rows they get.

Fields are read as ``kavach.wire.exact`` has it. The official
SDK knows ``BasketId``, ``BasketName`` and ``OrderId``; they are other names of ``basket_id``,
``name`` and ``order_id``. In a line, ``disclosedQuantity`` and ``disclosed_quantity`` are one
field.

Source: docs/wire/baskets.md.
"""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

import msgspec

from kavach.units import OrderType, Pips, Product
from kavach.wire import fields as read
from kavach.wire.exact import BLANK, Maybe, Needed, Request
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


class BasketKind(StrEnum):
    """What a basket holds: any orders, or those of index derivatives that hedge each other."""

    NORMAL = "NORMAL"
    HEDGE = "HEDGE"


class LineWord(StrEnum):
    """How an order of a basket is to be placed."""

    REGULAR = "REGULAR"
    AMO = "AMO"
    CO = "CO"
    BO = "BO"


def _or_all(reader: read.Reader[Product] | read.Reader[OrderType]) -> read.Reader[str]:
    """Return a reader of the one word that a basket takes, or of ALL."""

    @read.accepts(type="string", enum=[ALL, *reader.schema["enum"]])
    def either(value: object, field: str) -> str:
        return ALL if value == ALL else reader(value, field).value

    return either


@read.accepts(**read.text.schema)
def _name(value: object, field: str) -> str:
    """Return a basket's name; one that is far too long is as much too long as any."""
    if isinstance(value, str) and len(value) > read.TEXT_LENGTH_MAX:
        value = value[: read.TEXT_LENGTH_MAX]
    return read.text(value, field)


_kind: Final = read.word(BasketKind)
_product: Final = _or_all(read.product)
_order_type: Final = _or_all(read.order_type)
_line_word: Final = read.word(LineWord)

BasketName = Annotated[str, "At most 20 characters, one basket a name.", _name]
BasketId = Annotated[str, "UUID of the basket.", read.text]
LineId = Annotated[str, "UUID of the order in the basket.", read.text]
BasketTypeWord = Annotated[BasketKind, "NORMAL, or HEDGE for index derivatives.", _kind]
ProductOrAll = Annotated[str, "The only product in the basket, or ALL.", _product]
OrderTypeOrAll = Annotated[str, "The only order type in the basket, or ALL.", _order_type]
LineExecution = Annotated[LineWord, "REGULAR or AMO, in any case.", _line_word]
StopLoss = Annotated[
    Pips, "Of cover and bracket orders, which no basket holds: nothing or 0.", read.price
]
KartExecution = Annotated[str, "NML.", read.text]


class LineRequest(Request, kw_only=True):
    """An order to be kept in a basket; in an edit, what is not sent stays as it is."""

    client_id: Maybe[ClientId] = BLANK
    exchange: Needed[ExchangeWord] = BLANK
    instrument_token: Needed[Token] = BLANK
    order_side: Needed[SideWord] = BLANK
    order_type: Needed[OrderTypeWord] = BLANK
    price: Maybe[Price] = BLANK
    trigger_price: Maybe[TriggerPrice] = BLANK
    quantity: Needed[Count] = BLANK
    disclosed_quantity: Maybe[Count] = BLANK
    validity: Maybe[ValidityWord] = BLANK
    product: Needed[ProductWord] = BLANK
    execution_type: Maybe[LineExecution] = BLANK
    stop_loss_value: Maybe[StopLoss] = BLANK
    square_off_value: Maybe[StopLoss] = BLANK
    user_order_id: Maybe[Correlation] = BLANK
    device: Maybe[Device] = BLANK
    market_protection_percentage: Maybe[Protection] = BLANK


class EditedLine(LineRequest, kw_only=True):
    """What of an order in a basket shall change."""

    required: ClassVar[Any] = ()


class CreateBasketRequest(Request, kw_only=True):
    """Keep a new basket."""

    login_id: Maybe[ClientId] = BLANK
    client_id: Maybe[ClientId] = BLANK
    name: Needed[BasketName] = BLANK
    type: Maybe[BasketTypeWord] = BLANK
    product_type: Maybe[ProductOrAll] = BLANK
    order_type: Maybe[OrderTypeOrAll] = BLANK


class RenameBasketRequest(Request, kw_only=True):
    """Give a basket another name."""

    login_id: Maybe[ClientId] = BLANK
    client_id: Maybe[ClientId] = BLANK
    basket_id: Needed[BasketId] = BLANK
    name: Needed[BasketName] = BLANK


class DeleteBasketRequest(Request, kw_only=True):
    """Forget a basket; its name may be sent, the id decides."""

    login_id: Maybe[ClientId] = BLANK
    client_id: Maybe[ClientId] = BLANK
    basket_id: Needed[BasketId] = BLANK
    name: Maybe[BasketName] = BLANK


NewLine = Annotated[LineRequest, "The order.", inner(LineRequest, LINE_NAMES)]
ChangedLine = Annotated[EditedLine, "What of it shall change.", inner(EditedLine, LINE_NAMES)]


class AddLineRequest(Request, kw_only=True):
    """Keep one more order in a basket."""

    login_id: Maybe[ClientId] = BLANK
    client_id: Maybe[ClientId] = BLANK
    basket_id: Needed[BasketId] = BLANK
    name: Maybe[BasketName] = BLANK
    order_info: Needed[NewLine] = BLANK


class EditLineRequest(Request, kw_only=True):
    """Change an order in a basket."""

    login_id: Maybe[ClientId] = BLANK
    client_id: Maybe[ClientId] = BLANK
    basket_id: Needed[BasketId] = BLANK
    name: Maybe[BasketName] = BLANK
    order_id: Needed[LineId] = BLANK
    order_info: Needed[ChangedLine] = BLANK


class RemoveLineRequest(Request, kw_only=True):
    """Take an order out of a basket."""

    login_id: Maybe[ClientId] = BLANK
    client_id: Maybe[ClientId] = BLANK
    basket_id: Needed[BasketId] = BLANK
    name: Maybe[BasketName] = BLANK
    order_id: Needed[LineId] = BLANK


class ExecuteBasketRequest(Request, kw_only=True):
    """Place every order of a basket; with ``square_off``, each on the other side."""

    client_id: Maybe[ClientId] = BLANK
    execution_type: Needed[KartExecution] = BLANK
    basket_id: Needed[BasketId] = BLANK
    name: Maybe[BasketName] = BLANK
    execution_state: Maybe[Flag] = BLANK
    square_off: Maybe[Flag] = BLANK


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
