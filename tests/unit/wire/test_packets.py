"""The packets of the market feed, to the byte; and the table that describes them."""

import re
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pocketful import packetDecoder

from kavach.units import Exchange
from kavach.wire.feed import packets
from kavach.wire.feed.packets import (
    FORMATS,
    BadPacket,
    CompactMarketdata,
    Dpr,
    ExchangeMessage,
    Fixed,
    Marketdata,
    MarketStatus,
    OpenInterest,
    Packet,
    Snapquote,
    decode,
    encode,
    scaled,
)

LAYOUTS: dict[int, type[Fixed]] = {
    1: Marketdata,
    2: CompactMarketdata,
    4: Snapquote,
    7: Dpr,
    8: OpenInterest,
}
LETTERS = {"i8": "b", "i32": "i", "i64": "q"}

I32 = st.integers(-(2**31), 2**31 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
CODE = st.sampled_from([1, 2, 3, 4, 6, 7])


def described() -> dict[int, tuple[int, list[tuple[int, str, str]]]]:
    """Return what the module's docstring says: by mode the size, and offset, name and type."""
    text = packets.__doc__ or ""
    found = {}
    for head in re.finditer(r"    mode (\d+) \w+ (\d+)\n((?:        .*\n)+)", text):
        fields = re.findall(r"(\d+) (\w+) (\d?\*?i\d+)", head[3])
        found[int(head[1])] = int(head[2]), [(int(at), name, kind) for at, name, kind in fields]
    return found


@pytest.mark.parametrize("mode", LAYOUTS)
def test_the_table_of_offsets_is_what_is_packed(mode: int) -> None:
    """Names, order, types, offsets and size in the docstring are those of struct and type."""
    kind = LAYOUTS[mode]
    size, fields = described()[mode]
    letters, offset = "", 0
    for at, name, word in fields:
        assert at == offset, name
        times, _, single = word.rpartition("*")
        letters += LETTERS[single] * int(times or 1)
        offset = struct.calcsize(">" + letters)
    assert offset == size == FORMATS[kind].size
    assert struct.Struct(">" + letters).format != ""
    expanded = re.sub(r"(\d+)([bqi])", lambda m: m[2] * int(m[1]), FORMATS[kind].format[1:])
    assert letters == expanded
    assert [name for _, name, _ in fields] == list(kind.__struct_fields__)


def test_the_sizes_are_the_published_ones() -> None:
    """Clients tell packets by their sizes, too: 102, 42 and 166 bytes."""
    assert [FORMATS[kind].size for kind in (Marketdata, CompactMarketdata, Snapquote)] == [
        102,
        42,
        166,
    ]


def strategy(kind: type[Fixed]) -> st.SearchStrategy[Packet]:
    """Return packets of a kind with any values that fit."""
    values: dict[str, Any] = {}
    for name in kind.__struct_fields__:
        if name == "mode":
            continue
        values[name] = I64 if name in packets._WIDE else I32
        if name in packets._LADDERS:
            values[name] = st.tuples(I32, I32, I32, I32, I32)
    values["exchange_code"] = CODE
    made: st.SearchStrategy[Packet] = st.builds(kind, **values)
    return made


FIXED = st.one_of([strategy(kind) for kind in LAYOUTS.values()])
TEXT = st.text(st.characters(codec="ascii"), max_size=60)
STATUS = st.builds(MarketStatus, exchange_code=CODE, market_type=TEXT, status=TEXT)
MESSAGE = st.builds(ExchangeMessage, exchange_code=CODE, message=TEXT, exchange_timestamp=I32)
ANY = st.one_of(FIXED, STATUS, MESSAGE)


@given(ANY)
def test_what_is_encoded_is_decoded(packet: Packet) -> None:
    """Both directions are one layout, and the first byte is the mode."""
    data = encode(packet)
    assert data[0] == packet.mode
    assert decode(data) == packet


@given(ANY, st.integers(1, 5))
def test_a_packet_of_another_length_is_refused(packet: Packet, count: int) -> None:
    """Nothing is guessed from bytes that are missing or too many."""
    data = encode(packet)
    for wrong in (data[:-count], data + b"\0" * count):
        with pytest.raises(BadPacket):
            decode(wrong)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_packet_or_refused(data: bytes) -> None:
    """A decoder of what comes from a network raises one kind of error."""
    try:
        packet = decode(data)
    except BadPacket:
        return
    assert encode(packet) == data


@given(strategy(Marketdata))
def test_the_official_decoder_reads_a_marketdata_packet(packet: Packet) -> None:
    """What the vendor's SDK reads is what was written, modulo 2**32: it knows no sign."""
    assert isinstance(packet, Marketdata)
    seen = packetDecoder.decodeDetailedMarketData(encode(packet))
    ours = msgspec.structs.astuple(packet)
    assert [value % 2**64 if value < 0 else value for value in seen.values()] == [
        value % (2**64 if name in packets._WIDE else 2**32)
        for name, value in zip(packet.__struct_fields__, ours, strict=True)
    ]


@given(strategy(Snapquote))
def test_the_official_decoder_reads_a_snapquote(packet: Packet) -> None:
    """Ladders, totals and the rest come out in the vendor's order."""
    assert isinstance(packet, Snapquote)
    seen = list(packetDecoder.decodeSnapquoteData(encode(packet)).values())
    for found, ours in zip(seen, msgspec.structs.astuple(packet), strict=True):
        if isinstance(ours, tuple):
            assert found == [value % 2**32 for value in ours]
        else:
            assert found in (ours % 2**32, ours % 2**64)


def test_the_published_change_is_last_less_close() -> None:
    """The vendor's own sample: 145065 after a close of 145545 shows 4294966816, which is -480."""
    packet = CompactMarketdata(
        exchange_code=1,
        instrument_token=1333,
        last_traded_price=145_065,
        change=145_065 - 145_545,
        last_traded_time=0,
        low_dpr=0,
        high_dpr=0,
        current_open_interest=0,
        initial_open_interest=0,
        bid_price=0,
        ask_price=0,
    )
    assert packetDecoder.decodeCompactMarketData(encode(packet))["change"] == 4_294_966_816
    assert decode(encode(packet)) == packet


@pytest.mark.parametrize(
    ("pips", "exchange", "shown"),
    [
        (14_489_500, Exchange.NSE, 144_895),
        (14_489_549, Exchange.NSE, 144_895),
        (14_489_550, Exchange.NSE, 144_896),
        (834_025, Exchange.CDS, 834_025_000),
        (0, Exchange.MCX, 0),
    ],
)
def test_prices_are_scaled(pips: int, exchange: Exchange, shown: int) -> None:
    """Rupees times 100, on CDS times ten million; what lies between is rounded to the nearest."""
    assert scaled(pips, exchange) == shown


@pytest.mark.parametrize(("value", "shown"), [(2**40, 2**31 - 1), (-(2**40), -(2**31))])
def test_what_does_not_fit_is_shown_as_the_nearest(value: int, shown: int) -> None:
    """A volume beyond 32 bits must not become a small or a negative one."""
    packet = OpenInterest(
        exchange_code=1,
        instrument_token=1,
        current_open_interest=value,
        initial_open_interest=0,
        exchange_timestamp=0,
    )
    decoded = decode(encode(packet))
    assert isinstance(decoded, OpenInterest)
    assert decoded.current_open_interest == shown
