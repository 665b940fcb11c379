"""
What lies beneath HTTP: connections that keep a deadline, and are not used after too much arrived.

**Deadline.** The timeouts of an HTTP library begin anew with each read, so a server that sends a
byte now and then holds a caller for ever. Here each wait of a blocking connection asks how much of
the thread's current call is left. (An asyncio driver needs none of this: a timeout around the whole
request cancels whatever waits.) Only looking up a name cannot be interrupted.

**Too much.** A broken proxy may send an answer twice. What is left over would be taken for the
answer to the next request, so a connection on which more arrived than the answer's length says is
given up: the pool is told that it is readable while idle, as one that was closed by its peer.

Source: httpcore2's ``NetworkBackend`` and ``NetworkStream`` interfaces; RFC 9112 section 6.3.
"""

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any, Final

import httpcore2
import httpx2

HEAD_BYTES_MAX: Final = 65_536
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)


MADE_WITH: Final = "2.16"
_NAMES: Final = (
    (httpx2.Client, "_transport"),
    (httpx2.Client, "_mounts"),
    (httpx2.AsyncClient, "_transport"),
    (httpx2.AsyncClient, "_mounts"),
    (httpx2.HTTPTransport, "_pool"),
    (httpx2.AsyncHTTPTransport, "_pool"),
    (httpcore2.ConnectionPool, "_network_backend"),
    (httpcore2.AsyncConnectionPool, "_network_backend"),
)


def check() -> None:
    """Return if the private names that ``install`` uses are there; else ``AssertionError``."""
    missing = [
        f"{owner.__name__}.{name}"
        for owner, name in _NAMES
        if name not in owner.__init__.__code__.co_names
    ]
    assert not missing, (
        f"httpx2 {httpx2.__version__} or httpcore2 has no {', '.join(missing)};"
        f" kavach was made with version {MADE_WITH} of both"
    )


check()


class _Until(threading.local):
    """When the call of this thread ends, on the monotonic clock."""

    at: float = float("inf")


UNTIL: Final = _Until()


def install(client: httpx2.Client | httpx2.AsyncClient) -> None:
    """Let every connection that this client makes be one of these, unless it brings its own."""
    for transport in [client._transport, *client._mounts.values()]:
        if isinstance(transport, httpx2.HTTPTransport):
            blocking = transport._pool
            blocking._network_backend = BlockingBackend(blocking._network_backend)
        elif isinstance(transport, httpx2.AsyncHTTPTransport):
            awaiting = transport._pool
            awaiting._network_backend = AwaitingBackend(awaiting._network_backend)


def give_up(answer: httpx2.Response) -> None:
    """Use the connection of an answer no more."""
    stream = answer.extensions.get("network_stream")
    if isinstance(stream, BlockingStream | AwaitingStream):
        stream.framing.is_spoiled = True


class Framing:
    """How much of the present answer has arrived, by its own account."""

    __slots__ = ("head", "is_spoiled", "left")

    def __init__(self) -> None:
        self.is_spoiled = False
        self.asked()

    def asked(self) -> None:
        """Note that a request begins."""
        self.head = b""
        self.left: int | None = None  # Of the body; ``None`` before its length is known.

    def arrived(self, data: bytes) -> None:
        """Note what arrived; an answer without a length, as a chunked one, is not counted."""
        if self.left is None:
            if len(self.head) > HEAD_BYTES_MAX:
                return
            self.head += data
            head, end, data = self.head.partition(b"\r\n\r\n")
            length = _LENGTH.search(head + b"\r\n") if end else None
            if length is None:
                return
            self.left, self.head = int(length[1]), b""
        self.left -= len(data)
        self.is_spoiled = self.is_spoiled or self.left < 0


def _left(timeout: float | None, error: type[Exception]) -> float:
    left = UNTIL.at - time.monotonic()
    if left <= 0:
        raise error("the time of the call is over")
    return left if timeout is None else min(left, timeout)


class BlockingBackend(httpcore2.NetworkBackend):
    """Connects within the deadline, to one address of a name after the other."""

    def __init__(self, inner: httpcore2.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Return a connection; the addresses share what time is left."""
        failure: Exception | None = None
        for address in _addresses(host, port):
            left = _left(timeout, httpcore2.ConnectTimeout)
            try:
                inner = self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return BlockingStream(inner)
        raise failure or httpcore2.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        """Sleep; the pool does so between its own attempts, of which we allow none."""
        self._inner.sleep(seconds)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore2.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class BlockingStream(httpcore2.NetworkStream):
    """A connection none of whose waits outlasts the deadline."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner
        self.framing = Framing()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has arrived."""
        data = self._inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))
        self.framing.arrived(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything."""
        self.framing.asked()
        self._inner.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Return the connection with TLS over it."""
        left = _left(timeout, httpcore2.ConnectTimeout)
        return BlockingStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows of itself."""
        if info == "is_readable" and self.framing.is_spoiled:
            return True
        return self._inner.get_extra_info(info)


class AwaitingBackend(httpcore2.AsyncNetworkBackend):
    """Connects for asyncio."""

    def __init__(self, inner: httpcore2.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Return a connection."""
        return AwaitingStream(
            await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        )

    async def sleep(self, seconds: float) -> None:
        """Sleep; the pool does so between its own attempts, of which we allow none."""
        await self._inner.sleep(seconds)


class AwaitingStream(httpcore2.AsyncNetworkStream):
    """A connection for asyncio."""

    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner
        self.framing = Framing()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has arrived."""
        data = await self._inner.read(max_bytes, timeout)
        self.framing.arrived(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything."""
        self.framing.asked()
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Return the connection with TLS over it."""
        return AwaitingStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows of itself."""
        if info == "is_readable" and self.framing.is_spoiled:
            return True
        return self._inner.get_extra_info(info)
