"""
One server as seen from outside: its figures, its health, and who counts what.

``/metrics``, ``/healthz`` and ``/readyz`` ask for no token. They tell how much and how well,
never who or what, so whoever can reach the port may look.

Source: docs/operating.md.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kavach import __version__
from kavach.engine.engine import Engine
from kavach.telemetry import metrics
from kavach.telemetry.engine_watch import EngineWatch
from kavach.telemetry.feed_watch import Feed, FeedWatch
from kavach.telemetry.health import alive, readiness
from kavach.telemetry.http_watch import HttpWatch
from kavach.telemetry.journal_watch import JournalWatch

METRICS_PATH: Final = "/metrics"
ALIVE_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"
PATHS: Final = (METRICS_PATH, ALIVE_PATH, READY_PATH)

_NO_STORE: Final = {"cache-control": "no-store"}


class Telemetry(Collector):
    """The watches over one server; an engine that takes another's place is watched in its stead."""

    def __init__(self, engine: Engine) -> None:
        self._engine_watch = EngineWatch(JournalWatch())
        self._feed_watch = FeedWatch()
        self._http_watch: HttpWatch | None = None
        self._audits = 0
        self._violations = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        self.watch(engine)

    def watch(self, engine: Engine) -> None:
        """Look at this engine from now on."""
        self._engine = engine
        self._engine_watch.watch(engine)

    def watch_feed(self, feed: Feed) -> None:
        """Tell of this feed from now on."""
        self._feed_watch.watch(feed)

    def audited(self, violations: int) -> None:
        """Hear how much an audit found wrong."""
        self._audits += 1
        self._violations = violations

    def around(self, app: ASGIApp, routes: Iterable[tuple[str, str]]) -> ASGIApp:
        """Return an application that counts the requests to this one, by method and path."""
        own = [("GET", path) for path in PATHS]
        self._http_watch = HttpWatch(app, [*routes, *own])
        return self._http_watch

    def routes(self) -> list[Route]:
        """Return the routes under which all this can be seen."""
        return [
            Route(METRICS_PATH, self._show_metrics),
            Route(ALIVE_PATH, self._show_alive),
            Route(READY_PATH, self._show_ready),
        ]

    def collect(self) -> Iterator[Family]:
        """Yield every figure of the table."""
        yield from self._engine_watch.collect()
        yield metrics.count(metrics.AUDITS, self._audits)
        yield metrics.count(metrics.VIOLATIONS, self._violations)
        if self._http_watch is not None:
            yield from self._http_watch.collect()
        yield from self._feed_watch.collect()
        yield metrics.counts(metrics.BUILD, [((__version__,), 1)])

    def exposition(self) -> bytes:
        """Return every figure in the text format of Prometheus."""
        return generate_latest(self._registry)

    async def _show_metrics(self, request: Request) -> Response:
        return Response(self.exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4, headers=_NO_STORE)

    async def _show_alive(self, request: Request) -> Response:
        well = alive(self._engine)
        return JSONResponse({"alive": well}, 200 if well else 503, _NO_STORE)

    async def _show_ready(self, request: Request) -> Response:
        found = readiness(self._engine)
        return JSONResponse(found, 200 if found["ready"] else 503, _NO_STORE)
