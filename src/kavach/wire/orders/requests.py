"""
What clients send to ``/orders/kart``: three messages, as loosely typed as their senders.

A field is declared once: its name, and in its type the exact value, a sentence and the reader,
which knows the JSON that it accepts (``kavach.wire.exact``). The same classes write requests (the
client fills them), read them and document them (OpenAPI is made from them). Fields that no rule of
ours reads are left out and ignored when sent.

Source: docs/wire/README.md, "Placing"; docs/wire/README.md, "Modifying"; docs/wire/README.md,
"Cancelling and getting out"; docs/wire/README.md, "Decisions".
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from kavach.units import Exchange, OrderType, Pips, Product, Quantity, Side, Validity
from kavach.wire import fields as read
from kavach.wire.errors import BadField, ErrorCode
from kavach.wire.exact import BLANK, Maybe, Needed, Request
from kavach.wire.fields import JsonNumber

ClientId = Annotated[str, "The account; must be the token's own.", read.text]
ExchangeWord = Annotated[Exchange, "Segment of an exchange.", read.exchange]
Token = Annotated[int, "Instrument token of that exchange.", read.token]
OrderTypeWord = Annotated[OrderType, "How the entry is priced.", read.order_type]
SideWord = Annotated[Side, "Side of the entry.", read.side]
ValidityWord = Annotated[Validity, "DAY or IOC, in any case.", read.validity]
ProductWord = Annotated[Product, "Product of the position.", read.product]
Execution = Annotated[bool, "CO or BO, in any case.", read.is_bracket]
Price = Annotated[Pips, "Rupees, at most four decimals; 0 for MARKET.", read.price]
TriggerPrice = Annotated[Pips, "Rupees; trigger of an SL or SLM entry.", read.price]
StopPrice = Annotated[
    Pips, "Rupees. CO: absolute trigger of the stop. BO: offset from the entry's price.", read.price
]
TrailingStep = Annotated[Pips, "Rupees; read when is_trailing is true.", read.price]
Protection = Annotated[
    int, "Percent of the price that a MARKET or SLM order may reach; 0: the usual.", read.percentage
]
Flag = Annotated[bool, "A boolean, TRUE or FALSE, 1 or 0.", read.flag]
Count = Annotated[Quantity, "Shares or contracts.", read.quantity]
Correlation = Annotated[int, "A number of the client's own.", read.integer]
Device = Annotated[str, "Where it comes from.", read.text]
SquareOffValue = Annotated[
    Pips, "Rupees. BO: the target's offset from the entry's price. CO: nothing, 0 or 1.", read.price
]
OrderId = Annotated[int, "Id of the leg's row.", read.order_id]
ExchangeOrderId = Annotated[str, "The exchange's id of that leg.", read.identifier]
Leg = Annotated[
    read.LegWord,
    "ENTRY; THIRD (STOPLOSS, STOP_LOSS, SL); of BO, SECOND (TARGET). In any case.",
    read.leg,
]
Reference = Annotated[int | None, "From the row; 0 or 10 when unknown.", read.activity_reference]


class PlaceRequest(Request, kw_only=True):
    """Enter a position together with its protective stop; with execution_type BO, a target too."""

    exchange: Needed[ExchangeWord] = BLANK
    instrument_token: Needed[Token] = BLANK
    client_id: Maybe[ClientId] = BLANK
    order_type: Needed[OrderTypeWord] = BLANK
    price: Maybe[Price] = BLANK
    quantity: Needed[Count] = BLANK
    disclosed_quantity: Maybe[Count] = BLANK
    validity: Needed[ValidityWord] = BLANK
    product: Needed[ProductWord] = BLANK
    order_side: Needed[SideWord] = BLANK
    device: Maybe[Device] = BLANK
    user_order_id: Maybe[Correlation] = BLANK
    execution_type: Needed[Execution] = BLANK
    stop_loss_value: Needed[StopPrice] = BLANK
    trailing_stop_loss: Maybe[TrailingStep] = BLANK
    is_trailing: Maybe[Flag] = BLANK
    trigger_price: Maybe[TriggerPrice] = BLANK
    square_off_value: Maybe[SquareOffValue] = BLANK
    market_protection_percentage: Maybe[Protection] = BLANK


class ModifyRequest(Request, kw_only=True):
    """Change the living entry, the stop or the target; what is not sent stays as it is."""

    client_id: Maybe[ClientId] = BLANK
    oms_order_id: Needed[OrderId] = BLANK
    execution_type: Needed[Execution] = BLANK
    exchange_order_id: Maybe[ExchangeOrderId] = BLANK
    leg_order_indicator: Maybe[Leg] = BLANK
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
    stop_loss_value: Maybe[StopPrice] = BLANK
    trailing_stop_loss: Maybe[TrailingStep] = BLANK
    is_trailing: Maybe[Flag] = BLANK
    square_off_value: Maybe[SquareOffValue] = BLANK
    last_activity_reference: Maybe[Reference] = BLANK
    user_order_id: Maybe[Correlation] = BLANK
    market_protection_percentage: Maybe[Protection] = BLANK


class CancelRequest(Request, kw_only=True):
    """Cancel what has not traded of the entry, or get out of the position."""

    client_id: Maybe[ClientId] = BLANK
    exchange_order_id: Needed[ExchangeOrderId] = BLANK
    execution_type: Maybe[Execution] = BLANK
    leg_order_indicator: Needed[Leg] = BLANK
    oms_order_id: Maybe[OrderId] = BLANK


M = TypeVar("M", bound=msgspec.Struct)
D = TypeVar("D")

_json_text: Final = msgspec.json.Decoder(str)
_FORM: Final = re.compile(rb"[A-Za-z_]{1,64}=[^\s{]")  # What begins so is no JSON.

place_decoder: Final = msgspec.json.Decoder(PlaceRequest, float_hook=JsonNumber)
modify_decoder: Final = msgspec.json.Decoder(ModifyRequest, float_hook=JsonNumber)
cancel_decoder: Final = msgspec.json.Decoder(CancelRequest, float_hook=JsonNumber)


class BadBody(Exception):
    """The body is no JSON object."""

    code: ClassVar = ErrorCode.FIELD_INVALID
    message: ClassVar = "`body` is invalid: it must be a JSON object"


def decode(decoder: msgspec.json.Decoder[D], body: bytes) -> D:
    """Return the message in a body; ``BadBody``, or ``BadField`` if one value spoils it.

    A body is a JSON object. An object that was encoded twice, and so is JSON text, is read, and so
    is a form, which is what many HTTP libraries make of a dict.
    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        other = _as_object(body)
        if other is None:
            raise _culprit(body) from error
    try:
        return decoder.decode(other)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _culprit(other) from error


