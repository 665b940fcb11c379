"""
The vendor's own client, ``pocketful`` 0.1.2 as published, against ``kavach serve``.

Nothing in it is changed but the address it talks to. Making its client asks a service on the
internet for this machine's address, and goes on without one; so it is made once.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from pocketful.pocketful import Pocketful

from tests.twin_server import TwinServer, running

Row = dict[str, Any]
UNIQUE = count(5001)


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server for these tests alone."""
    with running("--data-dir", ":memory:") as started:
        yield started


@pytest.fixture(scope="module")
def sdk(server: TwinServer) -> Pocketful:
    """The official client, pointed at the server."""
    made = Pocketful(clientId=server.client_id, access_token=server.access_token)
    made.root = server.url
    return made


@pytest.fixture(autouse=True)
def fresh(server: TwinServer) -> None:
    """Each test begins in a world where nothing has happened."""
    server.room("POST", "reset")


def entry(**changes: Any) -> dict[str, Any]:
    """Return what a client places, as the vendor's page writes it."""
    return {
        "exchange": "NSE",
        "instrument_token": "14366",
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 13,
        "quantity": 100,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": next(UNIQUE),
        "execution_type": "CO",
        "stop_loss_value": 12.5,
        "trailing_stop_loss": 0,
    } | changes


def rows(answer: Any) -> dict[str, Row]:
    """Return the rows of an order book by leg; there is one cover order at most."""
    assert answer["status"] == "success", answer
    found = answer["data"]["orders"]
    by_leg = {row["leg_order_indicator"]: row for row in found}
    assert len(by_leg) == len(found)
    return by_leg


def cancel(sdk: Pocketful, row: Row, leg: str, **more: str) -> Any:
    """Return the answer to the cancel of a leg, asked as the vendor's page asks."""
    return sdk.cancelConditionalOrder(
        {
            "client_id": "DEMO1",
            "exchange_order_id": row["exchange_order_id"],
            "execution_type": "CO",
            "leg_order_indicator": leg,
            "oms_order_id": row["oms_order_id"],
        }
        | more
    )


def sell(server: TwinServer, quantity: int, price: float) -> None:
    """Let a stranger sell."""
    server.room(
        "POST",
        "market/order",
        exchange="NSE",
        instrument_token=14366,
        side="SELL",
        price=price,
        quantity=quantity,
    )


def test_an_order_is_placed_found_and_cancelled(sdk: Pocketful) -> None:
    """The vendor's page works to the letter: the answer is its answer, with this basket's id."""
    placed = sdk.placeConditionalOrder(entry())
    basket_id = placed["data"]["data"]["basket_id"]
    assert placed == {
        "data": {"data": {"basket_id": basket_id, "message": "basket Order Placed Successfully"}},
        "message": "Order place successfully",
        "status": "success",
    }
    row = rows(sdk.getPendingOrder())["ENTRY"]
    assert (row["order_status"], row["quantity"], row["price"]) == ("CONFIRMED", 100, 13)
    assert cancel(sdk, row, "ENTRY") == {
        "data": {"basket_id": basket_id, "message": "Order Cancelled Successfully"},
        "message": "",
        "status": "success",
    }
    assert rows(sdk.getPendingOrder()) == {}
    assert rows(sdk.getCompletedOrder())["ENTRY"]["order_status"] == "CANCEL_CONFIRMED"


def test_an_order_is_modified(sdk: Pocketful) -> None:
    """A new price and quantity reach the exchange, and the row shows them."""
    placed = sdk.placeConditionalOrder(entry())
    row = rows(sdk.getPendingOrder())["ENTRY"]
    changed = entry(
        price=12.9,
        quantity=80,
        oms_order_id=row["oms_order_id"],
        exchange_order_id=row["exchange_order_id"],
        leg_order_indicator="ENTRY",
    )
    answer = sdk.modifyConditionalOrder(changed)
    assert answer["status"] == "success"
    assert answer["data"]["basket_id"] == placed["data"]["data"]["basket_id"]
    row = rows(sdk.getPendingOrder())["ENTRY"]
    assert (row["price"], row["quantity"]) == (12.9, 80)


def test_the_protective_stop_appears_and_the_remainder_goes(
    sdk: Pocketful, server: TwinServer
) -> None:
    """After a part fill the stop guards what has traded; cancelling ENTRY leaves it in place."""
    sdk.placeConditionalOrder(entry())
    sell(server, 40, 13)
    pending = rows(sdk.getPendingOrder())
    assert pending["ENTRY"]["order_status"] == "PARTIAL_TRADE"
    stop = pending["THIRD"]
    assert (stop["order_status"], stop["quantity"], stop["trigger_price"]) == (
        "TRIGGER_PENDING",
        40,
        12.5,
    )
    assert cancel(sdk, pending["ENTRY"], "ENTRY")["status"] == "success"
    assert rows(sdk.getPendingOrder()) == {"THIRD": stop}


