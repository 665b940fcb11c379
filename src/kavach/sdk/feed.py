"""
The feed of market and account, for ordinary programs (``Feed``) and for asyncio (``AsyncFeed``).

    with Feed(base_url="http://127.0.0.1:8080", access_token=token, client_id="DEMO1") as feed:
        feed.subscribe("compact", ("NSE", 14366))
        feed.subscribe_account()
        for item in feed:
            print(item)

A connection that is lost is made again, everything that was subscribed to is subscribed to again,
and the account's updates go on where they were: nothing is missed and nothing told twice. If more
was missed than the server keeps, a ``Snapshot`` comes instead. ``FeedLost`` is raised if no
connection can be made for ``patience_seconds``, ``AuthError`` if the server lets nobody in.

Who reads slowly gets the newest market data, and all updates of the account.

Source: kavach.sdk.feed_session; docs/client.md, "The feed".
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from types import TracebackType
from typing import Any, Final, NoReturn, Self

from websockets.asyncio.client import ClientConnection as AsyncConnection
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from kavach.sdk.errors import AuthError, BadArgument, FeedLost
from kavach.sdk.feed_session import (
    FRAME_BYTES_MAX,
    HEARTBEAT,
    HEARTBEAT_SECONDS,
    FeedSession,
    Instrument,
    Untrusted,
)
from kavach.sdk.pocket import DEFAULT_URL, TIMEOUT_SECONDS
from kavach.sdk.ticks import FeedItem
from kavach.units import Exchange

PATIENCE_SECONDS: Final = 60.0
_SHUT: Final = frozenset({401, 403})
_LOST: Final = (OSError, EOFError, WebSocketException, Untrusted)
_SETTINGS: Final[dict[str, Any]] = {
    "compression": None,
    "max_size": FRAME_BYTES_MAX,
    "open_timeout": TIMEOUT_SECONDS,
    "close_timeout": 1,
}


def _session(base_url: str | None, access_token: str | None, client_id: str | None) -> FeedSession:
    """Return the session of a client; arguments win over the environment."""
    token = access_token or os.environ.get("KAVACH_TOKEN", "")
    if not token:
        raise BadArgument("access_token: must be given, here or as KAVACH_TOKEN")
    client = client_id or os.environ.get("KAVACH_CLIENT_ID", "")
    if not client:
        raise BadArgument("client_id: must be given, here or as KAVACH_CLIENT_ID")
    return FeedSession(base_url or os.environ.get("KAVACH_URL") or DEFAULT_URL, token, client)


def _refused(error: InvalidHandshake) -> None:
    """Raise ``AuthError`` if the server lets us in never."""
    if isinstance(error, InvalidStatus) and error.response.status_code in _SHUT:
        status = error.response.status_code
        raise AuthError(
            code=40000, message="the feed lets nobody in", http_status=status
        ) from error


def _give_up(patience_seconds: float, error: BaseException | None) -> NoReturn:
    raise FeedLost(f"no connection to the feed for {patience_seconds:.0f} seconds: {error}") from (
        error
    )


class Feed:
    """
    The feed for ordinary programs: iterate over it, or call ``receive``.

    Nothing touches the network before the first item is asked for, or the ``with`` begins. One
    thread at a time reads; others may subscribe.
    """

    def __init__(
        self,
        client_id: str | None = None,
        access_token: str | None = None,
        *,
        base_url: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._session = _session(base_url, access_token, client_id)
        self._patience_seconds = patience_seconds
        self._stack = ExitStack()
        self._connection: ClientConnection | None = None
        self._beat_at = 0.0

    def subscribe(self, mode: str, *instruments: Instrument) -> None:
        """Ask for "quote", "compact", "depth", "band" or "open_interest" of instruments."""
        self._say(self._session.want(mode, instruments))

    def unsubscribe(self, mode: str, *instruments: Instrument) -> None:
        """Ask for it no longer."""
        self._say(self._session.want_no_more(mode, instruments))

    def subscribe_exchanges(self, mode: str, *exchanges: Exchange | str) -> None:
        """Ask for "status" or "notices" of exchanges."""
        self._say(self._session.want_exchanges(mode, exchanges))

    def subscribe_account(self) -> None:
        """Ask for everything that happens to the account's orders; a snapshot comes first."""
        self._say(self._session.want_account())

    def receive(self, seconds: float | None = None) -> FeedItem:
        """Return the next item; raises ``TimeoutError`` if there is none for so long."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            try:
                item = self._next(until)
            except TimeoutError:
                raise
            except _LOST as error:
                self._drop()
                self._reconnect(error)
                continue
            if item is not None:
                return item

    def __iter__(self) -> Iterator[FeedItem]:
        while True:
            yield self.receive()

    def close(self) -> None:
        """Leave; the feed may be used again, and goes on where it was."""
        self._drop()

    def __enter__(self) -> Self:
        self._connected()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- Inside ---------------------------------------------------------------------------------

    def _next(self, until: float | None) -> FeedItem | None:
        """Return what the next frame tells, if anything; TimeoutError only when time is up."""
        connection = self._connected()
        now = time.monotonic()
        if now >= self._beat_at:
            connection.send(HEARTBEAT)
            self._beat_at = now + HEARTBEAT_SECONDS
        wait = self._beat_at - now
        if until is not None and until - now < wait:
            return self._session.read(connection.recv(timeout=max(0.0, until - now)))
        try:
            frame = connection.recv(timeout=wait)
        except TimeoutError:
            return None  # Only the heartbeat is due.
        return self._session.read(frame)

    def _say(self, messages: list[str]) -> None:
        """Say something now, if there is a connection; a new one is told everything."""
        connection = self._connection
        if connection is None:
            return
        try:
            for message in messages:
                connection.send(message)
        except _LOST:
            self._drop()  # Whoever reads next makes another, and that is told everything.

    def _connected(self) -> ClientConnection:
        if self._connection is None:
            self._reconnect(None)
        assert self._connection is not None, "either connected or raised"
        return self._connection

    def _reconnect(self, error: BaseException | None) -> None:
        until = time.monotonic() + self._patience_seconds
        while self._connection is None:
            try:
                self._open()
            except _LOST as failure:
                if isinstance(failure, InvalidHandshake):
                    _refused(failure)
                error = failure
                self._drop()
                wait = self._session.next_wait_seconds()
                if time.monotonic() + wait > until:
                    _give_up(self._patience_seconds, error)
                time.sleep(wait)

    def _open(self) -> None:
        connection = self._stack.enter_context(connect(self._session.url, **_SETTINGS))
        for message in self._session.greeting():
            connection.send(message)
        self._session.connected()
        self._beat_at = 0.0
        self._connection = connection

    def _drop(self) -> None:
        self._connection = None
        stack, self._stack = self._stack, ExitStack()
        stack.close()


class AsyncFeed:
    """The same for asyncio: ``async with``, ``async for``, and each method awaited."""

    def __init__(
        self,
        client_id: str | None = None,
        access_token: str | None = None,
        *,
        base_url: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._session = _session(base_url, access_token, client_id)
        self._patience_seconds = patience_seconds
        self._stack = AsyncExitStack()
        self._connection: AsyncConnection | None = None
        self._beat_at = 0.0

    async def subscribe(self, mode: str, *instruments: Instrument) -> None:
        """Ask for "quote", "compact", "depth", "band" or "open_interest" of instruments."""
        await self._say(self._session.want(mode, instruments))

    async def unsubscribe(self, mode: str, *instruments: Instrument) -> None:
        """Ask for it no longer."""
        await self._say(self._session.want_no_more(mode, instruments))

    async def subscribe_exchanges(self, mode: str, *exchanges: Exchange | str) -> None:
        """Ask for "status" or "notices" of exchanges."""
        await self._say(self._session.want_exchanges(mode, exchanges))

    async def subscribe_account(self) -> None:
        """Ask for everything that happens to the account's orders; a snapshot comes first."""
        await self._say(self._session.want_account())

    async def receive(self) -> FeedItem:
        """Return the next item; wrap it in ``asyncio.timeout`` to wait only so long."""
        while True:
            try:
                item = await self._next()
            except _LOST as error:
                await self._drop()
                await self._reconnect(error)
                continue
            if item is not None:
                return item

    async def __aiter__(self) -> AsyncIterator[FeedItem]:
        while True:
            yield await self.receive()

    async def close(self) -> None:
        """Leave; the feed may be used again, and goes on where it was."""
        await self._drop()

    async def __aenter__(self) -> Self:
        await self._connected()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # --- Inside ---------------------------------------------------------------------------------

    async def _next(self) -> FeedItem | None:
        connection = await self._connected()
        now = time.monotonic()
        if now >= self._beat_at:
            await connection.send(HEARTBEAT)
            self._beat_at = now + HEARTBEAT_SECONDS
        try:
            # ``recv`` loses nothing when it is cancelled, so a timeout here costs no frame.
            async with asyncio.timeout(self._beat_at - now) as alarm:
                frame = await connection.recv()
        except TimeoutError:
            if not alarm.expired():
                raise
            return None
        return self._session.read(frame)

    async def _say(self, messages: list[str]) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            for message in messages:
                await connection.send(message)
        except _LOST:
            await self._drop()

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            await self._reconnect(None)
        assert self._connection is not None, "either connected or raised"
        return self._connection

    async def _reconnect(self, error: BaseException | None) -> None:
        until = time.monotonic() + self._patience_seconds
        while self._connection is None:
            try:
                await self._open()
            except _LOST as failure:
                if isinstance(failure, InvalidHandshake):
                    _refused(failure)
                error = failure
                await self._drop()
                wait = self._session.next_wait_seconds()
                if time.monotonic() + wait > until:
                    _give_up(self._patience_seconds, error)
                await asyncio.sleep(wait)

    async def _open(self) -> None:
        opening = connect_async(self._session.url, **_SETTINGS)
        connection = await self._stack.enter_async_context(opening)
        for message in self._session.greeting():
            await connection.send(message)
        self._session.connected()
        self._beat_at = 0.0
        self._connection = connection

    async def _drop(self) -> None:
        self._connection = None
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()
