"""
What a standby answers: that it does not own the journal, and who does.

Trading routes answer 503 with ``X-Error-Reason: NOT_OWNER`` and the owner's address; a proxy looks
at ``/readyz``, which is false. Once it owns the journal the application of the owner answers.

Source: docs/spec/journal.md, "In PostgreSQL".
"""

from collections.abc import Callable
from typing import Final

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from kavach.api.feed.socket import EXTENSION
from kavach.wire.errors import ErrorCode, error_body

NOT_OWNER: Final = "NOT_OWNER"
_TEXT: Final = "This server does not own the journal: nothing was done, ask the owner"


class Switch:
    """An application that says NOT_OWNER, and from some moment on is another one."""

    def __init__(self, owner: Callable[[], str], figures: Callable[[], dict[str, object]]) -> None:
        """``owner`` is asked for the owner's address, ``figures`` for what /readyz tells."""
        self._owner = owner
        self._figures = figures
        self._app: ASGIApp | None = None

    def become(self, app: ASGIApp) -> None:
        """Let this application answer from now on."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if self._app is not None:
            await self._app(scope, receive, send)
            return
        path = scope.get("path", "")
        if path == "/healthz":
            await _say(send, scope, 200, b'{"alive":true}', [])
        elif path == "/readyz":
            body = msgspec.json.encode({"ready": False, **self._figures()})
            await _say(send, scope, 503, body, [])
        else:
            headers = [(b"x-error-reason", NOT_OWNER.encode()), (b"retry-after", b"1")]
            if owner := self._owner():
                headers.append((b"x-owner", owner.encode()))
            body = msgspec.json.encode(error_body(ErrorCode.UNAVAILABLE, _TEXT))
            await _say(send, scope, 503, body, headers)


async def _say(
    send: Send, scope: Scope, status: int, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    told = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *headers]
    if scope["type"] == "websocket":
        lines = [(name.decode(), value.decode()) for name, value in told]
        scope["extensions"][EXTENSION].refuse(status, lines, body)
        return
    told.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})
