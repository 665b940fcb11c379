"""A server of the feed, or of HTTP, that does what its test tells it, down to the byte."""

import base64
import hashlib
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self

WEBSOCKET: bytes = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3.


class HostileServer:
    """Calls ``behave`` with each connection that is made, in a thread of its own."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self._behave = behave
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for one in [self._listener, *self._open]:
            one.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                thread = Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self._behave(connection)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def read_head(connection: socket.socket) -> bytes:
    """Return the head of the request that arrives; raises ``OSError`` if none does."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65536)
        if not piece:
            raise OSError("the client has left")
        head += piece
    return head


def shake_hands(connection: socket.socket) -> None:
    """Answer the opening handshake of a WebSocket."""
    lines = read_head(connection).split(b"\r\n")
    key = next(x.split(b": ")[1] for x in lines if x.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET).digest())
    connection.sendall(
        b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def frame(opcode: int, data: bytes) -> bytes:
    """Return a whole, short frame of a server."""
    return struct.pack(">BB", 0x80 | opcode, len(data)) + data


def rest_of(connection: socket.socket) -> bytes:
    """Return everything that arrives until the client hangs up."""
    told = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            told += piece
    return told


def opcodes(frames: bytes) -> list[int]:
    """Return the kinds of a client's frames, all of them short."""
    found = []
    while len(frames) >= 2:
        found.append(frames[0] & 0x0F)
        length, size = frames[1] & 0x7F, 6
        if length == 126:
            length, size = struct.unpack(">H", frames[2:4])[0], 8
        frames = frames[size + length :]
    return found
