"""At the door: tokens, routes, methods, sizes, headers. Nothing but envelope A comes back."""

import socket
from typing import Any

import httpx
import pytest

from tests.unit.api.test_bad_input import check_envelope
from tests.unit.api.world import BEARER, KART, OTHER, OTHER_TOKEN, TOKEN, World, entry

BOOKS = "/api/v1/orders?type=all"
ROUTES = [
    ("POST", KART),
    ("PUT", KART),
    ("DELETE", KART),
    ("DELETE", f"{KART}/202406132"),
    ("GET", "/api/v1/orders?type=all"),
    ("GET", "/api/v1/order/202406132/history"),
    ("GET", "/api/v1/trades"),
    ("GET", "/api/v1/positions?type=live"),
    ("GET", "/api/v1/user/trading_info"),
]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": f"bearer {TOKEN}"},
        {"Authorization": TOKEN},
        {"x-authorization-token": TOKEN},
        {"X-Authorization-Token": TOKEN},
        {"x-auth-token": TOKEN},
        {"Authorization": f"Bearer {TOKEN}", "x-authorization-token": TOKEN},
    ],
)
def test_every_form_of_token(calm: World, headers: dict[str, str]) -> None:
    """Each header form that a client uses lets it in."""
    answer = calm.http.get("/api/v1/user/trading_info", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["data"]["client_id"] == "DEMO1"


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}", "x-authorization-token": OTHER_TOKEN},
        {"x-authorization-token": "\xff\xfe".encode("latin-1").decode("latin-1")},
    ],
)
def test_no_other_token_is_let_in(
    calm: World, method: str, path: str, headers: dict[str, str]
) -> None:
    """Missing, empty, unknown or contradictory: 401 with the vendor's words, on every route."""
    given = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = calm.http.request(method, path, headers=given)
    check_envelope(answer, 401)
    assert answer.json()["error_code"] == 40000
    assert answer.json()["message"] == "Request Unauthorised"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_another_account_is_forbidden(calm: World, method: str, path: str) -> None:
    """A token speaks for its own account only, wherever the other one is named."""
    before = calm.state_hash()
    body: dict[str, Any] = {}
    params = {}
    if method in ("POST", "PUT"):
        body = entry(client_id="DEMO2", oms_order_id="1")
    else:
        params = {"client_id": "DEMO2"}
    url = httpx.URL(path).copy_merge_params(params)
    answer = calm.http.request(method, str(url), json=body, headers=BEARER)
    check_envelope(answer, 403)
    assert answer.json()["error_code"] == 40000
    assert answer.json()["message"] == "Request forbidden"
    assert calm.state_hash() == before


def test_the_account_is_the_tokens(calm: World) -> None:
    """Who does not know its account asks, and needs not name it."""
    answer = calm.http.get("/api/v1/user/trading_info", headers=OTHER)
    assert answer.json()["data"]["client_id"] == "DEMO2"
    assert calm.http.get(BOOKS, headers=OTHER).json()["data"] == {"orders": []}


