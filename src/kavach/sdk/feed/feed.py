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

``close`` ends every iteration, wherever it waits; a new ``with`` opens the feed again. Who reads
slowly gets the newest market data, and all updates of the account.

One lock is held while a new connection is told what is wanted and put in its place, and while a
wish is noted and sent. So a wish is either among what the new connection is told or sent over it.

Source: kavach.sdk.feed.session; docs/client.md, "The feed".
"""

import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

from kavach.sdk import params
from kavach.sdk.errors import FeedLost
from kavach.sdk.feed.feed_async import AsyncFeed as AsyncFeed
from kavach.sdk.feed.outage import (
    CLOSED,
    LOST,
    NO_ITEM,
    PATIENCE_SECONDS,
    SETTINGS,
    Outage,
    seconds_to_connect,
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
from kavach.sdk.requests.account import Uncopied


class _Line:
    """The connection of a feed, apart from it: it is hung up when the feed is forgotten."""

    def __init__(self) -> None:
        self.connection: ClientConnection | None = None
        self.opening: set[ClientConnection] = set()  # In the middle of their handshakes.

    def hang_up(self) -> None:
        """Shut the connection, and those that are being made; nothing is waited for."""
        connection, self.connection = self.connection, None
        for one in [*self.opening, *([] if connection is None else [connection])]:
            shut(one)


def shut(connection: ClientConnection) -> None:
    """Shut a socket, at which the connection's threads end."""
    with suppress(OSError):
        connection.socket.shutdown(socket.SHUT_RDWR)


