"""The client against servers that send without an end, and calls within calls."""

import asyncio
import os
import signal
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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


# --- Calls that are cut off ---


def connections(proxy: FaultyProxy, most: int) -> int:
    """Return how many connections there are, once there are no more than so many."""
    for _ in range(200):
        if len(proxy._open) <= most:
            break
        time.sleep(0.02)
    return len(proxy._open)


def test_g2_cancelled_calls_use_up_no_connections(twin: TwinServer, proxy: FaultyProxy) -> None:
    """Calls that are cancelled wherever they stand leave nothing that counts as in use."""

    async def play() -> None:
        told: dict[str, Any] = {"base_url": proxy.url, "timeout_seconds": 10}
        async with AsyncPocket(twin.client_id, twin.access_token, **told) as pocket:
            for steps in range(120):
                calls = [asyncio.create_task(pocket.close_price("NSE", 14366)) for _ in range(2)]
                for _ in range(steps % 40):
                    await asyncio.sleep(0)
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
            assert await pocket.close_price("NSE", 14366) == 13
            (pool,) = pocket._driver._pools[asyncio.get_running_loop()]
            transport: Any = pool.client._transport
            assert all(one.is_idle() for one in transport._pool.connections)
            # Two calls at once have two connections, and the rest are hung up.
            assert 1 <= await asyncio.to_thread(connections, proxy, 2) <= 2

    asyncio.run(play())


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt, also where tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("how", ["cancelled", "late", "interrupted"])
def test_g2_a_pool_on_which_a_call_was_cut_off_is_closed(
    twin: TwinServer, proxy: FaultyProxy, how: str, interruptible: None
) -> None:
    """Its connections are closed with its last call, those that rest in it too."""
    told: dict[str, Any] = {"base_url": proxy.url, "timeout_seconds": 1 if how == "late" else 10}

    async def play() -> None:
        async with AsyncPocket(twin.client_id, twin.access_token, **told) as pocket:
            await asyncio.gather(*[pocket.close_price("NSE", 14366) for _ in range(3)])
            proxy.fail("swallowed")
            call = asyncio.create_task(pocket.close_price("NSE", 14366))
            while proxy.faults[0].times:
                await asyncio.sleep(0.01)
            if how == "cancelled":
                call.cancel()
            with pytest.raises((asyncio.CancelledError, TransportError)):
                await call
            assert await asyncio.to_thread(connections, proxy, 0) == 0
            assert await pocket.close_price("NSE", 14366) == 13

    def interrupt() -> None:
        while proxy.faults[0].times:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    if how != "interrupted":
        asyncio.run(play())
        return
    with Pocket(twin.client_id, twin.access_token, **told) as pocket:
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(lambda _: pocket.close_price("NSE", 14366), range(3)))
        proxy.fail("swallowed")
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            pocket.close_price("NSE", 14366)
        assert connections(proxy, 0) == 0
        assert pocket.close_price("NSE", 14366) == 13
