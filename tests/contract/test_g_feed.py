"""The life cycle of the client's feed."""

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Callable
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from kavach.sdk import (
    AsyncFeed,
    BadArgument,
    CompactQuote,
    Feed,
    FeedLost,
    SessionStatus,
    Snapshot,
)
from tests.contract.client_stage import ORDER, pocket_of
from tests.contract.client_stage import proxy as proxy
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin

# --- G11: the feed ---


def feed_of(twin: TwinServer, **arguments: Any) -> Any:
    """Return DEMO1's feed."""
    return Feed(twin.client_id, twin.access_token, base_url=twin.url, **arguments)


def test_g11_close_ends_the_iteration_of_another_thread(twin: TwinServer) -> None:
    """``close`` ends a ``for`` that waits in another thread, and a ``receive`` says why."""
    waits: list[Callable[[Feed], Any]] = [list, Feed.receive]
    for wait in waits:
        feed, ended = feed_of(twin), Queue[Any]()

        def follow(wait: Any = wait, feed: Any = feed, ended: Any = ended) -> None:
            try:
                ended.put(wait(feed))
            except FeedLost as error:
                ended.put(str(error))

        Thread(target=follow, daemon=True).start()
        until = time.monotonic() + 10
        while feed._connection is None and time.monotonic() < until:
            time.sleep(0.01)
        feed.close()
        assert ended.get(timeout=2) in ([], "the feed was closed")


@pytest.mark.alone
def test_g11_receive_keeps_its_time_while_the_server_is_away() -> None:
    """``receive(1)`` is over after a second, though nobody can be connected to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    feed = Feed("DEMO1", "t", base_url=url, patience_seconds=5)
    for _ in range(4):
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            feed.receive(0.5)
        assert time.monotonic() - began < 1.5

    async def play() -> None:
        async_feed: Any = AsyncFeed("DEMO1", "t", base_url=url)
        with pytest.raises(TimeoutError):
            await async_feed.receive(0.5)

    asyncio.run(play())


def test_g11_values_of_a_subscription_are_named(twin: TwinServer) -> None:
    """An instrument that is no pair is a BadArgument; tokens are taken as a Pocket takes them."""
    feed = feed_of(twin)
    for wrong in (
        ("compact", "NSE", 14366),
        ("compact", ("NSE",)),
        ("compact", ("NSE", "IDEA")),
        (7, ("NSE", 14366)),
        ("compact", ("NSE", 14366.5)),
    ):
        with pytest.raises(BadArgument):
            feed.subscribe(*wrong)
    with feed:
        feed.subscribe("compact", ("nse", "14366"), ["NSE", 11915.0])
        tokens: set[int] = set()
        while len(tokens) < 2:
            item = feed.receive(10)
            assert isinstance(item, CompactQuote)
            tokens.add(item.instrument_token)
    assert tokens == {14366, 11915}


def test_g11_everything_can_be_unsubscribed(twin: TwinServer) -> None:
    """What was asked for of exchanges and of the account can be asked for no longer."""
    twin.room("POST", "reset")
    with feed_of(twin) as feed:
        feed.subscribe_exchanges("status", "NSE")
        feed.subscribe_account()
        seen = {type(feed.receive(10)) for _ in range(2)}
        assert seen == {SessionStatus, Snapshot}
        feed.unsubscribe_exchanges("status", "NSE")
        feed.unsubscribe_account()
        with pytest.raises(TimeoutError):
            feed.receive(0.2)
        twin.room("POST", "session", exchange="NSE", phase="closed")
        twin.room("POST", "session", exchange="NSE", phase="open")
        with pocket_of(twin) as pocket:
            pocket.place_cover_order(**ORDER)
        with pytest.raises(TimeoutError):
            feed.receive(0.3)
        assert feed._session.greeting() == []


def test_g11_nothing_stays_of_a_feed_that_is_gone(twin: TwinServer) -> None:
    """A feed that was neither closed nor kept leaves no thread behind."""
    before = set(threading.enumerate())
    feed = feed_of(twin)
    feed.subscribe("compact", ("NSE", 14366))
    feed.receive(10)
    assert set(threading.enumerate()) - before
    del feed
    gc.collect()
    until = time.monotonic() + 10
    while set(threading.enumerate()) - before and time.monotonic() < until:
        time.sleep(0.02)
    assert set(threading.enumerate()) - before == set()
