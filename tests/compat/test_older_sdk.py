"""
Every method of the SDK before the official one, as its requests are recorded.

It sends its token as Bearer, writes the parameters of a GET into the address and glues their JSON
behind it, and sends the JSON of a DELETE's parameters as the whole query. Colons and commas stay as
they are, blanks, quotes and braces are escaped.

Source: docs/wire/README.md, "Routes"; docs/wire/README.md, "Cancelling and getting out";
docs/compatibility.md.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.compat.test_recorded_bytes import BEARER, send
from tests.twin_server import TwinServer, running

ORDERS = "/api/v1/orders"
KART = "/api/v1/orders/kart"
BASKET = "/api/v1/basket"
LINE = "/api/v1/basket/order"
GTT = "/api/v1/event/gtt"
OWN = {"ClientId": "DEMO1"}
ORDER: dict[str, Any] = {
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
}
COVER: dict[str, Any] = ORDER | {
    "product": "MIS",
    "execution_type": "CO",
    "stop_loss_value": 12.5,
    "trailing_stop_loss": "0.05",
    "is_trailing": False,
}


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server for these tests alone."""
    with running("--data-dir", ":memory:") as started:
        yield started


@pytest.fixture(autouse=True)
def fresh(server: TwinServer) -> None:
    """Each test begins in a world where nothing has happened."""
    server.room("POST", "reset")


def document(parameters: dict[str, Any]) -> str:
    """Return parameters as that SDK writes them behind a question mark."""
    return quote(json.dumps(parameters), safe=":,")


