"""Clients that take their time: each costs little, for a bounded time, and nobody waits for it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from kavach.api.gateway.gateway import WAITING_MAX
from kavach.api.http.connection import Connection
from tests.reliability.hostile.raw import (
    KART,
    LOOK,
    TOKEN_LINE,
    Closed,
    Raw,
    check_envelope,
    request,
    within,
)
from tests.reliability.hostile.stage import Hasty, Stage, hasty
from tests.twin_server import TOKEN, TwinServer
from tests.unit.api.world import entry

pytestmark = pytest.mark.alone  # It measures time.

ORDER = json.dumps(entry()).encode()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A server with short limits."""
    with hasty() as served:
        yield served


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something is true; fail if it does not come true."""
    started = time.monotonic()
    while not true():
        assert within(seconds, started), "it did not come true"
        time.sleep(0.01)


def drip(raw: Raw, data: bytes, pause: float) -> None:
    """Send byte by byte until the server has had enough."""
    for number in range(len(data)):
        try:
            raw.send(data[number : number + 1])
        except Closed:
            return
        time.sleep(pause)


HEAD = b"GET /api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE
BODY = f"POST {KART} HTTP/1.1\r\n".encode() + TOKEN_LINE + b"Content-Length: 500\r\n\r\n"
CHUNKED = f"POST {KART} HTTP/1.1\r\n".encode() + TOKEN_LINE + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [
        (b"", HEAD + b"X: " + b"y" * 500),
        (HEAD, b"X: " + b"y" * 500),
        (HEAD, b""),
        (BODY, b"{" * 499),
        (BODY, b""),
        (CHUNKED, b"1\r\n{\r\n" * 90),
        (LOOK + HEAD, b"X: " + b"y" * 500),
        (LOOK + BODY, b"{" * 499),
    ],
)
def test_a_slow_request_is_ended(stage: Stage, at_once: bytes, slowly: bytes) -> None:
    """A request that is not whole in time is 408, however its bytes trickle in."""
    with Raw(stage.url) as raw:
        started = time.monotonic()
        raw.send(at_once)
        dripping = threading.Thread(target=drip, args=(raw, slowly, 0.02))
        dripping.start()
        answers = raw.everything()
        took = time.monotonic() - started
        dripping.join()
    assert [answer.status for answer in answers[:-1]] == [200] * at_once.count(LOOK)
    check_envelope(answers[-1], 408)
    assert Hasty.request_seconds_max - 0.1 <= took < Hasty.request_seconds_max + 2


@pytest.mark.parametrize("said", [b"", b"\r\n", b"\r\n\r\n\r\n"])
def test_a_connection_that_says_nothing_is_closed(stage: Stage, said: bytes) -> None:
    """Nothing, or empty lines, is no request: the connection ends without an answer."""
    with Raw(stage.url, seconds=5) as raw:
        raw.send(said)
        assert raw.everything() == []


def test_an_idle_connection_is_closed(stage: Stage) -> None:
    """After an answer the next request is awaited only so long."""
    with Raw(stage.url, seconds=5) as raw:
        assert raw.send(LOOK).answer().status == 200
        started = time.monotonic()
        assert raw.ended()
        assert 0.5 < time.monotonic() - started < 4


def test_a_quick_client_is_not_disturbed(stage: Stage) -> None:
    """A connection that sends whole requests lives longer than one of them may take."""
    with Raw(stage.url) as raw:
        for _ in range(8):
            assert raw.send(LOOK).answer().status == 200
            time.sleep(Hasty.request_seconds_max / 4)


def ask_without_end(raw: Raw, requests: bytes) -> None:
    """Send until nothing more is taken: the buffers fill, then nothing is read, then a reset."""
    while True:
        raw.send(requests)
        time.sleep(0.01)


def test_answers_that_nobody_fetches(stage: Stage) -> None:
    """A client that asks and does not read is cut off, and costs no more than a few answers."""
    documents = b"GET /openapi.json HTTP/1.1\r\n\r\n" * 10
    started = time.monotonic()
    with Raw(stage.url, window=4_096, seconds=10) as raw, pytest.raises(Closed):
        ask_without_end(raw, documents)
    assert Hasty.fetch_seconds_max <= time.monotonic() - started < 8
    until(lambda: not stage.state.tasks)


def test_half_closed_connections_get_their_answers(stage: Stage) -> None:
    """Who closes its side after a whole request is answered; after half a one it is not."""
    for sent, count in ((LOOK, 1), (LOOK * 3, 3), (LOOK + HEAD, 1), (HEAD, 0), (b"", 0)):
        with Raw(stage.url, seconds=5) as raw:
            raw.send(sent).socket.shutdown(1)
            assert [answer.status for answer in raw.everything()] == [200] * count
    for count in (1, 2):  # Also when the answer takes a while.
        stage.desk.disk.clear()
        with Raw(stage.url, seconds=5) as raw:
            raw.send(LOOK * count).socket.shutdown(1)
            time.sleep(0.1)
            stage.desk.disk.set()
            assert [answer.status for answer in raw.everything()] == [200] * count
    until(lambda: not stage.state.connections)


def test_pipelined_requests_are_answered_in_order(stage: Stage) -> None:
    """Requests sent ahead are served one after the other, as many as are permitted."""
    paths = [f"/api/v1/order/{number}/history" for number in range(1, Connection.ahead_max)]
    with Raw(stage.url) as raw:
        before = int(_number(raw.send(LOOK).answer().headers["x-request-id"]))
        raw.send(b"".join(request("GET", path) for path in paths))
        numbers = [int(_number(raw.answer().headers["x-request-id"])) for _ in paths]
    assert numbers == list(range(before + 1, before + 1 + len(paths)))


def _number(request_id: str) -> str:
    return request_id.rpartition("-")[2]


def test_too_many_pipelined_requests(stage: Stage) -> None:
    """Who sends thousands of requests ahead gets some answers, then a refusal and the end."""
    with Raw(stage.url) as raw:
        stage.desk.disk.clear()
        raw.send(LOOK * 3_000)
        time.sleep(0.1)
        stage.desk.disk.set()
        answers = raw.everything()
    assert 1 <= len(answers) - 1 <= Connection.ahead_max + 1
    assert {answer.status for answer in answers[:-1]} == {200}
    assert answers[-1].word == "TOO_FAR_AHEAD"
    check_envelope(answers[-1], 400)


def test_a_crowd_of_silent_connections_keeps_nobody_out(stage: Stage) -> None:
    """When there are too many, the one that has waited longest for its client makes room."""
    with Raw(stage.url) as friend:
        assert friend.send(LOOK).answer().status == 200
        crowd = [Raw(stage.url, seconds=5) for _ in range(Hasty.connections_max * 2)]
        try:
            until(lambda: len(stage.state.connections) <= Hasty.connections_max)
            with Raw(stage.url) as newcomer:
                assert newcomer.send(LOOK).answer().status == 200
            # Who was answered once is a friend, and stays as long as there are strangers.
            assert friend.send(LOOK).answer().status == 200
        finally:
            for one in crowd:
                one.socket.close()
    until(lambda: not stage.state.connections)


def test_a_crowd_at_work_is_not_disturbed(stage: Stage) -> None:
    """When everybody waits for an answer of ours, it is the newcomer who is told to come again."""
    stage.desk.disk.clear()
    crowd = [Raw(stage.url) for _ in range(Hasty.connections_max)]
    try:
        for one in crowd:
            one.send(LOOK)
        until(lambda: len(stage.state.tasks) == Hasty.connections_max)
        with Raw(stage.url) as newcomer:
            answer = newcomer.answer()
            check_envelope(answer, 503)
            assert (answer.word, answer.headers["retry-after"]) == ("BUSY", "1")
        stage.desk.disk.set()
        assert [one.answer().status for one in crowd] == [200] * Hasty.connections_max
    finally:
        stage.desk.disk.set()
        for one in crowd:
            one.socket.close()


class Roomy(Hasty):
    """Many connections, so that it is the queue that is full."""

    connections_max = 5_000
    request_seconds_max = 5.0


def test_requests_that_wait_for_the_disk_are_bounded() -> None:
    """While the disk stands still 512 requests wait; the next are 503 at once, and not done."""
    with hasty(Roomy, timeout_keep_alive=30) as stage:
        stage.desk.disk.clear()
        waiting = [Raw(stage.url).send(request("POST", KART, ORDER)) for _ in range(WAITING_MAX)]
        until(lambda: len(stage.state.tasks) == WAITING_MAX)
        placed = len(stage.desk.state.covers)
        for extra in (request("POST", KART, ORDER), LOOK):
            with Raw(stage.url) as raw:
                answer = raw.send(extra).answer()
                check_envelope(answer, 503)
                assert (answer.word, answer.headers["retry-after"]) == ("BUSY", "1")
        assert len(stage.desk.state.covers) == placed
        with Raw(stage.url) as raw:  # A cancel is let in: it makes the world safer.
            cancel = b'{"exchange_order_id":"1","leg_order_indicator":"THIRD"}'
            raw.send(request("DELETE", f"{KART}/1", cancel))
            until(lambda: len(stage.state.tasks) == WAITING_MAX + 1)
            stage.desk.disk.set()
            assert raw.answer().word == "ORDER_NOT_FOUND"
        assert {raw.answer().status for raw in waiting} == {200}
        for raw in waiting:
            raw.socket.close()
        with Raw(stage.url) as raw:
            assert raw.send(request("POST", KART, ORDER)).answer().status == 200


def test_clients_who_leave_do_not_free_the_queue() -> None:
    """Requests whose client has left still wait for the disk, and still count."""
    with hasty(Roomy) as stage:
        stage.desk.disk.clear()
        for _ in range(WAITING_MAX):
            with Raw(stage.url) as raw:
                raw.send(request("POST", KART, ORDER))
        until(lambda: len(stage.state.tasks) == WAITING_MAX)
        with Raw(stage.url) as raw:
            assert raw.send(request("POST", KART, ORDER)).answer().word == "BUSY"
        assert len(stage.desk.state.covers) > 0


def test_stopping_finishes_what_was_accepted() -> None:
    """A request under way when the server must stop gets its answer, and the connection ends."""
    with hasty(timeout_graceful_shutdown=8) as stage, Raw(stage.url) as raw:
        stage.desk.disk.clear()
        raw.send(request("POST", KART, ORDER))
        until(lambda: len(stage.state.tasks) == 1)
        stage.stop()
        time.sleep(0.3)
        stage.desk.disk.set()
        answers = raw.everything()
    assert [answer.status for answer in answers] == [200]
    assert answers[0].headers["connection"] == "close"


def test_stopping_with_a_disk_that_stands_still() -> None:
    """Who waits for the disk when the server must stop is told that the outcome is unknown."""
    with hasty(timeout_graceful_shutdown=1) as stage, Raw(stage.url) as raw:
        stage.desk.disk.clear()
        raw.send(request("POST", KART, ORDER))
        until(lambda: len(stage.state.tasks) == 1)
        stage.stop()
        answer = raw.answer()
        check_envelope(answer, 503)
        assert answer.word == "UNKNOWN"


def test_a_real_server_serves_beside_two_hundred_slow_clients(twin: TwinServer) -> None:
    """Slow heads, slow bodies and silence from 200 connections: a neighbour waits no longer."""
    kinds = (HEAD, BODY, CHUNKED, b"G", b"")
    slow = [Raw(twin.url) for _ in range(200)]
    try:
        for number, raw in enumerate(slow):
            raw.send(kinds[number % len(kinds)])
        times = []
        with httpx.Client(base_url=twin.url, headers={"Authorization": TOKEN}) as neighbour:
            for _ in range(50):
                for raw in slow[:10]:
                    raw.send(b"y" if raw is not slow[4] and raw is not slow[9] else b"")
                started = time.monotonic()
                assert neighbour.get("/api/v1/trades").status_code == 200
                times.append(time.monotonic() - started)
        assert sorted(times)[len(times) // 2] < 0.25
        # And after ten seconds all of them are gone.
        with ThreadPoolExecutor(16) as pool:
            assert all(pool.map(lambda raw: len(raw.everything()) <= 1, slow))
    finally:
        for raw in slow:
            raw.socket.close()
