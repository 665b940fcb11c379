"""
Readers of a feed, thousands in one process, that do no more for a packet than they must.

A *round* changes every instrument once and is over when every reader has every new packet. A
packet is known for new by its best bid's quantity, which is another in each round; its delay
counts from the moment in which the change was asked for. Rounds follow each other at once, or at
a pace (``pause`` seconds from begin to begin).
"""

import resource
import selectors
import socket
import struct
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Final

import httpx
from websockets.sync.client import connect

from bench.measure import Sample
from kavach.wire.feed.packets import Marketdata, encode

FRAME: Final = struct.Struct(">4xi20xi72x")  # Head, mode, exchange; token; ...; bid quantity; ...
RECEIVE_BYTES: Final = 1 << 18
SILENCE_SECONDS_MAX: Final = 60.0
SETTLE_SECONDS: Final = 0.06  # Packets of one instrument are at least so far apart.


@dataclass(frozen=True, slots=True)
class Shown:
    """An instrument that is subscribed to."""

    exchange: str
    exchange_code: int
    token: int
    lot: int
    price: float


@dataclass(frozen=True, slots=True)
class Fed:
    """What came of some rounds."""

    sample: Sample  # Counts packets.
    delays: list[float]  # Seconds, ascending.
    cpu: float = 0.0  # That the server used.

    def percentile_ms(self, percent: float) -> float:
        """Return the delay that so many percent of the packets stayed within."""
        place = min(int(len(self.delays) * percent / 100), len(self.delays) - 1)
        return self.delays[place] * 1e3


def reader(port: int, target: str, said: str) -> socket.socket:
    """Return a connection that was upgraded and has said something."""
    raw = socket.create_connection(("127.0.0.1", port), 30)
    head = (
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    raw.sendall(head.encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += raw.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    data = said.encode()
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    raw.sendall(b"\x81" + size + b"\0\0\0\0" + data)
    return raw


def allow_sockets() -> None:
    """Let as many files be open as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Asking:
    """Changes instruments of a twin, through its control room."""

    def __init__(self, url: str, operator_token: str) -> None:
        headers = {"Authorization": f"Bearer {operator_token}"}
        self._http = httpx.Client(base_url=f"{url}/twin/v1", headers=headers, timeout=60)

    def change(self, shown: list[Shown], number: int) -> dict[int, float]:
        """Quote every instrument anew; return when each was asked for."""
        asked = {}
        for one in shown:
            asked[one.token] = time.perf_counter()
            answer = self._http.post(
                "/market/quote",
                json={
                    "exchange": one.exchange,
                    "instrument_token": one.token,
                    "bid": one.price,
                    "bid_quantity": one.lot * number,
                    "ask": one.price,
                    "ask_quantity": 0,
                },
            )
            assert answer.status_code == 200, answer.text
        return asked

    def close(self) -> None:
        """Leave."""
        self._http.close()


class Telling:
    """Gives a bare server the packets that it sends to everybody."""

    def __init__(self, port: int) -> None:
        self._stack = ExitStack()
        opening = connect(f"ws://127.0.0.1:{port}/go", compression=None, proxy=None)
        self._connection = self._stack.enter_context(opening)

    def change(self, shown: list[Shown], number: int) -> dict[int, float]:
        """Let a packet of every instrument be sent; return when that was asked for."""
        packets = [_packet(one, number) for one in shown]
        now = time.perf_counter()
        self._connection.send(b"".join(packets))
        return {one.token: now for one in shown}

    def close(self) -> None:
        """Leave."""
        self._stack.close()


def _packet(one: Shown, number: int) -> bytes:
    values = dict.fromkeys(Marketdata.__struct_fields__, 0) | {
        "mode": 1,
        "exchange_code": one.exchange_code,
        "instrument_token": one.token,
        "best_bid_quantity": one.lot * number,
    }
    return encode(Marketdata(**values))


def drive(
    port: int,
    target: str,
    said: str,
    shown: list[Shown],
    readers: int,
    rounds: int,
    pause: float,
    operator: tuple[str, str] | None,
) -> Fed:
    """Return what came of so many rounds; ``operator`` asks a twin, without it a bare server."""
    allow_sockets()
    with ExitStack() as stack:
        every = [stack.enter_context(closing(reader(port, target, said))) for _ in range(readers)]
        watch = stack.enter_context(selectors.DefaultSelector())
        for raw in every:
            raw.setblocking(False)
            watch.register(raw, selectors.EVENT_READ, bytearray())
        market: Asking | Telling = Telling(port) if operator is None else Asking(*operator)
        stack.enter_context(closing(market))
        _round(watch, market, shown, readers, 1)  # The first is to warm up.
        delays: list[float] = []
        cpu, start = time.process_time(), time.perf_counter()
        for number in range(2, rounds + 2):
            begun = time.perf_counter()
            delays += _round(watch, market, shown, readers, number)
            wait = max(pause, SETTLE_SECONDS if operator else 0.0)
            time.sleep(max(0.0, begun + wait - time.perf_counter()))
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    return Fed(Sample(len(delays), wall, cpu), sorted(delays))


def _round(
    watch: selectors.BaseSelector,
    market: Asking | Telling,
    shown: list[Shown],
    readers: int,
    number: int,
) -> list[float]:
    """Return the delay of each packet of one round."""
    asked = market.change(shown, number)
    new = {one.token: one.lot * number for one in shown}
    delays: list[float] = []
    wanted = readers * len(shown)
    until = time.perf_counter() + SILENCE_SECONDS_MAX
    while len(delays) < wanted:
        ready = watch.select(1.0)
        now = time.perf_counter()
        assert now < until, f"{wanted - len(delays)} packets of {wanted} did not come"
        for key, _ in ready:
            assert isinstance(key.fileobj, socket.socket)
            held: bytearray = key.data
            held += key.fileobj.recv(RECEIVE_BYTES)
            whole = len(held) // FRAME.size * FRAME.size
            for token, quantity in FRAME.iter_unpack(held[:whole]):
                if quantity == new[token]:
                    delays.append(now - asked[token])
            del held[:whole]
    return delays


def idle(port: int, target: str, readers: int, pid: int) -> tuple[float, float, float]:
    """Return what so many idle connections cost: bytes each, seconds to open, processor time."""
    allow_sockets()
    with ExitStack() as stack:
        for _ in range(50):  # What the first ones need, the others need no more.
            stack.enter_context(closing(reader(port, target, '{"a":"h"}')))
        time.sleep(0.5)
        before, start, cpu = _resident(pid), time.perf_counter(), _cpu(pid)
        for _ in range(readers):
            stack.enter_context(closing(reader(port, target, '{"a":"h"}')))
        took, used = time.perf_counter() - start, _cpu(pid) - cpu
        time.sleep(1.0)
        return (_resident(pid) - before) / readers, took, used


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as status:
        return int(status.read().split()[1]) * resource.getpagesize()


def _cpu(pid: int) -> float:
    with open(f"/proc/{pid}/schedstat") as status:
        return int(status.read().split()[0]) / 1e9
