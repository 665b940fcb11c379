"""
A deadline beneath HTTP: every wait on a socket ends when the call's time is over.

The timeouts of an HTTP library begin anew with each read, so a server that sends a byte now and
then holds a caller for ever. Here the network backend of the connection pool asks before each wait
how much of the thread's current call is left. (An asyncio driver needs none of this: a timeout
around the whole request cancels whatever waits.) Only looking up a name cannot be interrupted.

Source: httpcore's ``NetworkBackend`` and ``NetworkStream`` interfaces.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx


class _Until(threading.local):
    """When the call of this thread ends, on the monotonic clock."""

    at: float = float("inf")


UNTIL = _Until()


def install(client: httpx.Client) -> None:
    """Let every connection that this client makes keep the deadline."""
    for transport in [client._transport, *client._mounts.values()]:
        if isinstance(transport, httpx.HTTPTransport):  # Not one that the caller brought.
            pool = transport._pool
            pool._network_backend = DeadlineBackend(pool._network_backend)


def _left(timeout: float | None, error: type[Exception]) -> float:
    left = UNTIL.at - time.monotonic()
    if left <= 0:
        raise error("the time of the call is over")
    return left if timeout is None else min(left, timeout)


class DeadlineBackend(httpcore.NetworkBackend):
    """Connects within the deadline, to one address of a name after the other."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection; the addresses share what time is left."""
        failure: Exception | None = None
        for address in _addresses(host, port):
            left = _left(timeout, httpcore.ConnectTimeout)
            try:
                inner = self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(inner)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        """Sleep; the pool does so between its own attempts, of which we allow none."""
        self._inner.sleep(seconds)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class DeadlineStream(httpcore.NetworkStream):
    """A connection none of whose waits outlasts the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has arrived."""
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything."""
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Return the connection with TLS over it."""
        left = _left(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows of itself."""
        return self._inner.get_extra_info(info)
