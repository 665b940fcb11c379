"""Cancel and exit over a real socket, in each of the encodings that clients use."""

import json
from urllib.parse import quote

import pytest

from tests.unit.api.test_bad_input import check_envelope
from tests.unit.api.test_door import raw
from tests.unit.api.world import BEARER, KART, TOKEN, World, cancel_body

SUCCESS = (
    b'{"data":{"basket_id":"%s","message":"Order Cancelled Successfully"},'
    b'"message":"","status":"success"}'
)


def official_sdk_headers(length: int) -> str:
    """Return the headers that the official SDK sends, in its order."""
    return (
        "Host: 127.0.0.1\r\nUser-Agent: python-requests/2.31.0\r\n"
        "Accept-Encoding: gzip, deflate\r\naccept: application/json\r\nConnection: keep-alive\r\n"
        "X-ClientLocalIP: 10.0.0.2\r\nX-ClientPublicIP: 10.0.0.1\r\n"
        "X-MACAddress: 02:00:00:00:00:01\r\nX-UserType: USER\r\nX-SourceID: WEB\r\n"
        "P-DeviceType: WEB\r\nx-device-type: web\r\nContent-type: application/json\r\n"
        f"x-authorization-token: {TOKEN}\r\nContent-Length: {length}\r\n\r\n"
    )


@pytest.mark.parametrize(
    "encoding", ["body", "pairs", "json_query", "body_and_query", "body_and_api_key", "http_1_0"]
)
def test_every_encoding_to_the_byte(world: World, encoding: str) -> None:
    """Each of the recorded requests cancels, and the answer is the documented one to the byte."""
    row = world.place()
    body_of = cancel_body(row)
    body = json.dumps(body_of, separators=(",", ":"))
    pairs = (
        f"client_id=DEMO1&exchange_order_id={row['exchange_order_id']}"
        "&execution_type=CO&leg_order_indicator=ENTRY"
    )
    as_query = quote(json.dumps(body_of), safe=":,")
    query, sent, version = {
        "body": ("", body, "1.1"),
        "pairs": (f"?{pairs}", "", "1.1"),
        "json_query": (f"?{as_query}", "", "1.1"),
        "body_and_query": (f"?{pairs}&status=CONFIRMED", body, "1.1"),
        "body_and_api_key": ("?api_key=abc", body, "1.1"),
        "http_1_0": ("", body, "1.0"),
    }[encoding]
    line = f"DELETE {KART}/{row['oms_order_id']}{query} HTTP/{version}\r\n"
    head, answer = raw(world, (line + official_sdk_headers(len(sent)) + sent).encode())
    assert head.startswith(b"HTTP/1.1 200 ")
    basket_id = str(int(row["oms_order_id"]) - 1).encode()  # Given out just before the entry's.
    assert answer == SUCCESS % basket_id
    assert world.row(row["oms_order_id"])["order_status"] == "CANCEL_CONFIRMED"


def test_an_empty_body_with_a_json_type_says_nothing(calm: World) -> None:
    """The official SDK announces JSON and sends none: that is no JSON error."""
    head, answer = raw(
        calm, f"DELETE {KART}/202406132 HTTP/1.1\r\n{official_sdk_headers(0)}".encode()
    )
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer)["message"] == "`exchange_order_id` can't be blank"


def test_the_state_travels_in_a_header(world: World) -> None:
    """The body is the documented one; where the order stands is told beside it."""
    row = world.place()
    assert world.cancel(row).headers["x-order-state"] == "CANCELLED"
    again = world.cancel(row)
    assert again.status_code == 200
    assert again.headers["x-idempotent-replay"] == "true"


def test_an_executed_entry_is_not_cancelled(world: World) -> None:
    """The client is told, with a word it can program against, and the stop stays."""
    row = world.place()
    world.fill(row, 10, 130_000)
    before = world.state_hash()
    answer = world.cancel(row)
    check_envelope(answer, 400)
    assert answer.json()["error_code"] == 45000
    assert answer.headers["x-error-reason"] == "ENTRY_ALREADY_EXECUTED"
    assert world.state_hash() == before
    assert world.third(row)["order_status"] == "TRIGGER_PENDING"


@pytest.mark.parametrize("word", ["THIRD", "third", "STOPLOSS", "Stop_Loss", "SL"])
def test_every_word_for_the_stop_gets_out(world: World, word: str) -> None:
    """Cancelling the third leg flattens, whatever it is called."""
    row = world.place()
    world.fill(row, 10, 130_000)
    world.fill({**row, "order_side": "SELL"}, 10, 129_000)  # A bid to sell to.
    stop = world.third(row)
    answer = world.cancel(stop, leg_order_indicator=word)
    assert answer.status_code == 200
    assert answer.headers["x-order-state"] == "EXITED"
    assert world.row(stop["oms_order_id"])["order_status"] == "COMPLETE"


def test_the_stop_can_be_named_by_the_entrys_id(world: World) -> None:
    """Entry id and THIRD address the stop; the exchange id is then the stop's."""
    row = world.place()
    world.fill(row, 10, 130_000)
    stop = world.third(row)
    answer = world.cancel(
        row, leg_order_indicator="THIRD", exchange_order_id=stop["exchange_order_id"]
    )
    assert answer.status_code == 200
    assert answer.headers["x-order-state"] == "EXITING"


def test_the_stops_id_does_not_name_the_entry(world: World) -> None:
    """A leg that contradicts its id is refused, and nothing happens to either."""
    row = world.place()
    world.fill(row, 4, 130_000)
    stop = world.third(row)
    before = world.state_hash()
    answer = world.cancel(stop, leg_order_indicator="ENTRY")
    check_envelope(answer, 400)
    assert answer.json()["message"] == "`leg_order_indicator` is invalid: THIRD"
    assert world.state_hash() == before


def test_a_status_is_ignored(world: World) -> None:
    """Some clients send the row's status along; it decides nothing."""
    row = world.place()
    assert world.cancel(row, status="COMPLETE").status_code == 200


def test_a_cancel_needs_no_more_than_ids_and_leg(world: World) -> None:
    """Account and kind are known; some clients leave them out."""
    row = world.place()
    body = {"exchange_order_id": row["exchange_order_id"], "leg_order_indicator": "ENTRY"}
    path = f"{KART}/{row['oms_order_id']}"
    assert world.http.request("DELETE", path, json=body, headers=BEARER).status_code == 200
