"""
One HTTP request, read whole: who sends it, what it says. And what goes back.

The body is read before anything is judged, so that a connection is never left with half a
request in it. What exceeds the limit is thrown away as it arrives, not kept.

Source: docs/wire/README.md, "Headers of an answer"; docs/wire/README.md, "Who is asking".
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import msgspec
from starlette.types import Message, Receive, Scope, Send

from kavach.api.http.listing import Listing, Pieces
from kavach.api.http.turns import turns_of
from kavach.credentials import bearer_token
from kavach.wire import headers
from kavach.wire.errors import BadField, ErrorCode

BODY_BYTES_MAX: Final = 64 * 1024
DRAINED_BYTES_MAX: Final = 16 * 1024 * 1024  # Beyond this the answer does not wait for the rest.

JSON: Final = b"application/json"
ZIP: Final = b"application/zip"
HTML: Final = b"text/html; charset=utf-8"
_REQUEST_ID: Final = headers.REQUEST_ID.lower().encode()
_ORDER_STATE: Final = headers.ORDER_STATE.lower().encode()
_ERROR_REASON: Final = headers.ERROR_REASON.lower().encode()
_REPLAYED: Final = (headers.IDEMPOTENT_REPLAY.lower().encode(), b"true")
_KEY: Final = headers.IDEMPOTENCY_KEY.lower().encode()
_TOKEN_HEADERS: Final = (b"authorization", headers.TOKEN.encode(), b"x-auth-token")

encode: Final = msgspec.json.Encoder().encode
NO_PATH: Final[Mapping[str, str]] = {}


class Disconnected(Exception):
    """The client left before it had said everything; nobody waits for an answer."""


class Refused(Exception):
    """A refusal at the door: status, code and text of envelope A, and a stable word."""

    def __init__(self, status: int, code: ErrorCode, message: str, word: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.word = word


@dataclass(slots=True)
class AuthenticatedRequest:
    """An authenticated request."""

    client_id: str
    body: bytes
    query: bytes
    path_id: str  # The value in the path, as it was sent; empty if the route has none.
    idempotency_key: str
    token_digest: str = ""  # Of the token that it was asked with.
    # What the braces of the route's path stand for.
    path: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnonymousRequest:
    """A request to a route that needs no token."""

    method: str
    headers: dict[bytes, bytes]
    body: bytes
    query: bytes


@dataclass(slots=True)
class Reply:
    """What goes back, but for the request id."""

    status: int
    body: bytes
    order_state: str = ""
    error_reason: str = ""
    replayed: bool = False
    more: tuple[tuple[bytes, bytes], ...] = ()  # Further headers.
    media_type: bytes = JSON
    listing: Listing | None = None  # The body is a list that is still to be worded.
    pieces: Pieces | None = None  # The body, if it is long.
    on_sent: Callable[[], None] | None = None  # Called when it was sent, or can't be.


async def read_body(receive: Receive) -> bytes:
    """Return the body; raises ``Refused`` (413) for one over 64 kB, ``Disconnected``."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        body = await _read_on(body, receive)
    if len(body) > BODY_BYTES_MAX:
        raise Refused(413, ErrorCode.BODY_TOO_LARGE, "Request body is too large", "BODY_TOO_LARGE")
    return body


async def _read_on(body: bytes, receive: Receive) -> bytes:
    """Return the rest with what came before, or its first bytes once it is too large."""
    parts, size = [body], len(body)
    more = True
    while more and size <= DRAINED_BYTES_MAX:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part: bytes = message.get("body", b"")
        if size <= BODY_BYTES_MAX:
            parts.append(part)
        size += len(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def token_digest(given: dict[bytes, bytes]) -> str | None:
    """Return the SHA-256 of the access token; None if there is none, or two that differ."""
    token = b""
    for name in _TOKEN_HEADERS:
        value = given.get(name)
        if value is None:
            continue
        bearer = bearer_token(value)
        value = value.strip() if bearer is None else bearer
        if token and value != token:
            return None
        token = value
    return sha256(token).hexdigest() if token else None


def idempotency_key(given: dict[bytes, bytes]) -> str:
    """Return the key that protects this request from repetition, or "" without one."""
    raw = given.get(_KEY)
    if raw is None:
        return ""
    return checked_key(raw.decode("latin-1"), headers.IDEMPOTENCY_KEY)


def checked_key(key: str, field: str) -> str:
    """Return an idempotency key; raises ``BadField`` for one that fits into no header."""
    if not key.strip():
        raise BadField(field, blank=True)
    if len(key) > headers.IDEMPOTENCY_KEY_LENGTH_MAX or not (key.isascii() and key.isprintable()):
        raise BadField(field)
    return key


async def send_reply(send: Send, reply: Reply, request_id: bytes) -> None:
    """Send a reply."""
    pieces = reply.pieces
    lines = [
        (b"content-type", reply.media_type),
        (b"content-length", b"%d" % (len(reply.body) if pieces is None else pieces.size)),
        (_REQUEST_ID, request_id),
    ]
    if reply.order_state:
        lines.append((_ORDER_STATE, reply.order_state.encode()))
    if reply.error_reason:
        lines.append((_ERROR_REASON, reply.error_reason.encode()))
    if reply.replayed:
        lines.append(_REPLAYED)
    lines.extend(reply.more)
    await send({"type": "http.response.start", "status": reply.status, "headers": lines})
    if pieces is not None:
        turns = turns_of(asyncio.get_running_loop())
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await turns.turn()
    await send({"type": "http.response.body", "body": reply.body})


def joined_headers(scope: Scope) -> dict[bytes, bytes]:
    """Return the request's headers by lower-case name.

    Of a repeated one the values are joined by commas, as HTTP has it: so two tokens are none.
    """
    lines: list[tuple[bytes, bytes]] = scope["headers"]
    found = dict(lines)
    if len(found) != len(lines):
        values: dict[bytes, list[bytes]] = {}
        for name, value in lines:
            values.setdefault(name, []).append(value)
        found = {name: b", ".join(dict.fromkeys(said)) for name, said in values.items()}
    return found
