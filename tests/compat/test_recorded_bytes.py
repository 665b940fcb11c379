"""
Requests of other clients, byte for byte, against ``kavach serve``.

The client before the official one sends its token as Bearer and the JSON document as the query
string of a DELETE; others send a body, or plain pairs. All of them must cancel the same order.
"""

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.twin_server import TwinServer

Encode = Callable[[dict[str, str]], tuple[str, bytes]]

PLACE = (
    b'{"exchange": "NSE", "instrument_token": "14366", "client_id": "DEMO1",'
    b' "order_type": "LIMIT", "price": 12.9, "quantity": 10, "disclosed_quantity": 0,'
    b' "validity": "DAY", "product": "MIS", "order_side": "BUY", "device": "WEB",'
    b' "user_order_id": 7001, "execution_type": "CO", "stop_loss_value": 12.5,'
    b' "trailing_stop_loss": 0}'
)
BEARER = b"Authorization: Bearer %s\r\n"
PLAIN_TOKEN = b"x-authorization-token: %s\r\n"


def send(twin: TwinServer, method: str, target: str, body: bytes, token: bytes) -> dict[str, Any]:
    """Return the JSON that answers these very bytes."""
    parts = urlsplit(twin.url)
    assert parts.hostname and parts.port
    head = (
        f"{method} {target} HTTP/1.1\r\n"
        f"Host: {parts.netloc}\r\n"
        "User-Agent: python-requests/2.31.0\r\n"
        "Accept-Encoding: gzip, deflate\r\n"
        "accept: application/json\r\n"
        "Connection: close\r\n"
        "Content-type: application/json\r\n"
    ).encode()
    head += token % twin.access_token.encode()
    head += b"Content-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(head + body)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    content = answer.partition(b"\r\n\r\n")[2]
    told: dict[str, Any] = json.loads(content)
    return told


def as_body(parameters: dict[str, str]) -> tuple[str, bytes]:
    """A JSON body, as documented."""
    return "", json.dumps(parameters).encode()


def as_pairs(parameters: dict[str, str]) -> tuple[str, bytes]:
    """Query pairs without the order's id, as the official client sends them."""
    pairs = [f"{k}={v}" for k, v in parameters.items() if k != "oms_order_id"]
    return f"?{'&'.join(pairs)}", b""


def as_document(parameters: dict[str, str]) -> tuple[str, bytes]:
    """The JSON document as the query string, as the client before it sends it."""
    return f"?{quote(json.dumps(parameters))}", b""


def as_both(parameters: dict[str, str]) -> tuple[str, bytes]:
    """Body and query together."""
    return as_pairs(parameters)[0], as_body(parameters)[1]


@pytest.mark.parametrize("token", [BEARER, PLAIN_TOKEN], ids=["bearer", "plain"])
@pytest.mark.parametrize("encode", [as_body, as_pairs, as_document, as_both])
def test_a_recorded_cancel_cancels(twin: TwinServer, encode: Encode, token: bytes) -> None:
    """However its parameters travel, a DELETE cancels the entry and answers as the page says."""
    placed = send(twin, "POST", "/api/v1/orders/kart", PLACE, token)
    basket_id = placed["data"]["data"]["basket_id"]
    target = "/api/v1/orders?type=pending&client_id=DEMO1"
    [row] = send(twin, "GET", target, b"", token)["data"]["orders"]
    query, body = encode(
        {
            "client_id": "DEMO1",
            "exchange_order_id": row["exchange_order_id"],
            "execution_type": "CO",
            "leg_order_indicator": "ENTRY",
            "oms_order_id": row["oms_order_id"],
        }
    )
    kart = f"/api/v1/orders/kart/{row['oms_order_id']}{query}"
    assert send(twin, "DELETE", kart, body, token) == {
        "data": {"basket_id": basket_id, "message": "Order Cancelled Successfully"},
        "message": "",
        "status": "success",
    }
    assert send(twin, "GET", target, b"", token)["data"]["orders"] == []
