"""The order book in each state of a cover order: keys, types, values."""

import json
from typing import Any

import pytest

from kavach.wire.orders.rows import OrderRow
from tests.unit.api.test_bad_input import modify_fields
from tests.unit.api.world import BEARER, KART, World, entry

PUBLISHED = {  # A row as it should print; values that vary are checked on their own.
    "mode": "NEW", "exchange": "NSE", "segment": "", "login_id": "DEMO1", "deposit": 0,
    "order_status": "CONFIRMED", "product": "MIS", "order_type": "LIMIT",
    "rejection_reason": "NONE", "order_side": "BUY", "instrument_token": 14366,
    "exchange_time": 1718250000, "nnf_id": 111111111111100, "quantity": 1,
    "trading_symbol": "IDEA-EQ", "client_id": "DEMO1", "average_trade_price": 0,
    "underlying_token": None, "oms_order_id": "202406132", "lot_size": 1,
    "isin": "INE669E01016", "disclosed_quantity": 0, "execution_type": "CO", "source": "",
    "device": "WEB", "validity": "DAY", "leg_order_indicator": "ENTRY", "trade_price": 0,
    "spread_token": None, "market_protection_percentage": 0, "filled_quantity": 0,
    "order_tag": "", "sl_trigger_price": 0.0, "square_off": False, "order_status_info": "",
    "square_off_value": 0.0, "tags": None, "order_entry_time": 1718250000, "trigger_price": 0,
    "sl_order_price": 0.0, "stop_loss_value": 12.5, "rejection_code": 0, "average_price": 0,
    "trailing_stop_loss": 0.0, "price": 13.4, "user_order_id": "7001", "symbol": "IDEA",
    "is_trailing": False, "pro_cli": "CLIENT", "remaining_quantity": 1,
    "contract_description": {}, "series": "EQ", "target_price_type": "absolute",
    "sl_order_quantity": 0,
}  # fmt: skip


def test_a_fresh_row_is_the_published_one(world: World) -> None:
    """56 keys in order, each with its JSON type: 13.4 and 0 and 0.0 are told apart."""
    world.place(quantity=1, price=13.4)
    answer = world.http.get("/api/v1/orders?type=pending&client_id=DEMO1", headers=BEARER)
    row = answer.json()["data"]["orders"][0]
    assert list(row) == list(OrderRow.__struct_fields__)
    assert len(row["exchange_order_id"]) == 16
    assert row["last_activity_reference"] // 10**9 + 315532800 - 19800 == row["exchange_time"]
    shown = {name: row[name] for name in PUBLISHED}
    assert json.dumps(shown) == json.dumps(PUBLISHED)  # Text tells 0 from 0.0 from false.


def legs(world: World) -> list[tuple[Any, ...]]:
    """Return leg, status, quantity, filled and remaining of each row."""
    return [
        (
            row["leg_order_indicator"],
            row["order_status"],
            row["quantity"],
            row["filled_quantity"],
            row["remaining_quantity"],
        )
        for row in world.rows()
    ]


def test_a_cover_order_from_entry_to_exit(world: World) -> None:
    """The stop's row appears with the first fill, grows, and ends with the position."""
    row = world.place()
    assert legs(world) == [("ENTRY", "CONFIRMED", 10, 0, 10)]
    world.fill(row, 4, 130_000)
    assert legs(world) == [
        ("ENTRY", "PARTIAL_TRADE", 10, 4, 6),
        ("THIRD", "TRIGGER_PENDING", 4, 0, 4),
    ]
    world.fill(row, 6, 130_000)
    assert legs(world) == [
        ("ENTRY", "COMPLETE", 10, 10, 0),
        ("THIRD", "TRIGGER_PENDING", 10, 0, 10),
    ]
    world.fill({**row, "order_side": "SELL"}, 3, 124_500)  # Somebody bids for three.
    world.print_trade(125_000)
    stop = world.third(row)
    assert stop["order_status"] in ("SL_TRIGGER_CONFIRMED", "PARTIAL_TRADE")
    world.fill(stop, 10 - stop["filled_quantity"], 124_500)
    assert legs(world)[1] == ("THIRD", "COMPLETE", 10, 10, 0)
    assert world.rows("pending") == []


def test_the_stops_row(world: World) -> None:
    """Opposite side, own ids, trigger at the stop, the entry's number of the client."""
    row = world.place(order_side="SELL", stop_loss_value=13.5)
    world.fill(row, 10, 130_000)
    stop = world.third(row)
    assert stop["order_side"] == "BUY"
    assert stop["order_type"] == "SLM"
    assert stop["trigger_price"] == 13.5
    assert stop["price"] == 0
    assert stop["user_order_id"] == row["user_order_id"]
    assert stop["execution_type"] == "CO"
    assert stop["product"] == row["product"]
    assert stop["oms_order_id"] != row["oms_order_id"]
    assert stop["exchange_order_id"] not in ("", row["exchange_order_id"])


def test_a_rejected_row_is_as_published(world: World) -> None:
    """No margin: the row says REJECTED with code and figures, and shows no stop."""
    row = world.place(quantity=900_000, product="CNC")
    assert row["order_status"] == "REJECTED"
    assert row["rejection_code"] == 12001
    assert "Margin" in row["rejection_reason"]
    assert row["exchange_order_id"] == ""
    assert (row["nnf_id"], row["last_activity_reference"], row["exchange_time"]) == (0, 0, 0)
    assert json.dumps([row["stop_loss_value"], row["trailing_stop_loss"]]) == "[0.0, 0.0]"


