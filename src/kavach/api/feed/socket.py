"""
One WebSocket of the feed: the upgraded connection, its frames, and the end of it.

It takes the place of the HTTP connection once that has read the head of an upgrade, and is given
to the application once, in an ASGI scope of type "websocket"; the application either lets it in,
naming a listener, or refuses it with an HTTP answer. From then on there is no task and no queue:
what arrives goes straight to the listener, and frames are written as they are, so that one packet
is encoded and framed once for all who want it, and ten thousand idle connections cost little.

Frames are parsed by ``websockets`` without I/O; extensions are not offered, because a shared frame
can't be compressed for each. What a client may cost:

    a message                       MESSAGE_BYTES_MAX       closed, 1009
    unsent bytes, before we wait    WRITE_BYTES_MAX         the listener is told to hold back
    answers that nobody fetches     BUFFER_BYTES_MAX        the connection is cut
    the closing handshake           CLOSING_SECONDS         the connection is cut

Source: RFC 6455; docs/wire/feeds.md.
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

MESSAGE_BYTES_MAX: Final = 64 * 1024
WRITE_BYTES_MAX: Final = 32 * 1024
BUFFER_BYTES_MAX: Final = 1024 * 1024
CLOSING_SECONDS: Final = 5.0
EXTENSION: Final = "kavach.feed"  # Where an ASGI scope holds the socket.

_LOG: Final = logging.getLogger(__name__)
_FRAMES: Final = logging.Logger(f"{__name__}.frames", logging.WARNING)  # No line a connection.
_FRAMES.parent = _LOG
_BINARY: Final = 0x82
_PING: Final = b"\x89\x00"
_SHORT: Final = 126
_LONG: Final = 1 << 16


class Listener(Protocol):
    """Who hears what arrives on a socket."""

    def heard(self, message: bytes) -> None:
        """Hear a message, text or not."""

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
        "_closing",
        "_listener",
        "_loop",
        "_message",
        "_response",
        "_tasks",
        "_waiting",
        "_ws",
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
        self._waiting: list[bytes] = []  # What came before it was let in.
        self._message: list[bytes] = []  # Parts of a message that is not whole.
        self._closing: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport
        self.heard_at = self._loop.time()

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
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            listener.heard(message)

    def refuse(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer with HTTP instead of the upgrade, and close."""
        lines = Headers([*headers, ("content-length", str(len(body))), ("connection", "close")])
        self._ws.send_response(Response(status, HTTPStatus(status).phrase, lines, body))
        self._response = None
        self._flush()
        self.transport.close()

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
            self._closing = self._loop.call_later(self.closing_seconds, self.transport.abort)

    # --- What asyncio says ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self.heard_at = self._loop.time()
        self._ws.receive_data(data)
        for event in self._ws.events_received():
            if isinstance(event, Request):
                self._ask(event)
            else:
                assert isinstance(event, Frame)
                self._take(event)
        self._flush()  # Pongs, and the answer to a close.
        if self._ws.eof_sent:
            self._end()
        elif self.transport.get_write_buffer_size() > BUFFER_BYTES_MAX:
            self.transport.abort()

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

    # --- Inside ---------------------------------------------------------------------------------

    def _ask(self, request: Request) -> None:
        """Let the application decide about an upgrade."""
        response = self._ws.accept(request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._ws.send_response(response)
            self._flush()
            self.transport.close()
            return
        self._response = response
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
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if frame.fin and not self._message:
                self._hear(bytes(frame.data))
                return
            self._message.append(bytes(frame.data))
            if frame.fin:
                whole, self._message = b"".join(self._message), []
                self._hear(whole)

    def _hear(self, message: bytes) -> None:
        if self._listener is not None:
            self._listener.heard(message)
        elif self._response is not None and not self._waiting:
            self._waiting.append(message)  # One may come with the upgrade; more are too early.
        elif self._response is not None:
            self._ws.fail(1008, "say nothing before you are let in")

    def _flush(self) -> None:
        data = b"".join(self._ws.data_to_send())
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def _end(self) -> None:
        """Close: the handshake is over, or what came is no WebSocket."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        self.transport.close()
        # A transport that closes waits until all is read, which may be never.
        self._closing = self._loop.call_later(self.closing_seconds, self.transport.abort)


async def _say_nothing() -> dict[str, Any]:
    raise AssertionError("a feed is heard by its listener")


async def _hear_nothing(message: dict[str, Any]) -> None:
    raise AssertionError("a feed is answered through its socket")
