"""Keys, their order and their types, as published; and the version stamp of rows."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.wire import activity
from kavach.wire.errors import error_body
from kavach.wire.orders import answers, rows
from kavach.wire.orders.statuses import OrderStatus, is_completed
from tests.defaults import telling_defaults

ORDER_KEYS = """
mode exchange segment login_id deposit order_status product order_type rejection_reason
order_side instrument_token exchange_time nnf_id quantity trading_symbol client_id
average_trade_price underlying_token oms_order_id lot_size isin disclosed_quantity
execution_type source device exchange_order_id validity leg_order_indicator trade_price
spread_token market_protection_percentage filled_quantity order_tag sl_trigger_price square_off
order_status_info square_off_value tags order_entry_time last_activity_reference trigger_price
sl_order_price stop_loss_value rejection_code average_price trailing_stop_loss price
user_order_id symbol is_trailing pro_cli remaining_quantity contract_description series
target_price_type sl_order_quantity
"""


def test_what_is_not_told_of_a_number_is_0() -> None:
    """A number that is left out is 0 and a flag is off, but for what never changes."""
    assert telling_defaults("kavach.wire") == {
        "Marketdata.mode": 1,
        "CompactMarketdata.mode": 2,
        "Snapquote.mode": 4,
        "Dpr.mode": 7,
        "OpenInterest.mode": 8,
        "MarketStatus.mode": 9,
        "ExchangeMessage.mode": 10,
        "Login.twofa_enabled": True,
        "Profile.basket_enabled": True,
        "Role.id": 1,
    }


def test_an_order_row_has_56_keys_in_published_order() -> None:
    """Clients that print tables by position see the columns where they were."""
    assert list(rows.OrderRow.__struct_fields__) == ORDER_KEYS.split()
    assert len(ORDER_KEYS.split()) == 56


@pytest.mark.parametrize(
    ("kind", "count"), [(rows.TradeRow, 31), (rows.HistoryRow, 28), (rows.PositionRow, 29)]
)
def test_other_rows_have_all_their_keys_in_order(kind: type[msgspec.Struct], count: int) -> None:
    """The vendor prints the keys of these rows sorted, and so do we."""
    keys = list(kind.__struct_fields__)
    assert keys == sorted(keys)
    assert len(keys) == count


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            answers.placed("20210531-23"),
            (
                b'{"data":{"data":{"basket_id":"20210531-23","message":"basket Order Placed '
                b'Successfully"}},"message":"Order place successfully","status":"success"}'
            ),
        ),
        (
            answers.modified(""),
            (
                b'{"data":{"basket_id":"","message":"basket Order modified Successfully"},'
                b'"message":"Order modified successfully","status":"success"}'
            ),
        ),
        (
            answers.cancelled("20210531-23"),
            (
                b'{"data":{"basket_id":"20210531-23","message":"Order Cancelled Successfully"},'
                b'"message":"","status":"success"}'
            ),
        ),
        (
            error_body(44000, "`exchange_order_id` can't be blank"),
            (
                b'{"data":{},"error_code":44000,"message":"`exchange_order_id` can\'t be blank",'
                b'"status":"error"}'
            ),
        ),
        (
            error_body(45000, "x", "OrderException"),
            (
                b'{"data":{},"error_code":45000,"message":"x","status":"error",'
                b'"error_type":"OrderException"}'
            ),
        ),
    ],
)
def test_envelopes_to_the_byte(message: msgspec.Struct, expected: bytes) -> None:
    """Nesting, texts and order of keys are the vendor's."""
    assert msgspec.json.encode(message) == expected


def test_documented_history_has_a_key_with_a_space() -> None:
    """The documents print the history so, message and status inside ``data``."""
    written = msgspec.json.encode(answers.DocumentedHistory(answers.NestedHistory([])))
    assert written == b'{"data":{"order history":[],"message":"","status":"success"}}'


@pytest.mark.parametrize(
    ("reference", "unix_seconds"),
    [
        (1394972885476889600, 1710485885),
        (1325678673994464800, 1641191673),
        (1290169535358022400, 1605682535),
        (1394446825558528718, 1709959825),
    ],
)
def test_published_references_are_their_published_times(reference: int, unix_seconds: int) -> None:
    """Four rows that the vendor has published carry both."""
    assert activity.time_of(reference) // 10**9 == unix_seconds


@given(st.integers(10**9, 2 * 10**9), st.integers(0, 10**9 - 1))
def test_a_reference_is_a_time_and_back(seconds: int, ns: int) -> None:
    """Nothing is lost either way; what never happened has reference 0."""
    at_ns = seconds * 10**9 + ns
    assert activity.time_of(activity.reference_of(at_ns)) == at_ns
    assert activity.reference_of(0) == 0


def test_a_status_belongs_to_one_book() -> None:
    """What is complete, rejected or cancelled is over; all else is pending."""
    over = {status for status in OrderStatus if is_completed(status)}
    assert over == {
        OrderStatus.COMPLETE,
        OrderStatus.REJECTED,
        OrderStatus.CANCEL_CONFIRMED,
        OrderStatus.AMO_CANCEL_CONFIRMED,
    }
