"""
One HTTP connection, and what a client may cost on it: uvicorn's protocol with limits.

uvicorn reads heads of any length, waits for ever for the rest of a request, keeps reading while
earlier requests of the same connection wait, and writes "400" at once even if that makes it the
answer to an earlier request. Here everything that a client can make long has an end:

    what                                    limit                   what happens then
    head: bytes                             HEAD_BYTES_MAX          431, closed
    head: lines                             HEAD_LINES_MAX          431, closed
    what is neither head nor body: bytes    EXTRA_BYTES_MAX         431, closed
    from a request's first byte to its last REQUEST_SECONDS_MAX     408, closed
    a new connection that says nothing      REQUEST_SECONDS_MAX     closed
    answers that nobody fetches             FETCH_SECONDS_MAX       closed
    a line of SINGLE                        1                       400, closed
    requests sent ahead of their answers    AHEAD_MAX               400, closed, none overtaken
    connections                             CONNECTIONS_MAX         the one that waits longest for
                                                                    its client is closed; else 503
    bytes parsed at once                    PIECE_BYTES             the rest is parsed step by step,
                                                                    and nothing read meanwhile

What is no HTTP is 400. Each of these answers is envelope A, is sent after the answers that are
still owed, and is followed by silence for CLOSING_SECONDS, so that a client which is still
sending can read it. A request that has arrived whole is carried out even if its sender has
closed its side of the connection.

A wish for a WebSocket on the path of the feed hands the connection over, once its head has passed
the limits above and if no earlier request is still owed an answer; it counts among the connections
of the feed from then on, no longer here. Any other wish for another protocol is ignored, as HTTP
allows (uvicorn loses the body of such a request), and so are trailers (uvicorn takes them for
headers).

A request that fits into a piece is parsed as soon as it comes. What is more (a long body, requests
sent ahead, thousands of tiny chunks) stands in the queue of ``kavach.api.http.turns``.

Source: RFC 9112, sections 9.3 and 9.6; docs/reliability.md, "Many hands and strangers";
docs/decisions/0025-one-turn-is-short.md.
"""

import asyncio
from asyncio import TimerHandle
from collections.abc import Iterable, Sized
from itertools import chain
from typing import Any, Final, NamedTuple

import httptools
import msgspec
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from kavach.api.http import uvicorn_names
from kavach.api.http.turns import turns_of
from kavach.wire import headers
from kavach.wire.errors import ErrorCode, error_body

uvicorn_names.check()

HEAD_BYTES_MAX: Final = 16 * 1024
HEAD_LINES_MAX: Final = 100
EXTRA_BYTES_MAX: Final = 64 * 1024  # Sizes of chunks, trailers.
REQUEST_SECONDS_MAX: Final = 10.0
FETCH_SECONDS_MAX: Final = 30.0
CLOSING_SECONDS: Final = 1.0
AHEAD_MAX: Final = 64
PIECE_BYTES: Final = 4 * 1024
CONNECTIONS_MAX: Final = 900  # With the usual limit of 1024 open files.
FEED_PATHS: Final = frozenset({b"/ws/v1/feeds", b"/ws/v1/feeds/"})

_LINE_EXTRA: Final = 4  # Colon, space, end of line.


class Fault(NamedTuple):
    """Why a connection ends, as its client is told."""

    status_line: str
    code: ErrorCode
    text: str
    word: str
    more: str = ""  # Further header lines.


# Two lines of these contradict each other, or may to whoever reads them elsewhere on the way.
SINGLE: Final = frozenset(
    {
        b"host",
        b"content-length",
        b"content-type",
        b"transfer-encoding",
        b"authorization",
        headers.TOKEN.lower().encode(),
        b"x-auth-token",
        headers.IDEMPOTENCY_KEY.lower().encode(),
    }
)
TWICE: Final = Fault(
    "400 Bad Request",
    ErrorCode.BAD_REQUEST,
    "A header line that may be given once is given twice",
    "GIVEN_TWICE",
)
MALFORMED: Final = Fault("400 Bad Request", ErrorCode.BAD_REQUEST, "Not a request", "MALFORMED")
TOO_FAR_AHEAD: Final = Fault(
    "400 Bad Request",
    ErrorCode.BAD_REQUEST,
    f"More than {AHEAD_MAX} requests ahead of their answers",
    "TOO_FAR_AHEAD",
)
TOO_SLOW: Final = Fault(
    "408 Request Timeout", ErrorCode.TOO_SLOW, "Request took too long to arrive", "TOO_SLOW"
)
HEAD_TOO_LARGE: Final = Fault(
    "431 Request Header Fields Too Large",
    ErrorCode.HEAD_TOO_LARGE,
    "Request head is too large",
    "HEAD_TOO_LARGE",
)
CROWDED: Final = Fault(
    "503 Service Unavailable",
    ErrorCode.UNAVAILABLE,
    "Too many connections: nothing was done, try again",
    "BUSY",
    "retry-after: 1\r\n",
)