def test_an_order_is_exited(sdk: Pocketful, server: TwinServer) -> None:
    """Cancelling THIRD gets out: the remainder goes, the stop sells, the position is flat."""
    sdk.placeConditionalOrder(entry())
    sell(server, 60, 13)
    server.room(
        "POST",
        "market/quote",
        exchange="NSE",
        instrument_token=14366,
        bid=13.2,
        bid_quantity=500,
        ask=13.25,
        ask_quantity=500,
    )
    assert cancel(sdk, rows(sdk.getPendingOrder())["THIRD"], "THIRD")["status"] == "success"
    assert rows(sdk.getPendingOrder()) == {}
    done = rows(sdk.getCompletedOrder())
    assert done["THIRD"]["filled_quantity"] == 60
    trades = sdk.getTradeBook()["data"]["trades"]
    assert sorted((t["order_side"], t["trade_quantity"], t["trade_price"]) for t in trades) == [
        ("BUY", 60, 13),
        ("SELL", 60, 13.2),
    ]
    [position] = sdk.getPositionsDaywise()["data"]
    assert (position["net_quantity"], position["realized_mtm"]) == (0, 12)
    history = sdk.getOrderHistory(done["THIRD"]["oms_order_id"])
    assert history["status"] == "success"


def test_a_bracket_from_place_to_exit(sdk: Pocketful, server: TwinServer) -> None:
    """The page of bracket orders works: placed by offsets, changed, left by the target's leg."""
    bracket = {"execution_type": "BO", "trailing_stop_loss": "0.05", "is_trailing": False}
    offsets = {"stop_loss_value": 0.5, "square_off_value": 0.5, "trigger_price": 0}
    placed = sdk.placeConditionalOrder(entry(**bracket, **offsets))
    assert placed["message"] == "Order place successfully"
    sell(server, 100, 13)
    pending = rows(sdk.getPendingOrder())
    prices = pending["SECOND"]["price"], pending["THIRD"]["trigger_price"]
    assert prices == (13.5, 12.5)
    second = pending["SECOND"]
    changed = entry(
        **bracket,
        **(offsets | {"square_off_value": 0.9}),
        oms_order_id=second["oms_order_id"],
        exchange_order_id=second["exchange_order_id"],
        order_side="SELL",
        last_activity_reference=str(second["last_activity_reference"]),
    )
    del changed["price"]
    assert sdk.modifyConditionalOrder(changed)["message"] == "Order modified successfully"
    second = rows(sdk.getPendingOrder())["SECOND"]
    assert (second["price"], second["square_off_value"]) == (13.9, 0.9)
    left = cancel(sdk, second, "SECOND", execution_type="BO", status="CONFIRMED")
    assert left["data"]["message"] == "Order Cancelled Successfully"
    assert rows(sdk.getCompletedOrder())["SECOND"]["order_status"] == "CANCEL_CONFIRMED"
    assert rows(sdk.getPendingOrder())["THIRD"]["order_type"] == "LIMIT"


def test_a_second_cancel_of_the_entry_says_the_same(sdk: Pocketful) -> None:
    """Who asks again because the answer got lost is told what the first one was told."""
    sdk.placeConditionalOrder(entry())
    row = rows(sdk.getPendingOrder())["ENTRY"]
    assert cancel(sdk, row, "ENTRY") == cancel(sdk, row, "ENTRY")
    assert rows(sdk.getPendingOrder()) == {}


def test_a_blank_field_is_named(sdk: Pocketful) -> None:
    """The vendor's error example comes back word for word."""
    sdk.placeConditionalOrder(entry())
    row = rows(sdk.getPendingOrder())["ENTRY"] | {"exchange_order_id": ""}
    assert cancel(sdk, row, "ENTRY") == {
        "data": {},
        "error_code": 44000,
        "message": "`exchange_order_id` can't be blank",
        "status": "error",
    }


def test_a_wrong_token_is_refused(server: TwinServer, sdk: Pocketful) -> None:
    """A token that nobody was given opens nothing."""
    right, sdk.access_token = sdk.access_token, "no-such-token"
    try:
        answer = sdk.getPendingOrder()
    finally:
        sdk.access_token = right
    assert (answer["status"], answer["error_code"]) == ("error", 40000)
