"""
The vendor's own client reads portfolio and money, and converts, over ``kavach serve``.

Nothing in it is changed but the address it talks to.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from pocketful.pocketful import Pocketful

from tests.twin_server import TwinServer, running

IDEA = {"exchange": "NSE", "instrument_token": 14366}


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


def bought(server: TwinServer, sdk: Pocketful, product: str, quantity: int = 100) -> None:
    """Let the client buy at 13."""
    order = IDEA | {
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 13,
        "quantity": quantity,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": product,
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": 10002,
        "trigger_price": 0,
        "execution_type": "REGULAR",
        "amo": False,
    }
    assert sdk.placeOrder(order)["status"] == "success"
    sold = server.room("POST", "market/order", **IDEA, side="SELL", price=13, quantity=quantity)
    assert sold["filled"] == quantity


def end_day(server: TwinServer) -> None:
    """End the session, let a day pass, and open the next one."""
    server.room("POST", "session", exchange="NSE", phase="closed")
    server.room("POST", "clock", action="advance", seconds=86_400)
    server.room("POST", "session", exchange="NSE", phase="open")
    assert server.audit()["violations"] == []


def data(answer: Any) -> Any:
    """Return the data of a success."""
    assert answer["status"] == "success", answer
    return answer["data"]


def test_positions_by_day_and_net(server: TwinServer, sdk: Pocketful) -> None:
    """Today's trades are in both; carried over, the position is in the net view alone."""
    bought(server, sdk, "NRML")
    assert data(sdk.getPositionsDaywise()) == data(sdk.getPositionsNetwise())
    end_day(server)
    assert data(sdk.getPositionsDaywise()) == []
    (row,) = data(sdk.getPositionsNetwise())
    assert (row["cf_buy_quantity"], row["cf_buy_amount"], row["net_quantity"]) == (100, 1300, 100)


def test_a_conversion(server: TwinServer, sdk: Pocketful) -> None:
    """As the vendor's page writes it; a wrong one is told with the vendor's words."""
    bought(server, sdk, "MIS")
    asked = IDEA | {
        "client_id": "DEMO1",
        "product": "MIS",
        "new_product": "CNC",
        "quantity": 40,
        "validity": "DAY",
        "order_side": "BUY",
    }
    assert sdk.convertPosition(dict(asked)) == {
        "data": {},
        "message": "Conversion completed",
        "status": "success",
    }
    held = {row["product"]: row["net_quantity"] for row in data(sdk.getPositionsNetwise())}
    assert held == {"MIS": 60, "CNC": 40}
    refused = sdk.convertPosition(asked | {"quantity": 61})
    assert (refused["status"], refused["error_code"]) == ("error", 45000)
    assert refused["message"] == "`quantity` is invalid: 60 can be converted"


def test_shares_after_a_night(server: TwinServer, sdk: Pocketful) -> None:
    """What was bought for delivery is on its way in, then free; the cash is spent."""
    assert data(sdk.getDematHoldings()) == {"holdings": []}
    bought(server, sdk, "CNC")
    end_day(server)
    (row,) = data(sdk.getDematHoldings())["holdings"]
    assert (row["quantity"], row["t1_quantity"], row["free_quantity"]) == (100, 100, 0)
    end_day(server)
    (row,) = data(sdk.getDematHoldings())["holdings"]
    assert (row["quantity"], row["t1_quantity"], row["free_quantity"]) == (100, 0, 100)
    assert row["isin"] == "INE669E01016"


def test_funds_as_clients_look_them_up(server: TwinServer, sdk: Pocketful) -> None:
    """Each pair has a number, and the labels that clients know are there."""
    bought(server, sdk, "MIS")
    found = data(sdk.getFunds())
    assert (found["client_id"], found["headers"]) == ("DEMO1", ["Description", ""])
    table = {item[0]: float(item[1]) for item in found["values"]}
    wanted = ("Available Margin", "Margin Used", "Total Pledge Collateral")
    assert [table[name] for name in wanted] == [9_999_740.0, 260.0, 0.0]
    assert (table["unrealized_mtm"], table["realized_mtm"]) == (0.0, 0.0)
