"""
Portfolio and money on the wire: positions converted, holdings, funds, the margin calculator.

The keys are the vendor's, all of them and no other. The calculator answers in envelope B. Its
``result`` has the margin by components, which clients add up; here each margin is all in one of
them.

Source: docs/wire/login.md, "Profile, trading_info, logout"; docs/wire/portfolio.md, "Margin
calculator".
"""

from typing import Annotated, Any, Final

import msgspec

from kavach.units import Pips
from kavach.wire import fields as read
from kavach.wire.contracts import Found
from kavach.wire.errors import BadField
from kavach.wire.exact import BLANK, Maybe, Needed, Request, exact
from kavach.wire.fields import JsonNumber
from kavach.wire.messages import reference
from kavach.wire.orders.answers import Success
from kavach.wire.orders.requests import (
    ClientId,
    Count,
    ExchangeWord,
    ProductWord,
    SideWord,
    Token,
    ValidityWord,
    message_of_pairs,
)
from kavach.wire.orders.rows import Number

# --- Conversions ------------------------------------------------------------------------------


class ConvertRequest(Request, kw_only=True):
    """Take a part of a position for another product."""

    client_id: Maybe[ClientId] = BLANK
    exchange: Needed[ExchangeWord] = BLANK
    instrument_token: Needed[Token] = BLANK
    product: Needed[ProductWord] = BLANK
    new_product: Needed[ProductWord] = BLANK
    quantity: Needed[Count] = BLANK
    validity: Maybe[ValidityWord] = BLANK
    order_side: Needed[SideWord] = BLANK


class Nothing(msgspec.Struct, frozen=True):
    """An empty object."""


class ConvertAnswer(Success[Nothing], frozen=True):
    """The answer to PUT convert."""


def converted() -> ConvertAnswer:
    """Return the answer to a conversion."""
    return ConvertAnswer(Nothing(), "Conversion completed")


# --- Holdings ---------------------------------------------------------------------------------


class InstrumentDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Which instrument it is; ``exchange`` is the vendor's number of it."""

    exchange: int
    instrument_name: str
    instrument_token: int
    trading_symbol: str


class HoldingRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a client owns of one instrument; prices and ``buy_avg_mtm`` are rupees."""

    branch_code: str
    buy_avg: Number
    buy_avg_mtm: Number
    client_id: str
    exchange: str
    free_quantity: int
    instrument_details: InstrumentDetails
    isin: str
    ltp: Number
    pending_quantity: int
    pledge_quantity: int
    previous_close: Number
    quantity: int
    symbol: str
    t0_price: Number
    t0_quantity: int
    t1_price: Number
    t1_quantity: int
    t2_price: Number
    t2_quantity: int
    today_pledge_quantity: int
    token: int
    trading_symbol: str
    transaction_type: str
    used_quantity: int


class Holdings(msgspec.Struct, frozen=True):
    """All of them."""

    holdings: list[HoldingRow]


class HoldingsAnswer(Success[Holdings], frozen=True):
    """The answer to GET holdings."""


# --- Funds ------------------------------------------------------------------------------------


class Funds(msgspec.Struct, frozen=True, kw_only=True):
    """A table of two columns: what it is, and rupees as text with two decimals."""

    client_id: str
    headers: tuple[str, str]
    values: list[tuple[str, str]]


class FundsAnswer(Success[Funds], frozen=True):
    """The answer to GET funds."""


# --- The margin calculator --------------------------------------------------------------------

Loose = Annotated[Any, "Not read.", read.unread]
ProductCode = Annotated[
    str, "The product's word, or its number: 0 NRML, 1 CNC, 2 MIS, 16 MTF.", read.identifier
]
LegPrice = Annotated[Pips, "Rupees; 0 or nothing: the last price.", read.price]


class CalcLeg(Request, kw_only=True):
    """An order whose margin is asked for; nothing is ordered."""

    segment: Maybe[Loose] = BLANK
    series: Maybe[Loose] = BLANK
    exchange: Needed[ExchangeWord] = BLANK
    side: Needed[SideWord] = BLANK
    mode: Maybe[Loose] = BLANK
    symbol: Maybe[Loose] = BLANK
    underlying: Maybe[Loose] = BLANK
    token: Needed[Token] = BLANK
    quantity: Needed[Count] = BLANK
    price: Maybe[LegPrice] = BLANK
    product: Needed[ProductCode] = BLANK


LEGS_MAX: Final = 50


@read.accepts(CalcLeg, type="array", minItems=1, maxItems=LEGS_MAX, items=reference(CalcLeg))
def _legs(value: object, field: str) -> list[CalcLeg]:
    """Return the orders of a request, their fields not read yet."""
    if read.is_blank(value):
        raise BadField(field, blank=True)
    if not isinstance(value, list) or not 1 <= len(value) <= LEGS_MAX:
        raise BadField(field, hint=f"a list of 1 to {LEGS_MAX} orders is wanted")
    if not all(isinstance(one, dict) for one in value):
        raise BadField(field, hint="each order is an object")
    return [exact(message_of_pairs(CalcLeg, one)) for one in value]


Legs = Annotated[list[CalcLeg], "The orders, one to 50.", _legs]


class CalcRequest(Request, kw_only=True):
    """Orders whose margin is asked for."""

    data: Needed[Legs] = BLANK


class MarginParts(msgspec.Struct, frozen=True, kw_only=True):
    """A margin in rupees, by components; what is required is their sum."""

    delivery_margin: Number = 0
    span: Number = 0
    somtier_margin: Number = 0
    additional_margin: Number = 0
    span_spread_margin: Number = 0
    var_margin: Number = 0
    exposure_margin: Number = 0
    premium_margin: Number = 0
    premium_benefit: Number = 0
    extreme_loss_margin: Number = 0
    max_span: Number = 0
    net_span: Number = 0
    net_span_array: list[Number]
    composite_delta: Number = 0
    setl_price: Number = 0
    future_buy_quantity: int = 0
    future_sell_quantity: int = 0
    option_sell_quantity: int = 0
    option_buy_quantity: int = 0
    underlying_token: int = 0
    som_rate: Number = 0
    spread_rate: Number = 0


class Margins(msgspec.Struct, frozen=True, kw_only=True):
    """What the orders need together, what is bought and sold netted, and each alone."""

    combined_margin: MarginParts
    individual_margin_values: list[MarginParts]


class CalcAnswer(Found[Margins], frozen=True):
    """The answer to POST calc, in envelope B."""


convert_decoder: Final = msgspec.json.Decoder(ConvertRequest, float_hook=JsonNumber)
calc_decoder: Final = msgspec.json.Decoder(CalcRequest, float_hook=JsonNumber)
