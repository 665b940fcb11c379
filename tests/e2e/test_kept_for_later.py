"""Baskets and rules over kills of a real server: what was kept is there, and fires once."""

import signal
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.twin_server import TwinServer, ask, running

GTT = "/api/v1/event/gtt"
BASKET = "/api/v1/basket"
KART = "/api/v1/orders/kart"
IDEA = {"exchange": "NSE", "instrument_token": 14366}


def rule(server: TwinServer, trigger: float, **more: Any) -> str:
    """Return the id of a new rule that buys when its trigger is reached."""
    today = datetime.fromisoformat(server.room("GET", "clock")["now"])
    order = IDEA | {
        "client_id": "DEMO1",
        "order_side": "BUY",
        "order_type": "LIMIT",
        "price": 13.5,
        "product": "MIS",
        "quantity": 5,
        "trigger_price": trigger,
        "user_order_id": 9,
    }
    fields = {
        "action_type": "single_order",
        "expiry_time": f"{today + timedelta(days=2):%Y-%m-%d}",
        "order": order | more,
    }
    answer = server.http.post(GTT, json=fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["id"])


def basket(server: TwinServer) -> dict[str, Any]:
    """Return a basket with two orders."""
    made: dict[str, Any] = server.http.post(BASKET, json={"name": "Two"}).json()["data"][-1]
    for token in (14366, 11915):
        line = {
            "exchange": "NSE",
            "instrument_token": token,
            "order_side": "BUY",
            "order_type": "LIMIT",
            "price": 12.9 if token == 14366 else 18,
            "product": "MIS",
            "quantity": 1,
            "validity": "DAY",
        }
        fields = {"basket_id": made["basket_id"], "order_info": line}
        assert server.http.post(f"{BASKET}/order", json=fields).status_code == 200
    return made


def seen(server: TwinServer) -> tuple[Any, Any, Any]:
    """Return all that a client sees of rules, baskets and orders."""
    told = [server.http.get(path).json()["data"] for path in (GTT, BASKET)]
    orders = server.http.get("/api/v1/orders?type=all").json()["data"]["orders"]
    return told[0], told[1], orders


def healthy(server: TwinServer) -> str:
    """Return the state's hash; the audit finds nothing about what is kept."""
    audit = server.audit()
    about = ("GTT", "BASKET", "INV-20")
    assert [v for v in audit["violations"] if v["invariant"].startswith(about)] == []
    return str(audit["state_hash"])


def trade(server: TwinServer, price: float) -> None:
    """Let the market trade at a price."""
    server.room("POST", "market/trade", **IDEA, price=price, quantity=1)


def killed(server: TwinServer) -> tuple[tuple[Any, Any, Any], str]:
    """Kill the server; return what was to be seen until then."""
    before = seen(server), healthy(server)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(30)
    return before


def test_rules_and_baskets_survive_kills(tmp_path: Path) -> None:
    """Killed after each step, the server goes on where it was; each rule fires once."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        first, second = rule(server, 13.2), rule(server, 13.4)
        made = basket(server)
        before = killed(server)
    with running("--data-dir", data) as server:
        assert (seen(server), healthy(server)) == before
        trade(server, 13.25)
        fields = {"client_id": "DEMO1", "execution_type": "NML", "basket_id": made["basket_id"]}
        answer = server.http.post(KART, json=fields, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 200, answer.text
        before = killed(server)
    with running("--data-dir", data) as server:
        assert (seen(server), healthy(server)) == before
        repeated = server.http.post(KART, json=fields, headers={"Idempotency-Key": "k"})
        assert repeated.headers["X-Idempotent-Replay"] == "true"
        assert repeated.json() == answer.json()
        assert repeated.headers["X-Basket-Orders"] == answer.headers["X-Basket-Orders"]
        trade(server, 13.3)  # The first has fired, the second not yet.
        trade(server, 13.4)
        trade(server, 13.1)
        trade(server, 13.4)
        rules, _, orders = seen(server)
        statuses = {row["id"]: row["status"] for row in rules}
        assert statuses == {first: "Triggered", second: "Triggered"}
        assert len(orders) == 4
        healthy(server)
        code, _, _ = server.stop()
        assert code == 0
    verified = ask("verify", data)
    assert verified.exit_code == 0, verified.output
    printed = ask("journal", data, "--client", "DEMO1").output
    for event in ("GttTriggered", "GttOrderPlaced", "BasketOrderAdded", "BasketExecuted"):
        assert event in printed, event
    order_id = orders[0]["oms_order_id"]
    assert "GttOrderPlaced" in ask("journal", data, "--order", order_id).output


def test_a_rule_expires_by_the_clock_of_the_twin(tmp_path: Path) -> None:
    """Days pass in the control room; over a restart they pass as well."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        server.room("POST", "clock", action="pause")
        kept = rule(server, 13.2)
        server.room("POST", "clock", action="advance", seconds=24 * 3600)
        assert [row["status"] for row in seen(server)[0]] == ["Active"]
        now = server.room("GET", "clock")["now"]
        server.stop()
    with running("--data-dir", data) as server:
        server.room("POST", "clock", action="pause")
        to = datetime.fromisoformat(now) + timedelta(days=2)
        server.room("POST", "clock", action="set", to=to.isoformat())
        assert [(row["id"], row["status"]) for row in seen(server)[0]] == [(kept, "Expired")]
        trade(server, 13.3)
        assert seen(server)[2] == []
        healthy(server)


@pytest.mark.parametrize("kind", ["session", "link"])
def test_a_rule_waits_while_nothing_can_be_sent(kind: str) -> None:
    """With the session closed or the link down it waits; afterwards it sees the last price."""
    with running("--data-dir", ":memory:") as server:
        rule(server, 13.2)
        if kind == "link":
            server.room("POST", "venue/link", up=False)
            trade(server, 13.3)
            assert [row["status"] for row in seen(server)[0]] == ["Active"]
            server.room("POST", "venue/link", up=True)
        else:
            server.room("POST", "session", exchange="NSE", phase="closed")
            server.room("POST", "session", exchange="NSE", phase="open")
            assert [row["status"] for row in seen(server)[0]] == ["Active"]
            trade(server, 13.3)
        rules, _, orders = seen(server)
        assert [row["status"] for row in rules] == ["Triggered"]
        assert [row["user_order_id"] for row in orders] == ["9"]
        healthy(server)
