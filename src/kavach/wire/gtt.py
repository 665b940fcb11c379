"""
GTT rules on the wire: what clients send about them, and the rows they get.

Fields are declared ``Any`` for the reason given in ``kavach.wire.orders.requests``.

Source: docs/wire/gtt.md.
"""

from datetime import date
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Meta

from kavach.wire.errors import BadField
from kavach.wire.fields import text
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

_PRICE: Final[dict[str, Any]] = {"type": ["number", "string"], "minimum": 0}

ActionWord = Annotated[
    Any,
    Meta(
        description="single_order, or oco_order for two triggers; any case, _order may miss.",
        extra_json_schema={"type": "string"},
    ),
]
ExpiryDate = Annotated[
    Any,
    Meta(
        description="The rule's last day, YYYY-MM-DD, a year ahead at most.",
        extra_json_schema={"type": "string", "format": "date"},
    ),
]
RuleId = Annotated[
    Any,
    Meta(description="UUID of the rule.", extra_json_schema={"type": "string", "maxLength": 64}),
]
OrderPrice = Annotated[
    Any, Meta(description="Rupees; 0 for MARKET and SLM.", extra_json_schema=_PRICE)
]
RulePrice = Annotated[
    Any, Meta(description="Rupees; what the last price has to reach.", extra_json_schema=_PRICE)
]
SecondPrice = Annotated[
    Any, Meta(description="Rupees; of an OCO's other side.", extra_json_schema=_PRICE)
]
SecondCount = Annotated[
    Any,
    Meta(
        description="Of an OCO's other side; 0 or nothing: the same quantity.",
        extra_json_schema={"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$"},
    ),
]


class GttOrderRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The order that a rule places; in a modification, what is not sent stays as it is."""

    required: ClassVar[tuple[str, ...]] = (
        "exchange",
        "instrument_token",
        "order_side",
        "order_type",
        "product",
        "quantity",
        "trigger_price",
    )
    client_id: ClientId = UNSET
    device: Device = UNSET
    disclosed_quantity: Count = UNSET
    exchange: ExchangeWord = UNSET
    instrument_token: Token = UNSET
    market_protection_percentage: Protection = UNSET
    order_side: SideWord = UNSET
    order_type: OrderTypeWord = UNSET
    price: OrderPrice = UNSET
    product: ProductWord = UNSET
    quantity: Count = UNSET
    sl_order_price: SecondPrice = UNSET
    sl_order_quantity: SecondCount = UNSET
    sl_trigger_price: SecondPrice = UNSET
    trigger_price: RulePrice = UNSET
    user_order_id: Correlation = UNSET
    validity: ValidityWord = UNSET


class ModifiedGttOrder(GttOrderRequest, kw_only=True, omit_defaults=True):
    """What of a rule's order shall change."""

    required: ClassVar = ()


NewGttOrder = Annotated[
    Any, Meta(description="The order.", extra_json_schema=inner(GttOrderRequest))
]
ChangedGttOrder = Annotated[
    Any, Meta(description="What of it shall change.", extra_json_schema=inner(ModifiedGttOrder))
]


class CreateGttRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Wait for a price until a day is over, then place an order."""

    required: ClassVar = ("action_type", "expiry_time", "order")
    parts: ClassVar = (GttOrderRequest,)
    client_id: ClientId = UNSET
    action_type: ActionWord = UNSET
    expiry_time: ExpiryDate = UNSET
    order: NewGttOrder = UNSET


class ModifyGttRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Change an active rule, and arm it from the price as it is now."""

    required: ClassVar = ("id",)
    parts: ClassVar = (ModifiedGttOrder,)
    client_id: ClientId = UNSET
    id: RuleId = UNSET
    action_type: ActionWord = UNSET
    expiry_time: ExpiryDate = UNSET
    order: ChangedGttOrder = UNSET


class CancelGttRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Wait no longer; everything may be in the path."""

    required: ClassVar = ()
    client_id: ClientId = UNSET
    id: RuleId = UNSET


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


def day(value: object, field: str) -> int:
    """Return a date written YYYY-MM-DD as the number YYYYMMDD."""
    written = text(value, field)
    try:
        found = date.fromisoformat(written)
    except ValueError:
        raise BadField(field) from None
    if len(written) != len("YYYY-MM-DD"):
        raise BadField(field)
    return found.year * 10_000 + found.month * 100 + found.day
