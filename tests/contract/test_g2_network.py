"""The client against servers that send without an end, and calls within calls."""

import asyncio
import signal
import socket
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from kavach.sdk import AsyncPocket, OutcomeUnknown, Pocket, TransportError
from kavach.sdk.transport import drivers as transport_of_the_client
from tests.contract.client_stage import ORDER, pocket_of
from tests.contract.client_stage import proxy as proxy
from tests.contract.hostile import HostileServer, read_head
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.faulty import FaultyProxy

MEGABYTE = 1_000_000
LIMIT = 4 * MEGABYTE
IN_BUFFERS = 32 * MEGABYTE  # What two sockets may hold that nobody has read.


def _plain() -> Callable[[], bytes]:
    return lambda: b" " * MEGABYTE


def _chunks() -> Callable[[], bytes]:
    return lambda: b"%x\r\n" % MEGABYTE + b" " * MEGABYTE + b"\r\n"


def _packed() -> Callable[[], bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return lambda: packer.compress(b" " * MEGABYTE)


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
@pytest.mark.parametrize(
    ("header", "piece", "most"),
    [
        (b"", _plain, LIMIT + IN_BUFFERS),
        (b"Transfer-Encoding: chunked\r\n", _chunks, LIMIT + IN_BUFFERS),
        (b"Content-Encoding: gzip\r\n", _packed, MEGABYTE),
    ],
    ids=["plain", "chunked", "packed"],
)
def test_g2_an_answer_without_an_end_is_given_up_at_a_size(
    monkeypatch: pytest.MonkeyPatch, kind: str, header: bytes, piece: Any, most: int
) -> None:
    """However fast it comes and however it is packed, no more of it is kept than an answer has."""
    monkeypatch.setattr(transport_of_the_client, "ANSWER_BYTES_MAX", LIMIT)
    sent = 0

    def never_end(connection: socket.socket) -> None:
        nonlocal sent
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n")
        more = piece()
        while True:
            data = more()
            connection.sendall(data)
            sent += len(data)

    with HostileServer(never_end) as server:
        told: dict[str, Any] = {"base_url": server.url, "timeout_seconds": 30}
        if kind == "blocking":
            with (
                Pocket("DEMO1", "t", **told) as pocket,
                pytest.raises(TransportError, match="than"),
            ):
                pocket.orders()
        else:

            async def play() -> None:
                async with AsyncPocket("DEMO1", "t", **told) as pocket:
                    with pytest.raises(OutcomeUnknown, match="than"):
                        await pocket.place_cover_order(**ORDER)

            asyncio.run(play())
    assert sent <= most


def test_g2_a_call_within_a_call_leaves_it_its_deadline(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """A signal handler that asks something does not lengthen the call that it interrupts."""
    prices = []
    proxy.fail("trickled", times=100)  # The whole answer takes many times as long as there is.
    with pocket_of(twin) as other, pocket_of(twin, proxy, timeout_seconds=0.6) as pocket:
        other.close_price("NSE", 14366)
        old = signal.signal(
            signal.SIGALRM, lambda *_: prices.append(other.close_price("NSE", 14366))
        )
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(TransportError):
                pocket.close_price("NSE", 14366)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, old)
    assert prices == [13]
