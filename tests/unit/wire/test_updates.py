"""Frames of updates, as the decoders of the field read them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pocketful import packetDecoder

from kavach.wire.feed.updates import (
    ORDER,
    POSITION,
    TRADE,
    BadUpdate,
    Kind,
    OrderUpdate,
    TradeUpdate,
    ascii_json,
    frame,
    numbered_frame,
    read_numbered,
    read_update,
)
from kavach.wire.feed.wishes import Action, Mode, NotUnderstood, read_wish

ORDER_KEYS = """
trigger_price is_trailing rejection_code last_activity_reference transaction_type nest_request_id
order_entry_time lotsize device filled_quantity exchange_order_id deposit instrument_token product
validity order_status price lot_size pro_cli nnfid average_price client_id order_side login_id
spread_token exchange leg_order_indicator execution_type disclosed_quantity user_order_id
order_type average_trade_price basket_id trailing_stop_loss rejection_reason quantity mode
exchange_time symbol stop_loss_value series trading_symbol remaining_quantity square_off_value
market_protection_percentage trade_price oms_order_id
"""
TRADE_KEYS = """
client_id exchange exchange_order_id exchange_time filled_quantity instrument_token login_id
oms_order_id order_side pro_cli product trade_id trade_price trading_symbol transaction_type
user_order_id v_login_id volume_filled_today symbol strike series segment remaining_quantity
option_type instrument_name expiry
"""
OBJECTS = st.dictionaries(st.text(max_size=8), st.text() | st.integers(-(2**53), 2**53), max_size=6)


def test_updates_have_the_keys_that_clients_decode() -> None:
    """All of the middleware's keys are there, and no other."""
    assert list(OrderUpdate.__struct_fields__) == ORDER_KEYS.split()
    assert list(TradeUpdate.__struct_fields__) == TRADE_KEYS.split()


@given(st.sampled_from([ORDER, TRADE, POSITION]), OBJECTS, st.booleans())
def test_a_frame_is_plain_ascii_behind_its_first_byte(
    mode: int, told: dict[str, Any], enveloped: bool
) -> None:
    """Every byte is below 0x80 and the JSON holds no NUL, whatever a client wrote."""
    data = frame(mode, ascii_json(told), enveloped=enveloped)
    assert data.isascii()
    assert data[:5] == bytes([mode, 0, 0, 0, 0])
    assert b"\0" not in data[5:]
    assert read_update(data) == (mode, told)


@given(OBJECTS)
def test_the_official_decoder_reads_a_frame(told: dict[str, Any]) -> None:
    """It decodes the whole frame as UTF-8, cuts five characters off, and reads JSON."""
    assert packetDecoder.decodeOrderUpdate(frame(ORDER, ascii_json(told))) == told
    assert packetDecoder.decodeTradeUpdate(frame(TRADE, ascii_json(told))) == told


def test_an_envelope_is_the_one_of_the_page() -> None:
    """``--enveloped-updates`` wraps the object as the vendor's page prints it."""
    data = frame(ORDER, b'{"a":1}', enveloped=True)
    assert json.loads(data[5:]) == {"error": {"code": 0, "message": ""}, "result": [{"a": 1}]}


def test_a_numbered_update_says_its_number() -> None:
    """Epoch, number and kind stand beside the object."""
    seen = read_numbered(numbered_frame("ab12", 7, Kind.TRADE, b'{"a":1}'))
    assert msgspec.structs.astuple(seen) == ("ab12", 7, Kind.TRADE, {"a": 1})


@pytest.mark.parametrize(
    "data", [b"", b"2", b"2\0\0\0\0", b"2\0\0\0\0[1]", b"\x01\0\0\0\0{}", b"2\0\0\0\0{"]
)
def test_what_is_no_update_is_refused(data: bytes) -> None:
    """Other modes, other JSON and half of it raise one kind of error."""
    with pytest.raises(BadUpdate):
        read_update(data)
    with pytest.raises(BadUpdate):
        read_numbered(data)


@pytest.mark.parametrize(
    ("message", "action", "mode", "instruments"),
    [
        ('{"a": "h", "v": [], "m": ""}', Action.HEARTBEAT, None, []),
        ('{"a": "h"}', Action.HEARTBEAT, None, []),
        (
            '{"a":"subscribe","v":[[1,14366],[4,"41990"]],"m":"marketdata"}',
            Action.SUBSCRIBE,
            Mode.MARKETDATA,
            [(1, 14366), (4, 41990)],
        ),
        (
            '{"a":"unsubscribe","v":[[2,"61226-48519"],[1],3,null,[true,1],[1,-4],[1,1.5]],"m":"dpr"}',
            Action.UNSUBSCRIBE,
            Mode.DPR,
            [],
        ),
        ('{"a":"subscribe","v":["DEMO1","web"],"m":"updates"}', Action.SUBSCRIBE, Mode.UPDATES, []),
        ('{"a":"subscribe","v":{"x":1},"m":["updates"]}', Action.SUBSCRIBE, None, []),
    ],
)
def test_wishes_are_read_as_clients_write_them(
    message: str, action: Action, mode: Mode | None, instruments: list[tuple[int, int]]
) -> None:
    """Tokens are numbers or text; values that are none are passed over."""
    wish = read_wish(message)
    assert wish is not None
    assert (wish.action, wish.mode, list(wish.instruments())) == (action, mode, instruments)


@pytest.mark.parametrize("message", ["", "x", "[]", "1", '{"v":[]}', '{"a":1}', b"\xff\xfe"])
def test_what_is_no_wish_is_not_understood(message: str | bytes) -> None:
    """A message that is no object with an action is told from one that we know nothing of."""
    with pytest.raises(NotUnderstood):
        read_wish(message)
    assert read_wish('{"a":"dance"}') is None


@given(st.recursive(st.none() | st.integers() | st.text(), lambda v: st.lists(v, max_size=4)))
def test_any_values_are_survived(values: Any) -> None:
    """Whatever stands in the list, reading it raises nothing."""
    wish = read_wish(json.dumps({"a": "subscribe", "m": "marketdata", "v": values}))
    assert wish is not None
    for code, token in wish.instruments():
        assert code >= 0 and token >= 0
    assert all(code >= 0 for code in wish.exchange_codes())
    assert wish.number(2) >= 0 and isinstance(wish.text(1), str)
