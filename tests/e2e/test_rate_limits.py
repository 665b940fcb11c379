"""Limits of a real server: ``Retry-After`` is true, and a restart forgets nothing."""

import signal
import time
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from kavach.sdk import Pocket
from kavach.sdk.errors import RateLimited
from tests.twin_server import TOKEN, TwinServer, run, running

ORDERS: Final = "/api/v1/orders"
KART: Final = "/api/v1/orders/kart"


def order(client_id: str = "DEMO1", **changes: Any) -> dict[str, Any]:
    """Return a regular order that rests in the book."""
    return {
        "exchange": "NSE",
        "instrument_token": 14366,
        "client_id": client_id,
        "order_type": "LIMIT",
        "price": 12,
        "quantity": 10,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "user_order_id": 1,
        "execution_type": "REGULAR",
    } | changes


def cover_order() -> dict[str, Any]:
    """Return a cover order that rests in the book."""
    return order(execution_type="CO", stop_loss_value=11)


def until_refused(
    server: TwinServer, most: int = 300, path: str = ORDERS
) -> tuple[int, httpx.Response]:
    """Return how many orders are taken at once, and the answer to the next."""
    for number in range(most):
        answer = server.http.post(path, json=order() if path == ORDERS else cover_order())
        if answer.status_code != 200:
            assert answer.status_code == 429, answer.text
            return number, answer
    raise AssertionError("nothing was too much")


def stand(server: TwinServer) -> None:
    """Let the clock stand, so that a slow machine is no slower than a quick one."""
    server.room("POST", "clock", action="pause")


def test_waiting_as_long_as_told_suffices() -> None:
    """After ``Retry-After`` seconds of the real world the next order is taken, at any speed."""
    for speed in ("1", "4"):
        with running(
            "--data-dir", ":memory:", "--limits", "documented", "--speed", speed
        ) as server:
            stand(server)
            number, _ = until_refused(server)
            assert number == 25
            for _ in range(9):
                server.room("POST", "clock", action="advance", seconds=1)
                until_refused(server)
            server.room("POST", "clock", action="advance", seconds=46)
            server.room("POST", "clock", action="resume")
            refused = server.http.post(ORDERS, json=order())
            assert refused.status_code == 429
            assert refused.json()["message"].endswith("at most 250 in a minute")
            seconds = int(refused.headers["retry-after"])
            assert 1 <= seconds <= 5
            time.sleep(seconds)
            assert server.http.post(ORDERS, json=order()).status_code == 200


def test_a_kill_in_the_middle_of_a_minute(tmp_path: Path) -> None:
    """A server that died goes on counting where it was; verifying its journal needs no option."""
    options = ("--data-dir", tmp_path / "data", "--limits", "documented")
    with running(*options) as server:
        stand(server)
        for _ in range(10):
            until_refused(server, path=KART)
            server.room("POST", "clock", action="advance", seconds=1)
        last = server.http.post(KART, json=cover_order())
        assert last.json()["message"].endswith("at most 250 in a minute")
        before = server.audit()["state_hash"]
        server.stop(signal.SIGKILL)
    assert run("verify", tmp_path / "data").returncode == 0
    with running(*options) as server:
        assert server.audit()["state_hash"] == before
        answer = server.http.post(KART, json=cover_order())
        assert answer.status_code == 429
        assert 50 <= int(answer.headers["retry-after"]) <= 60  # From the last record on.


def test_other_rules_begin_anew(tmp_path: Path) -> None:
    """Opened under another profile, the journal keeps it; nothing that was counted holds."""
    data = ("--data-dir", tmp_path / "data")
    with running(*data, "--limits", "documented") as server:
        stand(server)
        until_refused(server)
        assert server.stop()[0] == 0
    with running(*data) as server:
        stand(server)
        for _ in range(30):
            assert server.http.post(ORDERS, json=order()).status_code == 200
        assert server.stop()[0] == 0
    with running(*data, "--limits", "sebi-2026") as server:
        stand(server)
        number, answer = until_refused(server)
        assert (number, answer.headers["retry-after"]) == (6, "1")
    shown = run("journal", tmp_path / "data").stdout
    chosen = [line for line in shown.splitlines() if "LimitsChosen" in line]
    assert len(chosen) == 3


def test_a_registered_algorithm() -> None:
    """An account that is opened with an algorithm's id may more, and its orders carry the id."""
    with running("--data-dir", ":memory:", "--limits", "sebi-2026") as server:
        stand(server)
        opened = server.room("POST", "clients", client_id="A1", cash=10**7, algo_id="NSE-4711")
        token = {"Authorization": f"Bearer {opened['access_token']}"}
        with httpx.Client(base_url=server.url, headers=token, trust_env=False) as http:
            answers = [http.post(ORDERS, json=order("A1")).status_code for _ in range(16)]
            rows = http.get(f"{ORDERS}?type=all").json()["data"]["orders"]
        assert answers == [200] * 15 + [429]
        assert {row["order_tag"] for row in rows} == {"NSE-4711"}
        bad = server.operator.post(
            "clients", json={"client_id": "A2", "cash": 1, "algo_id": "two words"}
        )
        assert (bad.status_code, bad.json()["error"].partition(":")[0]) == (400, "algo_id")
        assert server.http.post(ORDERS, json=order()).status_code == 200


def test_our_client_says_that_it_was_too_much() -> None:
    """The SDK raises what means "wait, then ask again", because nothing was done."""
    with running("--data-dir", ":memory:", "--limits", "documented") as server:
        stand(server)
        until_refused(server)
        pocket = Pocket(client_id="DEMO1", access_token=TOKEN, base_url=server.url)
        with pocket, pytest.raises(RateLimited) as refused:
            pocket.place_cover_order(
                exchange="NSE",
                instrument_token=14366,
                side="BUY",
                quantity=10,
                price="12.90",
                stop_loss="12.50",
            )
        assert refused.value.reason == "RATE_LIMITED"
