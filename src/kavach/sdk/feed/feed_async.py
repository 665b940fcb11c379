"""
The feed for asyncio; ``kavach.sdk.feed.feed`` says what a feed is.

Source: kavach.sdk.feed.session; docs/client.md, "The feed".
"""

import asyncio
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect

from kavach.sdk import params
from kavach.sdk.errors import FeedLost
from kavach.sdk.feed.outage import (
    CLOSED,
    LOST,
    PATIENCE_SECONDS,
    SETTINGS,
    Outage,
    session_of,
)
from kavach.sdk.feed.session import (
    HEARTBEAT,
    HEARTBEAT_SECONDS,
    ExchangeMode,
    Instrument,
    MarketMode,
)
from kavach.sdk.feed.ticks import FeedItem
from kavach.sdk.params import ExchangeWord
from kavach.sdk.pocket import TIMEOUT_SECONDS
from kavach.sdk.requests.account import Uncopied


class _Line:
    """The connection of a feed and the loop it belongs to, apart from the feed."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.connection: ClientConnection | None = None
        self.keeper: AsyncGenerator[None, None] | None = None

    async def keep(self, connection: ClientConnection) -> None:
        """Use this connection until it is hung up, or its loop ends."""
        self.connection, self.keeper = connection, _until_the_loop_ends(connection)
        await anext(self.keeper)

    def hang_up(self) -> None:
        """Abort the connection, from whatever thread; its tasks end with it."""
        connection, self.connection = self.connection, None
        if connection is not None and self.loop is not None and not self.loop.is_closed():
            with suppress(RuntimeError):  # The loop may be closed in this very moment.
                self.loop.call_soon_threadsafe(connection.transport.abort)


async def _until_the_loop_ends(connection: ClientConnection) -> AsyncGenerator[None, None]:
    """Abort a connection when this generator is closed, as an event loop does when it ends."""
    try:
        yield
    finally:
        connection.transport.abort()
        await asyncio.sleep(0)  # In which the transport closes its socket.


class AsyncFeed(Uncopied):
    """
    The same for asyncio: ``async with``, ``async for``, and each method awaited.

    A feed that is used in another event loop makes a connection there.
    """

    def __init__(
        self,
        client_id: str | None = None,
        access_token: str | None = None,
        *,
        base_url: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._session = session_of(base_url, access_token, client_id)
        self._outage = Outage(self._session, patience_seconds)
        self._line = _Line()
        self._beat_at = 0.0
        self._closings = 0
        self._is_shut = False
        weakref.finalize(self, self._line.hang_up)

    async def subscribe(self, mode: MarketMode, *instruments: Instrument) -> None:
        """Ask for "quote", "compact", "depth", "band" or "open_interest" of instruments."""
        async with self._at_home():
            await self._say(self._session.want(mode, instruments))

    async def unsubscribe(self, mode: MarketMode, *instruments: Instrument) -> None:
        """Ask for it no longer."""
        async with self._at_home():
            await self._say(self._session.want_no_more(mode, instruments))

    async def subscribe_exchanges(self, mode: ExchangeMode, *exchanges: ExchangeWord) -> None:
        """Ask for "status" or "notices" of exchanges."""
        async with self._at_home():
            await self._say(self._session.want_exchanges(mode, exchanges))

    async def unsubscribe_exchanges(self, mode: ExchangeMode, *exchanges: ExchangeWord) -> None:
        """Ask for it no longer."""
        async with self._at_home():
            await self._say(self._session.want_exchanges_no_more(mode, exchanges))

    async def subscribe_account(self) -> None:
        """Ask for everything that happens to the account's orders; a snapshot comes first."""
        async with self._at_home():
            await self._say(self._session.want_account())

    async def unsubscribe_account(self) -> None:
        """Ask for it no longer."""
        async with self._at_home():
            await self._say(self._session.want_account_no_more())

    async def receive(self, seconds: float | None = None) -> FeedItem:
        """
        Return the next item.

        Raises ``TimeoutError`` if there is none for so long, reconnecting included, and
        ``FeedLost`` if the feed is closed, before or meanwhile.
        """
        wait = params.optional(params.seconds, "seconds", seconds)
        # ``recv`` loses nothing when it is cancelled, so a timeout here costs no frame.
        async with asyncio.timeout(wait):
            return await self._receive(self._closings)

    def __aiter__(self) -> AsyncIterator[FeedItem]:
        return self._items(self._closings)

    async def close(self) -> None:
        """Leave, and end what waits for items; ``async with`` opens the feed again."""
        self._closings += 1
        self._is_shut = True
        self._at_home()
        self._closed.set()
        connection, self._line.connection = self._line.connection, None
        if connection is not None:
            await connection.close()

    async def __aenter__(self) -> Self:
        self._is_shut = False
        self._at_home()
        self._closed.clear()
        await self._connected(self._closings)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # --- Inside ---------------------------------------------------------------------------------

    @property
    def _connection(self) -> ClientConnection | None:
        return self._line.connection

    def _at_home(self) -> asyncio.Lock:
        """Return the lock over wishes, greetings and the connection, of the running loop."""
        loop = asyncio.get_running_loop()
        if self._line.loop is not loop:
            self._line.hang_up()
            self._line.loop = loop
            self._lock = asyncio.Lock()
            self._reading = asyncio.Lock()
            self._closed = asyncio.Event()
        return self._lock

    async def _items(self, closings: int) -> AsyncIterator[FeedItem]:
        while True:
            try:
                item = await self._receive(closings)
            except FeedLost:
                if self._is_closed(closings):
                    return
                raise
            yield item

    def _is_closed(self, closings: int) -> bool:
        return self._is_shut or self._closings != closings

    async def _receive(self, closings: int) -> FeedItem:
        self._at_home()
        async with self._reading:
            while True:
                connection = await self._connected(closings)
                try:
                    item = await self._next(connection)
                except LOST:
                    self._drop(connection)
                    continue
                if item is not None:
                    return item

    async def _next(self, connection: ClientConnection) -> FeedItem | None:
        now = time.monotonic()
        if now >= self._beat_at:
            await connection.send(HEARTBEAT)
            self._beat_at = now + HEARTBEAT_SECONDS
        try:
            async with asyncio.timeout(self._beat_at - now) as alarm:
                frame = await connection.recv()
        except TimeoutError:
            if not alarm.expired():
                raise
            return None
        return self._session.read(frame)

    async def _say(self, messages: list[str]) -> None:
        connection = self._line.connection
        if connection is None:
            return
        try:
            for message in messages:
                await connection.send(message)
        except LOST:
            self._line.hang_up()  # Whoever reads makes another, and that is told everything.

    async def _connected(self, closings: int) -> ClientConnection:
        while True:
            if self._is_closed(closings):
                raise FeedLost(CLOSED)
            if self._line.connection is not None:
                return self._line.connection
            try:
                await self._open(closings)
            except LOST as failure:
                wait = self._outage.seconds_to_wait(failure)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), wait)

    async def _open(self, closings: int) -> None:
        connection = await self._made()
        try:
            async with self._at_home():
                if self._is_closed(closings):
                    raise FeedLost(CLOSED)
                for message in self._session.greeting():
                    await connection.send(message)
                self._outage.over()
                self._beat_at = 0.0
                await self._line.keep(connection)
        except BaseException:
            connection.transport.abort()
            raise

    async def _made(self) -> ClientConnection:
        """Return a connection whose handshake is over; raises ``FeedLost`` at a close meanwhile."""

        async def make() -> ClientConnection:
            return await connect(self._session.url, open_timeout=TIMEOUT_SECONDS, **SETTINGS)

        making = asyncio.ensure_future(make())
        closing = asyncio.ensure_future(self._closed.wait())
        try:
            await asyncio.wait({making, closing}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if making.done() and not making.cancelled() and making.exception() is None:
                making.result().transport.abort()
            raise
        finally:
            closing.cancel()
            making.cancel()
        if not making.done():
            raise FeedLost(CLOSED)
        return making.result()

    def _drop(self, connection: ClientConnection) -> None:
        if self._line.connection is connection:
            self._line.connection = None
        connection.transport.abort()  # A server that is not trusted is not waited for.
