"""What ``docs/questions.md`` says of surprises is so."""

from typing import Any

import httpx

from tests.twin_server import TwinServer

IDEA: dict[str, Any] = {"exchange": "NSE", "instrument_token": 14366}
CALL: dict[str, Any] = {"exchange": "NFO", "instrument_token": 35011}
PLAIN: dict[str, Any] = {
    "client_id": "DEMO1",
    "validity": "DAY",
    "product": "MIS",
    "user_order_id": 1,
    "disclosed_quantity": 0,
    "trigger_price": 0,
    "price": 0,
}


def place(http: httpx.Client, path: str, **fields: Any) -> str:
    """Return the id of an order that was placed."""
    answer = http.post(path, json=PLAIN | fields)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    return str(data.get("oms_order_id") or data["data"]["basket_id"])


def rows(http: httpx.Client) -> list[dict[str, Any]]:
    """Return the order book."""
    answer = http.get("/api/v1/orders?client_id=DEMO1&type=all")
    found: list[dict[str, Any]] = answer.json()["data"]["orders"]
    return found


def test_a_counter_order_does_not_close_a_cover_order(twin: TwinServer) -> None:
    """The position nets to nothing, and the cover order keeps its shares and its stop."""
    quote = {"bid": "12.99", "bid_quantity": 100, "ask": "13.00", "ask_quantity": 100}
    twin.room("POST", "market/quote", **IDEA, **quote)
    cover = {"execution_type": "CO", "stop_loss_value": 12.5, "trailing_stop_loss": 0}
    buy = {"order_side": "BUY", "order_type": "LIMIT", "quantity": 10}
    place(twin.http, "/api/v1/orders/kart", **IDEA, **cover, **(buy | {"price": 13}))
    sell = {"order_side": "SELL", "order_type": "MARKET", "quantity": 10}
    place(twin.http, "/api/v1/orders", **IDEA, **sell, execution_type="REGULAR")
    positions = twin.http.get("/api/v1/positions?client_id=DEMO1&type=live").json()["data"]
    assert [position["net_quantity"] for position in positions] == [0]
    [stop] = [row for row in rows(twin.http) if row["leg_order_indicator"] == "THIRD"]
    assert (stop["order_status"], stop["quantity"]) == ("TRIGGER_PENDING", 10)


def test_a_market_order_in_an_empty_book_rests_at_its_protection(twin: TwinServer) -> None:
    """A call without offers: the order bids through the last price, and fills at that bid."""
    buy = {"order_side": "BUY", "order_type": "MARKET", "quantity": 65}
    order = place(twin.http, "/api/v1/orders", **CALL, **buy, execution_type="REGULAR")
    seen = twin.room("GET", "market/NFO/35011")
    assert seen["bids"][0][0] > seen["last_price"]
    [row] = [row for row in rows(twin.http) if row["oms_order_id"] == order]
    assert (row["order_status"], row["filled_quantity"]) == ("CONFIRMED", 0)
