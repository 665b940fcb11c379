"""
Requests counted and timed, around the whole application.

A request is counted under the pattern of its path, never the path itself: what strangers ask for
must not become series. What fits no pattern is ``other``.

The inner application's messages pass through one plain function, not a coroutine, so that a
request pays about a microsecond.
"""

import logging
from collections.abc import Awaitable, Iterable, Iterator
from time import perf_counter_ns
from typing import Final

from prometheus_client.core import Metric as Family
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kavach.telemetry import metrics
from kavach.telemetry.histogram import Histogram
from kavach.telemetry.logs import Note
from kavach.telemetry.request_log import begin_request, end_request

OTHER: Final = "other"
_BOUNDS_US: Final = (
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
)  # fmt: skip
_NS_PER_US: Final = 1_000
_REQUEST_ID: Final = b"x-request-id"

_LOG: Final = logging.getLogger(__name__)


class _Count:
    """What came of the requests to one route."""

    __slots__ = ("latency", "method", "path", "statuses")

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path
        self.statuses: dict[int, int] = {}  # 0: the client left before it was answered.
        self.latency = Histogram([us * _NS_PER_US for us in _BOUNDS_US])


class HttpWatch:
    """An application that counts the requests to another."""

    def __init__(self, app: ASGIApp, routes: Iterable[tuple[str, str]]) -> None:
        """``routes`` are methods and paths; one ``{name}`` in a path stands for anything."""
        self._app = app
        self._exact: dict[tuple[str, str], _Count] = {}
        self._patterns: list[tuple[str, str, str, _Count]] = []
        self._other = _Count(OTHER, OTHER)
        self._counts = [self._other]
        for method, path in routes:
            self._add(method, path)
        self._speaks = _LOG.isEnabledFor(logging.DEBUG)

    def _add(self, method: str, path: str) -> None:
        count = _Count(method, path)
        self._counts.append(count)
        before, brace, rest = path.partition("{")
        if brace:
            self._patterns.append((method, before, rest.partition("}")[2], count))
        else:
            self._exact[method, path] = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_ns = perf_counter_ns()
        start: Message | None = None

        def pass_on(message: Message) -> Awaitable[None]:
            nonlocal start
            if start is None:
                start = message
            return send(message)

        if self._speaks:
            begin_request()
        try:
            await self._app(scope, receive, pass_on)
        finally:
            took_ns = perf_counter_ns() - began_ns
            count = self._exact.get((scope["method"], scope["path"])) or self._find(scope)
            status = 0 if start is None else start["status"]
            count.statuses[status] = count.statuses.get(status, 0) + 1
            count.latency.observe(took_ns)
            if self._speaks:
                _say(count, start, took_ns)

    def _find(self, scope: Scope) -> _Count:
        method, path = scope["method"], scope["path"]
        for known, before, after, count in self._patterns:
            if known == method and path.startswith(before) and path.endswith(after):
                return count
        return self._other

    def collect(self) -> Iterator[Family]:
        """Yield the figures of the routes that were asked for."""
        asked = [count for count in self._counts if count.statuses]
        statuses = [
            ((count.method, count.path, str(status or "none")), number)
            for count in asked
            for status, number in count.statuses.items()
        ]
        yield metrics.counts(metrics.REQUESTS, statuses)
        latencies = [((count.method, count.path), count.latency) for count in asked]
        yield metrics.sizes(metrics.LATENCY, latencies)


def _say(count: _Count, start: Message | None, took_ns: int) -> None:
    """Tell of a request and of its commands."""
    headers = dict(start["headers"]) if start is not None else {}
    request_id = headers.get(_REQUEST_ID, b"").decode()
    end_request(request_id)
    _LOG.debug(
        Note(
            "request",
            method=count.method,
            route=count.path,
            status=start["status"] if start is not None else None,
            took_us=took_ns // _NS_PER_US,
            request_id=request_id,
        )
    )
