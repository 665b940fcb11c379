"""
Market packets of the feed: binary, big-endian, the first byte says which.

All integers are signed two's complement. Prices are rupees times 100, on CDS rupees times
10 000 000; times are Unix seconds. A value that its field can't hold is shown as the nearest
that it can. ``change`` is last price less previous close. Offsets, as a test holds them:

    mode 1 marketdata 102
        0 mode i8, 1 exchange_code i8, 2 instrument_token i32, 6 last_traded_price i32,
        10 last_traded_time i32, 14 last_traded_quantity i32, 18 trade_volume i32,
        22 best_bid_price i32, 26 best_bid_quantity i32, 30 best_ask_price i32,
        34 best_ask_quantity i32, 38 total_buy_quantity i64, 46 total_sell_quantity i64,
        54 average_trade_price i32, 58 exchange_timestamp i32, 62 open_price i32,
        66 high_price i32, 70 low_price i32, 74 close_price i32, 78 yearly_high_price i32,
        82 yearly_low_price i32, 86 low_dpr i32, 90 high_dpr i32,
        94 current_open_interest i32, 98 initial_open_interest i32
    mode 2 compact_marketdata 42
        0 mode i8, 1 exchange_code i8, 2 instrument_token i32, 6 last_traded_price i32,
        10 change i32, 14 last_traded_time i32, 18 low_dpr i32, 22 high_dpr i32,
        26 current_open_interest i32, 30 initial_open_interest i32, 34 bid_price i32,
        38 ask_price i32
    mode 4 full_snapquote 166
        0 mode i8, 1 exchange_code i8, 2 instrument_token i32, 6 buyers 5*i32,
        26 bid_prices 5*i32, 46 bid_quantities 5*i32, 66 sellers 5*i32,
        86 ask_prices 5*i32, 106 ask_quantities 5*i32, 126 average_trade_price i32,
        130 open_price i32, 134 high_price i32, 138 low_price i32, 142 close_price i32,
        146 total_buy_quantity i64, 154 total_sell_quantity i64, 162 trade_volume i32
    mode 7 dpr 18
        0 mode i8, 1 exchange_code i8, 2 instrument_token i32, 6 exchange_timestamp i32,
        10 high_dpr i32, 14 low_dpr i32
    mode 8 open_interest 18
        0 mode i8, 1 exchange_code i8, 2 instrument_token i32, 6 current_open_interest i32,
        10 initial_open_interest i32, 14 exchange_timestamp i32

Two kinds hold texts, each behind its length (u16), ASCII:

    mode 9 market_status        mode i8, exchange_code i8, market_type text, status text
    mode 10 exchange_messages   mode i8, exchange_code i8, message text, exchange_timestamp i32

Modes 7 to 10 are known from one older client only.

Source: docs/wire/feeds.md.
"""

import struct
from typing import Final, TypeVar

import msgspec

from kavach.units import PIPS_PER_PAISA, Exchange

EXCHANGE_CODE: Final = {
    Exchange.NSE: 1,
    Exchange.NFO: 2,
    Exchange.CDS: 3,
    Exchange.MCX: 4,
    Exchange.BSE: 6,
    Exchange.BFO: 7,
}
EXCHANGE_OF_CODE: Final = {code: exchange for exchange, code in EXCHANGE_CODE.items()}
CDS_PER_PIP: Final = 1_000  # 10 000 000 a rupee.
SCALE: Final = 100
CDS_SCALE: Final = 10_000_000
LEVELS: Final = 5
TEXT_BYTES_MAX: Final = 1_000

_I32: Final = 2**31 - 1
_I64: Final = 2**63 - 1

Five = tuple[int, int, int, int, int]


