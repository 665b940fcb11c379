"""The client over a bad network: one deadline, one guard, other processes and loops."""

import asyncio
import ipaddress
import multiprocessing
import os
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kavach.sdk import (
    AsyncPocket,
    NotSent,
    OutcomeUnknown,
    Pocket,
    Settled,
    TransportError,
)
from tests.contract.client_stage import ORDER, pocket_of
from tests.contract.client_stage import proxy as proxy
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.faulty import FaultyProxy, is_change

# --- G3, G7: processes, loops, closed clients ---


def _prices(pocket: Pocket, token: int, pipe: Any) -> None:
    """Ask for a price fifty times and tell which ones came."""
    try:
        pipe.send({pocket.close_price("NSE", token) for _ in range(50)})
    except Exception as error:  # The parent asserts on it.
        pipe.send(repr(error))


def test_g3_a_forked_child_gets_its_own_answers(twin: TwinServer) -> None:
    """A client that was used before a fork makes new connections in each child."""
    context = multiprocessing.get_context("fork")
    with pocket_of(twin, timeout_seconds=5) as pocket:
        pocket.close_price("NSE", 14366)
        seen = []
        children = []
        for token in (14366, 11915, 14366, 11915):
            ours, theirs = context.Pipe()
            child = context.Process(target=_prices, args=(pocket, token, theirs))
            child.start()
            children.append((child, ours))
        for child, ours in children:
            seen.append(ours.recv())
            child.join(10)
        assert seen == [{Decimal(13)}, {Decimal("18.3")}] * 2
        assert pocket.close_price("NSE", 14366) == 13


def test_g3_another_event_loop_has_connections_of_its_own(twin: TwinServer) -> None:
    """One ``AsyncPocket`` serves two loops that run at the same time, each over its own sockets."""
    pocket: Any = AsyncPocket(twin.client_id, twin.access_token, base_url=twin.url)
    first_done, second_done = threading.Event(), threading.Event()

    async def first() -> list[Decimal]:
        prices = [await pocket.close_price("NSE", 14366)]
        first_done.set()
        await asyncio.to_thread(second_done.wait, 10)
        prices.append(await pocket.close_price("NSE", 14366))
        return prices

    async def second() -> Decimal:
        await asyncio.to_thread(first_done.wait, 10)
        try:
            price: Decimal = await pocket.close_price("NSE", 11915)
            return price
        finally:
            second_done.set()

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.submit(asyncio.run, first()), pool.submit(asyncio.run, second())
        assert one.result(20) == [13, 13]
        assert two.result(20) == Decimal("18.3")


def test_g7_a_closed_client_sends_nothing(twin: TwinServer) -> None:
    """A call after ``close`` is NotSent, of either client."""
    pocket = pocket_of(twin)
    pocket.close()
    with pytest.raises(NotSent, match="closed"):
        pocket.place_cover_order(**ORDER)

    async def late() -> None:
        client = AsyncPocket(twin.client_id, twin.access_token, base_url=twin.url)
        await client.close()
        with pytest.raises(NotSent, match="closed"):
            await client.orders()

    asyncio.run(late())


def test_g7_closed_during_confirmation_is_unknown(twin: TwinServer, proxy: FaultyProxy) -> None:
    """A client that another thread closes after the order left says that it does not know."""
    pocket = pocket_of(twin, proxy, confirm_seconds=1.0)
    proxy.fail("none", match=is_change, status=200)
    proxy.fail("swallowed", match=lambda seen: not is_change(seen) and bool(proxy.changes))
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(pocket.place_cover_order, **ORDER)
        until = time.monotonic() + 10
        while not proxy.changes and time.monotonic() < until:
            time.sleep(0.01)
        pocket.close()
        with pytest.raises(OutcomeUnknown) as caught:
            call.result(20)
    assert caught.value.user_order_id == str(proxy.changes[0].json["user_order_id"])


# --- G6: whatever happens after the first byte ---


def certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a certificate for 127.0.0.1, and a context that has its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    public, private = directory / "cert.pem", directory / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


