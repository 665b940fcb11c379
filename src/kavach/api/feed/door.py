"""
The door of the feed: who may come in.

The access token and the client's name are in the query, as clients of this API send them; nothing
else is asked for, an Origin least of all. Refusals are HTTP answers in the one error shape.

Source: docs/wire/feeds.md, "Limits and closing"; docs/wire/README.md, "Who is asking".
"""

from hashlib import sha256
from typing import Final
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

from kavach.api.feed.hub import Hub
from kavach.api.feed.socket import EXTENSION, FeedSocket
from kavach.api.gateway.gateway import Gateway
from kavach.api.http.call import encode
from kavach.wire import headers
from kavach.wire.errors import FORBIDDEN, UNAUTHORISED, ErrorCode, error_body

READERS_MAX: Final = 12_000
_TOKEN_NAMES: Final = ("access_token", "token")
CROWDED: Final = "Too many connections to the feed: try again later"


class FeedDoor:
    """Lets clients in to a hub."""

    def __init__(self, gateway: Gateway, hub: Hub, readers_max: int) -> None:
        self._gateway = gateway
        self._hub = hub
        self._readers_max = readers_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in or refuse one connection."""
        socket: FeedSocket = scope["extensions"][EXTENSION]
        given = read_pairs(scope["query_string"])
        tokens = {given[name] for name in _TOKEN_NAMES if given.get(name)}
        digest = sha256(tokens.pop().encode()).hexdigest() if len(tokens) == 1 else ""
        backend = self._gateway.backend
        client_id = backend.state.client_of_token(digest, backend.now_ns())
        if client_id is None:
            self._refuse(socket, 401, UNAUTHORISED, "UNAUTHORISED")
        elif given.get("login_id") not in (None, "", client_id):
            self._refuse(socket, 403, FORBIDDEN, "FORBIDDEN")
        elif len(self._hub.connections) >= self._readers_max:
            self._refuse(socket, 503, CROWDED, "BUSY")
        else:
            self._hub.welcome(socket, client_id, digest)

    def _refuse(self, socket: FeedSocket, status: int, text: str, word: str) -> None:
        """Answer an upgrade; with its own status always, since 200 would mean nothing here."""
        self._hub.figures.refused[word] += 1
        code = ErrorCode.UNAVAILABLE if status == 503 else ErrorCode.UNAUTHORISED
        lines = [
            ("content-type", "application/json"),
            (headers.REQUEST_ID.lower(), self._gateway.request_id().decode()),
            (headers.ERROR_REASON.lower(), word),
        ]
        socket.refuse(status, lines, encode(error_body(code, text)))


def read_pairs(query: bytes) -> dict[str, str]:
    """Return the pairs of a query; a plus sign is one, since tokens may hold it."""
    pairs = {}
    for pair in query.decode("latin-1").split("&"):
        name, _, value = pair.partition("=")
        pairs[unquote(name)] = unquote(value)
    return pairs
