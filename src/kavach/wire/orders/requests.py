"""
What clients send to ``/orders/kart``: three messages, as loosely typed as their senders.

Every field is declared ``Any``, because a field of the wrong type must be answered with the
vendor's text that names it, which is the business of ``kavach.wire.fields``; what is accepted
stands in the JSON schema beside it. The same classes write requests (the client fills them)
and document them (OpenAPI is made from them). Fields that no rule of ours reads are left out
and ignored when sent.

Source: docs/wire/README.md, "Placing"; docs/wire/README.md, "Modifying"; docs/wire/README.md,
"Cancelling and getting out"; docs/wire/README.md, "Decisions".
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Meta

from kavach.units import Exchange, OrderType, Product, Side, Validity
from kavach.wire.errors import BadField, ErrorCode
from kavach.wire.fields import JsonNumber


def _words(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


_NUMBER: Final[dict[str, Any]] = {"type": ["number", "string"], "minimum": 0}
_INTEGER: Final[dict[str, Any]] = {
    "type": ["integer", "string"],
    "minimum": 0,
    "pattern": "^[0-9]+(\\.0*)?$",
}
_FLAG: Final[dict[str, Any]] = {"type": ["boolean", "string", "integer"]}
_TEXT: Final[dict[str, Any]] = {"type": "string", "maxLength": 64}
_ID: Final[dict[str, Any]] = {"type": ["string", "integer"]}

ClientId = Annotated[
    Any, Meta(description="The account; must be the token's own.", extra_json_schema=_TEXT)
]
ExchangeWord = Annotated[
    Any, Meta(description="Segment of an exchange.", extra_json_schema=_words(*Exchange))
]
Token = Annotated[
    Any, Meta(description="Instrument token of that exchange.", extra_json_schema=_INTEGER)
]
OrderTypeWord = Annotated[
    Any, Meta(description="How the entry is priced.", extra_json_schema=_words(*OrderType))
]
SideWord = Annotated[Any, Meta(description="Side of the entry.", extra_json_schema=_words(*Side))]
ValidityWord = Annotated[
    Any, Meta(description="DAY or IOC, in any case.", extra_json_schema=_words(*Validity))
]
ProductWord = Annotated[
    Any, Meta(description="Product of the position.", extra_json_schema=_words(*Product))
]
Execution = Annotated[
    Any, Meta(description="CO or BO, in any case.", extra_json_schema={"type": "string"})
]
Price = Annotated[
    Any,
    Meta(description="Rupees, at most four decimals; 0 for MARKET.", extra_json_schema=_NUMBER),
]
TriggerPrice = Annotated[
    Any, Meta(description="Rupees; trigger of an SL or SLM entry.", extra_json_schema=_NUMBER)
]
StopPrice = Annotated[
    Any,
    Meta(
        description="Rupees. CO: absolute trigger of the stop. BO: offset from the entry's price.",
        extra_json_schema=_NUMBER,
    ),
]
TrailingStep = Annotated[
    Any,
    Meta(description="Rupees; read when is_trailing is true.", extra_json_schema=_NUMBER),
]
Protection = Annotated[
    Any,
    Meta(
        description="Percent of the price that a MARKET or SLM order may reach; 0: the usual.",
        extra_json_schema=_NUMBER | {"maximum": 100},
    ),
]
Flag = Annotated[
    Any, Meta(description="A boolean, TRUE or FALSE, 1 or 0.", extra_json_schema=_FLAG)
]
Count = Annotated[Any, Meta(description="Shares or contracts.", extra_json_schema=_INTEGER)]
Correlation = Annotated[
    Any, Meta(description="A number of the client's own.", extra_json_schema=_INTEGER)
]
Device = Annotated[Any, Meta(description="Where it comes from.", extra_json_schema=_TEXT)]
SquareOffValue = Annotated[
    Any,
    Meta(
        description="Rupees. BO: the target's offset from the entry's price. CO: nothing, 0 or 1.",
        extra_json_schema=_NUMBER,
    ),
]
OrderId = Annotated[Any, Meta(description="Id of the leg's row.", extra_json_schema=_ID)]
ExchangeOrderId = Annotated[
    Any, Meta(description="The exchange's id of that leg.", extra_json_schema=_ID)
]
Leg = Annotated[
    Any,
    Meta(
        description="ENTRY; THIRD (STOPLOSS, STOP_LOSS, SL); of BO, SECOND (TARGET). In any case.",
        extra_json_schema={"type": "string"},
    ),
]
Reference = Annotated[
    Any,
    Meta(description="From the row; 0 or 10 when unknown.", extra_json_schema=_INTEGER),
]


class PlaceRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Enter a position together with its protective stop; with execution_type BO, a target too."""

    required: ClassVar = (
        "exchange",
        "instrument_token",
        "order_type",
        "quantity",
        "validity",
        "product",
        "order_side",
        "execution_type",
        "stop_loss_value",
    )
    exchange: ExchangeWord = UNSET
    instrument_token: Token = UNSET
    client_id: ClientId = UNSET
    order_type: OrderTypeWord = UNSET
    price: Price = UNSET
    quantity: Count = UNSET
    disclosed_quantity: Count = UNSET
    validity: ValidityWord = UNSET
    product: ProductWord = UNSET
    order_side: SideWord = UNSET
    device: Device = UNSET
    user_order_id: Correlation = UNSET
    execution_type: Execution = UNSET
    stop_loss_value: StopPrice = UNSET
    trailing_stop_loss: TrailingStep = UNSET
    is_trailing: Flag = UNSET
    trigger_price: TriggerPrice = UNSET
    square_off_value: SquareOffValue = UNSET
    market_protection_percentage: Protection = UNSET


class ModifyRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Change the living entry, the stop or the target; what is not sent stays as it is."""

    required: ClassVar = ("oms_order_id", "execution_type")
    client_id: ClientId = UNSET
    oms_order_id: OrderId = UNSET
    execution_type: Execution = UNSET
    exchange_order_id: ExchangeOrderId = UNSET
    leg_order_indicator: Leg = UNSET
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
    stop_loss_value: StopPrice = UNSET
    trailing_stop_loss: TrailingStep = UNSET
    is_trailing: Flag = UNSET
    square_off_value: SquareOffValue = UNSET
    last_activity_reference: Reference = UNSET
    user_order_id: Correlation = UNSET
    market_protection_percentage: Protection = UNSET


class CancelRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Cancel what has not traded of the entry, or get out of the position."""

    required: ClassVar = ("exchange_order_id", "leg_order_indicator")
    client_id: ClientId = UNSET
    exchange_order_id: ExchangeOrderId = UNSET
    execution_type: Execution = UNSET
    leg_order_indicator: Leg = UNSET
    oms_order_id: OrderId = UNSET


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
