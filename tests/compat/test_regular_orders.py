"""
Regular and after-market orders by the vendor's own client, ``pocketful`` 0.1.2, as its pages write.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from pocketful.pocketful import Pocketful

from tests.twin_server import TwinServer, running


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


def order(**changes: Any) -> dict[str, Any]:
    """Return what the page for regular orders places."""
    return {
        "exchange": "NSE",
        "instrument_token": "14366",
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "amo": False,
        "price": 12.9,
        "quantity": 10,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "CNC",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": 10002,
        "trigger_price": 0,
        "execution_type": "REGULAR",
    } | changes


@pytest.mark.parametrize(
    ("execution_type", "waiting", "changed", "ended"),
    [
        ("REGULAR", "CONFIRMED", "MODIFY_CONFIRMED", "CANCEL_CONFIRMED"),
        ("AMO", "AMO_REQ_RECEIVED", "AMO_MODIFY_CONFIRMED", "AMO_CANCEL_CONFIRMED"),
    ],
)
def test_place_list_modify_cancel(
    sdk: Pocketful, execution_type: str, waiting: str, changed: str, ended: str
) -> None:
    """The documented answers to the letter, and the documented statuses in the books."""
    placed = sdk.placeOrder(order(execution_type=execution_type))
    order_id = placed["data"]["oms_order_id"]
    assert placed == {
        "data": {"oms_order_id": order_id},
        "message": "Order place successfully",
        "status": "success",
    }
    [row] = sdk.getPendingOrder()["data"]["orders"]
    assert (row["oms_order_id"], row["order_status"]) == (order_id, waiting)
    assert (row["leg_order_indicator"], row["mode"]) == (None, "NEW")
    modified = sdk.modifyOrder(
        order(execution_type=execution_type, oms_order_id=order_id, price=12.8, quantity=20)
    )
    assert modified["message"] == "Order modification request submitted"
    [row] = sdk.getPendingOrder()["data"]["orders"]
    assert (row["price"], row["quantity"], row["order_status"]) == (12.8, 20, changed)
    cancelled = sdk.cancelOrder(
        {"oms_order_id": order_id, "client_id": "DEMO1", "execution_type": execution_type}
    )
    assert cancelled == {
        "data": {"oms_order_id": order_id},
        "message": f"Order cancellation request submitted for OMS Order: {order_id}",
        "status": "success",
    }
    [row] = sdk.getCompletedOrder()["data"]["orders"]
    assert row["order_status"] == ended
    history = sdk.getOrderHistory(order_id)
    assert history["data"][-1]["status"] == ended


def test_a_filled_order_is_a_trade(sdk: Pocketful, server: TwinServer) -> None:
    """What trades is in the trade book and the order in the completed half."""
    sdk.placeOrder(order())
    server.room(
        "POST",
        "market/order",
        exchange="NSE",
        instrument_token=14366,
        side="SELL",
        price=12.9,
        quantity=10,
    )
    [trade] = sdk.getTradeBook()["data"]["trades"]
    assert (trade["trade_price"], trade["trade_quantity"]) == (12.9, 10)
    assert sdk.getPendingOrder()["data"]["orders"] == []
    [row] = sdk.getCompletedOrder()["data"]["orders"]
    assert (row["order_status"], row["average_price"]) == ("COMPLETE", 12.9)


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"product": "XYZ"}, 44000, "`product` is invalid: CNC, MIS, NRML or MTF"),
        (
            {"instrument_token": "1"},
            45010,
            "Something went wrong: `instrument_token` is invalid: no contract NSE:1",
        ),
    ],
)
def test_an_error_names_its_field(
    sdk: Pocketful, changes: dict[str, Any], code: int, message: str
) -> None:
    """The vendor's codes and texts; nothing is placed."""
    answer = sdk.placeOrder(order(**changes))
    assert (answer["status"], answer["error_code"], answer["message"]) == ("error", code, message)
    assert sdk.getPendingOrder()["data"]["orders"] == []
