"""No route lets a token read or change what is another client's."""

import json
from typing import Any

import httpx
import pytest

from kavach.api.gateway.route import ORDER_ID
from kavach.api.routes.every_route import ROUTES
from tests.unit.api.people.stage import People
from tests.unit.api.world import KART, entry

ONE, TWO = "PIN1", "PIN2"
SECRET_MARK = 424_242  # The user order id of PIN1's order: it is in each row of it.
CLOSED = [route for route in ROUTES if not route.is_open]
NAMELESS = "/api/v1/calc"  # Its request has no place for a client, and its answer is nobody's.


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def order(server: People) -> dict[str, Any]:
    """The row of an order of PIN1's that has partly filled, so that both legs are there."""
    fields = entry(client_id=ONE, price=12.9, user_order_id=SECRET_MARK)
    answer = server.http.post(KART, json=fields, headers=bearer(f"standing-{ONE}"))
    assert answer.status_code == 200, answer.text
    rows = server.http.get("/api/v1/orders?type=all", headers=bearer(f"standing-{ONE}"))
    row: dict[str, Any] = rows.json()["data"]["orders"][0]
    assert row["user_order_id"] == str(SECRET_MARK)
    return row


def ask(server: People, route: Any, token: str, row: dict[str, Any], named: str) -> httpx.Response:
    """Return the answer of a route, asked about an order with a token, under a name or none."""
    fields = entry(client_id=named) | {
        "client_id": named,
        "login_id": named,
        "oms_order_id": row["oms_order_id"],
        "exchange_order_id": row["exchange_order_id"],
        "leg_order_indicator": "ENTRY",
    }
    if not named:
        del fields["client_id"], fields["login_id"]
    path = route.path.replace(f"{{{ORDER_ID}}}", row["oms_order_id"])
    query = {"type": "all" if path.endswith("orders") else "live"}
    has_body = route.method in ("POST", "PUT", "DELETE")
    return server.http.request(
        route.method,
        path,
        content=json.dumps(fields) if has_body else b"",
        params=query if has_body or not named else query | {"client_id": named},
        headers=bearer(token),
    )


@pytest.mark.parametrize("route", CLOSED, ids=lambda route: f"{route.method} {route.path}")
def test_a_token_opens_its_own_account_alone(
    server: People, order: dict[str, Any], route: Any
) -> None:
    """Naming the other account is forbidden; and however it is asked, nothing of it is told."""
    state = server.world.desk.state
    kept = state.covers[int(order["oms_order_id"])]
    before = (kept.quantity, kept.state, kept.cancel_source, state.clients[ONE].blocked_paise)
    for token in (f"standing-{TWO}", server.log_in(TWO)):
        answer = ask(server, route, token, order, ONE)
        if route.path != NAMELESS:
            assert answer.status_code == 403, answer.text
            assert answer.json()["message"] == "Request forbidden"
        for named in (ONE, TWO, "") if route.path == NAMELESS else (TWO, ""):
            answer = ask(server, route, token, order, named)
            said = answer.text + str(answer.headers)
            assert str(SECRET_MARK) not in said
            assert ONE not in said
            assert order["exchange_order_id"] not in said
    after = (kept.quantity, kept.state, kept.cancel_source, state.clients[ONE].blocked_paise)
    assert after == before
    assert [cover.user_order_id for cover in state.covers_of(ONE)] == [SECRET_MARK]


@pytest.mark.parametrize(
    "route",
    [route for route in CLOSED if route.has_id or route.method in ("PUT", "DELETE")],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_a_foreign_id_is_an_unknown_id(server: People, order: dict[str, Any], route: Any) -> None:
    """What is somebody else's and what never was get one answer, to the byte."""
    unknown = order | {"oms_order_id": "20240101999"}
    answers = [ask(server, route, f"standing-{TWO}", row, TWO) for row in (order, unknown)]
    foreign, never = answers
    assert foreign.status_code == never.status_code >= 400
    assert foreign.content == never.content
    assert foreign.headers["x-error-reason"] == never.headers["x-error-reason"]


def test_a_name_that_is_nobodys_is_as_forbidden_as_anothers(server: People) -> None:
    """Whether there is such a client cannot be asked with a token."""
    for path in ("/api/v1/user/profile", "/api/v1/user/trading_info", "/api/v1/trades"):
        answers = [
            server.http.get(path, params={"client_id": name}, headers=bearer(f"standing-{TWO}"))
            for name in (ONE, "NOBODY")
        ]
        assert answers[0].status_code == answers[1].status_code == 403
        assert answers[0].content == answers[1].content


def test_two_clients_at_once_see_their_own(server: People) -> None:
    """Sessions of two clients that log in by turns open the right account, each."""
    tokens = [(name, server.log_in(name)) for name in (ONE, TWO, ONE, TWO)]
    tokens.append((TWO, server.exchange(server.code(TWO)).json()["access_token"]))
    for name, token in tokens:
        assert server.who(token) == name
        profile = server.http.get("/api/v1/user/profile", headers=bearer(token)).json()["data"]
        assert profile["client_id"] == name
