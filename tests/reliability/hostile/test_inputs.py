"""Addresses, bodies and values made to confuse: read in one way only, and written down here."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.hostile.raw import KART, Answer, Raw, check_envelope, request
from tests.reliability.hostile.test_stop import order
from tests.twin_server import TwinServer, running

BOOK = "/api/v1/orders?type=all"


def ask(server: TwinServer, method: str, path: str, body: bytes = b"", *lines: str) -> Answer:
    """Return the answer to one request."""
    with Raw(server.url) as raw:
        return raw.send(request(method, path, body, *lines)).answer()


def text_of(**changes: Any) -> str:
    """Return an order as JSON."""
    return json.dumps(order(1) | changes)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/orders/%6bart%00",
        "/api/v1/orders//kart",
        "//api/v1/orders/kart",
        "/api/v1/./orders/kart",
        "/api/v1/x/../orders/kart",
        "/api/v1/%2e%2e/v1/orders/kart",
        "/api/v1/%2e/orders/kart",
        "/api/v1/orders;x=1/kart",
        "/api/v1/orders/kart;x=1",
        "/api/v1/orders\\kart",
        "/api/v1/orders%5ckart",
        "/api/v1/orders/kart%20",
        "/api/v1/orders/kart%0d%0aSet-Cookie:%20x=1",
        "/api/v1/orders/kart%ff%fe",
        "/API/V1/ORDERS/KART",
        "/api/v1/orders/kart.json",
        "/static/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/" + "a/" * 4_000,
        "/" + "%41" * 5_000,
    ],
)
def test_there_is_one_way_to_write_a_path(twin: TwinServer, path: str) -> None:
    """Nothing is folded, cleaned or guessed: what is no route to the letter is none.

    One more segment behind the order book's path is some order's id, and an order is only deleted.
    """
    before = twin.audit()["state_hash"]
    answer = ask(twin, "POST", path, text_of().encode())
    an_id = path.startswith("/api/v1/orders/") and not path.startswith("/api/v1/orders//")
    check_envelope(answer, 405 if an_id else 404)
    assert answer.word == ("METHOD_NOT_ALLOWED" if an_id else "NO_SUCH_ROUTE")
    assert twin.audit()["state_hash"] == before


def test_dots_do_not_leave_the_control_room(twin: TwinServer) -> None:
    """A path that begins in the control room is the control room's, and a client stays out."""
    assert ask(twin, "POST", "/twin/v1/../../api/v1/orders/kart", b"{}").status == 401


@pytest.mark.parametrize("path", ["/api/v1/orders%2Fkart", "/api/v1/orders/%6bart"])
def test_a_path_is_decoded_once(twin: TwinServer, path: str) -> None:
    """An encoded letter is that letter; encoded twice it is not."""
    assert ask(twin, "POST", path, b"{}").word == "BLANK"
    assert ask(twin, "POST", path.replace("%", "%25"), b"{}").status in (404, 405)


@pytest.mark.parametrize(
    "order_id",
    [
        *[
            "0",
            "-1",
            "+1",
            "1e3",
            "0x10",
            "%EF%BC%91",
            "1%00",
            "%20",
            "1/2",
            "1%2F2",
            "..",
            "%2e%2e",
            "1;2",
        ],
        *["9" * 18, "9" * 19, "9" * 64, "%0d%0aX-Injected:1", "' OR 1=1", "{{7*7}}", "%ff"],
    ],
)
def test_an_order_id_is_digits(twin: TwinServer, order_id: str) -> None:
    """Whatever else stands where an id should: 400 or 404 in the one shape, nothing reflected."""
    path = order_id.replace(" ", "%20")
    fields = b'{"exchange_order_id": "1", "leg_order_indicator": "THIRD"}'
    for method, route, body in (
        ("DELETE", f"{KART}/{path}", fields),
        ("GET", f"/api/v1/order/{path}/history", b""),
    ):
        answer = ask(twin, method, route, body)
        check_envelope(answer, answer.status)
        assert answer.status in (400, 404)
        assert "x-injected" not in answer.headers
        assert "7*7" not in answer.body.decode()


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 20_000 + b"]" * 20_000,
        b'{"a":' * 12_000 + b"1" + b"}" * 12_000,
        b'{"price":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"price":' + b"9" * 60_000 + b"}",
        b'{"price":1e' + b"9" * 60_000 + b"}",
        b'{"price":-0.' + b"0" * 60_000 + b"1}",
        b'{"quantity":1' + b"0" * 5_000 + b"}",
        b'{"client_id":"\xff\xfe"}',
        b'{"client_id":"\xed\xa0\x80"}',
        b'{"client_id":"\\ud800"}',
        b'{"client_id":"\\u0000"}',
        b'{"client_id":"\xc0\xaf"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"\x00",
        b"NaN",
        b"Infinity",
        b'{"price":NaN}',
        b'{"price":-Infinity}',
        b"{'price': 1}",
        b'{"price":1,}',
        b'{"price":01}',
        b'{"price":+1}',
        b'{"price":.5}',
        b'{"price":0x10}',
        b'{"a":1}{"b":2}',
        b'{"a":1} trailing',
        b"// comment\n{}",
        b"null",
        b"true",
        b'"text"',
        b"[]",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"a=1&b=2",
        b"{" + b",".join(b'"k%d":0' % n for n in range(7_000)) + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_no_order(twin: TwinServer, body: bytes) -> None:
    """Deep, huge, foreign and broken JSON is refused in the one shape on every method."""
    before = twin.audit()["state_hash"]
    for method, path in (("POST", KART), ("PUT", KART), ("DELETE", KART), ("DELETE", f"{KART}/1")):
        answer = ask(twin, method, path, body)
        check_envelope(answer, 413 if len(body) > 65_536 else 400)
    room = ask(twin, "POST", "/twin/v1/clock", body)
    assert room.status in (400, 401, 413)
    assert twin.audit()["state_hash"] == before