class Trailers(list[tuple[bytes, bytes]]):
    """Where header lines go that come behind the body: nowhere."""

    def append(self, line: tuple[bytes, bytes]) -> None:
        """Forget a line."""


class Exceeded(Exception):
    """A limit of the head was exceeded; the parser stops."""


class Flow(FlowControl):
    """Reading stays paused while there is enough to do: requests to serve, bytes to parse."""

    def __init__(self, transport: asyncio.Transport, requests: Sized, unread: Sized) -> None:
        super().__init__(transport)
        self._requests = requests
        self._unread = unread

    def resume_reading(self) -> None:
        """Read on, unless there is enough to do."""
        if not (self._requests or self._unread):
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """One connection; the limits are attributes, so that a test need not wait for hours."""

    head_bytes_max: int = HEAD_BYTES_MAX
    head_lines_max: int = HEAD_LINES_MAX
    request_seconds_max: float = REQUEST_SECONDS_MAX
    fetch_seconds_max: float = FETCH_SECONDS_MAX
    closing_seconds: float = CLOSING_SECONDS
    ahead_max: int = AHEAD_MAX
    connections_max: int = CONNECTIONS_MAX

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._fault: Fault | None = None  # Decided; nothing more is read.
        self._blame: Fault | None = None  # Why the parser was stopped, if it was us.
        self._reading: RequestResponseCycle | None = None  # Whose body is being read.
        self._in_head = False
        self._in_request = False
        self._arrived = 0  # Bytes of this request behind the piece in which it began.
        self._in_body = 0  # Those of its body.
        self._owed = 0  # Requests that are being answered or wait for their turn.
        self._answers = 0
        self._quiet_since = 0.0
        self._deadline: TimerHandle | None = None
        self._unfetched: TimerHandle | None = None
        self._heir: asyncio.Protocol | None = None  # Who has the connection now.
        self._unread = bytearray()  # What has come and is not parsed yet.

    # --- The life of a connection ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or make room for it, or refuse it."""
        super().connection_made(transport)
        self.flow = Flow(transport, self.pipeline, self._unread)
        self._quiet_since = self.loop.time()
        if len(self.connections) > self.connections_max and not self._make_room():
            self._refuse(CROWDED)
            return
        self._watch()

    def _make_room(self) -> bool:
        """Return whether a connection that waits for its client could be closed."""
        waiting = [
            other
            for other in self.connections
            if isinstance(other, Connection) and other is not self and other._waits_for_client()
        ]
        if not waiting:
            return False
        # Who never got an answer goes first: those are the ones that cost an attacker nothing.
        longest = min(waiting, key=lambda other: (other._answers > 0, other._quiet_since))
        self.connections.discard(longest)
        longest.transport.abort()
        return True

    def _waits_for_client(self) -> bool:
        return self._owed == 0 or (self._owed == 1 and self._reading is not None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._disarm()
        self._fetched()
        self._unread.clear()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close, after the answers that are owed; a request that is not whole yet is not taken."""
        if self._waits_for_client():
            self.transport.close()
        else:
            super().shutdown()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Return whether to stay: until what arrived whole is answered."""
        if self._owed and self._reading is None:
            if self.cycle is not None:
                self.cycle.keep_alive = False
            return True
        return None

    # --- What arrives ---------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse what came, or the first piece of it soon and the others later."""
        self._unset_keepalive_if_required()
        if self._heir is not None:
            self._heir.data_received(data)
        elif self._fault is not None:
            return  # Nothing more is read.
        elif self._unread:
            self._unread += data
        elif len(data) <= PIECE_BYTES:
            self._take(data)
        else:
            self._unread += data
            self._parse_soon()

    def _parse_soon(self) -> None:
        self.flow.pause_reading()
        turns_of(self.loop).soon(self._parse_piece)

    def _parse_piece(self) -> None:
        """Parse the next piece of what has come; a limit that it exceeds is noticed behind it."""
        if self._fault is not None or self.transport.is_closing():
            self._unread.clear()
            return
        self._unset_keepalive_if_required()
        piece = bytes(self._unread[:PIECE_BYTES])
        del self._unread[:PIECE_BYTES]
        self._take(piece)
        rest = self._unread
        if self._heir is not None:
            if rest:
                self._heir.data_received(bytes(rest))
            rest.clear()
        elif rest and self._fault is None:
            self._parse_soon()
        else:
            rest.clear()
            self.flow.resume_reading()

    def _take(self, data: bytes) -> None:
        if self._in_request:
            self._arrived += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(self._blame or MALFORMED)
            return
        if self._heir is not None:
            return
        if not self._in_request and self._owed:
            return  # The usual case: it came whole.
        extra = 0 if self._in_head else EXTRA_BYTES_MAX
        if self._in_request and self._arrived - self._in_body > self.head_bytes_max + extra:
            self._refuse(HEAD_TOO_LARGE)
        elif not self.transport.is_closing():
            self._watch()

    def _parse(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self._wishes_for_feed():
                    self._hand_over(data[upgrade.args[0] :])
                    return
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)

    def _wishes_for_feed(self) -> bool:
        """Return whether the head that was just read asks for the feed."""
        wishes = [value.strip().lower() for name, value in self.headers if name == b"upgrade"]
        return (
            self.ws_protocol_class is not None
            and wishes == [b"websocket"]
            and self.url.partition(b"?")[0] in FEED_PATHS
            and self.parser.get_method() == b"GET"
            and self._owed == 0
        )

    def _hand_over(self, rest: bytes) -> None:
        """Let the connection be one of the feed; ``rest`` came behind the head."""
        assert self.ws_protocol_class is not None
        head = self._head(self.headers)
        self._disarm()
        self._fetched()
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        heir = self.ws_protocol_class(
            config=self.config,  # type: ignore[call-arg]  # As uvicorn calls it.
            server_state=self.server_state,
            app_state=self.app_state,
        )
        heir.connection_made(self.transport)
        self.transport.set_protocol(heir)
        self._heir = heir
        self.parser = None  # type: ignore[assignment]  # It and this hold each other.
        if self.flow.read_paused:  # The heir pauses and reads on by itself.
            self.flow.read_paused = False
            self.transport.resume_reading()
        heir.data_received(head)
        if rest:
            heir.data_received(rest)

    def _head_without_upgrade(self) -> bytes:
        """Return the head that was just read, without the wish for another protocol."""
        return self._head([line for line in self.headers if line[0] != b"upgrade"])

    def _head(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % line for line in headers]
        return b"\r\n".join([*lines, b"", b""])

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head = self._in_request = True
        self._arrived = self._in_body = 0
        if self._deadline is not None:
            self._disarm()

    def on_headers_complete(self) -> None:
        """Look at the head as a whole, then let the request be served."""
        self._in_head = False
        lines = self.headers
        size = len(self.url) + sum(map(len, chain.from_iterable(lines)))
        if (
            len(lines) > self.head_lines_max
            or size + _LINE_EXTRA * len(lines) > self.head_bytes_max
        ):
            self._blame = HEAD_TOO_LARGE
            raise Exceeded
        names = [name for name, _ in lines if name in SINGLE]
        if len(set(names)) != len(names):
            self._blame = TWICE
            raise Exceeded
        if len(self.pipeline) >= self.ahead_max:
            self._blame = TOO_FAR_AHEAD
            raise Exceeded
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            return  # The parser stops here; the request is read once more without the wish.
        super().on_headers_complete()
        self.headers = Trailers()
        self._reading = self.cycle
        self._owed += 1

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._in_body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request: from here on it is we who are waited for."""
        if self._reading is None:
            return  # It was the wish for another protocol.
        super().on_message_complete()
        self._reading = None
        self._in_request = False
        if self._deadline is not None:
            self._disarm()

    def on_response_complete(self) -> None:
        """Go on to the next request, or to the end."""
        self._owed -= 1
        self._answers += 1
        self._quiet_since = self.loop.time()
        super().on_response_complete()
        if self._fault is not None and self._owed == 0:
            self._say(self._fault)

    # --- Time -----------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Wait for the rest of a request, or for a first one, only so long."""
        unsaid = self._in_request or (self._owed == 0 and self.timeout_keep_alive_task is None)
        if unsaid and self._deadline is None:
            self._deadline = self.loop.call_later(self.request_seconds_max, self._late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self.flow.read_paused:
            self._watch()  # It is we who do not listen.
        elif self._in_request:
            self._refuse(TOO_SLOW)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """Wait only so long for a client that does not fetch its answers."""
        super().pause_writing()
        if self._unfetched is None:
            self._unfetched = self.loop.call_later(self.fetch_seconds_max, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it fetched them."""
        self._fetched()
        super().resume_writing()

    def _fetched(self) -> None:
        if self._unfetched is not None:
            self._unfetched.cancel()
            self._unfetched = None

    # --- The end --------------------------------------------------------------------------------

    def _refuse(self, fault: Fault) -> None:
        """End the connection, with this said behind the answers that are still owed."""
        self._fault = fault
        self._disarm()
        request = self._reading
        if request is not None:
            if request.response_started:  # It was answered before it was whole.
                self.transport.close()
                return
            self._owed -= 1
            if self.pipeline and self.pipeline[0][0] is request:
                self.pipeline.popleft()
            else:
                request.disconnected = True
                request.message_event.set()
        if self._owed == 0:
            self._say(fault)
        else:
            self.flow.pause_reading()

    def _say(self, fault: Fault) -> None:
        if self.transport.is_closing():
            return
        body = msgspec.json.encode(error_body(fault.code, fault.text))
        head = (
            f"HTTP/1.1 {fault.status_line}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n{headers.ERROR_REASON.lower()}: {fault.word}\r\n"
            f"{fault.more}connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        # Closing at once would reset a client that is still sending, and lose the answer.
        self.transport.write_eof()
        self._deadline = self.loop.call_later(self.closing_seconds, self.transport.close)