class Marketdata(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Mode 1: everything about an instrument but its depth."""

    mode: int = 1
    exchange_code: int
    instrument_token: int
    last_traded_price: int
    last_traded_time: int
    last_traded_quantity: int
    trade_volume: int
    best_bid_price: int
    best_bid_quantity: int
    best_ask_price: int
    best_ask_quantity: int
    total_buy_quantity: int
    total_sell_quantity: int
    average_trade_price: int
    exchange_timestamp: int
    open_price: int
    high_price: int
    low_price: int
    close_price: int
    yearly_high_price: int
    yearly_low_price: int
    low_dpr: int
    high_dpr: int
    current_open_interest: int
    initial_open_interest: int


class CompactMarketdata(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Mode 2: last price, best prices and the day's band."""

    mode: int = 2
    exchange_code: int
    instrument_token: int
    last_traded_price: int
    change: int
    last_traded_time: int
    low_dpr: int
    high_dpr: int
    current_open_interest: int
    initial_open_interest: int
    bid_price: int
    ask_price: int


class Snapquote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Mode 4: five levels a side, best first; ``buyers`` and ``sellers`` count orders."""

    mode: int = 4
    exchange_code: int
    instrument_token: int
    buyers: Five
    bid_prices: Five
    bid_quantities: Five
    sellers: Five
    ask_prices: Five
    ask_quantities: Five
    average_trade_price: int
    open_price: int
    high_price: int
    low_price: int
    close_price: int
    total_buy_quantity: int
    total_sell_quantity: int
    trade_volume: int


class Dpr(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Mode 7: the day's price band."""

    mode: int = 7
    exchange_code: int
    instrument_token: int
    exchange_timestamp: int
    high_dpr: int
    low_dpr: int


class OpenInterest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Mode 8: open interest."""

    mode: int = 8
    exchange_code: int
    instrument_token: int
    current_open_interest: int
    initial_open_interest: int
    exchange_timestamp: int


class MarketStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Mode 9: whether a segment trades."""

    mode: int = 9
    exchange_code: int
    market_type: str
    status: str


class ExchangeMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Mode 10: what an exchange lets everybody know."""

    mode: int = 10
    exchange_code: int
    message: str
    exchange_timestamp: int


Fixed = Marketdata | CompactMarketdata | Snapquote | Dpr | OpenInterest
Packet = Fixed | MarketStatus | ExchangeMessage
F = TypeVar("F", Marketdata, CompactMarketdata, Snapquote, Dpr, OpenInterest)

FORMATS: Final[dict[type[Fixed], struct.Struct]] = {
    Marketdata: struct.Struct(">bb9i2q12i"),
    CompactMarketdata: struct.Struct(">bb10i"),
    Snapquote: struct.Struct(">bb36i2qi"),
    Dpr: struct.Struct(">bb4i"),
    OpenInterest: struct.Struct(">bb4i"),
}
_WIDE: Final = frozenset({"total_buy_quantity", "total_sell_quantity"})
_LADDERS: Final = frozenset(
    {"buyers", "bid_prices", "bid_quantities", "sellers", "ask_prices", "ask_quantities"}
)
_LENGTH: Final = struct.Struct(">H")
_HEAD: Final = struct.Struct(">bb")
_TIME: Final = struct.Struct(">i")


class BadPacket(ValueError):
    """Bytes that are no packet of the mode that their first byte names."""


def scaled(pips: int, exchange: Exchange) -> int:
    """Return a price as packets hold it, to the nearest; halves go up."""
    if exchange is Exchange.CDS:
        return pips * CDS_PER_PIP
    return (pips + PIPS_PER_PAISA // 2) // PIPS_PER_PAISA


def scale_of(exchange_code: int) -> int:
    """Return by what a packet's prices are to be divided to give rupees."""
    return CDS_SCALE if exchange_code == EXCHANGE_CODE[Exchange.CDS] else SCALE


def encode(packet: Packet) -> bytes:
    """Return the bytes of a packet."""
    if isinstance(packet, MarketStatus):
        head = _HEAD.pack(packet.mode, packet.exchange_code)
        return head + _text(packet.market_type) + _text(packet.status)
    if isinstance(packet, ExchangeMessage):
        head = _HEAD.pack(packet.mode, packet.exchange_code)
        return head + _text(packet.message) + _TIME.pack(_fit(packet.exchange_timestamp, _I32))
    values: list[int] = []
    for name in packet.__struct_fields__:
        value = getattr(packet, name)
        if name in _LADDERS:
            values += [_fit(level, _I32) for level in value]
        else:
            values.append(_fit(value, _I64 if name in _WIDE else _I32))
    return FORMATS[type(packet)].pack(*values)


def decode(data: bytes) -> Packet:
    """Return the packet in these bytes; raises ``BadPacket``."""
    mode = data[0] if data else 0
    if mode in _TEXTS:
        return _decode_texts(data, _TEXTS[mode])
    kind = _FIXED.get(mode)
    if kind is None:
        raise BadPacket("no market packet begins so")
    layout = FORMATS[kind]
    if len(data) != layout.size:
        raise BadPacket(f"{kind.__name__} has {layout.size} bytes, not {len(data)}")
    values = iter(layout.unpack(data))
    found: dict[str, object] = {}
    for name in kind.__struct_fields__:
        found[name] = (
            tuple(next(values) for _ in range(LEVELS)) if name in _LADDERS else next(values)
        )
    return kind(**found)  # type: ignore[arg-type]  # The layout has the fields' types.


def _decode_texts(
    data: bytes, kind: type[MarketStatus] | type[ExchangeMessage]
) -> MarketStatus | ExchangeMessage:
    try:
        _, exchange_code = _HEAD.unpack_from(data)
        first, at = _take_text(data, 2)
        if kind is MarketStatus:
            second, at = _take_text(data, at)
            packet: MarketStatus | ExchangeMessage = MarketStatus(
                exchange_code=exchange_code, market_type=first, status=second
            )
        else:
            time = _TIME.unpack_from(data, at)[0]
            at += _TIME.size
            packet = ExchangeMessage(
                exchange_code=exchange_code, message=first, exchange_timestamp=time
            )
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise BadPacket(f"{kind.__name__}: {error}") from error
    if at != len(data):
        raise BadPacket(f"{kind.__name__} ends at {at}, not {len(data)}")
    return packet


def _take_text(data: bytes, at: int) -> tuple[str, int]:
    start = at + _LENGTH.size
    end = start + _LENGTH.unpack_from(data, at)[0]
    if end > len(data):
        raise IndexError("a text ends behind the packet")
    return data[start:end].decode("ascii"), end


def _text(text: str) -> bytes:
    data = text.encode("ascii", "replace")[:TEXT_BYTES_MAX]
    return _LENGTH.pack(len(data)) + data


def _fit(value: int, most: int) -> int:
    return min(max(value, -most - 1), most)


_FIXED: Final[dict[int, type[Fixed]]] = {
    1: Marketdata,
    2: CompactMarketdata,
    4: Snapquote,
    7: Dpr,
    8: OpenInterest,
}
_TEXTS: Final[dict[int, type[MarketStatus] | type[ExchangeMessage]]] = {
    9: MarketStatus,
    10: ExchangeMessage,
}