def get(server: TwinServer, target: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a GET with its parameters glued behind it."""
    joint = "&" if "?" in target else "?"
    return send(server, "GET", f"{target}{joint}{document(parameters)}", b"", BEARER)


def write(
    server: TwinServer, method: str, target: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Return the answer to a POST or PUT with a body, as every client sends it."""
    told = send(server, method, target, json.dumps(parameters).encode(), BEARER)
    assert told["status"] == "success", told
    return told


def delete(server: TwinServer, target: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a DELETE with its parameters as the query."""
    joint = "&" if "?" in target else "?"
    told = send(server, "DELETE", f"{target}{joint}{document(parameters)}", b"", BEARER)
    assert told["status"] == "success", told
    return told


@pytest.mark.parametrize(
    ("method", "target", "parameters"),
    [
        ("getProfile", "/api/v1/user/profile?client_id=DEMO1", OWN),
        ("getPendingOrder", "/api/v1/orders?type=pending&client_id=DEMO1", OWN),
        ("getCompletedOrder", "/api/v1/orders?type=completed&client_id=DEMO1", OWN),
        ("getTradeBook", "/api/v1/trades?client_id=DEMO1", OWN),
        ("fetchBasket", "/api/v1/basket?login_id=DEMO1", OWN),
        ("getPositionsDaywise", "/api/v1/positions?client_id=DEMO1&type=live", OWN),
        ("getPositionsNetwise", "/api/v1/positions?client_id=DEMO1&type=historical", OWN),
        ("getDematHoldings", "/api/v1/holdings?client_id=DEMO1", OWN),
        ("getFunds", "/api/v2/funds/view?client_id=DEMO1&type=all", OWN),
        ("searchScrip", "/api/v1/search?key=IDEA", {"KeyOfInstrument": "IDEA"}),
        ("searchScrip", "/api/v1/search?key=Nifty%2026000", {"KeyOfInstrument": "Nifty 26000"}),
        (
            "getScripInfo",
            "/api/v1/contract/NSE?info=scrip&token=14366",
            {"Exchange": "NSE", "InstrumentTokenOfEquity": "14366"},
        ),
        (
            "getMarketdata",
            "/api/v1/marketdata/NSE/Capital?token=14366",
            {"exchange": "NSE", "token": 14366},
        ),
        (
            "getLtp",
            "/api/v1/marketdata/NSE/Capital?token=14366&key=last_trade_price",
            {"exchange": "NSE", "token": 14366},
        ),
        (
            "getClosePrice",
            "/api/v1/marketdata/NSE/Capital?token=14366&key=close_price",
            {"exchange": "NSE", "token": 14366},
        ),
        (
            "getFNOdata",
            "/api/v1/marketdata/NFO/FutOpt?token=35001",
            {"exchange": "NFO", "token": 35001},
        ),
        (
            "getNFOltp",
            "/api/v1/marketdata/NFO/FutOpt?token=35001&key=last_trade_price",
            {"exchange": "NFO", "token": 35001},
        ),
    ],
)
def test_its_reads_are_answered(
    server: TwinServer, method: str, target: str, parameters: dict[str, Any]
) -> None:
    """What is glued behind the address changes nothing: the answer is that of the plain one."""
    plain = send(server, "GET", target, b"", BEARER)
    assert plain.get("status") == "success" or plain["error"]["code"] == 0, (method, plain)
    glued = get(server, target, parameters)
    for answer in (plain, glued):
        if isinstance(answer.get("data"), dict):
            answer["data"].pop("exchange_timestamp", None)  # When it was asked.
    assert glued == plain


def test_its_option_chain(server: TwinServer) -> None:
    """``getOptionChain`` gets the strikes around the price."""
    index = 26000
    told = get(
        server,
        f"/api/v1/optionchain/NFO?token={index}&num=2&price=26000",
        {"EquityToken": index, "NumberOfEntries": 2, "PriceOfOptions": 26000},
    )
    assert told["error"]["code"] == 0, told
    assert len(told["result"][0]["strikes"]) == 2


def test_its_regular_orders(server: TwinServer) -> None:
    """``placeOrder``, ``modifyOrder``, ``getOrderHistory``, ``cancelOrder``."""
    order_id = write(server, "POST", ORDERS, ORDER)["data"]["oms_order_id"]
    write(server, "PUT", ORDERS, ORDER | {"oms_order_id": order_id, "price": 12.8})
    story = get(
        server,
        f"/api/v1/order/{order_id}/history?client_id=DEMO1",
        {"oms_order_id": order_id, "ClientId": "DEMO1"},
    )
    assert story["data"][-1]["price"] == 12.8
    named = {"oms_order_id": order_id, "client_id": "DEMO1", "execution_type": "REGULAR"}
    told = delete(server, f"{ORDERS}/{order_id}", named)
    assert told["data"] == {"oms_order_id": order_id}


def test_its_conditional_orders(server: TwinServer) -> None:
    """``placeConditionalOrder``, ``modifyConditionalOrder``, ``cancelConditionalOrder``."""
    write(server, "POST", KART, COVER)
    [row] = get(server, f"{ORDERS}?type=pending&client_id=DEMO1", OWN)["data"]["orders"]
    named = {key: row[key] for key in ("oms_order_id", "exchange_order_id")}
    write(server, "PUT", KART, COVER | named | {"price": 12.8})
    leg = {"client_id": "DEMO1", "execution_type": "CO", "leg_order_indicator": "ENTRY"}
    told = delete(server, f"{KART}/{row['oms_order_id']}", leg | named)
    assert told["data"]["message"] == "Order Cancelled Successfully"


def test_its_baskets(server: TwinServer) -> None:
    """Each of its basket methods, with the names of fields that it has."""
    made = write(
        server,
        "POST",
        BASKET,
        {
            "login_id": "DEMO1",
            "name": "Old",
            "type": "NORMAL",
            "product_type": "ALL",
            "order_type": "ALL",
        },
    )
    basket_id = made["data"][-1]["basket_id"]
    write(server, "PUT", BASKET, {"basket_id": basket_id, "name": "Older"})
    named = {"basket_id": basket_id, "name": "Older"}
    write(server, "POST", LINE, named | {"order_info": ORDER})
    [saved] = get(server, f"{BASKET}?login_id=DEMO1", OWN)["data"]
    order_id = saved["orders"][0]["order_id"]
    edited = {"order_id": order_id, "order_info": ORDER | {"quantity": 20}}
    write(server, "PUT", LINE, named | edited)
    executed = named | {
        "client_id": "DEMO1",
        "execution_state": False,
        "execution_type": "NML",
        "square_off": False,
    }
    write(server, "POST", KART, executed)
    [row] = get(server, f"{ORDERS}?type=pending&client_id=DEMO1", OWN)["data"]["orders"]
    assert row["quantity"] == 20
    camel = {"BasketId": basket_id, "BasketName": "Older"}
    line = f"{LINE}?basket_id={basket_id}&name=Older&order_id={order_id}"
    delete(server, line, camel | {"OrderId": order_id})
    delete(server, f"{BASKET}?basket_id={basket_id}&name=Older", camel)
    assert get(server, f"{BASKET}?login_id=DEMO1", OWN)["data"] == []


def test_its_gtt_rules(server: TwinServer) -> None:
    """``gttCreateRule``, ``gttModifyRule``, ``gttFetchRule``, ``gttCancelRule``."""
    now = datetime.fromisoformat(server.room("GET", "clock")["now"])
    rule: dict[str, Any] = {
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
        },
    }
    rule_id = write(server, "POST", GTT, rule)["data"]["id"]
    write(server, "PUT", GTT, rule | {"id": rule_id, "order": rule["order"] | {"quantity": 2}})
    [found] = get(server, f"{GTT}?client_id=DEMO1", OWN)["data"]
    assert (found["id"], found["order"]["quantity"]) == (rule_id, 2)
    told = delete(server, f"{GTT}/DEMO1/{rule_id}", {"ClientId": "DEMO1", "Id": rule_id})
    assert told["data"] == {"id": rule_id}


def test_its_conversion(server: TwinServer) -> None:
    """``convertPosition`` turns what was bought for the day into a delivery."""
    write(server, "POST", ORDERS, ORDER | {"product": "MIS"})
    fields = {"exchange": "NSE", "instrument_token": 14366, "quantity": 10}
    server.room("POST", "market/order", side="SELL", price=12.9, **fields)
    told = write(
        server,
        "PUT",
        "/api/v1/position/convert",
        {
            "client_id": "DEMO1",
            "exchange": "NSE",
            "instrument_token": 14366,
            "product": "MIS",
            "new_product": "CNC",
            "quantity": 10,
            "validity": "DAY",
            "order_side": "BUY",
        },
    )
    assert told["message"] == "Conversion completed"