def test_a_market_entry_is_shown_as_the_client_sent_it(world: World) -> None:
    """MARKET and no price, though a protected limit went to the exchange."""
    row = world.place(order_type="MARKET", price=0)
    assert (row["order_type"], row["price"]) == ("MARKET", 0)


def test_a_market_entry_needs_no_price(world: World) -> None:
    """What has no price may leave the field out; a LIMIT may not."""
    row = world.place(order_type="MARKET", price=None)
    assert row["price"] == 0


def test_a_cancelled_remainder(world: World) -> None:
    """Four of ten traded and the rest is cancelled: not complete, and nothing remains."""
    row = world.place()
    world.fill(row, 4, 130_000)
    world.cancel(row)
    assert legs(world)[0] == ("ENTRY", "CANCEL_CONFIRMED", 10, 4, 0)


def test_a_waiting_entry(world: World) -> None:
    """An SL entry waits for its trigger and says so."""
    row = world.place(order_type="SL", price=13.4, trigger_price=13.3)
    assert row["order_status"] == "TRIGGER_PENDING"
    assert (row["price"], row["trigger_price"]) == (13.4, 13.3)


def test_a_modified_entry(world: World) -> None:
    """What the exchange has confirmed is shown, and that it was changed."""
    row = world.place()
    answer = world.http.put(KART, json=modify_fields(world), headers=BEARER)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "data": {
            "basket_id": str(int(row["oms_order_id"]) - 1),
            "message": "basket Order modified Successfully",
        },
        "message": "Order modified successfully",
        "status": "success",
    }
    after = world.row(row["oms_order_id"])
    assert (after["order_status"], after["mode"]) == ("MODIFY_CONFIRMED", "NEW")
    assert (after["price"], after["stop_loss_value"]) == (12.9, 12.4)
    assert after["last_activity_reference"] > row["last_activity_reference"]


@pytest.mark.parametrize("reference", [0, 10, "0", "10", None, "", "as string", "rounded"])
def test_references_that_are_taken(world: World, reference: Any) -> None:
    """Unknown, absent, as text, or rounded by a double: the modify goes through."""
    row = world.place()
    known = row["last_activity_reference"]
    sent = {"as string": str(known), "rounded": int(float(known))}.get(reference, reference)
    fields = modify_fields(world) | {"last_activity_reference": sent}
    assert world.http.put(KART, json=fields, headers=BEARER).status_code == 200


def test_a_stale_reference_is_not_taken(world: World) -> None:
    """Who has not seen the last change may not overwrite it."""
    world.place()
    fields = modify_fields(world)
    assert world.http.put(KART, json=fields, headers=BEARER).status_code == 200
    answer = world.http.put(KART, json=fields | {"price": 12.8}, headers=BEARER)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == 45000
    assert "last_activity_reference" in answer.json()["message"]


def test_the_stop_is_modified_by_its_own_id(world: World) -> None:
    """A PUT on the THIRD row moves the stop; the leg need not be named."""
    row = world.place()
    world.fill(row, 10, 130_000)
    stop = world.third(row)
    body = {
        "client_id": "DEMO1",
        "oms_order_id": stop["oms_order_id"],
        "exchange_order_id": stop["exchange_order_id"],
        "execution_type": "CO",
        "stop_loss_value": "12.60",
    }
    assert world.http.put(KART, json=body, headers=BEARER).status_code == 200
    assert world.third(row)["trigger_price"] == 12.6


def test_trailing_is_switched_by_its_flag(world: World) -> None:
    """The step counts when is_trailing says so, as text or number; otherwise it is ignored."""
    trailing = world.place(is_trailing=True, trailing_stop_loss="0.10")
    assert (trailing["is_trailing"], trailing["trailing_stop_loss"]) == (True, 0.1)
    still = world.place(is_trailing=False, trailing_stop_loss=0.1)
    assert (still["is_trailing"], still["trailing_stop_loss"]) == (False, 0)


LOOSE = [
    {"instrument_token": 14366},
    {"price": "13.00", "quantity": "10", "stop_loss_value": "12.5"},
    {"execution_type": "co", "validity": "Day"},
    {"is_trailing": "FALSE"},
    {"trailing_stop_loss": 0, "is_trailing": None},
    {"device": "", "square_off_value": 1},
    {"square_off_value": 0, "trigger_price": None, "disclosed_quantity": None},
    {"user_order_id": "7001"},
    {"user_order_id": None, "device": None},
    {"quantity": 10.0},
]


@pytest.mark.parametrize("changes", LOOSE, ids=str)
def test_place_takes_what_real_clients_send(world: World, changes: dict[str, Any]) -> None:
    """Numbers as text, text as numbers, words in other cases, fields left out."""
    answer = world.http.post(KART, json=entry(**changes), headers=BEARER)
    assert answer.status_code == 200, answer.text
    row = world.rows()[0]
    assert (row["price"], row["quantity"], row["stop_loss_value"]) == (13, 10, 12.5)


def test_what_the_place_answer_says(world: World) -> None:
    """Two nested data objects, a basket id and no order id."""
    answer = world.http.post(KART, json=entry(), headers=BEARER)
    assert answer.content == (
        b'{"data":{"data":{"basket_id":"202406131","message":"basket Order Placed Successfully"}},'
        b'"message":"Order place successfully","status":"success"}'
    )
    assert answer.headers["x-order-state"] == "ENTRY_OPEN"
