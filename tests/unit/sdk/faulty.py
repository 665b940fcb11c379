"""
A proxy on a loopback socket that stands between a client and the real server, and fails on request.

It reads whole HTTP/1.1 requests, forwards them over a connection of its own, and gives the answer
back as its ``Fault`` says; without one it is faithful. Every request that arrived is in ``seen``,
so that a test can count. With ``tls`` it speaks TLS to the client.

    lost_request     closed without forwarding               swallowed      the same, and silent
    lost_answer      forwarded, then closed                  cut, cut_head  closed in the middle
    late             answered after the client's patience    doubled        answered twice
    trickled         a byte at a time                        garbled        another body
    not_http         bytes of another protocol               tls_garbage    bytes beneath TLS
    turned_away      answered by the proxy itself            none           another status or body
"""

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from threading import Event, Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

CHANGES: Final = frozenset({"POST", "PUT", "DELETE"})
TRICKLE_SECONDS: Final = 0.02
CHUNK: Final = 65536


@dataclass
class Seen:
    """One request as the proxy received it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


@dataclass
class Reply:
    """An answer of the server, or what a fault makes of it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def head(self) -> bytes:
        """Return status line and headers as bytes."""
        kept = {"content-length", "transfer-encoding", "connection"}
        lines = [f"HTTP/1.1 {self.status} X"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() not in kept]
        lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def raw(self) -> bytes:
        """Return the whole answer as bytes."""
        return self.head() + self.body


@dataclass
class Fault:
    """What happens to the next ``times`` requests that match, after ``passing`` others."""

    effect: str
    match: Callable[[Seen], bool] = lambda seen: True
    times: int = 1
    passing: int = 0
    late_seconds: float = 1.0
    status: int = 0
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def reworded(self, reply: Reply) -> Reply:
        """Return the answer with this fault's own status, headers and body where it has them."""
        return Reply(
            self.status or reply.status,
            [*reply.headers, *self.headers],
            reply.body if self.body is None else self.body,
        )


def is_change(seen: Seen) -> bool:
    """Return whether a request asks for a change."""
    return seen.method in CHANGES


class FaultyProxy:
    """The proxy: its faults, and what it has seen."""

    def __init__(self, upstream: str, tls: ssl.SSLContext | None = None) -> None:
        where = urlsplit(upstream)
        self._upstream = (where.hostname or "127.0.0.1", where.port or 80)
        self._tls = tls
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self.seen: list[Seen] = []
        self.answered: list[int] = []  # Bytes of the server's answers.
        self.faults: list[Fault] = []
        self.closing = Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._threads = [Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def changes(self) -> list[Seen]:
        """The requests that asked for a change."""
        return [seen for seen in self.seen if is_change(seen)]

    def fail(self, effect: str, **how: Any) -> Fault:
        """Let the next request that matches suffer this; returns the fault."""
        fault = Fault(effect, **how)
        self.faults.append(fault)
        return fault

    def mend(self) -> None:
        """Forget every fault and every request."""
        with self._lock:
            self.faults.clear()
            self.seen.clear()
            self.answered.clear()

    def close(self) -> None:
        """Stop listening, close every connection and wait for the threads."""
        self.closing.set()
        # A blocked accept does not notice that its socket was closed; it notices a connection.
        with contextlib.suppress(OSError), socket.create_connection(self.listener.getsockname()):
            pass
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self.listener.close()

    def _listen(self) -> None:
        while not self.closing.is_set():
            connection, _ = self.listener.accept()
            thread = Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads = [one for one in self._threads if one.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        upstream = HTTPConnection(*self._upstream, timeout=30)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with self._lock:
                self._open.add(connection)
            buffer = bytearray()
            while (seen := _read(connection, buffer)) is not None and not self.closing.is_set():
                if not self._answer(connection, upstream, seen):
                    return
        except (OSError, ValueError):
            return  # The client has left, or never spoke HTTP.
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()
            upstream.close()

    def _fault(self, seen: Seen) -> Fault | None:
        with self._lock:
            self.seen.append(seen)
            for fault in self.faults:
                if fault.times <= 0 or not fault.match(seen):
                    continue
                if fault.passing:
                    fault.passing -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _answer(self, connection: socket.socket, upstream: HTTPConnection, seen: Seen) -> bool:
        """Answer one request; returns whether the connection goes on."""
        fault = self._fault(seen)
        effect = fault.effect if fault else "none"
        if effect == "lost_request":
            return False
        if effect == "swallowed":
            self._wait_for_the_end(connection)
            return False
        if fault is not None and effect == "turned_away":
            connection.sendall(fault.reworded(Reply(503, [], b"")).raw())
            return True
        reply = _forward(upstream, seen)
        self.answered.append(len(reply.body))
        if fault is None:
            connection.sendall(reply.raw())
            return True
        raw = fault.reworded(reply).raw()
        return self._spoil(connection, fault, reply, raw)

    def _spoil(self, connection: socket.socket, fault: Fault, reply: Reply, raw: bytes) -> bool:
        match fault.effect:
            case "none":
                connection.sendall(raw)
            case "lost_answer":
                return False
            case "cut":
                connection.sendall(raw[: len(raw) - max(1, len(reply.body) // 2)])
                return False
            case "cut_head":
                connection.sendall(raw[:20])
                return False
            case "late":
                self.closing.wait(fault.late_seconds)
                connection.sendall(raw)
            case "doubled":
                connection.sendall(raw + raw)
            case "trickled":
                for index in range(len(raw)):
                    connection.sendall(raw[index : index + 1])
                    if self.closing.wait(TRICKLE_SECONDS):
                        return False
            case "not_http":
                connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n" + bytes(range(256)))
                return False
            case "tls_garbage":
                os.write(connection.fileno(), b"\x17\x03\x03\x00\x40" + b"\xa5" * 64)
                return False
            case _:
                raise AssertionError(f"no such fault: {fault.effect}")
        return True

    def _wait_for_the_end(self, connection: socket.socket) -> None:
        """Stay silent until the client goes away."""
        connection.settimeout(0.1)
        while not self.closing.is_set():
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue


def _read(connection: socket.socket, buffer: bytearray) -> Seen | None:
    """Return the next request of a connection; ``None`` at its end."""
    while b"\r\n\r\n" not in buffer:
        if not (piece := connection.recv(CHUNK)):
            return None
        buffer += piece
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    while len(rest) < length:
        if not (piece := connection.recv(CHUNK)):
            return None
        rest += piece
    buffer[:] = rest[length:]
    url = urlsplit(target)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    seen = Seen(method, url.path, query, headers, rest[:length])
    seen.headers[":target"] = target
    return seen


def _forward(upstream: HTTPConnection, seen: Seen) -> Reply:
    headers = {
        name: value
        for name, value in seen.headers.items()
        if name not in ("host", "connection", "content-length", ":target", "accept-encoding")
    }
    upstream.request(seen.method, seen.headers[":target"], seen.body or None, headers)
    response = upstream.getresponse()
    return Reply(response.status, response.getheaders(), response.read())