def test_g6_a_corrupt_tls_record_is_unknown(
    twin: TwinServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbage beneath TLS in the answer to a placement is OutcomeUnknown, of either client."""
    twin.room("POST", "reset")
    public, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    proxy = FaultyProxy(twin.url, tls=context)
    told: dict[str, Any] = {"base_url": proxy.url, "confirm_seconds": 0.3}

    async def awaited() -> None:
        async with AsyncPocket(twin.client_id, twin.access_token, **told) as pocket:
            proxy.fail("tls_garbage", match=is_change)
            with pytest.raises(OutcomeUnknown) as caught:
                await pocket.place_cover_order(**ORDER)
            resolution = await pocket.resolve(caught.value)
            assert resolution.settled is Settled.DONE

    try:
        with Pocket(twin.client_id, twin.access_token, **told) as pocket:
            proxy.fail("tls_garbage", match=is_change)
            with pytest.raises(OutcomeUnknown) as caught:
                pocket.place_cover_order(**ORDER)
            assert pocket.resolve(caught.value).settled is Settled.DONE
        asyncio.run(awaited())
        assert len(proxy.changes) == 2
    finally:
        proxy.close()


@pytest.mark.parametrize("when", ["answer", "confirmation"])
def test_g6_a_cancelled_task_carries_its_attempt(
    twin: TwinServer, proxy: FaultyProxy, when: str
) -> None:
    """A task that is cancelled after its order left tells what was asked, and can be resolved."""

    async def play() -> Settled:
        told: dict[str, Any] = {"base_url": proxy.url, "confirm_seconds": 3}
        async with AsyncPocket(twin.client_id, twin.access_token, **told) as pocket:
            proxy.fail(
                "late",
                match=lambda seen: is_change(seen) is (when == "answer") and bool(proxy.changes),
                late_seconds=1,
            )
            task = asyncio.create_task(pocket.place_cover_order(**ORDER))
            while not proxy.changes:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            unknown = caught.value.__cause__
            assert isinstance(unknown, OutcomeUnknown)
            assert unknown.user_order_id == str(proxy.changes[0].json["user_order_id"])
            waiting: Any = pocket
            resolution = await waiting.resolve(caught.value)
            assert isinstance(resolution.settled, Settled)
            return resolution.settled

    assert asyncio.run(play()) is Settled.DONE


def test_g6_an_interrupted_call_carries_its_attempt(
    twin: TwinServer, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while an order is on its way leaves the program with what was asked."""
    with pocket_of(twin, proxy, timeout_seconds=5) as pocket:
        proxy.fail("late", match=is_change, late_seconds=2)
        threading.Timer(0.5, lambda: os.kill(os.getpid(), 2)).start()
        with pytest.raises(KeyboardInterrupt) as caught:
            pocket.place_cover_order(**ORDER)
        unknown = caught.value.__cause__
        assert isinstance(unknown, OutcomeUnknown)
        assert pocket.resolve(caught.value).settled is Settled.DONE


# --- G8: one deadline ---


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_g8_a_trickled_answer_does_not_outlast_the_deadline(
    twin: TwinServer, proxy: FaultyProxy, kind: str
) -> None:
    """An answer that comes a byte at a time is given up when the time is over."""
    # Each byte comes in time: with a time for each read, the whole answer would come.
    proxy.fail("trickled", times=100)
    if kind == "blocking":
        slow = pocket_of(twin, proxy, timeout_seconds=0.5)
        with slow as pocket, pytest.raises(TransportError):
            pocket.orders()
    else:

        async def play() -> None:
            told: dict[str, Any] = {"base_url": proxy.url, "timeout_seconds": 0.5}
            async with AsyncPocket(twin.client_id, twin.access_token, **told) as pocket:
                with pytest.raises(TransportError):
                    await pocket.orders()

        asyncio.run(play())


def test_g8_slow_looks_do_not_outlast_the_confirmation(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """With ``confirm_seconds=0.5`` and looks that take long, the call ends all the same."""
    with pocket_of(twin, proxy, timeout_seconds=5, confirm_seconds=0.5) as pocket:
        proxy.fail(
            "late",
            match=lambda seen: not is_change(seen) and bool(proxy.changes),
            times=100,
            late_seconds=3,
        )
        # A look with five seconds of its own would see the order.
        with pytest.raises(OutcomeUnknown):
            pocket.place_cover_order(**ORDER)
        assert len([seen for seen in proxy.seen if seen.at > proxy.changes[0].at]) == 1


@pytest.mark.alone
def test_g8_connecting_again_does_not_begin_the_time_anew() -> None:
    """A server that takes no connections costs the time that was given once, not three times."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        crowd = [socket.socket() for _ in range(8)]
        try:
            for one in crowd:
                one.setblocking(False)
                one.connect_ex(address)
            url = f"http://127.0.0.1:{address[1]}"
            began = time.monotonic()
            pocket = Pocket("DEMO1", "t", base_url=url, timeout_seconds=1)
            with pocket, pytest.raises(NotSent):
                pocket.orders()
            assert time.monotonic() - began < 2.2
        finally:
            for one in crowd:
                one.close()


def test_g8_retry_after_is_kept_while_watching(twin: TwinServer, proxy: FaultyProxy) -> None:
    """A 429 to a look is followed by no other look before the time that it names."""
    limited = b'{"data":{},"error_code":429,"message":"slow down","status":"error"}'
    with pocket_of(twin, proxy, confirm_seconds=2.5) as pocket:
        proxy.fail(
            "none",
            match=lambda seen: not is_change(seen) and bool(proxy.changes),
            times=1,
            status=429,
            body=limited,
            headers=(("Retry-After", "1"),),
        )
        pocket.place_cover_order(**ORDER)
        after = [seen.at for seen in proxy.seen if not is_change(seen)]
        after = [at for at in after if at > proxy.changes[0].at]
        assert after[1] - after[0] >= 1.0
