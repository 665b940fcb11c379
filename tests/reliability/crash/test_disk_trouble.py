"""
A real server whose disk stops taking anything, and later takes it again.

The limit on the size of files (``RLIMIT_FSIZE``) is lowered to nothing for the running process:
from then on every write to any file fails, as on a broken disk. Raising it mends the disk.
"""

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_restart import KART, cancel, order, rows
from tests.twin_server import TwinServer, run, running

MEND_SECONDS_MAX = 30


@contextmanager
def broken_disk(server: TwinServer) -> Iterator[None]:
    """Let no write of the server succeed for as long as the context lasts."""
    pid = server.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        if server.process.poll() is None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def refused(response: httpx.Response, word: str) -> None:
    """Assert that it is envelope A under 503, with a time to come back."""
    assert response.status_code == 503, response.text
    assert response.headers["Retry-After"] == "1"
    assert response.headers["X-Error-Reason"] == word
    body = response.json()
    assert body["status"] == "error" and body["error_code"] == 503


def mended(server: TwinServer, user_order_id: int) -> None:
    """Place an order as soon as the server takes one again."""
    end = time.monotonic() + MEND_SECONDS_MAX
    while time.monotonic() < end:
        response = server.http.post(KART, json=order(user_order_id))
        if response.status_code == 200:
            return
        refused(response, "PAUSED")
        time.sleep(0.05)
    raise AssertionError("the disk works, and nothing is taken")


def test_writes_are_refused_reads_go_on_and_it_mends_itself(tmp_path: Path) -> None:
    """While the disk fails nothing is half done, reads show what is durable; then it goes on."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        for number in (1, 2, 3):
            assert server.http.post(KART, json=order(number)).status_code == 200
        before, book = server.audit()["state_hash"], rows(server.http)
        key = {"Idempotency-Key": "once"}
        for turn in range(3):
            with broken_disk(server):
                # The one that meets the failure may be kept or not; the others were not done.
                refused(server.http.post(KART, json=order(10 + turn), headers=key), "UNKNOWN")
                refused(server.http.post(KART, json=order(20 + turn)), "PAUSED")
                refused(cancel(server.http, book[1]), "PAUSED")
                assert rows(server.http) == book, "what is shown is what is on disk"
                assert server.audit()["state_hash"] == before
                room = server.operator.post(
                    "market/order",
                    json={
                        "exchange": "NSE",
                        "instrument_token": 14366,
                        "side": "SELL",
                        "price": 12.9,
                        "quantity": 5,
                    },
                )
                assert room.status_code == 503 and "nothing was done" in room.text
                time.sleep(0.5)
                assert rows(server.http) == book, "and it stays so while the disk is tried again"
            mended(server, 30 + turn)
            again = server.http.post(KART, json=order(10 + turn), headers=key)
            assert again.status_code == 200
            book = rows(server.http)
            assert {1, 2, 3, 10 + turn, 30 + turn} <= book.keys()
            assert 20 + turn not in book
            key = {"Idempotency-Key": f"again {turn}"}
            audit = server.audit()
            assert audit["violations"] == []
            before = audit["state_hash"]
        assert server.stop()[0] == 0
    verified = run("verify", data)
    assert verified.returncode == 0, verified.stderr
    assert before in verified.stdout


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_while_the_disk_fails_it_has_lost_nothing(
    signal_number: int, tmp_path: Path
) -> None:
    """A stop during the failure says that the disk failed; what was answered is there later."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        assert server.http.post(KART, json=order(1)).status_code == 200
        book = rows(server.http)
        with broken_disk(server):
            refused(server.http.post(KART, json=order(2)), "UNKNOWN")
            assert rows(server.http) == book
            code, _output, errors = server.stop(signal_number)
        assert code == (1 if signal_number == signal.SIGTERM else -signal.SIGKILL)
        assert "Traceback" not in errors
    with running("--data-dir", data) as server:
        assert set(rows(server.http)) in ({1}, {1, 2})
        assert server.audit()["violations"] == []


def test_a_second_process_is_refused_and_harms_nobody(tmp_path: Path) -> None:
    """Who finds the directory in use says so and leaves; the first goes on."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        second = run("serve", "--port", "0", "--data-dir", data)
        assert second.returncode == 2
        assert "in use by another process" in second.stderr
        assert server.http.post(KART, json=order(1)).status_code == 200
        assert set(rows(server.http)) == {1}