def _as_object(body: bytes) -> bytes | None:
    """Return the JSON object that a form, or JSON text, stands for; None if it is neither."""
    if body[:1] == b'"':
        try:
            return _json_text.decode(body).encode()
        except (msgspec.DecodeError, UnicodeError):
            return None
    if not _FORM.match(body):
        return None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return None
    return msgspec.json.encode(dict(pairs))


def message_of_pairs(kind: type[M], pairs: Mapping[str, str]) -> M:
    """Return the message whose fields are these query parameters; others are ignored."""
    names = kind.__struct_fields__
    return kind(**{name: value for name, value in pairs.items() if name in names})


class _NotJson(str):
    """A value that is a number to many JSON writers and none to the standard."""

    __slots__ = ()


def _culprit(body: bytes) -> BadField | BadBody:
    """Return whom to blame: NaN, Infinity or a number without end name their field."""
    try:
        fields = json.loads(body, parse_constant=_NotJson, parse_int=_bounded)
    except (ValueError, RecursionError):
        return BadBody()
    return _spoiled(fields) or BadBody()


def _spoiled(fields: object) -> BadField | None:
    """Return the field that is none, looked for in objects within the object too."""
    for name, value in fields.items() if isinstance(fields, dict) else ():
        if isinstance(value, _NotJson):
            return BadField(name)
        inner = _spoiled(value)
        if inner is not None:
            return inner.within(name)
    return None


def _bounded(digits: str) -> object:
    return int(digits) if len(digits) < 100 else _NotJson(digits)
