"""
Pages of other origins that may use the trading API: none, unless ``--cors`` names them.

A browser asks first (a preflight), and shows a page no answer that does not name its origin. Tokens
travel in headers and never in cookies, so no credentials are allowed. The control room is open to
no other origin.

Source: the Fetch standard, "CORS protocol"; docs/wire/README.md, "Browsers".
"""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from kavach.wire import headers

METHODS: Final = ("GET", "POST", "PUT", "DELETE")
_ASKED: Final = ("Authorization", "Content-Type", headers.IDEMPOTENCY_KEY, headers.TOKEN)
_TOLD: Final = (
    headers.REQUEST_ID,
    headers.ERROR_REASON,
    headers.ORDER_STATE,
    headers.IDEMPOTENT_REPLAY,
    "Retry-After",
)
_CLOSED: Final = "/twin/"


class CrossOrigin:
    """An application that browsers let pages of these origins use."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._opened = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=_ASKED,
            expose_headers=_TOLD,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        closed = scope["type"] != "http" or scope["path"].startswith(_CLOSED)
        await (self._app if closed else self._opened)(scope, receive, send)
