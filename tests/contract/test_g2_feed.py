"""The client's feed against servers that do not cooperate, and against its own program."""

import asyncio
import logging
import socket
import threading
from queue import Queue
from threading import Event, Thread
from typing import Any

import pytest

from kavach.sdk import AsyncFeed, AuthError, CompactQuote, Feed, FeedLost
from kavach.wire.feed.updates import NUMBERED
from tests.contract.hostile import HostileServer, frame, opcodes, read_head, rest_of, shake_hands
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin

CLOSE = 8  # The opcode of a close frame: RFC 6455, section 5.2.


def test_g2_close_ends_a_handshake_of_another_thread() -> None:
    """``close`` ends a ``for`` whose connection is being made by a server that never answers."""
    asked, ended = Event(), Queue[Any]()

    def never_answer(connection: socket.socket) -> None:
        read_head(connection)
        asked.set()
        ended.put(rest_of(connection))

    with HostileServer(never_answer) as server:
        feed = Feed("DEMO1", "t", base_url=server.url)
        items = Queue[Any]()
        Thread(target=lambda: items.put(list(feed)), daemon=True).start()
        assert asked.wait(10)
        feed.close()
        # Below the seven seconds after which the attempt would have been given up by itself.
        assert items.get(timeout=5) == []
        assert ended.get(timeout=5) == b""


def test_g2_close_ends_a_handshake_of_another_task() -> None:
    """The same for asyncio; nothing of the attempt stays."""
    asked, ended = Event(), Queue[Any]()

    def never_answer(connection: socket.socket) -> None:
        read_head(connection)
        asked.set()
        ended.put(rest_of(connection))

    async def play(url: str) -> None:
        feed = AsyncFeed("DEMO1", "t", base_url=url)

        async def follow() -> list[Any]:
            return [item async for item in feed]

        task = asyncio.create_task(follow())
        await asyncio.to_thread(asked.wait, 10)
        await feed.close()
        assert await asyncio.wait_for(task, 5) == []
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with HostileServer(never_answer) as server:
        asyncio.run(play(server.url))
        assert ended.get(timeout=5) == b""


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_g2_a_feed_that_is_not_trusted_is_not_waited_for(kind: str) -> None:
    """A connection that sends what is not of the feed is hung up, without a farewell."""
    told = Queue[list[int]]()

    def send_nonsense(connection: socket.socket) -> None:
        shake_hands(connection)
        connection.sendall(frame(2, bytes([NUMBERED]) + b"nonsense"))
        told.put(opcodes(rest_of(connection)))

    with HostileServer(send_nonsense) as server:
        if kind == "blocking":
            feed = Feed("DEMO1", "t", base_url=server.url, patience_seconds=1)
            feed.subscribe_account()
            with pytest.raises((TimeoutError, FeedLost)):
                feed.receive(0.3)
            seen = told.get(timeout=10)
            feed.close()
        else:

            async def play() -> list[int]:
                feed = AsyncFeed("DEMO1", "t", base_url=server.url, patience_seconds=1)
                await feed.subscribe_account()
                with pytest.raises((TimeoutError, FeedLost)):
                    await feed.receive(0.3)
                seen = await asyncio.to_thread(told.get, timeout=10)
                await feed.close()
                return seen

            seen = asyncio.run(play())
    assert seen
    assert CLOSE not in seen


@pytest.mark.parametrize("token", ["SECRET-TOKEN", None])
def test_g2_no_log_holds_the_token(
    twin: TwinServer, caplog: pytest.LogCaptureFixture, token: str | None
) -> None:
    """A program that logs everything does not log the address of the feed, the token in it."""
    caplog.set_level(logging.DEBUG)
    told: Any = (twin.client_id, token or twin.access_token)

    async def play() -> None:
        async with AsyncFeed(*told, base_url=twin.url) as feed:
            await feed.subscribe("compact", ("NSE", 14366))
            await feed.receive(5)

    def talk() -> None:
        with Feed(*told, base_url=twin.url) as feed:
            feed.subscribe("compact", ("NSE", 14366))
            feed.receive(5)

    for one in (talk, lambda: asyncio.run(play())):
        if token is None:
            one()
        else:
            with pytest.raises(AuthError):
                one()
    assert told[1] not in caplog.text


def test_g2_receive_of_no_time_returns_what_has_arrived(twin: TwinServer) -> None:
    """``receive(0)`` is a look at what is there already: an item, or ``TimeoutError`` at once."""
    with Feed(twin.client_id, twin.access_token, base_url=twin.url) as feed:
        feed.subscribe("compact", ("NSE", 14366), ("NSE", 11915))
        first = feed.receive(10)
        found = [first]
        pause = threading.Event()
        for _ in range(100):
            try:
                found.append(feed.receive(0))
            except TimeoutError:
                if len(found) > 1:
                    break
                pause.wait(0.05)
        assert [type(item) for item in found] == [CompactQuote] * 2
        with pytest.raises(TimeoutError):
            feed.receive(0)


def test_g2_each_mode_is_unsubscribed_by_itself(twin: TwinServer) -> None:
    """What is asked for no longer in one mode goes on in the others, after a reconnect as well."""
    modes: list[Any] = ["quote", "compact", "depth", "band", "open_interest"]
    for mode in modes:
        feed = Feed(twin.client_id, twin.access_token, base_url=twin.url)
        for each in modes:
            feed.subscribe(each, ("NSE", 14366), ("NSE", 11915))
        feed.unsubscribe(mode, ("NSE", 14366))
        greeting = feed._session.greeting()
        assert sum("14366" in said for said in greeting) == len(modes) - 1
        assert sum("11915" in said for said in greeting) == len(modes)
