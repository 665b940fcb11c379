"""Who may enter the control room, and what is said to the others."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.unit.twin.stage import ADDRESS, OPERATOR, TOKEN, Served

CALLS = [
    ("POST", "market/quote"),
    ("POST", "market/order"),
    ("POST", "market/trade"),
    ("GET", "market/NSE/14366"),
    ("POST", "faults"),
    ("DELETE", "faults"),
    ("POST", "venue/link"),
    ("GET", "clock"),
    ("POST", "clock"),
    ("POST", "session"),
    ("POST", "clients"),
    ("GET", "audit"),
    ("POST", "reset"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", OPERATOR, f"Basic {OPERATOR}", f"Bearer {TOKEN}", "Bearer \xe9"],
)
def test_only_the_operator_enters(calm: Served, method: str, path: str, header: str | None) -> None:
    """Any token but the operator's own is 401 for every call, and nothing happens."""
    before = calm.state_hash()
    headers = [] if header is None else [(b"Authorization", header.encode("latin-1"))]
    answer = httpx.request(method, f"{calm.http.base_url}/twin/v1/{path}", headers=headers)
    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]
    assert answer.headers["www-authenticate"] == "Bearer"
    assert calm.state_hash() == before


def test_one_token_is_enough(calm: Served) -> None:
    """Two tokens are one too many, whatever they are: which of them counts nobody can know."""
    token = (b"Authorization", f"Bearer {OPERATOR}".encode())
    url = f"{calm.http.base_url}/twin/v1/clock"
    assert httpx.get(url, headers=[token]).status_code == 200
    assert httpx.get(url, headers=[token, token]).status_code == 401


def test_a_stranger_learns_nothing(calm: Served) -> None:
    """Without the token a wrong path, a wrong method and a huge body all look the same."""
    strangers = [
        httpx.get(f"{calm.http.base_url}/twin/v1/nowhere"),
        httpx.put(f"{calm.http.base_url}/twin/v1/clock"),
        httpx.post(f"{calm.http.base_url}/twin/v1/clock", content=b"x" * 1_000_000),
        httpx.get(f"{calm.http.base_url}/twin/v1/clock"),
    ]
    assert {(answer.status_code, answer.text) for answer in strangers} == {
        (401, '{"error":"Authorization: must be Bearer and the operator token"}')
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "nowhere", 404, None),
        ("GET", "", 404, None),
        ("GET", "market/NSE", 404, None),
        ("GET", "market/NSE/14366/x", 404, None),
        ("GET", "market/{exchange}/{instrument_token}", 400, None),
        ("PUT", "clock", 405, "GET, POST"),
        ("GET", "reset", 405, "POST"),
        ("GET", "market/quote", 405, "POST"),
        ("POST", "market/NSE/14366", 405, "GET"),
    ],
)
def test_a_wrong_address_is_told(
    calm: Served, method: str, path: str, status: int, allow: str | None
) -> None:
    """A wrong path or method is refused in the room's own shape, the right methods named."""
    answer = calm.http.request(method, f"/twin/v1/{path}")
    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    assert list(answer.json()) == ["error"]


def test_an_answer_waits_for_the_disk(served: Served) -> None:
    """A change is answered once it is durable, and not before."""
    served.place()
    journal = served.stage.journal
    journal.hold()
    with ThreadPoolExecutor(1) as pool:
        order = pool.submit(
            served.post, "market/order", **ADDRESS, side="SELL", price=13, quantity=1
        )
        while journal.durable_sequence == len(list(journal.records())):
            assert not order.done(), "the answer did not wait"
        with pytest.raises(TimeoutError):
            order.result(0.1)
        journal.release()
        assert order.result(10)["filled"] == 1


def test_nothing_is_answered_that_is_not_kept(served: Served) -> None:
    """When the journal fails, a change is answered 503: its outcome is unknown."""
    served.place()
    served.stage.journal.fails = True
    answer = served.http.post(
        "/twin/v1/market/order", json={**ADDRESS, "side": "SELL", "price": 13, "quantity": 1}
    )
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("journal: not durable")
