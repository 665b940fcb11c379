"""SIGTERM under load: what was answered is there, the rest is refused or cut off, and it ends."""

import asyncio
import json
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.reliability.hostile.raw import KART, LOOK, Raw, request
from tests.reliability.hostile.test_many_hands import INSTRUMENT, Link
from tests.twin_server import TOKEN, TwinServer, running

pytestmark = pytest.mark.alone  # It measures time.

CLIENTS = 24


def order(user_order_id: int) -> dict[str, Any]:
    """Return a cover order that rests."""
    return INSTRUMENT | {
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 12.9,
        "quantity": 1,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "execution_type": "CO",
        "stop_loss_value": 12.5,
        "user_order_id": user_order_id,
    }


@dataclass
class Told:
    """What clients were told until the connection ended."""

    placed: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    unanswered: list[int] = field(default_factory=list)
    other: list[Any] = field(default_factory=list)


async def hammer(server: TwinServer, first: int, told: Told) -> None:
    """Place orders one after the other until the server is gone."""
    link = Link(server.url, TOKEN)
    number = first
    try:
        async with link:
            while True:
                link.say("POST", KART, order(number))
                await one_answer(link, number, told)
                number += CLIENTS
    except OSError:
        told.unanswered.append(number)


async def one_answer(link: Link, number: int, told: Told) -> None:
    """Book the answer to one order; raises ``OSError`` if there is none."""
    try:
        status, headers, answer = await link.hear()
    except asyncio.IncompleteReadError as end:
        if end.partial:  # The end comes between answers, never within one.
            told.other.append(end.partial)
        raise ConnectionError from end
    if status == 200:
        told.placed.append(number)
    elif status == 503 and headers["x-error-reason"] in ("UNKNOWN", "BUSY"):
        assert answer["status"] == "error"
        told.refused.append(number)
    else:
        told.other.append((status, answer))


async def load(server: TwinServer, seconds: float, signal_number: int) -> Told:
    """Return what clients were told before and while the server stops."""
    told = Told()
    hands = [asyncio.create_task(hammer(server, n + 1, told)) for n in range(CLIENTS)]
    await asyncio.sleep(seconds)
    server.process.send_signal(signal_number)
    await asyncio.wait_for(asyncio.gather(*hands), 15)
    return told


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_under_load_loses_nothing_that_was_answered(
    signal_number: int, tmp_path: Path
) -> None:
    """Each order that was answered is there afterwards, each refused one is not, exit code 0."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        started = time.monotonic()
        told = asyncio.run(load(server, 0.7, signal_number))
        server.process.wait(timeout=20)
        assert time.monotonic() - started < 10
        assert server.process.returncode == 0
    assert len(told.placed) > 50
    assert told.other == []
    with running("--data-dir", data) as server:
        assert server.audit()["violations"] == []
        rows = server.http.get("/api/v1/orders?type=all").json()["data"]["orders"]
    kept = [int(row["user_order_id"]) for row in rows]
    assert len(kept) == len(set(kept))
    assert set(told.placed) <= set(kept)
    assert not set(told.refused) & set(kept)
    assert set(kept) - set(told.placed) <= set(told.unanswered)


def test_a_stop_waits_for_nobody_who_is_slow() -> None:
    """Half requests, silence and unread answers do not keep a server from stopping."""
    halves = (b"", b"GET", LOOK, LOOK + b"POST", request("POST", KART, b"x" * 99)[:-5])
    with running("--data-dir", ":memory:") as server:
        slow = [Raw(server.url).send(half) for half in halves]
        time.sleep(0.2)
        started = time.monotonic()
        assert server.stop()[0] == 0
        assert time.monotonic() - started < 5
        for raw in slow:
            raw.everything()
            raw.socket.close()


def test_after_the_stop_the_port_is_closed() -> None:
    """Who comes too late is not left waiting: the connection is refused."""
    with running("--data-dir", ":memory:") as server:
        server.stop()
        address = urlsplit(server.url)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address.hostname, address.port)).close()


def test_a_request_that_came_whole_is_carried_out(tmp_path: Path) -> None:
    """A client that sends an order and leaves at once finds it placed, once; a half one is not."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        for number in range(1, 41):
            whole = request("POST", KART, json.dumps(order(number)).encode())
            with Raw(server.url) as raw:
                raw.send(whole if number % 2 else whole[:-1])
        rows: list[dict[str, Any]] = []
        deadline = time.monotonic() + 10
        while len(rows) < 20 and time.monotonic() < deadline:
            rows = server.http.get("/api/v1/orders?type=all").json()["data"]["orders"]
        numbers = sorted(int(row["user_order_id"]) for row in rows)
        assert numbers == list(range(1, 41, 2))
        assert server.audit()["violations"] == []
