"""What a client was told is there after a restart, clean or not, and so is everything else."""

import signal
import socket
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.twin_server import TOKEN, TwinServer, run, running, until

KART = "/api/v1/orders/kart"
WORKERS = 8


def order(user_order_id: int) -> dict[str, Any]:
    """Return a cover order that rests in the book."""
    return {
        "exchange": "NSE",
        "instrument_token": 14366,
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 12.9,
        "quantity": 10,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "user_order_id": user_order_id,
        "execution_type": "CO",
        "stop_loss_value": 12.5,
    }


def cancel(client: httpx.Client, row: dict[str, Any]) -> httpx.Response:
    """Return the answer to the cancel of an entry."""
    parameters = {
        "client_id": "DEMO1",
        "exchange_order_id": row["exchange_order_id"],
        "execution_type": "CO",
        "leg_order_indicator": "ENTRY",
        "oms_order_id": row["oms_order_id"],
    }
    return client.request("DELETE", f"{KART}/{row['oms_order_id']}", json=parameters)


def rows(client: httpx.Client, kind: str = "all") -> dict[int, dict[str, Any]]:
    """Return the ENTRY rows of the order book by user order id."""
    answer = client.get(f"/api/v1/orders?type={kind}&client_id=DEMO1").json()
    found = [row for row in answer["data"]["orders"] if row["leg_order_indicator"] == "ENTRY"]
    by_id = {int(row["user_order_id"]): row for row in found}
    assert len(by_id) == len(found)
    return by_id


def live(server: TwinServer) -> None:
    """Let a bit of everything happen: rests, fills, a stop, a cancel, an exit, a kept answer."""
    for number in range(1, 6):
        assert server.http.post(KART, json=order(number)).status_code == 200
    sell = {"exchange": "NSE", "instrument_token": 14366, "side": "SELL", "price": 12.9}
    assert server.room("POST", "market/order", **sell, quantity=15)["filled"] == 15
    assert cancel(server.http, rows(server.http)[5]).status_code == 200
    key = {"Idempotency-Key": "once"}
    assert server.http.post(KART, json=order(6), headers=key).status_code == 200


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_changes_nothing(signal_number: int, tmp_path: Path) -> None:
    """State hash and order book are the same before and after, and a repeated key is known."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        live(server)
        before, book = server.audit(), rows(server.http)
        server.stop(signal_number)
    with running("--data-dir", data) as server:
        after = server.audit()
        assert after["violations"] == []
        assert after["state_hash"] == before["state_hash"]
        assert rows(server.http) == book
        again = server.http.post(KART, json=order(6), headers={"Idempotency-Key": "once"})
        assert again.status_code == 200
        assert rows(server.http) == book
        server.stop()
    assert before["state_hash"] in run("verify", data).stdout


class Worker(threading.Thread):
    """Places orders and cancels every other one, until the server is gone; notes the answers."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__()
        self._url = url
        self._number = number
        self.placed: set[int] = set()
        self.cancelled: set[int] = set()
        self.unexpected: list[str] = []

    def run(self) -> None:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=self._url, headers=bearer, trust_env=False) as client:
            for turn in range(1_000_000):
                user_order_id = self._number * 1_000_000 + turn
                try:
                    if self._ask(client.post(KART, json=order(user_order_id))):
                        self.placed.add(user_order_id)
                    if turn % 10 == 0:
                        row = rows(client, "pending")[user_order_id]
                        if self._ask(cancel(client, row)):
                            self.cancelled.add(user_order_id)
                except httpx.TransportError:
                    return  # The server is gone; what had no answer may be there or not.

    def _ask(self, response: httpx.Response) -> bool:
        if response.status_code != 200:
            self.unexpected.append(response.text)
        return response.status_code == 200


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    """Killed in the middle of a load, the server has lost nothing that it had answered."""
    data = tmp_path / "data"
    placed: set[int] = set()
    cancelled: set[int] = set()
    with running("--data-dir", data) as server:
        workers = [Worker(server.url, number) for number in range(1, WORKERS + 1)]
        for worker in workers:
            worker.start()
        until(lambda: all(len(worker.placed) > 1 and worker.cancelled for worker in workers))
        server.stop(signal.SIGKILL)
        for worker in workers:
            worker.join()
            assert worker.unexpected == []
            placed |= worker.placed
            cancelled |= worker.cancelled
    assert len(placed) > WORKERS and len(cancelled) >= WORKERS
    with running("--data-dir", data) as server:
        book = rows(server.http)
        assert placed <= book.keys()
        assert {book[number]["order_status"] for number in cancelled} == {"CANCEL_CONFIRMED"}
        after = server.audit()
        assert after["violations"] == []
        server.stop()
    verified = run("verify", data)
    assert verified.returncode == 0, verified.stderr
    assert after["state_hash"] in verified.stdout


def test_a_reset_empties_the_directory(tmp_path: Path) -> None:
    """After a reset the world is new, on disk too, and what happens then is kept."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        empty = server.audit()["state_hash"]
        live(server)
        assert server.audit()["state_hash"] != empty
        assert server.room("POST", "reset") == {"state_hash": empty}
        assert rows(server.http) == {}
        assert server.http.post(KART, json=order(9)).status_code == 200
        server.stop(signal.SIGKILL)
    with running("--data-dir", data) as server:
        assert set(rows(server.http)) == {9}


def test_what_is_not_whole_at_a_stop_is_not_taken(tmp_path: Path) -> None:
    """A client that never finishes its request can't keep the server from ending, and cleanly."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        assert server.http.post(KART, json=order(1)).status_code == 200
        address = urlsplit(server.url)
        assert address.hostname and address.port
        with socket.create_connection((address.hostname, address.port)) as slow:
            slow.sendall(b"POST /api/v1/orders/kart HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
            threading.Event().wait(0.3)
            server.process.send_signal(signal.SIGINT)
            assert server.process.wait(5) == 0
            assert slow.recv(1) == b""
    with running("--data-dir", data) as server:
        assert set(rows(server.http)) == {1}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_a_clock_that_was_set_ahead_does_not_go_back(signal_number: int, tmp_path: Path) -> None:
    """Where nothing happens on the way, and nothing after it, a restart is still not earlier."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        before = server.room("POST", "clock", action="advance", seconds=7 * 86_400)["now_ns"]
        server.stop(signal_number)
    with running("--data-dir", data) as server:
        assert server.room("GET", "clock")["now_ns"] >= before
