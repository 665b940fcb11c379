"""
A load generator: so many requests over so many kept connections, from one process of its own.

*As fast as they come*: each connection sends its next request when it has the answer to the last
(``rate`` None). *Paced*: request number k is due at k/rate seconds, whether earlier answers are
late or not, and its latency counts from that moment, so that a server that stalls is charged for
everybody who had to wait (no coordinated omission).

It does no more for an answer than it must: status line, length, next. ``select`` and not an
event loop, since its timeouts are exact to microseconds and not to milliseconds. Whether the
generator itself was the bottleneck shows in ``busy``: the share of the time that it used a
processor.
"""

import select
import socket
import time
from collections import deque
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Final

from bench.measure import Sample

HOST: Final = "127.0.0.1"
RECEIVE_BYTES: Final = 65_536
SILENCE_SECONDS_MAX: Final = 30.0

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length: "
_OK: Final = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of a load."""

    sample: Sample
    latencies: list[float]  # Seconds, ascending.

    @property
    def busy(self) -> float:
        """The share of the time in which the generator used a processor."""
        return self.sample.cpu / self.sample.wall

    def percentile_ms(self, percent: float) -> float:
        """Return the latency that so many percent of the requests stayed within."""
        place = min(int(len(self.latencies) * percent / 100), len(self.latencies) - 1)
        return self.latencies[place] * 1e3


class Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = b""
        self.number = self._socket.fileno()
        self.due = 0.0

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at this time."""
        self.due = due
        self._socket.sendall(request)

    def receive(self) -> bool:
        """Return whether the answer is complete, after reading what there is."""
        part = self._socket.recv(RECEIVE_BYTES)
        assert part, "the server closed the connection"
        self._answer = answer = self._answer + part
        head_end = answer.find(_HEAD_END)
        if head_end < 0:
            return False
        start = answer.find(_LENGTH, 0, head_end) + len(_LENGTH)
        length = int(answer[start : answer.find(b"\r", start)])
        if len(answer) < head_end + len(_HEAD_END) + length:
            return False
        assert answer.startswith(_OK), answer.decode()
        self._answer = b""
        return True

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def drive(port: int, requests: list[bytes], connections: int, rate: float | None = None) -> Driven:
    """Return how long so many requests took, all of them answered with 200."""
    with ExitStack() as stack:
        every = [stack.enter_context(closing(Connection(port))) for _ in range(connections)]
        cpu, start = time.process_time(), time.perf_counter()
        latencies = _exchange(every, requests, rate, start)
        wall = time.perf_counter() - start
        cpu = time.process_time() - cpu
    return Driven(Sample(len(requests), wall, cpu), sorted(latencies))


def _exchange(
    every: list[Connection], requests: list[bytes], rate: float | None, start: float
) -> list[float]:
    """Return the latency of each request, in the order of the answers."""
    by_number = {connection.number: connection for connection in every}
    numbers = list(by_number)
    idle = deque(every)
    latencies: list[float] = []
    sent, total = 0, len(requests)
    clock = time.perf_counter
    while len(latencies) < total:
        now, due = clock(), 0.0
        while idle and sent < total:
            due = now if rate is None else start + sent / rate
            if due > now:
                break
            idle.popleft().send(requests[sent], due)
            sent += 1
        waits = bool(idle) and sent < total
        seconds = max(due - clock(), 0.0) if waits else SILENCE_SECONDS_MAX
        readable, _, _ = select.select(numbers, (), (), seconds)
        assert readable or waits, "the server has fallen silent"
        for number in readable:
            connection = by_number[number]
            if connection.receive():
                latencies.append(clock() - connection.due)
                idle.append(connection)
    return latencies
