"""
What a client reads, in the program's own words: the rows of the books, and the feed.

The one place of the simulation that knows how the product words a row. A window is opened on an
engine; it notes which orders each step has touched and hears what the feed would tell of them.

Source: docs/wire/README.md, "Rows"; docs/wire/feeds.md.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from kavach.api.feed.stories import Storyteller
from kavach.api.feed.topics import Quotes, Topic
from kavach.api.gateway.gateway import Gateway
from kavach.api.gateway.route import Route, Show
from kavach.api.http.call import AuthenticatedRequest, Refused, Reply, encode
from kavach.api.http.listing import Plan
from kavach.api.http.options import ApiOptions
from kavach.api.routes import funds
from kavach.api.routes.every_route import ROUTES
from kavach.api.rows.history import history_rows
from kavach.api.rows.kept_rows import order_rows, rows_of_order, trade_rows
from kavach.api.rows.legs import legs_of
from kavach.core.commands import Command
from kavach.core.events import Event
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Outcome
from kavach.engine.engine import Engine
from kavach.engine.quote import Quote
from kavach.instruments import Instrument
from kavach.twin.market_view import market_view
from kavach.units import NS_PER_SECOND, InstrumentKey
from kavach.wire.errors import BadField
from kavach.wire.feed.wishes import Mode
from kavach.wire.orders.requests import BadBody

Json = dict[str, Any]
decode: Final = msgspec.json.decode
BOTH: Final = frozenset({False, True})  # Rows that are completed, and those that are not.
FOR_EVER_NS: Final = 2**62
LONG_FRAME: Final = 126  # Stands for a length that follows in two bytes.
_ROUTE: Final = {route.name: route for route in ROUTES}
Execute = Callable[[Command], Outcome | None]


class Glass:
    """An engine, as the routes read it."""

    execute: Execute

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.state = engine.state
        self.instruments: Mapping[InstrumentKey, Instrument] = engine.instruments

    def now_ns(self) -> int:
        """Return the engine's time."""
        return self._engine.now_ns()

    def seconds_until(self, at_ns: int) -> float:
        """Return how many seconds until the engine's time is this."""
        return (at_ns - self.now_ns()) / NS_PER_SECOND

    def last_price_pips(self, key: InstrumentKey) -> int:
        """Return what an instrument last traded at."""
        return self._engine.core.last_price(self.instruments[key])

    def quote(self, key: InstrumentKey) -> Quote:
        """Return an instrument as everybody sees it, where the venue shows one."""
        shown: Quote = self._engine.venue.quote(key)  # type: ignore[attr-defined]
        return shown

    def attend(self, key: InstrumentKey) -> None:
        """Make no market: the world has its own."""


class LegShown:
    """A leg as it can be read now: its row, its history, both as bytes."""

    __slots__ = ("history", "order_id", "row")

    def __init__(self, order_id: str, row: bytes, history: list[bytes]) -> None:
        self.order_id = order_id
        self.row = row
        self.history = history


