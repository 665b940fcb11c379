"""
Updates about a client's own orders: five bytes, then JSON.

The first byte is the mode, the other four are zero: a known client reads the whole frame as
UTF-8 and cuts five characters off, so every byte before the JSON must be below 0x80. The JSON is
ASCII without NUL, because another one stops there.

    50  order update    51  trade update    58  position update
    90  numbered update (ours): an update with its number, for clients that must miss nothing

An order update has the keys of the vendor's own middleware, a superset of the published page; a
position update is a row of the positions.

Source: docs/wire/feeds.md, "Order updates"; docs/wire/README.md, "Decisions"; docs/wire/feeds.md,
"Numbered updates".
"""

import json
from enum import StrEnum
from typing import Any, Final

import msgspec

ORDER: Final = 50
TRADE: Final = 51
POSITION: Final = 58
NUMBERED: Final = 90
PREFIX_BYTES: Final = 5

Number = int | float


class OrderUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the order book as it has just become, or a step on the way there."""

    trigger_price: Number
    is_trailing: bool
    rejection_code: str
    last_activity_reference: int
    transaction_type: str
    nest_request_id: str
    order_entry_time: int
    lotsize: int
    device: str
    filled_quantity: int
    exchange_order_id: str
    deposit: int
    instrument_token: int
    product: str
    validity: str
    order_status: str
    price: Number
    lot_size: int
    pro_cli: str
    nnfid: int
    average_price: Number
    client_id: str
    order_side: str
    login_id: str
    spread_token: str
    exchange: str
    leg_order_indicator: str
    execution_type: str
    disclosed_quantity: int
    user_order_id: str
    order_type: str
    average_trade_price: Number
    basket_id: str
    trailing_stop_loss: Number
    rejection_reason: str
    quantity: int
    mode: str
    exchange_time: int
    symbol: str
    stop_loss_value: Number
    series: str
    trading_symbol: str
    remaining_quantity: int
    square_off_value: Number
    market_protection_percentage: Number
    trade_price: Number
    oms_order_id: str


class TradeUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """One trade; ``filled_quantity`` is what this trade has filled."""

    client_id: str
    exchange: str
    exchange_order_id: str
    exchange_time: int
    filled_quantity: int
    instrument_token: int
    login_id: str
    oms_order_id: str
    order_side: str
    pro_cli: str
    product: str
    trade_id: str
    trade_price: Number
    trading_symbol: str
    transaction_type: None
    user_order_id: str
    v_login_id: None
    volume_filled_today: int
    symbol: str
    strike: str
    series: str
    segment: str
    remaining_quantity: int
    option_type: str
    instrument_name: str
    expiry: str


class Kind(StrEnum):
    """What a numbered update holds."""

    ORDER = "order"
    TRADE = "trade"
    POSITION = "position"
    SNAPSHOT = "snapshot"  # All rows as they are: what came before need not be known.
    RESUMED = "resumed"  # Nothing was missed but what follows.


MODE_OF_KIND: Final = {Kind.ORDER: ORDER, Kind.TRADE: TRADE, Kind.POSITION: POSITION}


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered update as a client reads it; numbers of one epoch follow each other by one."""

    epoch: str
    number: int
    kind: Kind
    data: Any


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All of a client's rows; ``complete`` is false where there were too many for a frame."""

    complete: bool
    orders: list[Any]
    trades: list[Any]
    positions: list[Any]


class BadUpdate(ValueError):
    """Bytes that are no update."""


_JSON: Final = msgspec.json.Encoder()
_PREFIX: Final = {mode: bytes([mode, 0, 0, 0, 0]) for mode in (ORDER, TRADE, POSITION, NUMBERED)}


def ascii_json(value: Any) -> bytes:
    """Return JSON in which everything beyond ASCII is escaped."""
    data = _JSON.encode(value)
    if data.isascii():
        return data
    return json.dumps(json.loads(data), ensure_ascii=True, separators=(",", ":")).encode()


def frame(mode: int, body: bytes, *, enveloped: bool = False) -> bytes:
    """Return the frame of an update whose JSON this is."""
    if enveloped:
        body = b'{"error":{"code":0,"message":""},"result":[' + body + b"]}"
    return _PREFIX[mode] + body


def numbered_frame(epoch: str, number: int, kind: Kind, body: bytes) -> bytes:
    """Return the frame of a numbered update; ``body`` is the JSON of its data."""
    head = f'{{"epoch":"{epoch}","number":{number},"kind":"{kind.value}","data":'
    return _PREFIX[NUMBERED] + head.encode() + body + b"}"


def read_update(data: bytes) -> tuple[int, Any]:
    """Return the mode and the object of an update, flat or enveloped; raises ``BadUpdate``."""
    if len(data) <= PREFIX_BYTES or data[0] not in _PREFIX:
        raise BadUpdate("no update begins so")
    try:
        found = msgspec.json.decode(data[PREFIX_BYTES:])
    except msgspec.DecodeError as error:
        raise BadUpdate(str(error)) from error
    if isinstance(found, dict) and "result" in found and isinstance(found["result"], list):
        if len(found["result"]) != 1:
            raise BadUpdate("an envelope holds one update")
        found = found["result"][0]
    if not isinstance(found, dict):
        raise BadUpdate("an update is an object")
    return data[0], found


def read_numbered(data: bytes) -> Numbered:
    """Return a numbered update; raises ``BadUpdate``."""
    if data[:PREFIX_BYTES] != _PREFIX[NUMBERED]:
        raise BadUpdate("it is not a numbered update")
    try:
        return msgspec.json.decode(data[PREFIX_BYTES:], type=Numbered)
    except msgspec.DecodeError as error:
        raise BadUpdate(str(error)) from error
