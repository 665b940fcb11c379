"""A server in this process with short limits and a disk that can be stopped."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
import uvloop
from uvicorn.server import ServerState

from kavach.api.app import create_app
from kavach.api.http.connection import Connection
from kavach.api.http.options import ApiOptions
from tests.unit.api.world import Desk, open_accounts


class Hasty(Connection):
    """A connection whose limits a test can await."""

    request_seconds_max = 0.4
    fetch_seconds_max = 0.4
    closing_seconds = 0.2
    connections_max = 12


@dataclass
class Stage:
    """The server, the desk behind it, and uvicorn's own books."""

    url: str
    desk: Desk
    state: ServerState
    server: uvicorn.Server

    def stop(self) -> None:
        """Ask the server to stop."""
        self.server.should_exit = True


@contextmanager
def hasty(kind: type[Connection] = Hasty, **settings: Any) -> Iterator[Stage]:
    """Serve a fresh world through connections of this kind for the length of a ``with``."""
    desk = Desk()
    open_accounts(desk)
    config = uvicorn.Config(
        create_app(desk, ApiOptions()),
        port=0,
        http=kind,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        **({"timeout_keep_alive": 1, "timeout_graceful_shutdown": 2} | settings),
    )
    server = uvicorn.Server(config)

    def serve() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Stage(f"http://127.0.0.1:{port}", desk, server.server_state, server)
    finally:
        desk.disk.set()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
