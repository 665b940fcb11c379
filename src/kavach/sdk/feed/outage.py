"""
What both feeds have in common: how one is made, connected, refused and given up.

Source: kavach.sdk.feed.session; docs/client.md, "The feed".
"""

import logging
import time
from typing import Any, Final

from websockets.exceptions import InvalidStatus, WebSocketException

from kavach.sdk import params
from kavach.sdk.errors import AuthError, BadArgument, FeedLost
from kavach.sdk.feed.session import FRAME_BYTES_MAX, FeedSession, Untrusted
from kavach.sdk.found import door
from kavach.sdk.pocket import TIMEOUT_SECONDS

PATIENCE_SECONDS: Final = 60.0
LOST: Final = (OSError, EOFError, WebSocketException, Untrusted)
_LOG: Final = logging.getLogger(__name__)
_LOG.setLevel(logging.INFO)  # Below that the library writes down the address, token and all.
SETTINGS: Final[dict[str, Any]] = {
    "compression": None,
    "logger": _LOG,
    "max_size": FRAME_BYTES_MAX,
    "close_timeout": 1,
}
CLOSED: Final = "the feed was closed"
NO_ITEM: Final = "no item within the time allowed"
_SHUT: Final = frozenset({401, 403})


def session_of(
    base_url: str | None, access_token: str | None, client_id: str | None
) -> FeedSession:
    """Return the session of a client; arguments win over the environment, as for ``Pocket``."""
    found = door(base_url, access_token, client_id)
    if not found.access_token:
        raise BadArgument("access_token: must be given, here or as KAVACH_TOKEN")
    if not found.client_id:
        raise BadArgument("client_id: must be given, here or as KAVACH_CLIENT_ID")
    return FeedSession(found.base_url, found.access_token, found.client_id)


class Outage:
    """How long there has been no connection, over all attempts to make one."""

    def __init__(self, session: FeedSession, patience_seconds: float) -> None:
        self._session = session
        self._patience = params.seconds("patience_seconds", patience_seconds)
        self._since: float | None = None

    def over(self) -> None:
        """Note that there is a connection."""
        self._session.connected()
        self._since = None
        _LOG.info("the feed is connected")

    def seconds_to_wait(self, failure: BaseException) -> float:
        """
        Return how long to wait before the next attempt, after one that failed.

        Raises ``AuthError`` if the server lets us in never, ``FeedLost`` if patience is over.
        """
        if isinstance(failure, InvalidStatus) and failure.response.status_code in _SHUT:
            status = failure.response.status_code
            words = "the feed lets nobody in"
            raise AuthError(code=40000, message=words, http_status=status) from failure
        now = time.monotonic()
        if self._since is None:
            _LOG.warning("the feed is lost: %s", type(failure).__name__)
        self._since = now if self._since is None else self._since
        left = self._since + self._patience - now
        if left <= 0:
            self._since = None  # The next call is patient again.
            why = self._session.without_token(failure)
            raise FeedLost(f"no connection to the feed for {self._patience:.0f} seconds: {why}")
        return min(self._session.next_wait_seconds(), left)


def seconds_to_connect(until: float | None) -> float:
    """Return how long one attempt may take; raises ``TimeoutError`` when time is up."""
    if until is None:
        return TIMEOUT_SECONDS
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError(NO_ITEM)
    return min(TIMEOUT_SECONDS, left)
