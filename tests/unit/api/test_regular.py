"""Regular and after-market orders over a real socket: answers to the byte, rows, refusals."""

import json
from typing import Any, Final
from urllib.parse import quote

import pytest

from kavach.core.commands import EndSession, OpenSession
from kavach.units import Exchange, InstrumentKey, Phase, TimestampNs
from tests.unit.api.test_bad_input import check_envelope
from tests.unit.api.test_door import raw
from tests.unit.api.world import BEARER, KART, OTHER, TOKEN, World, cancel_body, entry

ORDERS: Final = "/api/v1/orders"


def regular(**changes: Any) -> dict[str, Any]:
    """Return a well-formed place request of a regular order; None takes a field away."""
    fields: dict[str, Any] = {
        "exchange": "NSE",
        "instrument_token": "14366",
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "amo": False,
        "price": 13,
        "quantity": 10,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": 10002,
        "trigger_price": 0,
        "execution_type": "REGULAR",
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def placed(world: World, **changes: Any) -> dict[str, Any]:
    """Place a regular order and return its row."""
    answer = world.http.post(ORDERS, json=regular(**changes), headers=BEARER)
    assert answer.status_code == 200, answer.text
    return world.row(answer.json()["data"]["oms_order_id"])


def set_phase(world: World, phase: Phase) -> None:
    """Open or close the cash segment, for core and exchange together."""

    def act() -> None:
        desk = world.desk
        kind = OpenSession if phase is Phase.OPEN else EndSession
        desk.change_phase(
            kind(Exchange.NSE),
            lambda at_ns: desk.embedded.reports_of(
                desk.embedded.exchange.set_phase(Exchange.NSE, phase, TimestampNs(at_ns)),
                InstrumentKey(""),
            ),
            desk.now_ns(),
        )

    world.do(act)


def test_place_modify_and_cancel_to_the_byte(world: World) -> None:
    """The three answers are the documented ones, and the row follows."""
    answer = world.http.post(ORDERS, json=regular(), headers=BEARER)
    order_id = answer.json()["data"]["oms_order_id"]
    assert answer.content == (
        b'{"data":{"oms_order_id":"%s"},"message":"Order place successfully","status":"success"}'
        % order_id.encode()
    )
    row = world.row(order_id)
    assert (row["order_status"], row["execution_type"]) == ("CONFIRMED", "REGULAR")
    assert row["leg_order_indicator"] is None and row["user_order_id"] == "10002"
    assert row["stop_loss_value"] == 0.0 and row["remaining_quantity"] == 10
    body = regular(price="12.95", quantity=20) | {"oms_order_id": order_id}
    answer = world.http.put(ORDERS, json=body, headers=BEARER)
    assert answer.content == (
        b'{"data":{"oms_order_id":"%s"},"message":"Order modification request submitted",'
        b'"status":"success"}' % order_id.encode()
    )
    row = world.row(order_id)
    assert (row["order_status"], row["price"], row["quantity"]) == ("MODIFY_CONFIRMED", 12.95, 20)
    answer = world.http.delete(f"{ORDERS}/{order_id}", headers=BEARER)
    assert answer.content == (
        b'{"data":{"oms_order_id":"%s"},"message":"Order cancellation request submitted for OMS '
        b'Order: %s","status":"success"}' % (order_id.encode(), order_id.encode())
    )
    assert answer.headers["x-order-state"] == "CANCELLED"
    row = world.row(order_id)
    assert (row["order_status"], row["remaining_quantity"]) == ("CANCEL_CONFIRMED", 0)


@pytest.mark.parametrize(
    "encoding", ["sdk", "json_query", "client_only", "body_and_query", "disagreeing_amo", "bare"]
)
def test_every_encoding_of_a_cancel(world: World, encoding: str) -> None:
    """Each form that a client is known to send cancels the order that the path names."""
    order_id = placed(world)["oms_order_id"]
    said = json.dumps({"client_id": "DEMO1", "execution_type": "REGULAR", "oms_order_id": order_id})
    amo = json.dumps({"client_id": "DEMO1", "execution_type": "AMO"})
    query, body = {
        "sdk": ("?client_id=DEMO1&execution_type=REGULAR", ""),
        "json_query": ("?" + quote(said, safe=":,"), ""),
        "client_only": ("?client_id=DEMO1", ""),
        "body_and_query": ("?client_id=DEMO1&execution_type=REGULAR", said),
        "disagreeing_amo": ("?client_id=DEMO1&execution_type=REGULAR", amo),
        "bare": ("", ""),
    }[encoding]
    head, answer = raw(
        world,
        (
            f"DELETE {ORDERS}/{order_id}{query} HTTP/1.1\r\nHost: x\r\n"
            f"Content-type: application/json\r\nx-authorization-token: {TOKEN}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode(),
    )
    assert head.startswith(b"HTTP/1.1 200 "), answer
    assert world.row(order_id)["order_status"] == "CANCEL_CONFIRMED"


def test_it_fills_and_is_seen_everywhere(world: World) -> None:
    """A fill in parts shows in the row, in history, trades and positions."""
    row = placed(world, quantity=10)
    world.fill(row, 4, 130_000)
    row = world.row(row["oms_order_id"])
    assert (row["order_status"], row["filled_quantity"]) == ("PARTIAL_TRADE", 4)
    world.fill(row, 6, 130_000)
    row = world.row(row["oms_order_id"])
    assert (row["order_status"], row["average_price"]) == ("COMPLETE", 13)
    history = world.http.get(f"/api/v1/order/{row['oms_order_id']}/history", headers=BEARER)
    words = [step["status"] for step in history.json()["data"]]
    assert words == ["PENDING", "CONFIRMED", "PARTIAL_TRADE", "COMPLETE"]
    trades = world.http.get("/api/v1/trades", headers=BEARER).json()["data"]["trades"]
    assert [trade["trade_quantity"] for trade in trades] == [4, 6]
    assert {trade["oms_order_id"] for trade in trades} == {row["oms_order_id"]}
    params = {"type": "live"}
    held = world.http.get("/api/v1/positions", params=params, headers=BEARER).json()["data"]
    assert [position["net_quantity"] for position in held] == [10]


def test_an_after_market_order_waits_for_the_session(world: World) -> None:
    """It is parked, changes and is cancelled by its own words, and at the opening it is sent."""
    first = placed(world, execution_type="amo")
    assert (first["order_status"], first["execution_type"]) == ("AMO_REQ_RECEIVED", "AMO")
    assert first["exchange_order_id"] == "" and first["last_activity_reference"] > 0
    body = regular(execution_type="AMO", quantity=7) | {"oms_order_id": first["oms_order_id"]}
    assert world.http.put(ORDERS, json=body, headers=BEARER).status_code == 200
    row = world.row(first["oms_order_id"])
    assert (row["order_status"], row["quantity"]) == ("AMO_MODIFY_CONFIRMED", 7)
    second = placed(world, execution_type="AMO")
    gone = world.http.delete(f"{ORDERS}/{second['oms_order_id']}", headers=BEARER)
    assert gone.headers["x-order-state"] == "CANCELLED"
    assert world.row(second["oms_order_id"])["order_status"] == "AMO_CANCEL_CONFIRMED"
    assert second["oms_order_id"] not in {r["oms_order_id"] for r in world.rows("pending")}
    set_phase(world, Phase.CLOSED)
    assert world.row(first["oms_order_id"])["order_status"] == "AMO_MODIFY_CONFIRMED"
    set_phase(world, Phase.OPEN)
    row = world.row(first["oms_order_id"])
    assert (row["order_status"], row["execution_type"]) == ("MODIFY_CONFIRMED", "AMO")
    assert row["exchange_order_id"] != ""


def test_an_after_market_order_may_be_cancelled_on_the_conditional_route(world: World) -> None:
    """Some documents send it there; the answer is the regular one."""
    row = placed(world, execution_type="AMO")
    answer = world.http.delete(
        f"{KART}/{row['oms_order_id']}", params={"execution_type": "AMO"}, headers=BEARER
    )
    assert answer.status_code == 200
    assert world.row(row["oms_order_id"])["order_status"] == "AMO_CANCEL_CONFIRMED"


def test_a_closed_market_makes_a_rejected_row(world: World) -> None:
    """What is no after-market order is sent, and the exchange says that it is closed."""
    set_phase(world, Phase.CLOSED)
    row = placed(world)
    assert (row["order_status"], row["rejection_code"]) == ("REJECTED", 16000)


@pytest.mark.parametrize("leg", ["ENTRY", "THIRD"])
def test_a_leg_of_a_cover_order_is_refused_here(world: World, leg: str) -> None:
    """Whichever row is named, the stop stays, and the refusal names the right route."""
    row = world.place()
    world.fill(row, 10, 130_000)
    named = row if leg == "ENTRY" else world.third(row)
    before = world.state_hash()
    answer = world.http.delete(f"{ORDERS}/{named['oms_order_id']}", headers=BEARER)
    check_envelope(answer, 400)
    assert answer.json()["error_code"] == 45000
    assert "/api/v1/orders/kart" in answer.json()["message"]
    assert world.state_hash() == before
    assert world.third(row)["order_status"] == "TRIGGER_PENDING"


def test_a_regular_order_is_none_on_the_conditional_route(world: World) -> None:
    """Its id names no conditional order there."""
    row = placed(world)
    answer = world.http.request(
        "DELETE",
        f"{KART}/{row['oms_order_id']}",
        json=cancel_body(row) | {"leg_order_indicator": "ENTRY"},
        headers=BEARER,
    )
    check_envelope(answer, 404)
    assert answer.json()["error_code"] == 45000


def test_a_foreign_order_is_unknown(world: World) -> None:
    """Another client's id and one that never was get the same answer, and change nothing."""
    order_id = placed(world)["oms_order_id"]
    said = [
        world.http.delete(f"{ORDERS}/{named}", headers=OTHER)
        for named in (order_id, "999999999999", "no-such-id")
    ]
    assert {answer.status_code for answer in said} == {404}
    assert len({answer.content for answer in said}) == 1
    assert world.row(order_id)["order_status"] == "CONFIRMED"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"exchange": "XXX"}, 44000, "exchange"),
        ({"instrument_token": "99"}, 45010, "instrument_token"),
        ({"order_type": "STOP"}, 44000, "order_type"),
        ({"product": "BO"}, 44000, "product"),
        ({"validity": "GTC"}, 44000, "validity"),
        ({"order_side": "LONG"}, 44000, "order_side"),
        ({"price": 0}, 45000, "price"),
        ({"price": "12.999"}, 45000, "price"),
        ({"price": 99}, 44000, "price"),
        ({"quantity": 0}, 45000, "quantity"),
        ({"disclosed_quantity": 11}, 44000, "disclosed_quantity"),
        ({"order_type": "SL", "price": 13.5}, 44000, "trigger_price"),
        ({"execution_type": "CO"}, 44000, "execution_type"),
        ({"execution_type": "NEVER"}, 44000, "execution_type"),
    ],
)
def test_bad_fields_are_named_and_change_nothing(
    calm: World, changes: dict[str, Any], code: int, field: str
) -> None:
    """Each wrong field gets the vendor's code, and its name in the text."""
    before = calm.state_hash()
    answer = calm.http.post(ORDERS, json=regular(**changes), headers=BEARER)
    check_envelope(answer, 400)
    assert answer.json()["error_code"] == code
    assert f"`{field}`" in answer.json()["message"]
    assert calm.state_hash() == before


