"""
The feed for tests: a real server's address, connections that read frames, and what they saw.

``Reader`` uses the ``websockets`` library's blocking client; ``raw_reader`` is a bare socket that
reads nothing until it is told to.
"""

import json
import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from kavach.wire.feed import packets
from kavach.wire.feed.updates import NUMBERED, ORDER, POSITION, TRADE, read_numbered, read_update
from tests.twin_server import TOKEN

UPDATES = frozenset({ORDER, TRADE, POSITION, NUMBERED})


def feed_url(
    url: str, token: str = TOKEN, login_id: str = "DEMO1", path: str = "/ws/v1/feeds"
) -> str:
    """Return the address of the feed of a server."""
    address = urlsplit(url)
    return f"ws://{address.netloc}{path}?login_id={login_id}&access_token={quote(token)}"


class Reader:
    """A client of the feed."""

    def __init__(self, url: str, **named: Any) -> None:
        settings = {"compression": None, "proxy": None, "open_timeout": 20}
        self._stack = ExitStack()
        opening = connect(url, **(settings | named))
        self.connection: ClientConnection = self._stack.enter_context(opening)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._stack.close()

    def say(self, action: str, mode: str, *values: Any) -> None:
        """Send a wish."""
        self.connection.send(json.dumps({"a": action, "v": list(values), "m": mode}))

    def subscribe(self, mode: str, *values: Any) -> None:
        """Subscribe."""
        self.say("subscribe", mode, *values)

    def frame(self, seconds: float = 10) -> bytes:
        """Return the next frame; raises TimeoutError, ConnectionClosed."""
        data = self.connection.recv(timeout=seconds)
        assert isinstance(data, bytes), "only binary frames are sent"
        return data

    def packet(self, seconds: float = 10) -> packets.Packet:
        """Return the next market packet."""
        return packets.decode(self.frame(seconds))

    def update(self, seconds: float = 10) -> tuple[int, dict[str, Any]]:
        """Return the next update's mode and object."""
        return read_update(self.frame(seconds))

    def updates(self, count: int, seconds: float = 10) -> list[tuple[int, dict[str, Any]]]:
        """Return the next updates."""
        return [self.update(seconds) for _ in range(count)]

    def numbered(self, seconds: float = 10) -> Any:
        """Return the next numbered update."""
        return read_numbered(self.frame(seconds))

    def silent(self, seconds: float = 0.3) -> bool:
        """Return whether nothing comes for so long."""
        try:
            self.connection.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def settle(self) -> None:
        """Return when everything that was said before has been heard: a ping is answered."""
        assert self.connection.ping().wait(10)

    def drain(self, seconds: float) -> None:
        """Read until nothing comes for so long; raises TimeoutError, or ConnectionClosed."""
        while True:
            self.connection.recv(timeout=seconds)

    def end(self, seconds: float = 10) -> tuple[int, str]:
        """Return code and reason with which the server closes, after whatever it sends."""
        with pytest.raises(ConnectionClosed) as closed:
            self.drain(seconds)
        assert closed.value.rcvd is not None, "it was cut without a word"
        return closed.value.rcvd.code, closed.value.rcvd.reason


def raw_reader(url: str, window: int = 4_096) -> socket.socket:
    """Return a connection to the feed that has said hello and reads nothing."""
    address = urlsplit(url)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    raw.settimeout(20)
    assert address.hostname and address.port
    raw.connect((address.hostname, address.port))
    raw.sendall(upgrade(f"{address.path}?{address.query}"))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += raw.recv(1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return raw


def upgrade(target: str) -> bytes:
    """Return the head of an upgrade."""
    return (
        f"GET {target} HTTP/1.1\r\nHost: twin\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def text_frame(message: str) -> bytes:
    """Return a short masked text frame, as clients send it."""
    data = message.encode()
    assert len(data) < 65_536
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + data  # A mask of zeros changes nothing.