HUGE = (2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30, 10**400)


@pytest.mark.parametrize("number", [*HUGE, *(-value for value in HUGE)])
@pytest.mark.parametrize("field", ["price", "quantity", "stop_loss_value", "instrument_token"])
def test_huge_numbers(twin: TwinServer, number: int, field: str) -> None:
    """A number that no order can have is refused, as a number and as text; nothing wraps round."""
    before = twin.audit()["state_hash"]
    for value in (number, str(number), float(number) if abs(number) < 10**308 else None):
        answer = ask(twin, "POST", KART, text_of(**{field: value}).encode())
        check_envelope(answer, 400)
    assert twin.audit()["state_hash"] == before


def test_the_last_of_equal_keys_counts() -> None:
    """Of a key that is there twice the last value counts, in bodies and in queries."""
    with running("--data-dir", ":memory:") as server:
        twice = text_of(quantity=3).replace('"quantity"', '"quantity": 7, "quantity"')
        assert ask(server, "POST", KART, twice.encode()).status == 200
        rows = ask(server, "GET", "/api/v1/orders?type=nonsense&type=all").json()["data"]["orders"]
        assert [row["quantity"] for row in rows] == [3]
        spoofed = text_of().replace(
            '"client_id"', '"client_id": "DEMO1", "client_id": "DEMO2", "x"'
        )
        assert ask(server, "POST", KART, spoofed.encode()).status == 403
        assert ask(server, "GET", f"{BOOK}&client_id=DEMO1&client_id=DEMO2").status == 403
        row = rows[0]
        fields = {"exchange_order_id": row["exchange_order_id"], "leg_order_indicator": "ENTRY"}
        body = json.dumps(fields).replace('"ENTRY"', '"THIRD", "leg_order_indicator": "ENTRY"')
        answer = ask(server, "DELETE", f"{KART}/{row['oms_order_id']}", body.encode())
        assert answer.headers["x-order-state"] == "CANCELLED"


INJECTIONS = ("\r\nFORGED line", "\nERROR forged", "\x1b[31mred", "\u2028FORGED", "%0d%0aFORGED")


def test_nobody_writes_the_log(tmp_path: Path) -> None:
    """Line ends, escapes and the like in any value make no line of the log, and no header."""
    with running("--data-dir", tmp_path / "data") as server:
        for text in INJECTIONS:
            for body in (
                text_of(device=text),
                text_of(client_id=text),
                text_of(exchange=text),
                text_of(leg_order_indicator=text, oms_order_id=text),
                json.dumps({text: text}),
            ):
                for method in ("POST", "PUT", "DELETE"):
                    answer = ask(server, method, KART, body.encode())
                    assert answer.status in (200, 400, 403, 404)
                    assert "forged" not in str(answer.headers).lower()
            quoted = "".join(f"%{byte:02X}" for byte in text.encode())
            for path in (
                f"/api/v1/{quoted}",
                f"/api/v1/order/{quoted}/history",
                f"{BOOK}&{quoted}",
            ):
                assert "forged" not in str(ask(server, "GET", path).headers).lower()
            ascii_only = "".join(letter for letter in text if " " <= letter <= "~")
            for name in ("User-Agent", "X-Request-Id", "Idempotency-Key", "X-Forwarded-For"):
                answer = ask(server, "POST", KART, b"{}", f"{name}: {ascii_only}")
                assert ascii_only not in str(answer.headers)
        code, _, errors = server.stop()
    assert code == 0
    assert "FORGED" not in str(errors).upper()
    assert "\x1b" not in str(errors)


def test_an_answer_names_a_field_and_not_its_value(twin: TwinServer) -> None:
    """What a client sent is not sent back in an error, so nothing can be reflected."""
    poison = "<script>alert(1)</script>"
    for field in order(1):
        answer = ask(twin, "POST", KART, text_of(**{field: poison}).encode())
        assert poison not in answer.body.decode() + str(answer.headers)
    answer = ask(twin, "GET", f"/{poison.replace(' ', '')}")
    assert "script" not in answer.body.decode()