class Feed(Uncopied):
    """
    The feed for ordinary programs: iterate over it, or call ``receive``.

    Nothing touches the network before the first item is asked for, or the ``with`` begins. Several
    threads may read (each item goes to one of them), subscribe and close. A forked child makes a
    connection of its own.
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
        self._new_locks()
        weakref.finalize(self, self._line.hang_up)
        _FEEDS.add(self)

    def subscribe(self, mode: MarketMode, *instruments: Instrument) -> None:
        """Ask for "quote", "compact", "depth", "band" or "open_interest" of instruments."""
        with self._lock:
            self._say(self._session.want(mode, instruments))

    def unsubscribe(self, mode: MarketMode, *instruments: Instrument) -> None:
        """Ask for it no longer."""
        with self._lock:
            self._say(self._session.want_no_more(mode, instruments))

    def subscribe_exchanges(self, mode: ExchangeMode, *exchanges: ExchangeWord) -> None:
        """Ask for "status" or "notices" of exchanges."""
        with self._lock:
            self._say(self._session.want_exchanges(mode, exchanges))

    def unsubscribe_exchanges(self, mode: ExchangeMode, *exchanges: ExchangeWord) -> None:
        """Ask for it no longer."""
        with self._lock:
            self._say(self._session.want_exchanges_no_more(mode, exchanges))

    def subscribe_account(self) -> None:
        """Ask for everything that happens to the account's orders; a snapshot comes first."""
        with self._lock:
            self._say(self._session.want_account())

    def unsubscribe_account(self) -> None:
        """Ask for it no longer."""
        with self._lock:
            self._say(self._session.want_account_no_more())

    def receive(self, seconds: float | None = None) -> FeedItem:
        """
        Return the next item.

        Raises ``TimeoutError`` if there is none for so long, reconnecting included, and
        ``FeedLost`` if the feed is closed, before or meanwhile.
        """
        wait = params.optional(params.seconds, "seconds", seconds)
        return self._receive(None if wait is None else time.monotonic() + wait, self._closings)

    def __iter__(self) -> Iterator[FeedItem]:
        return self._items(self._closings)

    def close(self) -> None:
        """Leave, and end what waits for items; a ``with`` opens the feed again, where it was."""
        with self._lock:
            self._closings += 1
            self._closed.set()
            connection, self._line.connection = self._line.connection, None
            self._line.hang_up()
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        self._closed.clear()
        self._connected(None, self._closings)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- Inside ---------------------------------------------------------------------------------

    @property
    def _connection(self) -> ClientConnection | None:
        return self._line.connection

    def _new_locks(self) -> None:
        self._lock = threading.RLock()  # Over wishes, greetings and the connection.
        self._reading = threading.Lock()
        self._closed = threading.Event()

    def after_fork(self) -> None:
        """Forget the parent's connection, without closing it, and its locks."""
        _INHERITED.extend([self._line.connection, *self._line.opening])
        self._line.opening.clear()
        self._line.connection = None
        self._new_locks()

    def _items(self, closings: int) -> Iterator[FeedItem]:
        while True:
            try:
                item = self._receive(None, closings)
            except FeedLost:
                if self._is_closed(closings):
                    return
                raise
            yield item

    def _is_closed(self, closings: int) -> bool:
        return self._closed.is_set() or self._closings != closings

    def _receive(self, until: float | None, closings: int) -> FeedItem:
        longest = -1 if until is None else max(0.0, until - time.monotonic())
        if not self._reading.acquire(timeout=longest):
            raise TimeoutError(NO_ITEM)
        try:
            while True:
                connection = self._connected(until, closings)
                try:
                    item = self._next(connection, until)
                except TimeoutError:
                    raise TimeoutError(NO_ITEM) from None
                except LOST:
                    self._drop(connection)
                    continue
                if item is not None:
                    return item
        finally:
            self._reading.release()

    def _next(self, connection: ClientConnection, until: float | None) -> FeedItem | None:
        """Return what the next frame tells, if anything; TimeoutError only when time is up."""
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
        connection = self._line.connection
        if connection is None:
            return
        try:
            for message in messages:
                connection.send(message)
        except LOST:
            self._line.hang_up()  # Whoever reads makes another, and that is told everything.

    def _connected(self, until: float | None, closings: int) -> ClientConnection:
        """Return the connection, made if need be; all waiting ends at ``until`` and at a close."""
        while True:
            with self._lock:
                if self._is_closed(closings):
                    raise FeedLost(CLOSED)
                if self._line.connection is not None:
                    return self._line.connection
            try:
                self._open(seconds_to_connect(until), closings)
            except LOST as failure:
                if until is not None and time.monotonic() >= until:
                    raise TimeoutError(NO_ITEM) from None
                wait = self._outage.seconds_to_wait(failure)
                left = wait if until is None else until - time.monotonic()
                self._closed.wait(max(0.0, min(wait, left)))

    def _open(self, seconds: float, closings: int) -> None:
        begun: list[ClientConnection] = []

        def begin(*given: Any, **named: Any) -> ClientConnection:
            with self._lock:
                if self._is_closed(closings):
                    raise FeedLost(CLOSED)
                begun.append(ClientConnection(*given, **named))
                self._line.opening.update(begun)
            return begun[0]

        told: dict[str, Any] = {"create_connection": begin, "open_timeout": seconds} | SETTINGS
        try:
            # It is entered and not left: the connection outlives this method.
            connection = connect(self._session.url, **told).__enter__()
        finally:
            self._line.opening.difference_update(begun)
        try:
            with self._lock:
                if self._is_closed(closings):
                    raise FeedLost(CLOSED)
                for message in self._session.greeting():
                    connection.send(message)
                self._outage.over()
                self._beat_at = 0.0
                self._line.connection = connection
        except BaseException:
            shut(connection)
            raise

    def _drop(self, connection: ClientConnection) -> None:
        with self._lock:
            if self._line.connection is connection:
                self._line.connection = None
        shut(connection)  # A server that is not trusted is not waited for.


_FEEDS: "weakref.WeakSet[Feed]" = weakref.WeakSet()
_INHERITED: list[ClientConnection | None] = []  # A parent's: kept, so that nothing closes them.


def _in_a_child() -> None:
    for feed in list(_FEEDS):
        feed.after_fork()


if hasattr(os, "register_at_fork"):  # Not on Windows, where nothing forks.
    os.register_at_fork(after_in_child=_in_a_child)
