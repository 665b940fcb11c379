"""
Saved baskets and GTT rules as the vendor's own client asks for them, ``pocketful`` 0.1.2.

Every method of it that works is used as its documentation does. Two cannot work with any server
(``gttCancelRule`` forgets to make its address, ``gttFetchRule`` looks for an id in a list): for
these the bytes are sent that they were meant to send, and those of other clients.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from pocketful.pocketful import Pocketful

from tests.compat.test_recorded_bytes import BEARER, PLAIN_TOKEN, send
from tests.twin_server import TwinServer, running

GTT = "/api/v1/event/gtt"


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


def info(**changes: Any) -> dict[str, Any]:
    """Return an order as the documentation adds it to a basket."""
    return {
        "client_id": "DEMO1",
        "disclosedQuantity": 0,
        "exchange": "NSE",
        "execution_type": "REGULAR",
        "instrument_token": 14366,
        "order_side": "BUY",
        "order_type": "LIMIT",
        "price": 12.9,
        "product": "MIS",
        "quantity": 1,
        "series": "EQ",
        "trading_symbol": "IDEA-EQ",
        "trigger_price": 0,
        "underlying_token": "14366",
        "validity": "DAY",
        "user_order_id": 10002,
    } | changes


def rule(server: TwinServer, **changes: Any) -> dict[str, Any]:
    """Return a rule as the documentation creates it, with a day that is still to come."""
    now = datetime.fromisoformat(server.room("GET", "clock")["now"])
    return {
        "action_type": "single_order",
        "expiry_time": f"{now + timedelta(days=30):%Y-%m-%d}",
        "order": {
            "client_id": "DEMO1",
            "disclosed_quantity": 0,
            "exchange": "NSE",
            "instrument_token": "14366",
            "market_protection_percentage": 0,
            "order_side": "BUY",
            "order_type": "LIMIT",
            "price": 11.8,
            "product": "CNC",
            "quantity": 1,
            "sl_order_price": 0,
            "sl_order_quantity": 0,
            "sl_trigger_price": 0,
            "trigger_price": 13.6,
            "user_order_id": 122321,
        }
        | changes,
    }


def create(sdk: Pocketful, name: str = "Y_Basket") -> Any:
    """Return a new basket."""
    answer = sdk.createBasket(
        {
            "login_id": "DEMO1",
            "name": name,
            "type": "NORMAL",
            "product_type": "ALL",
            "order_type": "ALL",
        }
    )
    assert answer["message"] == f"Basket {name} created successfully"
    return answer["data"][-1]


def test_the_life_of_a_basket(sdk: Pocketful) -> None:
    """Create, rename, add, edit, execute, remove, delete: each method, each documented answer."""
    basket = create(sdk)
    named = {"basket_id": basket["basket_id"], "name": "Y_Basket"}
    renamed = sdk.renameBasket({"basket_id": basket["basket_id"], "name": "Basket2"})
    assert renamed["message"] == "Basket name updated successfully"
    added = sdk.addInstrumentToBasket({**named, "order_info": info()})
    assert added["message"] == "Order added in the basket Basket2."
    [order] = added["data"]["orders"]
    edited = sdk.editBasketInstrument(
        {**named, "order_id": order["order_id"], "order_info": info(quantity=5, price=12.8)}
    )
    [order] = edited["data"]["orders"]
    assert (order["order_info"]["quantity"], order["order_info"]["price"]) == (5, 12.8)
    executed = sdk.executeBasket(
        {
            "basket_id": basket["basket_id"],
            "client_id": "DEMO1",
            "execution_state": False,
            "execution_type": "NML",
            "name": "Basket2",
            "square_off": False,
        }
    )
    assert executed["data"]["data"]["message"] == "basket Order Placed Successfully"
    [row] = sdk.getPendingOrder()["data"]["orders"]
    assert (row["quantity"], row["price"], row["user_order_id"]) == (5, 12.8, "10002")
    [kept] = sdk.fetchBasket()["data"]
    assert (kept["is_executed"], kept["orders"]) == (True, [order])
    removed = sdk.deleteBasketInstrument(
        {
            "BasketId": basket["basket_id"],
            "BasketName": "Basket2",
            "OrderId": order["order_id"],
        }
    )
    assert removed == {
        "data": [],
        "message": "Order remove from the basket Basket2.",
        "status": "success",
    }
    gone = sdk.deleteBasket({"BasketId": basket["basket_id"], "BasketName": "Basket2"})
    assert gone == {
        "data": [],
        "message": "Basket Basket2 deleted successfully",
        "status": "success",
    }
    assert sdk.fetchBasket()["data"] == []


def test_documented_errors_of_baskets(sdk: Pocketful) -> None:
    """Each error example of the documentation comes back word for word."""
    basket = create(sdk)
    named = {"basket_id": basket["basket_id"], "name": "Y_Basket"}
    sdk.addInstrumentToBasket({**named, "order_info": info()})
    told = [
        sdk.createBasket({"login_id": "DEMO1", "name": "Y_Basket"}),
        sdk.renameBasket({"basket_id": basket["basket_id"], "name": "a name that is far too long"}),
        sdk.addInstrumentToBasket({**named, "order_info": info()}),
        sdk.addInstrumentToBasket({**named, "order_info": info(instrument_token=3045, price=0)}),
        sdk.deleteBasket({"BasketId": "0d991a91-21c0-4afd-aab2-ee9131cbd2fc", "BasketName": "B"}),
    ]
    assert [(answer["error_code"], answer["message"]) for answer in told] == [
        (48001, "name has already been taken"),
        (48001, "`name` Basket name restricted to 20 characters"),
        (46001, "Instrumetn already added"),
        (48004, "`order_info` order price cannot be zero in SL/LIMIT order"),
        (48001, "Basket doesnt exists"),
    ]


def test_rules_are_created_and_modified(sdk: Pocketful, server: TwinServer) -> None:
    """Both methods give the rule's id, and the order comes when the price does."""
    rule_id = sdk.gttCreateRule(rule(server))
    changed = rule(server, trigger_price=13.5, quantity=2) | {"id": rule_id}
    assert sdk.gttModifyRule(changed) == rule_id
    server.room(
        "POST", "market/trade", exchange="NSE", instrument_token=14366, price=13.5, quantity=1
    )
    [row] = sdk.getPendingOrder()["data"]["orders"]
    assert (row["quantity"], row["price"], row["user_order_id"]) == (2, 11.8, "122321")


