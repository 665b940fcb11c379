"""
A whole server in this process whose work is counted: in all, and in its busiest turn.

A turn is one iteration of the event loop: what is handled between two looks at the sockets. Who
waits for an answer waits for whole turns, so what bounds a turn bounds the wait.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
import uvloop
from websockets.server import ServerProtocol

from kavach.api.app import create_app
from kavach.api.feed import socket as feed_socket
from kavach.api.feed.hub import Hub
from kavach.api.feed.socket import FeedSocket
from kavach.api.http.connection import Connection
from kavach.api.http.options import ApiOptions
from kavach.api.rows import legs
from kavach.api.rows import order_rows as rows
from tests.unit.api.world import Desk, World, open_accounts


class Count:
    """What was done, in all and in the turn in which most of it was done."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._armed = False

    def add(self, name: str, amount: int = 1) -> None:
        """Count this much work of a kind."""
        self.total[name] += amount
        self._now[name] += amount
        self.most[name] = max(self.most[name], self._now[name])
        if not self._armed:
            self._armed = True
            asyncio.get_running_loop().call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._armed = False
        self._now.clear()

    def clear(self) -> None:
        """Forget what was counted."""
        self.total.clear()
        self.most.clear()


class CountedWorld(World):
    """A running server with a feed, whose work is counted."""

    count: Count


def counted(count: Count, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, counted under a name."""

    def call(*given: Any, **named: Any) -> Any:
        count.add(name)
        return function(*given, **named)

    return call


def count_work(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Count parsed bytes and frames, worded rows, looked-at legs, instruments."""
    count = Count()

    class CountedProtocol(ServerProtocol):
        def receive_data(self, data: bytes | bytearray) -> None:
            answered = self.handshake_exc is not None or self.state.name != "CONNECTING"
            if answered or not data.startswith(b"GET "):
                count.add("parsed bytes", len(data))
            super().receive_data(data)

        def events_received(self) -> list[Any]:
            events = super().events_received()
            if events:
                count.add("frames", len(events))
            return events

    monkeypatch.setattr(feed_socket, "ServerProtocol", CountedProtocol)
    for name, module, function in (
        ("order rows", rows, "order_row"),
        ("trade rows", rows, "_trade_row"),
        ("looked-up instruments", Hub, "_instrument"),
        ("legs", legs.LegView, "__init__"),
    ):
        monkeypatch.setattr(module, function, counted(count, name, getattr(module, function)))
    return count


class CountedConnection(Connection):
    """A connection whose parts of bodies, heads and written bytes are counted."""

    count: Count

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self.count.add("parts of bodies")
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Take a head."""
        self.count.add("heads")
        super().on_headers_complete()


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountedWorld]:
    """Serve a fresh world with a feed for the length of a ``with``, and count its work."""
    count = count_work(monkeypatch)
    desk = Desk()
    open_accounts(desk)
    kind = type("Counted", (CountedConnection,), {"count": count})
    servers: list[uvicorn.Server] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        hub = Hub(desk, desk.embedded, attend=desk.attend)
        app = create_app(desk, ApiOptions(), hub=hub)
        config = uvicorn.Config(
            app,
            port=0,
            http=kind,
            ws=FeedSocket,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        loops.append(asyncio.get_running_loop())
        servers.append(uvicorn.Server(config))
        await servers[0].serve()
        hub.close()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while not (servers and servers[0].started):
        assert thread.is_alive(), "the server did not start"
    port = servers[0].servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=30) as http:
            world = CountedWorld(desk, url, http, loops[0])
            world.count = count
            yield world
    finally:
        servers[0].should_exit = True
        thread.join(10)
        assert not thread.is_alive()
