"""The load generator waits for whole answers, and charges a stall to everybody who waited."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.load import drive

pytestmark = pytest.mark.alone  # It measures time.

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
STALL_SECONDS = 0.3


@contextmanager
def answering(parts: list[bytes], stall_seconds: float = 0.0) -> Iterator[int]:
    """Give the port of a server that answers in these parts, and stalls before its first."""

    def answer(client: socket.socket) -> None:
        time.sleep(stall_seconds)
        with client:
            while client.recv(len(REQUEST)):
                for part in parts:
                    client.sendall(part)
                    time.sleep(0.001)  # So that the parts arrive one by one.

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: answer(listener.accept()[0]))
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize(
    "parts", [[HEAD + b"hello"], [HEAD, b"hello"], [HEAD[:30], HEAD[30:] + b"he", b"llo"]]
)
def test_an_answer_in_parts_is_one_answer(parts: list[bytes]) -> None:
    """However an answer is cut into packets, each request is answered once."""
    with answering(parts) as port:
        driven = drive(port, [REQUEST] * 5, connections=1)
    assert len(driven.latencies) == 5
    assert driven.latencies == sorted(driven.latencies)


def test_a_refusal_stops_the_measurement() -> None:
    """An answer that is no 200 is never counted as work done."""
    refusal = HEAD.replace(b"200", b"500") + b"hello"
    with answering([refusal]) as port, pytest.raises(AssertionError, match="500"):
        drive(port, [REQUEST], connections=1)


def test_a_stall_is_charged_to_everybody_who_was_due() -> None:
    """Paced requests count from when they were due, not from when they could be sent."""
    with answering([HEAD + b"hello"], STALL_SECONDS) as port:
        driven = drive(port, [REQUEST] * 10, connections=1, rate=100.0)
    # The last was due 0.09 s after the first, and none was answered before the stall was over.
    assert min(driven.latencies) > STALL_SECONDS / 2


def test_paced_requests_are_not_sent_before_they_are_due() -> None:
    """A rate is kept from above: ten requests at a hundred a second take at least 0.09 s."""
    with answering([HEAD + b"hello"]) as port:
        driven = drive(port, [REQUEST] * 10, connections=1, rate=100.0)
    assert driven.sample.wall >= 0.09