@pytest.mark.parametrize(
    "path",
    [
        *["/", "/api", "/api/v1", "/api/v1/order", "/api/v1/orders/", "/api/v2/orders", "/docs/"],
        *["/static/vendored.json", "/api/v1/karts", "/twin/v1/clock", "/api/v1//orders", "/%00"],
        "/a%2F..%2Fb",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
def test_an_unknown_path(calm: World, method: str, path: str) -> None:
    """No route: envelope A under 404, never HTML, never a redirect."""
    answer = calm.http.request(method, path, headers=BEARER)
    check_envelope(answer, 404)
    assert answer.json()["message"] == "Resource Not Found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", KART, "DELETE, POST, PUT"),
        ("PATCH", KART, "DELETE, POST, PUT"),
        ("POST", f"{KART}/202406132", "DELETE"),
        ("PUT", f"{KART}/202406132", "DELETE"),
        ("PATCH", "/api/v1/orders", "GET, HEAD, POST, PUT"),
        ("DELETE", "/api/v1/trades", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
def test_a_wrong_method(calm: World, method: str, path: str, allowed: str) -> None:
    """A route asked in the wrong way says which ways there are."""
    answer = calm.http.request(method, path, headers=BEARER)
    check_envelope(answer, 405)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/api/v1/orders", "GET, HEAD, POST, PUT"), (KART, "DELETE, POST, PUT")],
)
def test_which_methods_there_are(calm: World, path: str, allowed: str) -> None:
    """OPTIONS says so without a token, and opens the route to no page of elsewhere."""
    answer = calm.http.options(path, headers={"Origin": "https://example.com"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert sorted(answer.headers["allow"].split(", ")) == sorted(allowed.split(", "))
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert calm.http.options("/nowhere").status_code == 404


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1024 * 1024, 20 * 1024 * 1024])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_body_too_large(calm: World, method: str, size: int) -> None:
    """Over 64 kB is refused with 413, and the connection is still good."""
    before = calm.state_hash()
    answer = calm.http.request(method, KART, content=b" " * size, headers=BEARER)
    check_envelope(answer, 413)
    assert calm.state_hash() == before
    assert calm.http.get(BOOKS, headers=BEARER).status_code == 200


def test_a_body_just_not_too_large(world: World) -> None:
    """64 kB is read."""
    body = httpx.Request("POST", "http://x", json=entry()).content.ljust(64 * 1024)
    assert world.http.post(KART, content=body, headers=BEARER).status_code == 200


def test_a_body_in_chunks_is_limited_alike(calm: World) -> None:
    """Who does not say how long the body is may not send more either."""

    def chunks() -> Any:
        for _ in range(100):
            yield b" " * 1024

    check_envelope(calm.http.post(KART, content=chunks(), headers=BEARER), 413)


def test_every_answer_has_its_own_number(calm: World) -> None:
    """A request id is never given twice, whatever the answer."""
    answers = [calm.http.get(path, headers=BEARER) for path in (BOOKS, "/x", "/docs", BOOKS)]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == len(ids)


def raw(world: World, request: bytes) -> tuple[bytes, bytes]:
    """Send bytes as they are; return head and body of the answer."""
    url = httpx.URL(world.url)
    with socket.create_connection((url.host, url.port or 0), 5) as link:
        link.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += link.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if b"content-length" in line]
        length = int(lengths[0].split(b":")[1])
        while len(body) < length:
            body += link.recv(65536)
    return head, body


@pytest.mark.parametrize(
    "target",
    ["/api/v1/orders?type=%ff%fe", "/api/v1/orders?%zz", "/api/v1/orders?type=\x80", "/\x80"],
)
def test_bytes_that_are_no_text(calm: World, target: str) -> None:
    """Odd bytes in the request line get an ordinary refusal."""
    line = f"GET {target} HTTP/1.1\r\nHost: x\r\nx-authorization-token: {TOKEN}\r\n\r\n"
    head, body = raw(calm, line.encode("latin-1"))
    assert head.split(b" ")[1] in (b"400", b"404")
    assert b"html" not in body.lower()


def test_a_head_request_has_no_body(calm: World) -> None:
    """HEAD is GET without the body."""
    answer = calm.http.head(BOOKS, headers=BEARER)
    assert answer.status_code == 200
    assert answer.content == b""


def test_half_a_request_changes_nothing(world: World) -> None:
    """A client that leaves in the middle of its body has asked for nothing."""
    before = world.state_hash()
    url = httpx.URL(world.url)
    with socket.create_connection((url.host, url.port or 0), 5) as link:
        link.sendall(
            f"POST {KART} HTTP/1.1\r\nHost: x\r\nx-authorization-token: {TOKEN}\r\n"
            'Content-Length: 500\r\n\r\n{"exchange":'.encode()
        )
    assert world.http.get(BOOKS, headers=BEARER).status_code == 200
    assert world.state_hash() == before