def test_what_may_not_change_is_checked(world: World) -> None:
    """Instrument, side, product, exchange id and reference of another order are refused."""
    row = placed(world)
    for changes, field in (
        ({"instrument_token": 11915}, "instrument_token"),
        ({"exchange": "BSE"}, "exchange"),
        ({"order_side": "SELL"}, "order_side"),
        ({"product": "NRML"}, "product"),
        ({"exchange_order_id": "1100000000000000"}, "exchange_order_id"),
        ({"last_activity_reference": 12345}, "last_activity_reference"),
    ):
        body = regular(**changes) | {"oms_order_id": row["oms_order_id"]}
        answer = world.http.put(ORDERS, json=body, headers=BEARER)
        assert answer.status_code == 400 and f"`{field}`" in answer.json()["message"], changes
    assert world.row(row["oms_order_id"])["order_status"] == "CONFIRMED"


def test_a_key_places_once(world: World) -> None:
    """The same key and request get the first answer again; a cover order under it is refused."""
    headers = BEARER | {"Idempotency-Key": "k1"}
    first = world.http.post(ORDERS, json=regular(), headers=headers)
    again = world.http.post(ORDERS, json=regular(), headers=headers)
    assert first.content == again.content
    assert again.headers["x-idempotent-replay"] == "true"
    other = world.http.post(KART, json=entry(), headers=headers)
    check_envelope(other, 400)
    assert other.json()["error_code"] == 44000
    assert len(world.rows()) == 1


def test_wrong_methods_are_told_what_is_allowed(calm: World) -> None:
    """The path of one order knows DELETE alone, and the book's path the other three."""
    answer = calm.http.get(f"{ORDERS}/123", headers=BEARER)
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE")
    answer = calm.http.patch(ORDERS, headers=BEARER)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST, PUT")