def test_what_the_official_client_cannot_do(sdk: Pocketful, server: TwinServer) -> None:
    """Two of its methods fail before or after they ask; no answer of ours could help."""
    rule_id = sdk.gttCreateRule(rule(server))
    with pytest.raises(UnboundLocalError):
        sdk.gttCancelRule({"client_id": "DEMO1", "id": rule_id})
    with pytest.raises(TypeError):
        sdk.gttFetchRule({"client_id": "DEMO1"})
    with pytest.raises(KeyError):  # An error answer has no id in it.
        sdk.gttCreateRule(rule(server, product="BO"))


@pytest.mark.parametrize("token", [BEARER, PLAIN_TOKEN])
def test_recorded_bytes_of_fetch_and_cancel(
    sdk: Pocketful, server: TwinServer, token: bytes
) -> None:
    """What those two methods were meant to send, and what clients before and beside them send."""
    rule_id = sdk.gttCreateRule(rule(server))
    document = quote(json.dumps({"ClientId": "DEMO1"}))
    for target in (
        f"{GTT}?client_id=DEMO1",
        f"{GTT}/DEMO1",
        f"{GTT}?client_id=DEMO1&{document}",
    ):
        [row] = send(server, "GET", target, b"", token)["data"]
        assert (row["id"], row["status"], row["order"]["trading_symbol"]) == (
            rule_id,
            "Active",
            "IDEA-EQ",
        )
    answer = send(server, "DELETE", f"{GTT}/DEMO1/{rule_id}", b"", token)
    assert answer == {
        "data": {"id": rule_id},
        "message": "event cancelled succesfully",
        "status": "success",
    }


def test_recorded_bytes_of_baskets(sdk: Pocketful, server: TwinServer) -> None:
    """The middleware in production deletes with a body and a count that nobody reads."""
    basket = create(sdk)
    body = json.dumps(
        {"basket_id": basket["basket_id"], "name": "Y_Basket", "sip_count": 0}
    ).encode()
    answer = send(server, "DELETE", "/api/v1/basket", body, PLAIN_TOKEN)
    assert (answer["data"], answer["status"]) == ([], "success")
    assert sdk.fetchBasket()["data"] == []


def test_documented_errors_of_rules(server: TwinServer) -> None:
    """Each error example of the documentation comes back, and what is right behind it."""
    nobody = "e06f52ab-6cf4-492d-a014-c6e0e5843a93"
    asked = [
        ("POST", GTT, rule(server, product="XXX")),
        ("PUT", GTT, rule(server) | {"id": nobody}),
        ("DELETE", f"{GTT}/DEMO1/{nobody}", {}),
        ("GET", GTT, {}),
    ]
    told = [
        send(server, how, where, json.dumps(what).encode(), BEARER) for how, where, what in asked
    ]
    assert [(answer["error_code"], answer["message"]) for answer in told] == [
        (44000, "`order` `product` is invalid: CNC, MIS, NRML or MTF"),
        (45000, "Error from backend: (1600)-cannot modify, no data found with this id"),
        (45000, "Error from backend: (500)-event id not found"),
        (45000, "Error from backend: (500)-no gtt data found"),
    ]
