"""
Whole runs of other clients of this API as their requests are recorded: place, list, modify, cancel.

Each client has its own way with the token, the types of numbers and where the parameters of a
DELETE travel. Only the address is ours; where a client speaks to a gateway that has other prefixes,
its prefix counts as part of the address.

Source: docs/wire/README.md, "Numbers, words, blanks"; docs/wire/README.md, "Regular and
after-market orders"; docs/wire/README.md, "Placing".
"""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.twin_server import TwinServer

Row = dict[str, Any]
Sent = tuple[str, bytes]  # A query with its question mark, and a body.


@dataclass(frozen=True)
class Client:
    """How one client speaks: its headers, what it places and changes, and how it cancels."""

    headers: Callable[[str], dict[str, str]]
    place: dict[str, Any]
    change: Callable[[Row], dict[str, Any]]
    cancel: Callable[[Row], Sent]
    kart: bool = False
    listing: str = "?type=pending&client_id=DEMO1"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def route(self) -> str:
        """The path of its orders."""
        return "/api/v1/orders/kart" if self.kart else "/api/v1/orders"


def bearer(token: str) -> dict[str, str]:
    """The older SDK and OpenAlgo's plugin for this broker."""
    return {"Authorization": f"Bearer {token}"}


def plain(token: str) -> dict[str, str]:
    """SPACE, and the pages of PACE."""
    return {"x-authorization-token": token, "x-device-type": "WEB"}


def both(token: str) -> dict[str, str]:
    """PACE's client in Python."""
    return bearer(token) | plain(token)


def naked(token: str) -> dict[str, str]:
    """Clients of HDFC's gateway."""
    return {"Authorization": token}


def as_json(parameters: dict[str, Any]) -> Sent:
    """A body, as documented."""
    return "", json.dumps(parameters).encode()


def as_pairs(parameters: dict[str, Any]) -> Sent:
    """Ordinary query pairs."""
    return "?" + "&".join(f"{key}={quote(str(value))}" for key, value in parameters.items()), b""


def as_document(parameters: dict[str, Any]) -> Sent:
    """The JSON document as the query string; colons and commas stay as they are."""
    return "?" + quote(json.dumps(parameters), safe=":,"), b""


def leg(row: Row, **more: Any) -> dict[str, Any]:
    """Return what every page wants of a cancel on ``/orders/kart``."""
    return {
        "client_id": "DEMO1",
        "exchange_order_id": row["exchange_order_id"],
        "execution_type": "CO",
        "leg_order_indicator": "ENTRY",
        "oms_order_id": row["oms_order_id"],
    } | more


REGULAR: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": "14366",
    "client_id": "DEMO1",
    "order_type": "LIMIT",
    "amo": False,
    "price": 12.9,
    "quantity": 10,
    "disclosed_quantity": 0,
    "validity": "DAY",
    "product": "MIS",
    "order_side": "BUY",
    "device": "WEB",
    "user_order_id": 10002,
    "trigger_price": 0,
    "execution_type": "REGULAR",
}
COVER: dict[str, Any] = {key: value for key, value in REGULAR.items() if key != "amo"} | {
    "execution_type": "CO",
    "stop_loss_value": 12.5,
    "trailing_stop_loss": "0.05",
    "is_trailing": False,
}


