"""
Neighbours: how long one client's order waits while others flood, or read long books.

One ``kavach serve`` with a durable journal. A client places cover orders one after the other on a
kept connection, and the longest time to an answer counts. Meanwhile another process floods the
feed at 2 MB/s (a connection that is ended comes again at once), or readers fetch an order book of
thousands again and again, or ask for it and read nothing. And: the processor time of readings
that should not depend on how many orders have ended.
"""

import multiprocessing
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from bench.apart import cpu_seconds
from bench.finding import Finding
from bench.http import Target, running
from bench.load import drive
from kavach.ready_files import Ready

AIM_FLOOD_MS: Final = 150.0
AIM_READERS_MS: Final = 100.0
AIM_CLOSED: Final = 1.2
FLOOD_BYTES_PER_SECOND: Final = 2_000_000
PIECE: Final = 20_000
SILENT_READERS: Final = 15
_MASK: Final = b"\0\0\0\0"
FLOODS: Final = {
    "unasked pongs": (b"", b"\x8a\x80" + _MASK),
    "pings": (b"", b"\x89\x80" + _MASK),
    "empty continuations": (b"\x01\x81" + _MASK + b"x", b"\x00\x80" + _MASK),
    "tiny continuations": (b"\x01\x81" + _MASK + b"x", b"\x00\x81" + _MASK + b"x"),
    "heartbeats": (b"", b"\x81\x89" + _MASK + b'{"a":"h"}'),
}
CLOSED_PATHS: Final = {
    "pending": "/api/v1/orders?type=pending",
    "positions": "/api/v1/positions?type=live",
    "funds": "/api/v2/funds/view?type=all",
    "holdings": "/api/v1/holdings",
}


def run(seconds: float, rows: int, few: int, many: int, asked: int) -> list[Finding]:
    """Return the longest waits beside floods and readers, and what ended orders cost readings.

    ``rows`` are the orders of the book that is read; ``few`` and ``many`` the ended orders between
    which readings are compared, each of ``asked`` requests.
    """
    with tempfile.TemporaryDirectory(prefix="kavach-bench-") as name:
        directory = Path(name)
        serve = ["-m", "kavach", "serve", "--port", "0", "--market", "quiet", "--limits", "off"]
        data = ["--data-dir", str(directory / "data")]
        file = directory / "kavach.json"
        with running([*serve, *data, "--ready-file", str(file)], file) as ready:
            neighbour = Neighbour(ready)
            findings = [neighbour.finding("nobody else", seconds)]
            for kind, (first, frame) in FLOODS.items():
                for token, who in ((ready.access_token, ""), ("nobody", " with a bad token")):
                    with beside(flood, ready.url, token, first, frame):
                        what = f"{kind} at 2 MB/s{who}"
                        findings.append(neighbour.finding(what, seconds, AIM_FLOOD_MS))
            findings += _closed(ready, few, many, asked)
            findings += _readers(ready, neighbour, seconds, rows)
            return findings


class Neighbour:
    """A client that places one order after the other."""

    def __init__(self, ready: Ready) -> None:
        self._target = Target(ready)
        self._numbers = count(1_000_000)

    def finding(self, beside_whom: str, seconds: float, aim_ms: float = 0.0) -> Finding:
        """Return how long its orders waited within so many seconds."""
        waits = []
        with socket.create_connection(("127.0.0.1", self._target.port)) as raw:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                started = time.perf_counter()
                raw.sendall(self._target.placing(next(self._numbers)))
                answer = raw.recv(65_536)
                waits.append((time.perf_counter() - started) * 1e3)
                assert answer.startswith(b"HTTP/1.1 200 "), answer
        waits.sort()
        worst, middle = waits[-1], waits[len(waits) // 2]
        return Finding(
            f"an order beside {beside_whom}, ms",
            f"worst {worst:.1f}, p50 {middle:.2f} of {len(waits):,}",
            f"at most {aim_ms:.0f}" if aim_ms else "",
            worst <= aim_ms if aim_ms else None,
        )


@contextmanager
def beside(act: Callable[..., None], *given: Any) -> Iterator[None]:
    """Let something happen in a process of its own meanwhile."""
    process = multiprocessing.get_context("spawn").Process(target=act, args=given, daemon=True)
    process.start()
    time.sleep(1.0)  # It has to come up.
    try:
        yield
    finally:
        process.terminate()
        process.join()


def flood(url: str, token: str, first: bytes, frame: bytes) -> None:
    """Send frames to the feed at 2 MB/s for ever, on one connection after the other."""
    address = urlsplit(url)
    head = (
        f"GET /ws/v1/feeds?access_token={quote(token)} HTTP/1.1\r\nHost: kavach\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
    piece = frame * (PIECE // len(frame))
    due = time.monotonic()
    while True:
        with suppress(OSError), socket.create_connection((address.hostname, address.port)) as raw:
            raw.sendall(head + first)
            while True:
                due = max(due + len(piece) / FLOOD_BYTES_PER_SECOND, time.monotonic() - 0.1)
                time.sleep(max(0.0, due - time.monotonic()))
                raw.sendall(piece)
        time.sleep(0.005)


def _closed(ready: Ready, few: int, many: int, asked: int) -> list[Finding]:
    """Return what ``many`` ended orders cost a reading over ``few``, by processor time."""
    target = Target(ready)
    target.drive([target.cancel(row) for row in target.pending()])
    costs = []
    for orders in (few, many - few):
        target.drive(target.place(orders))
        costs.append({what: _cost_us(ready, path, asked) for what, path in CLOSED_PATHS.items()})
    findings = []
    for what in CLOSED_PATHS:
        ratio = costs[1][what] / costs[0][what]
        findings.append(
            Finding(
                f"GET {what} with {many:,} ended orders over {few:,}, processor time",
                f"{ratio:.2f} ({costs[1][what]:.0f} over {costs[0][what]:.0f} µs)",
                f"at most {AIM_CLOSED}",
                ratio <= AIM_CLOSED,
            )
        )
    return findings


def _cost_us(ready: Ready, path: str, asked: int) -> float:
    """Return the server's processor time of one reading."""
    request, port = reading(path, ready), Target(ready).port
    drive(port, [request] * min(asked, 20), 1)
    before = cpu_seconds(ready.pid)
    drive(port, [request] * asked, 1)
    return (cpu_seconds(ready.pid) - before) / asked * 1e6


def _readers(ready: Ready, neighbour: Neighbour, seconds: float, rows: int) -> Iterator[Finding]:
    target = Target(ready)
    target.drive([target.placing(number + 1) for number in range(rows)])
    request = reading("/api/v1/orders?type=pending", ready)
    with beside(read_on, target.port, request, 4):
        what = f"four readers of a book of {rows:,}"
        yield neighbour.finding(what, seconds, AIM_READERS_MS)
    with beside(read_nothing, target.port, request):
        what = f"{SILENT_READERS} that ask for such a book and read nothing"
        yield neighbour.finding(what, seconds, AIM_READERS_MS)


def reading(path: str, ready: Ready) -> bytes:
    """Return a request that reads."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: kavach\r\nAuthorization: Bearer {ready.access_token}\r\n\r\n"
    ).encode()


def read_on(port: int, request: bytes, readers: int) -> None:
    """Let readers ask again whenever they have got their answers, for ever."""
    while True:
        drive(port, [request] * readers * 10, readers)


def read_nothing(port: int, request: bytes) -> None:
    """Ask on several connections, and read nothing."""
    raws = [socket.create_connection(("127.0.0.1", port)) for _ in range(SILENT_READERS)]
    for raw in raws:
        raw.sendall(request)
    time.sleep(3_600)
