"""
Between ASGI and the control room's calls: read a body, know the operator, send JSON.

Every answer is JSON and every refusal has one shape: ``{"error": "<field>: <what is wrong>"}``.

Source: docs/twin.md.
"""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

import msgspec
from starlette.types import Receive, Scope, Send

from kavach.credentials import bearer_token

BODY_BYTES_MAX: Final = 64 * 1024
DRAINED_BYTES_MAX: Final = 16 * 1024 * 1024  # Beyond this the connection is closed instead.


class Disconnected(Exception):
    """The operator left before the request was whole; nobody waits for an answer."""


class Refused(Exception):
    """The answer is no; the text names the field and says what is wrong with it."""

    def __init__(self, field: str, wrong: str, status: int = 400) -> None:
        super().__init__(f"{field}: {wrong}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """From where the room may be asked: its token is worth everything, and HTTP hides nothing."""

    beyond: bool = False  # The server listens on more than this machine's loopback.
    insecure: bool = False  # The operator wants the room open all the same.
    proxy_header: str = ""  # Or lets a proxy say in this header that the client spoke TLS to it.

    def refuses(self, scope: Scope) -> bool:
        """Return whether a request may not be answered, whoever asks."""
        if not self.beyond or self.insecure:
            return False
        name = self.proxy_header.lower().encode()
        said = [value.strip().lower() for line, value in scope["headers"] if line == name]
        return said != [b"https"]


CLOSED: Final = "is closed: this server listens beyond the loopback without --insecure"


@dataclass(frozen=True, slots=True)
class Told:
    """What goes back."""

    status: int
    answer: dict[str, Any]
    allow: str = ""  # The methods of a path asked with another one.


def is_operator(scope: Scope, token_digest: bytes) -> bool:
    """Return whether the request carries the operator's token, in constant time."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1:
        return False
    token = bearer_token(given[0])
    return token is not None and compare_digest(sha256(token).digest(), token_digest)


async def read_body(receive: Receive) -> bytes:
    """Return the whole body; raises ``Refused`` for one over 64 kB, ``Disconnected``."""
    parts: list[bytes] = []
    size, more = 0, True
    while more and size <= DRAINED_BYTES_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= BODY_BYTES_MAX:
            parts.append(part)
        more = message.get("more_body", False)
    if size > BODY_BYTES_MAX:
        raise Refused("body", f"is larger than {BODY_BYTES_MAX // 1024} kB")
    return b"".join(parts)


async def send_json(send: Send, told: Told) -> None:
    """Send the answer."""
    body = msgspec.json.encode(told.answer)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    if told.allow:
        headers.append((b"allow", told.allow.encode()))
    if told.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
