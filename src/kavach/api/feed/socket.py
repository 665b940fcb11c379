"""
One WebSocket of the feed: the upgraded connection, its frames, and the end of it.

It takes the place of the HTTP connection once that has read the head of an upgrade, and is given
to the application once, in an ASGI scope of type "websocket"; the application either lets it in,
naming a listener, or refuses it with an HTTP answer. From then on there is no task and no queue:
what arrives goes straight to the listener, and frames are written as they are, so that one packet
is encoded and framed once for all who want it, and ten thousand idle connections cost little.

Frames are parsed by ``websockets`` without I/O; extensions are not offered, because a shared frame
can't be compressed for each. Nothing is parsed as frames before the client was let in: what comes
earlier waits unread, and is dropped if it is refused. What comes later is parsed in pieces, each
a step of ``kavach.api.http.turns``, and while some of it waits nothing more is read. What a client
may cost:

    parsed in one step              PIECE_BYTES
    a message                       MESSAGE_BYTES_MAX       closed, 1009
    control frames, and parts       FRAMES_BURST at once,   closed, 1008
    of messages                     FRAMES_PER_SECOND
    a part that is empty            none, but a last one    closed, 1008
    bytes                           BYTES_BURST at once,    closed, 1008
                                    BYTES_PER_SECOND
    frames once we have closed      CLOSING_FRAMES_MAX      nothing more is parsed
    bytes once nothing is parsed    DROPPED_BYTES_MAX       the connection is cut
    unsent bytes, before we wait    WRITE_BYTES_MAX         the listener is told to hold back
    answers that nobody fetches     BUFFER_BYTES_MAX        the connection is cut
    the closing handshake           CLOSING_SECONDS         the connection is cut

Source: RFC 6455; docs/wire/feeds.md, "Limits"; docs/decisions/0025-one-turn-is-short.md.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Final, Protocol, cast
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from kavach.api.http.token_bucket import TokenBucket
from kavach.api.http.turns import turns_of

PIECE_BYTES: Final = 512
MESSAGE_BYTES_MAX: Final = 64 * 1024
FRAMES_BURST: Final = 256
FRAMES_PER_SECOND: Final = 16
BYTES_BURST: Final = 512 * 1024
BYTES_PER_SECOND: Final = 32 * 1024
CLOSING_FRAMES_MAX: Final = 64
DROPPED_BYTES_MAX: Final = 8 * 1024 * 1024
WRITE_BYTES_MAX: Final = 32 * 1024
BUFFER_BYTES_MAX: Final = 1024 * 1024
CLOSING_SECONDS: Final = 5.0
DROPPING_SECONDS: Final = 1.0  # How long one that was told the end may go on talking.
POLICY: Final = 1008
EXTENSION: Final = "kavach.feed"  # Where an ASGI scope holds the socket.

_LOG: Final = logging.getLogger(__name__)
_FRAMES: Final = logging.Logger(f"{__name__}.frames", logging.WARNING)  # No line a connection.
_FRAMES.parent = _LOG
_BINARY: Final = 0x82
_PING: Final = b"\x89\x00"
_SHORT: Final = 126
_LONG: Final = 1 << 16
_OF_MESSAGES: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class Listener(Protocol):
    """Who hears what arrives on a socket."""

    def heard(self, message: bytes) -> None:
        """Hear a message, text or not; do no more of it at once than a step may cost."""

    @property
    def busy(self) -> bool:
        """Whether something that was heard is not done yet."""

    def work(self) -> None:
        """Do a step of that."""

    def flooded(self, reason: str) -> None:
        """Close the connection: it was sent more than it may cost."""

    def left(self) -> None:
        """Hear that the connection has ended."""

    def hold_back(self) -> None:
        """Write no more for the time being: the other side does not read."""

    def go_on(self) -> None:
        """Write again."""


def binary_frame(payload: bytes) -> bytes:
    """Return a whole frame that holds these bytes, as servers send it."""
    size = len(payload)
    if size < _SHORT:
        return bytes((_BINARY, size)) + payload
    if size < _LONG:
        return bytes((_BINARY, _SHORT)) + size.to_bytes(2, "big") + payload
    return bytes((_BINARY, _SHORT + 1)) + size.to_bytes(8, "big") + payload


class FeedSocket(asyncio.Protocol):
    """A connection that was upgraded."""

    __slots__ = (
        "_app",
        "_bytes",
        "_closing",
        "_deaf",
        "_frames",
        "_listener",
        "_loop",
        "_message",
        "_paused",
        "_response",
        "_stepping",
        "_tasks",
        "_unread",
        "_ws",
        "dropped_bytes",
        "heard_at",
        "transport",
    )
    closing_seconds: float = CLOSING_SECONDS

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._app = config.loaded_app
        self._tasks = server_state.tasks
        self._loop = _loop or asyncio.get_running_loop()
        self._ws = ServerProtocol(max_size=MESSAGE_BYTES_MAX, logger=_FRAMES)
        self._listener: Listener | None = None
        self._response: Response | None = None
        self._unread = bytearray()  # What has come and is not parsed yet.
        self._message: list[bytes] = []  # Parts of a message that is not whole.
        self._closing: asyncio.TimerHandle | None = None
        self._deaf = False  # Whatever else comes is dropped.
        self._paused = False  # Nothing is read from the other side for the time being.
        self._stepping = False  # A step was asked for.
        self.transport: asyncio.Transport
        self.heard_at = now = self._loop.time()
        self.dropped_bytes = 0  # Sent by one that was refused or had been told the end.
        self._frames = TokenBucket(FRAMES_BURST, FRAMES_PER_SECOND, now)
        self._bytes = TokenBucket(BYTES_BURST, BYTES_PER_SECOND, now)

    # --- What the application says --------------------------------------------------------------

    def welcome(self, listener: Listener) -> None:
        """Let the client in: from now on this listener hears it."""
        assert self._response is not None, "it was answered already"
        if self.transport.is_closing():
            return
        self._ws.send_response(self._response)
        self._response = None
        self._flush()
        self.transport.set_write_buffer_limits(high=WRITE_BYTES_MAX)
        self._listener = listener
        self._go_on()

    def refuse(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer with HTTP instead of the upgrade, and close."""
        lines = Headers([*headers, ("content-length", str(len(body))), ("connection", "close")])
        self._ws.send_response(Response(status, HTTPStatus(status).phrase, lines, body))
        self._response = None
        self._flush()
        self._drop()

    def write(self, frames: bytes) -> None:
        """Send whole frames."""
        if self._closing is None and not self.transport.is_closing():
            self.transport.write(frames)

    def ping(self) -> None:
        """Ask whether the client is still there."""
        self.write(_PING)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye, and cut the connection if nobody answers that."""
        if self._closing is None and not self.transport.is_closing():
            try:
                self._ws.send_close(code, reason)
            except InvalidState:
                self.transport.abort()  # The other side has said it first and not left.
                return
            self._flush()
            self._frames.left = min(self._frames.left, CLOSING_FRAMES_MAX)
            self._closing = self._loop.call_later(self.closing_seconds, self.transport.abort)

    # --- What asyncio says ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take the head of the upgrade, which comes first, or keep what is parsed step by step."""
        if self._deaf:
            self.dropped_bytes += len(data)
            if self.dropped_bytes > DROPPED_BYTES_MAX:
                self.transport.abort()
            return
        if self._listener is None and self._response is None:
            self._take_head(data)
            return
        self.heard_at = self._loop.time()
        self._unread += data
        if self._listener is None:
            self._pause()
        else:
            self._go_on()

    def eof_received(self) -> None:
        """Close: a client that says nothing more has left."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the listener."""
        if self._closing is not None:
            self._closing.cancel()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.left()

    def pause_writing(self) -> None:
        """Tell the listener that the other side does not read."""
        if self._listener is not None:
            self._listener.hold_back()

    def resume_writing(self) -> None:
        """Tell the listener that the other side has read."""
        if self._listener is not None:
            self._listener.go_on()

    # --- Step by step ---------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Ask for a step if there is something to do; read on if there is little."""
        if self._deaf:
            return
        if len(self._unread) > PIECE_BYTES:
            self._pause()
        elif self._paused:
            self._paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()
        busy = self._listener is not None and self._listener.busy
        if (self._unread or busy) and not self._stepping:
            self._stepping = True
            turns_of(self._loop).soon(self._step)

    def _pause(self) -> None:
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def _step(self) -> None:
        """Do a part of what was asked for, or else parse a piece of what has come."""
        self._stepping = False
        listener = self._listener
        if listener is None or self._deaf:
            return
        if listener.busy:
            listener.work()
        else:
            piece = bytes(self._unread[:PIECE_BYTES])
            del self._unread[:PIECE_BYTES]
            self._parse(piece)
        self._go_on()

    def _parse(self, piece: bytes) -> None:
        now = self._loop.time()
        if not self._bytes.take(len(piece), now):
            self._flooded("too much was sent")
            return
        self._ws.receive_data(piece)
        for event in self._ws.events_received():
            assert isinstance(event, Frame), "the head was taken before"
            if not self._affords(event, now):
                return
            self._take(event)
        self._flush()  # Pongs, and the answer to a close.
        if self._ws.eof_sent:
            self._end()
        elif self.transport.get_write_buffer_size() > BUFFER_BYTES_MAX:
            self.transport.abort()

    def _affords(self, frame: Frame, now: float) -> bool:
        """Return whether a frame is within the client's means; if not, the connection has ended.

        Whole messages are counted by who hears them; once we have closed, nobody does.
        """
        part = frame.opcode in _OF_MESSAGES and (frame.opcode is Opcode.CONT or not frame.fin)
        if part and not frame.fin and not frame.data:
            self._flooded("a part of a message was empty")
            return False
        costs = part or frame.opcode not in _OF_MESSAGES or self._closing is not None
        if costs and not self._frames.take(1, now):
            self._flooded("too many control frames or parts of messages")
            return False
        return True

    def _flooded(self, reason: str) -> None:
        """Say why it ends, and parse nothing more."""
        if self._closing is None and self._listener is not None:
            self._listener.flooded(reason)
        self._drop()

    def _drop(self) -> None:
        """Let all that still comes go by, and leave soon.

        Closing at once would reset a client that is still sending, and lose what it was told last.
        """
        self._deaf = True
        self._unread.clear()
        self._message.clear()
        if self.transport.is_closing():
            return
        self.transport.write_eof()
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        if self._closing is not None:
            self._closing.cancel()
        self._closing = self._loop.call_later(DROPPING_SECONDS, self.transport.abort)

    # --- Inside ---------------------------------------------------------------------------------

    def _take_head(self, head: bytes) -> None:
        self._ws.receive_data(head)
        for event in self._ws.events_received():
            assert isinstance(event, Request), "a head is all that was given"
            self._ask(event)
        self._flush()
        if self._ws.eof_sent:
            self._drop()

    def _ask(self, request: Request) -> None:
        """Let the application decide about an upgrade."""
        response = self._ws.accept(request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._ws.send_response(response)
            self._flush()
            self._drop()
            return
        self._response = response
        self._pause()
        path, _, query = request.path.partition("?")
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "path": unquote(path),
            "query_string": query.encode("latin-1"),
            "headers": [],
            "extensions": {EXTENSION: self},
        }
        task = self._loop.create_task(self._introduce(scope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _introduce(self, scope: dict[str, Any]) -> None:
        try:
            await self._app(scope, _say_nothing, _hear_nothing)
        except Exception:  # The program is wrong: be loud, and let nobody wait for an answer.
            _LOG.exception("a feed could not be opened")
        if self._response is not None:
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, [], b"")

    def _take(self, frame: Frame) -> None:
        if frame.opcode not in _OF_MESSAGES or self._listener is None:
            return
        if frame.fin and not self._message:
            self._listener.heard(bytes(frame.data))
            return
        self._message.append(bytes(frame.data))
        if frame.fin:
            whole, self._message = b"".join(self._message), []
            self._listener.heard(whole)

    def _flush(self) -> None:
        data = b"".join(self._ws.data_to_send())
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def _end(self) -> None:
        """Close: the handshake is over, or what came is no WebSocket."""
        if self._ws.close_rcvd is None:
            self._drop()
            return
        self._deaf = True
        if self._closing is not None:
            self._closing.cancel()
        self.transport.close()
        # A transport that closes waits until all is written, which may be never.
        self._closing = self._loop.call_later(self.closing_seconds, self.transport.abort)


async def _say_nothing() -> dict[str, Any]:
    raise AssertionError("a feed is heard by its listener")


async def _hear_nothing(message: dict[str, Any]) -> None:
    raise AssertionError("a feed is answered through its socket")