def changed(row: Row, place: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the place request with what a modify adds."""
    return place | {"oms_order_id": row["oms_order_id"], "price": 12.8, "quantity": 20} | more


def with_what_was_seen(row: Row, place: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a modify with the row's own numbers, as SPACE and PACE send them."""
    return changed(
        row,
        place,
        exchange_order_id=row["exchange_order_id"],
        filled_quantity=row["filled_quantity"],
        remaining_quantity=row["remaining_quantity"],
        last_activity_reference=row["last_activity_reference"],
        **more,
    )


CLIENTS = {
    "older SDK, regular": Client(
        headers=bearer,
        place=REGULAR,
        change=lambda row: changed(row, REGULAR),
        cancel=lambda row: as_document(
            {
                "oms_order_id": row["oms_order_id"],
                "client_id": "DEMO1",
                "execution_type": "REGULAR",
            }
        ),
        listing="?type=pending&client_id=DEMO1&%7B%22ClientId%22:%20%22DEMO1%22%7D",
    ),
    "older SDK, cover": Client(
        headers=bearer,
        place=COVER,
        change=lambda row: with_what_was_seen(row, COVER, instrument_token=14366),
        cancel=lambda row: as_document(leg(row)),
        kart=True,
        listing="?type=pending&client_id=DEMO1&%7B%22ClientId%22:%20%22DEMO1%22%7D",
    ),
    "OpenAlgo's plugin": Client(
        headers=bearer,
        place=REGULAR | {"instrument_token": 14366, "user_order_id": 1},
        change=lambda row: changed(row, REGULAR, instrument_token=14366),
        cancel=lambda row: as_pairs({"client_id": "DEMO1"}),
        extra={"Accept": "application/json"},
    ),
    "SPACE, after market": Client(
        headers=plain,
        place={key: value for key, value in REGULAR.items() if key != "amo"}
        | {"execution_type": "AMO"},
        change=lambda row: with_what_was_seen(
            row, REGULAR, execution_type="AMO", instrument_token=14366
        ),
        cancel=lambda row: (
            as_pairs({"client_id": "DEMO1", "execution_type": "AMO"})[0],
            as_json({"client_id": "DEMO1", "execution_type": "AMO"})[1],
        ),
    ),
    "SPACE, cover": Client(
        headers=plain,
        place={
            key: value
            for key, value in COVER.items()
            if key not in ("is_trailing", "trigger_price")
        }
        | {"trailing_stop_loss": 0.0},
        change=lambda row: with_what_was_seen(
            row, COVER, leg_order_indicator="Entry", trailing_stop_loss=0.0, trigger_price=0.0
        ),
        cancel=lambda row: as_json(leg(row, leg_order_indicator="Entry")),
        kart=True,
    ),
    "PACE's client, regular": Client(
        headers=both,
        place=REGULAR,
        change=lambda row: (
            with_what_was_seen(row, REGULAR)
            | {"price": "12.80", "last_activity_reference": 10, "instrument_token": 14366}
        ),
        cancel=lambda row: as_document(
            {
                "oms_order_id": row["oms_order_id"],
                "client_id": "DEMO1",
                "execution_type": "REGULAR",
            }
        ),
    ),
    "PACE's client, cover": Client(
        headers=both,
        place=COVER | {"square_off_value": "1", "trailing_stop_loss": 0},
        change=lambda row: (
            with_what_was_seen(row, COVER)
            | {"quantity": "20", "stop_loss_value": 0, "trailing_stop_loss": 0}
        ),
        cancel=lambda row: as_document(leg(row, leg_order_indicator="ENTRY")),
        kart=True,
    ),
    "HDFC's gateway, regular": Client(
        headers=naked,
        place=REGULAR | {"tags": []},
        change=lambda row: changed(row, REGULAR),
        cancel=lambda row: as_pairs(
            {"api_key": "key", "client_id": "DEMO1", "execution_type": "REGULAR"}
        ),
        listing="?api_key=key&client_id=DEMO1&type=pending",
    ),
    "HDFC's gateway, cover": Client(
        headers=naked,
        place=COVER | {"trailing_stop_loss": 0},
        change=lambda row: (
            with_what_was_seen(row, COVER) | {"quantity": "20", "stop_loss_value": 0}
        ),
        cancel=lambda row: (
            as_pairs({"api_key": "key"})[0],
            as_json(leg(row, status="CONFIRMED"))[1],
        ),
        kart=True,
        listing="?api_key=key&client_id=DEMO1&type=pending",
    ),
}


@dataclass(frozen=True)
class Speaker:
    """One client, connected to the server as it would be to the broker."""

    twin: TwinServer
    client: Client

    def ask(self, method: str, target: str, body: bytes = b"") -> Any:
        """Return status and JSON of the answer to these very bytes."""
        parts = urlsplit(self.twin.url)
        assert parts.hostname and parts.port
        lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        headers = self.client.headers(self.twin.access_token) | self.client.extra
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        head, _, content = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), answer
        told = json.loads(content)
        assert told["status"] == "success", told
        return told

    def pending(self) -> list[Row]:
        """Return the rows that it sees."""
        found: list[Row] = self.ask("GET", f"/api/v1/orders{self.client.listing}")["data"]["orders"]
        return found


@pytest.mark.parametrize("name", CLIENTS)
def test_place_list_modify_cancel(twin: TwinServer, name: str) -> None:
    """An order lives as the client means it to, and at the end nothing is left."""
    twin.room("POST", "reset")
    client = CLIENTS[name]
    speaker = Speaker(twin, client)
    speaker.ask("POST", client.route, json.dumps(client.place).encode())
    [row] = speaker.pending()
    assert (row["price"], row["quantity"]) == (12.9, 10)

    speaker.ask("PUT", client.route, json.dumps(client.change(row)).encode())
    [row] = speaker.pending()
    assert (row["price"], row["quantity"]) == (12.8, 20)
    assert row["mode"] == "NEW"  # OpenAlgo's cancel-all goes by it.

    query, body = client.cancel(row)
    speaker.ask("DELETE", f"{client.route}/{row['oms_order_id']}{query}", body)
    assert speaker.pending() == []


def test_pace_names_a_cover_leg_its_own_way(twin: TwinServer) -> None:
    """STOPLOSS, which PACE's pages say for THIRD, gets out of what has filled."""
    twin.room("POST", "reset")
    speaker = Speaker(twin, CLIENTS["PACE's client, cover"])
    speaker.ask("POST", "/api/v1/orders/kart", json.dumps(COVER).encode())
    fields = {"exchange": "NSE", "instrument_token": 14366, "quantity": 10}
    twin.room("POST", "market/order", side="SELL", price=12.9, **fields)
    twin.room("POST", "market/order", side="BUY", price=12.8, **fields)
    [stop] = speaker.pending()
    query, body = as_json(leg(stop, leg_order_indicator="STOPLOSS"))

    speaker.ask("DELETE", f"/api/v1/orders/kart/{stop['oms_order_id']}{query}", body)

    assert speaker.pending() == []
    trades = speaker.ask("GET", "/api/v1/trades?client_id=DEMO1")["data"]["trades"]
    assert sorted(trade["order_side"] for trade in trades) == ["BUY", "SELL"]