class Window:
    """The routes and the feed over one engine, from its start to its death."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._glass = Glass(engine)
        self._gateway = Gateway(self._glass, ApiOptions())  # type: ignore[arg-type]
        self._stories = Storyteller(engine.state, engine.core.last_price)
        self.shows_quotes = hasattr(engine.venue, "quote")
        self._quotes = Quotes(engine.venue)  # type: ignore[arg-type]
        self.touched: dict[int, ParentOrder] = {}
        self.told: dict[str, Json] = {}  # By row: the last update since somebody looked.
        engine.observers.append(self)

    def stepped(
        self,
        cause: str,
        outcome: Outcome | None,
        events: Sequence[Event],
        touched: Collection[ParentOrder],
        at_ns: int,
    ) -> None:
        """Note whom a step has touched, and what the feed tells of it."""
        if not events:
            return
        for parent in touched:
            self.touched[parent.order_id] = parent
            for told in self._stories.tell(parent, events):
                if told.kind == "order":
                    data = decode(told.body)
                    self.told[data["oms_order_id"]] = data

    def legs(self, parent: ParentOrder, *, histories: bool) -> list[LegShown]:
        """Return every leg of an order that has a row, with the histories or without."""
        state = self._engine.state
        rows = state.derived.get(parent.order_id) or rows_of_order(state, parent)
        return [
            LegShown(
                str(view.order_id),
                said,
                [encode(line) for line in history_rows(view)] if histories else [],
            )
            for (_, said), view in zip(rows, legs_of(parent, state.instruments), strict=True)
        ]

    def trades(self, parent: ParentOrder) -> list[bytes]:
        """Return the rows of an order's trades, oldest first."""
        return _end(trade_rows(self._engine.state, [parent], 0, FOR_EVER_NS))

    def trade_book(self, client_id: str) -> list[bytes]:
        """Return the rows of all trades of a client, of every day."""
        state = self._engine.state
        return _end(trade_rows(state, list(state.orders_of(client_id)), 0, FOR_EVER_NS))

    def put(self, execute: Execute, client_id: str, body: bytes, *, regular: bool) -> Reply:
        """Return the answer to a PUT of a body, by the route of regular orders or of the others."""
        name = "modifyOrder" if regular else "modifyConditionalOrder"
        return self._ask(_ROUTE[name], execute, AuthenticatedRequest(client_id, body, b"", "", ""))

    def delete(
        self, execute: Execute, client_id: str, order_id: str, body: bytes, *, regular: bool
    ) -> Reply:
        """Return the answer to a DELETE of an order, by the one route or by the other."""
        route = _ROUTE["cancelOrder" if regular else "cancelConditionalOrder"]
        request = AuthenticatedRequest(client_id, body, b"", order_id, "")
        return self._ask(route, execute, request)

    def read(self, show: Show, client_id: str, query: str = "", path_id: str = "") -> Any:
        """Return the document that a route answers to a GET."""
        request = AuthenticatedRequest(client_id, b"", query.encode(), path_id, "")
        reply = show(self._gateway.view, request)
        assert isinstance(reply, Reply), f"refused: {reply}"
        return decode(_body(reply))

    def calc(self, client_id: str, body: bytes) -> Any:
        """Return the answer of the margin calculator."""
        request = AuthenticatedRequest(client_id, body, b"", "", "")
        return decode(funds.calc(self._gateway.view, request).body)

    def view(self, key: InstrumentKey) -> Json:
        """Return what the control room shows of an instrument."""
        venue: Any = self._engine.venue
        return market_view(venue.exchange, self._engine.instruments[key])

    def packet(self, mode: Mode, key: InstrumentKey) -> bytes:
        """Return the packet that the feed would send of an instrument, without its frame."""
        share = self._engine.instruments[key]
        frame = self._quotes.frame(Topic(mode, share.exchange, share), self._engine.now_ns())
        return frame[4 if frame[1] == LONG_FRAME else 2 :]

    def _ask(self, route: Route, execute: Execute, request: AuthenticatedRequest) -> Reply:
        self._glass.execute = execute
        try:
            return self._gateway.word(route, *self._gateway.execute(route, request))
        except (BadField, BadBody, Refused) as error:
            return self._gateway._no(error)

    def book(self, client_id: str) -> list[Json]:
        """Return the whole order book, of every day, as the route words and keeps it."""
        state = self._engine.state
        plan = order_rows(state, lambda: list(state.orders_of(client_id)), BOTH)
        return [decode(said) for said in _end(plan)]


def _body(reply: Reply) -> bytes:
    """Return the body of an answer, its list worded at once."""
    if reply.listing is None:
        return reply.body
    return reply.listing.head + b",".join(_end(reply.listing.plan)) + reply.listing.tail


def _end(plan: Plan) -> list[bytes]:
    """Return what a plan comes to, all its steps taken at once."""
    try:
        while True:
            next(plan)
    except StopIteration as stop:
        found: list[bytes] = stop.value
        return found
