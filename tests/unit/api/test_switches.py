"""The switches, the disk, and what stands beside the trading API."""

import threading
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from kavach.api.http.options import ApiOptions
from tests.unit.api.test_bad_input import check_envelope, modify_fields
from tests.unit.api.world import BEARER, KART, World, entry, running

A = {"data", "error_code", "message", "status"}
B = {"error", "result"}
C = {"data", "message", "status"}


def test_errors_under_200() -> None:
    """Clients that look no further than the status get the same bodies under 200."""
    with running(ApiOptions(errors_as_200=True)) as world:
        answers = [
            world.http.post(KART, json=entry(price=20), headers=BEARER),
            world.http.get("/api/v1/trades"),
            world.http.get("/api/v1/order/1/history", headers=BEARER),
            world.http.get("/nowhere"),
            world.http.patch(KART),
        ]
        for answer in answers:
            check_envelope(answer, 200)
        assert answers[0].json()["message"] == "`price` is invalid: outside 10.40 to 15.60"


REFUSALS: list[tuple[str, str, dict[str, Any] | None, set[str]]] = [
    ("POST", "/api/v1/orders", {"client_id": "DEMO1"}, A),
    ("PUT", "/api/v1/orders", {"client_id": "DEMO1"}, A),
    ("DELETE", "/api/v1/orders/1", None, A),
    ("GET", "/api/v1/orders", None, A),
    ("GET", "/api/v1/positions", None, A),
    ("PUT", "/api/v1/position/convert", {"client_id": "DEMO1"}, A),
    ("GET", "/api/v1/holdings?client_id=DEMO2", None, A),
    ("GET", "/api/v2/funds/view?type=x", None, A),
    ("GET", "/api/v1/funds/view?type=x", None, A),
    ("GET", "/api/v1/user/profile?client_id=DEMO2", None, A),
    ("POST", "/api/v1/basket", {}, A),
    ("PUT", "/api/v1/basket", {"basket_id": "x", "name": "y"}, A),
    ("DELETE", "/api/v1/basket?basket_id=x", None, A),
    ("POST", "/api/v1/basket/order", {"basket_id": "x"}, A),
    ("DELETE", "/api/v1/basket/order?basket_id=x&order_id=y", None, A),
    ("POST", "/api/v1/event/gtt", {}, A),
    ("PUT", "/api/v1/event/gtt", {"id": "x"}, A),
    ("GET", "/api/v1/event/gtt", None, A),
    ("GET", "/api/v1/event/gtt/DEMO2", None, A),
    ("DELETE", "/api/v1/event/gtt/DEMO1/x", None, A),
    ("POST", "/api/v3/user/login", {}, A),
    ("POST", "/api/v3/user/twofa", {}, A),
    ("POST", "/api/v3/user/validatetotp", {}, A),
    ("GET", "/api/v1/contract/Compact?info=x", None, A),
    ("GET", "/api/v1/contract/NSE?token=1", None, B),
    ("GET", "/api/v1/search", None, B),
    ("GET", "/api/v1/optionchain/NFO?token=1", None, B),
    ("POST", "/api/v1/calc", {}, B),
    ("GET", "/api/v1/marketdata/NSE/Capital?token=1", None, C),
    ("GET", "/api/v1/marketdata/NSE/FutOpt?token=1&key=close_price", None, A),
]


@pytest.mark.parametrize("as_200", [False, True], ids=["by kind", "as 200"])
def test_every_route_refuses_in_its_envelope(as_200: bool) -> None:
    """Each in the one it is known for, under the switch's status."""
    with running(ApiOptions(errors_as_200=as_200)) as world:
        for method, path, body, envelope in REFUSALS:
            answer = world.http.request(method, path, json=body, headers=BEARER)
            assert (answer.status_code == 200) is as_200, path
            assert answer.json().keys() == envelope, path
            assert answer.headers["x-error-reason"], path


def test_oauth_keeps_its_status() -> None:
    """A client of OAuth looks at the status before it looks for a token in the answer."""
    with running(ApiOptions(errors_as_200=True)) as world:
        answer = world.http.post("/oauth2/token", data={"grant_type": "x"})
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
        assert answer.json()["message"] == answer.json()["error_description"]


@pytest.mark.parametrize(
    ("path", "headers", "kind"),
    [
        ("/api/v1/trades", {}, "TokenException"),
        ("/api/v1/orders?type=x", BEARER, "InputException"),
        ("/api/v1/order/1/history", BEARER, "OrderException"),
        ("/nowhere", BEARER, "GeneralException"),
    ],
)
def test_error_types(path: str, headers: dict[str, str], kind: str) -> None:
    """With the switch, the key that makes the official SDK raise, naming its exception."""
    with running(ApiOptions(error_type=True)) as world:
        answer = world.http.get(path, headers=headers).json()
        assert list(answer) == ["data", "error_code", "message", "status", "error_type"]
        assert answer["error_type"] == kind


def test_blank_basket_ids() -> None:
    """Some servers of the family answer an empty basket id to modify and cancel."""
    with running(ApiOptions(blank_basket_id=True)) as world:
        row = world.place()
        modified = world.http.put(KART, json=modify_fields(world), headers=BEARER)
        assert modified.json()["data"]["basket_id"] == ""
        assert world.cancel(row).json()["data"]["basket_id"] == ""


def test_nothing_is_said_before_it_is_durable(world: World) -> None:
    """An answer, even to a look, waits for the disk."""
    world.place()
    world.desk.disk.clear()
    done: list[str] = []

    def ask(method: str, path: str, body: Any) -> None:
        world.http.request(method, path, json=body, headers=BEARER)
        done.append(path)

    asks = [("POST", KART, entry()), ("GET", "/api/v1/orders?type=all", None)]
    threads = [threading.Thread(target=ask, args=args) for args in asks]
    for thread in threads:
        thread.start()
        thread.join(0.2)
    waited = list(done)
    world.desk.disk.set()
    for thread in threads:
        thread.join(10)
    assert waited == []
    assert len(done) == 2


@pytest.mark.parametrize(("method", "path"), [("POST", KART), ("GET", "/api/v1/trades")])
def test_a_failing_disk_is_told(world: World, method: str, path: str) -> None:
    """503, envelope A, when to look again; the outcome is called what it is: unknown."""
    world.desk.journal_fails = True
    answer = world.http.request(method, path, json=entry(), headers=BEARER)
    check_envelope(answer, 503)
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["x-error-reason"] == "UNKNOWN"


def test_a_broken_invariant_is_one_json_error(world: World) -> None:
    """Even when the program itself is wrong, the client gets the one error shape."""

    def broken() -> int:
        raise AssertionError("an invariant is broken")

    world.desk.now_ns = broken  # type: ignore[method-assign]
    answer = world.http.post(KART, json=entry(), headers=BEARER)
    check_envelope(answer, 500)
    assert answer.json()["message"] == "Internal error"


def test_other_routes_stand_beside() -> None:
    """The control room is mounted as it is; the trading API does not look into it."""

    async def clock(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.path_params["what"])

    room = Mount("/twin/v1", routes=[Route("/{what}", clock)])
    with running(extra_routes=(room,)) as world:
        assert world.http.get("/twin/v1/clock").text == "clock"
        assert world.http.get("/api/v1/trades", headers=BEARER).status_code == 200
        check_envelope(world.http.get("/twin/v1/a/b"), 404)
