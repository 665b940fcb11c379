"""
Thousands of requests made from ``/openapi.json``, to a real server, by schemathesis.

Twice: as the document stands, which tries what a field may not be; and with the document
narrowed to accounts, instruments and orders that exist, so that requests reach the rules behind
the fields. Whatever comes back is no 5xx, has a status and a shape that the document names, and
afterwards the audit finds nothing. ``RUNS`` sets the examples for each route, ``SEED`` the seed.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.hostile.raw import KART
from tests.twin_server import TOKEN, TwinServer, running
from tests.unit.api.world import entry

EXAMPLES = int(os.environ.get("RUNS") or 10)
SEED = int(os.environ.get("SEED") or 1)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
# What is listed: without it hardly a question about contracts would find one.
LISTED = {
    "exchange": ["NSE", "NFO"],
    "token": ["14366", "35011", "26000"],
    "key": ["last_trade_price", "close_price"],
    "num": ["1", "2", "40"],
    "price": ["13", "26050.5"],
    "exchanges": ["NSE", "NSE,NFO", ""],
}
EXECUTION = {  # What is not CO.
    "ExecuteBasketRequest": ["NML"],
    "LineRequest": ["REGULAR", "AMO"],
    "EditedLine": ["REGULAR", "AMO"],
    "PlaceOrderRequest": ["REGULAR", "AMO"],
    "ModifyOrderRequest": ["REGULAR", "AMO"],
    "CancelOrderRequest": ["REGULAR", "AMO"],
}
NARROWED = ("Request", "EditedLine", "ModifiedGttOrder")
CASES = re.compile(r"(\d+) generated, (\d+) passed")


def fuzz(server: TwinServer, document: str, place: Path) -> tuple[int, str]:
    """Return how many requests were sent, and what schemathesis says; fails with what it found."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", document, "--url", server.url),
            *("--header", f"Authorization: Bearer {TOKEN}", "--checks", ",".join(CHECKS)),
            *("--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES)),
            *("--seed", str(SEED), "--generation-database", "none", "--continue-on-failure"),
            *("--no-color", "--output-sanitize", "false"),
        ],
        cwd=place,  # It may leave files behind.
        env=os.environ | {"NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=300 + EXAMPLES * 10,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    counted = CASES.search(said)
    assert counted, said
    assert counted[1] == counted[2], said
    return int(counted[1]), said


def orders(server: TwinServer) -> list[dict[str, Any]]:
    """Return rows of orders in many states, placed here."""
    server.room(
        "POST",
        "market/quote",
        exchange="NSE",
        instrument_token=14366,
        bid=12.85,
        bid_quantity=500,
        ask=13.1,
        ask_quantity=500,
    )
    sell = {"exchange": "NSE", "instrument_token": 14366, "side": "SELL", "price": 12.9}
    for number, filled in enumerate((0, 0, 3, 10, 10, 0), start=1):
        fields = entry(price=12.9, user_order_id=number)
        assert server.http.post(KART, json=fields).status_code == 200
        if filled:
            server.room("POST", "market/order", **sell, quantity=filled)
    rows: list[dict[str, Any]] = server.http.get("/api/v1/orders?type=all").json()["data"]["orders"]
    return rows


def kept(server: TwinServer) -> dict[str, list[Any]]:
    """Return ids of baskets, of their lines and of rules, made here."""
    found: dict[str, list[Any]] = {"basket_id": [], "order_id": [], "id": []}
    line = {
        "exchange": "NSE",
        "instrument_token": 14366,
        "order_side": "BUY",
        "order_type": "LIMIT",
        "price": 12.9,
        "quantity": 1,
        "validity": "DAY",
        "product": "MIS",
    }
    for name in ("one", "two"):
        made = server.http.post("/api/v1/basket", json={"name": name}).json()["data"][-1]
        fields = {"basket_id": made["basket_id"], "order_info": line}
        added = server.http.post("/api/v1/basket/order", json=fields).json()["data"]
        found["basket_id"].append(made["basket_id"])
        found["order_id"].append(added["orders"][0]["order_id"])
        order = line | {"client_id": "DEMO1", "trigger_price": 13.2}
        rule = {"action_type": "single_order", "expiry_time": today(server), "order": order}
        answer = server.http.post("/api/v1/event/gtt", json=rule)
        found["id"].append(answer.json()["data"]["id"])
    found["expiry_time"] = [today(server)]
    return found


def today(server: TwinServer) -> str:
    """Return the server's date in India."""
    at: str = server.room("GET", "clock")["now"]
    return at[:10]


def narrowed(
    document: dict[str, Any], rows: list[dict[str, Any]], kept: dict[str, list[Any]]
) -> dict[str, Any]:
    """Return the document with values that exist where a stranger would have to guess."""
    ids = [row["oms_order_id"] for row in rows]
    known: dict[str, list[Any]] = {
        "client_id": ["DEMO1"],
        "exchange": ["NSE"],
        "instrument_token": [14366, "14366"],
        "execution_type": ["CO"],
        "order_type": ["LIMIT", "MARKET", "SL"],
        "product": ["MIS"],
        "leg_order_indicator": ["ENTRY", "THIRD"],
        "oms_order_id": ids,
        "exchange_order_id": [row["exchange_order_id"] for row in rows],
        "price": [12.8, 12.9, "13", 13.05],
        "trigger_price": [0, 0.0, "0"],
        "stop_loss_value": [12.5, "12.4", 12],
        "quantity": [1, 10, "25"],
        "disclosed_quantity": [0, "0"],
        "device": ["WEB", ""],
        "user_order_id": [1, 2, "3"],
        "square_off_value": [0, 1],
        "is_trailing": [True, False],
        "trailing_stop_loss": [0.05, "0.1"],
        "last_activity_reference": [0, 10, *(row["last_activity_reference"] for row in rows)],
        **kept,
        "login_id": ["DEMO1"],
        "name": ["one", "two", "three"],
        "action_type": ["single_order", "oco_order"],
        "sl_trigger_price": [0, 12.5],
        "sl_order_price": [0, 12.4],
    }
    for name, schema in document["components"]["schemas"].items():
        if not name.endswith(NARROWED):
            continue
        properties = schema["properties"]
        for field in properties:
            if field in known:
                words = EXECUTION.get(name, ["CO"]) if field == "execution_type" else known[field]
                properties[field] = {"enum": words}
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["name"] == "oms_order_id":
                    parameter["schema"] = {"type": "string", "enum": ids}
                if parameter["name"] in ("client_id", "login_id"):
                    parameter["schema"] = {"type": "string", "enum": ["DEMO1"]}
                if parameter["name"] in LISTED:
                    parameter["schema"] = {"type": "string", "enum": LISTED[parameter["name"]]}
                if parameter["name"] == "id":
                    parameter["schema"] = {"type": "string", "enum": kept["id"]}
    return document


@pytest.mark.parametrize("narrow", [False, True])
def test_whatever_is_sent_the_answer_fits(tmp_path: Path, narrow: bool) -> None:
    """No 5xx, no status or shape that the document does not name, and a clean audit."""
    with running("--data-dir", tmp_path / "data") as server:
        rows = orders(server)
        placed = server.audit()["cover_orders"]
        document = server.http.get("/openapi.json").json()
        if narrow:
            document = narrowed(document, rows, kept(server))
        path = tmp_path / "openapi.json"
        path.write_text(json.dumps(document))
        count, _ = fuzz(server, str(path), tmp_path)
        assert count > 500
        audit = server.audit()
        assert audit["violations"] == []
        if narrow:
            assert audit["cover_orders"] > placed, "no request got as far as an order"


def test_the_fuzzer_can_see(tmp_path: Path) -> None:
    """Against a document that promises another shape, it complains: so silence means something."""
    with running("--data-dir", ":memory:") as server:
        document = server.http.get("/openapi.json").json()
        schema = document["components"]["schemas"]["TradingInfoAnswer"]
        schema["required"] = [*schema["required"], "a_key_that_is_not_there"]
        wanted = "/api/v1/user/trading_info"
        document["paths"] = {wanted: document["paths"][wanted]}
        path = tmp_path / "openapi.json"
        path.write_text(json.dumps(document))
        with pytest.raises(AssertionError, match="a_key_that_is_not_there"):
            fuzz(server, str(path), tmp_path)
