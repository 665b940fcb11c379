"""
GTT rules on the wire: what clients send about them, and the rows they get.

Fields are read as ``kavach.wire.exact`` has it.

Source: docs/wire/gtt.md.
"""

from datetime import date
from typing import Annotated, Any, ClassVar, Final

import msgspec

from kavach.units import Pips, Quantity
from kavach.wire import fields as read
from kavach.wire.errors import BadField
from kavach.wire.exact import BLANK, Maybe, Needed, Request
from kavach.wire.messages import inner
from kavach.wire.orders.answers import Success
from kavach.wire.orders.requests import (
    ClientId,
    Correlation,
    Count,
    Device,
    ExchangeWord,
    OrderTypeWord,
    ProductWord,
    Protection,
    SideWord,
    Token,
    ValidityWord,
)
from kavach.wire.orders.rows import Number

CREATED: Final = "GTT created successfully"
MODIFIED: Final = "gtt request modified successfully"
CANCELLED: Final = "event cancelled succesfully"  # As the vendor spells it.

# A rule's row has other names for these than a request: who sends it back means them.
ROW_NAMES: Final = {
    "disclosed_qty": "disclosed_quantity",
    "prod_type": "product",
    "token": "instrument_token",
}


@read.accepts(type="string", format="date")
def day(value: object, field: str) -> int:
    """Return a date written YYYY-MM-DD as the number YYYYMMDD."""
    written = read.text(value, field)
    try:
        found = date.fromisoformat(written)
    except ValueError:
        raise BadField(field) from None
    if len(written) != len("YYYY-MM-DD"):
        raise BadField(field)
    return found.year * 10_000 + found.month * 100 + found.day


ActionWord = Annotated[
    str, "single_order, or oco_order for two triggers; any case, _order may miss.", read.text
]
ExpiryDate = Annotated[int, "The rule's last day, YYYY-MM-DD, a year ahead at most.", day]
RuleId = Annotated[str, "UUID of the rule.", read.text]
OrderPrice = Annotated[Pips, "Rupees; 0 for MARKET and SLM.", read.price]
RulePrice = Annotated[Pips, "Rupees; what the last price has to reach.", read.price]
SecondPrice = Annotated[Pips, "Rupees; of an OCO's other side.", read.price]
SecondCount = Annotated[
    Quantity, "Of an OCO's other side; 0 or nothing: the same quantity.", read.quantity
]


class GttOrderRequest(Request, kw_only=True):
    """The order that a rule places; in a modification, what is not sent stays as it is."""

    client_id: Maybe[ClientId] = BLANK
    device: Maybe[Device] = BLANK
    disclosed_quantity: Maybe[Count] = BLANK
    exchange: Needed[ExchangeWord] = BLANK
    instrument_token: Needed[Token] = BLANK
    market_protection_percentage: Maybe[Protection] = BLANK
    order_side: Needed[SideWord] = BLANK
    order_type: Needed[OrderTypeWord] = BLANK
    price: Maybe[OrderPrice] = BLANK
    product: Needed[ProductWord] = BLANK
    quantity: Needed[Count] = BLANK
    sl_order_price: Maybe[SecondPrice] = BLANK
    sl_order_quantity: Maybe[SecondCount] = BLANK
    sl_trigger_price: Maybe[SecondPrice] = BLANK
    trigger_price: Needed[RulePrice] = BLANK
    user_order_id: Maybe[Correlation] = BLANK
    validity: Maybe[ValidityWord] = BLANK


class ModifiedGttOrder(GttOrderRequest, kw_only=True):
    """What of a rule's order shall change."""

    required: ClassVar[Any] = ()


NewGttOrder = Annotated[GttOrderRequest, "The order.", inner(GttOrderRequest, ROW_NAMES)]
ChangedGttOrder = Annotated[
    ModifiedGttOrder, "What of it shall change.", inner(ModifiedGttOrder, ROW_NAMES)
]


class CreateGttRequest(Request, kw_only=True):
    """Wait for a price until a day is over, then place an order."""

    client_id: Maybe[ClientId] = BLANK
    action_type: Needed[ActionWord] = BLANK
    expiry_time: Needed[ExpiryDate] = BLANK
    order: Needed[NewGttOrder] = BLANK


class ModifyGttRequest(Request, kw_only=True):
    """Change an active rule, and arm it from the price as it is now."""

    client_id: Maybe[ClientId] = BLANK
    id: Needed[RuleId] = BLANK
    action_type: Maybe[ActionWord] = BLANK
    expiry_time: Maybe[ExpiryDate] = BLANK
    order: Maybe[ChangedGttOrder] = BLANK


class CancelGttRequest(Request, kw_only=True):
    """Wait no longer; everything may be in the path."""

    client_id: Maybe[ClientId] = BLANK
    id: Maybe[RuleId] = BLANK


class GttOrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """The order that a rule places."""

    disclosed_qty: int
    exchange: str
    execution_type: str
    mode: str
    order_side: str
    order_type: str
    price: Number
    pro_cli: str
    prod_type: str
    quantity: int
    segment: str
    sl_order_price: Number
    sl_order_quantity: int
    sl_trigger_price: Number
    square_off_price: Number
    token: int
    trading_symbol: str
    trailing_stop_loss: Number
    trigger_price: Number
    validity: str
    vendor_code: str


class GttRow(msgspec.Struct, frozen=True, kw_only=True):
    """A rule; times are written out in Indian time."""

    action_type: str
    client_id: str
    created_at: str
    expiry_time: str
    id: str
    login_id: str
    order: GttOrderRow
    reject_code: int
    reject_reason: str
    status: str
    type: str
    updated_at: str


class GttId(msgspec.Struct, frozen=True):
    """Which rule it was."""

    id: str


class GttIdAnswer(Success[GttId], frozen=True):
    """The answer to POST, PUT and DELETE."""


class GttListAnswer(Success[list[GttRow]], frozen=True):
    """The answer to GET."""
