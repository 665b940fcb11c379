"""
What a client reads, in the program's own words: the rows of the books, and the feed.

The one place of the simulation that knows how the product words a row. A window is opened on an
engine; it notes which orders each step has touched and hears what the feed would tell of them.

Source: docs/wire/README.md, "Rows"; docs/wire/feeds.md.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from kavach.api import books
from kavach.api.call import Call, encode
from kavach.api.edge import Edge
from kavach.api.feed.stories import Storyteller
from kavach.api.history import history_rows
from kavach.api.legs import legs_of
from kavach.api.options import ApiOptions
from kavach.api.rows import order_row, trade_rows
from kavach.core.events import Event
from kavach.core.parent_order import ParentOrder
from kavach.core.refusals import Outcome
from kavach.engine.engine import Engine
from kavach.engine.quote import Quote
from kavach.instruments import Instrument
from kavach.units import InstrumentKey

Json = dict[str, Any]
decode: Final = msgspec.json.decode


class Glass:
    """An engine, as the routes read it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.state = engine.state
        self.instruments: Mapping[InstrumentKey, Instrument] = engine.instruments

    def now_ns(self) -> int:
        """Return the engine's time."""
        return self._engine.now_ns()

    def last_price_pips(self, key: InstrumentKey) -> int:
        """Return what an instrument last traded at."""
        return self._engine.core.last_price(self.instruments[key])

    def quote(self, key: InstrumentKey) -> Quote:
        """Return an instrument as everybody sees it, where the venue shows one."""
        shown: Quote = self._engine.venue.quote(key)  # type: ignore[attr-defined]
        return shown


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
        self._edge = Edge(Glass(engine), ApiOptions())  # type: ignore[arg-type]
        self._stories = Storyteller(engine.state, engine.core.last_price)
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

    def legs(self, parent: ParentOrder) -> list[LegShown]:
        """Return every leg of an order that has a row."""
        return [
            LegShown(
                str(view.order_id),
                encode(order_row(view)),
                [encode(line) for line in history_rows(view)],
            )
            for view in legs_of(parent, self._engine.instruments)
        ]

    def trades(self, parent: ParentOrder) -> list[bytes]:
        """Return the rows of an order's trades, oldest first."""
        return [encode(row) for row in trade_rows(parent, self._engine.instruments)]

    def book(self, client_id: str) -> list[Json]:
        """Return the whole order book, as the route answers it."""
        call = Call(client_id, b"", b"type=all", "", "")
        reply = books.orders(self._edge, call)
        assert reply.listing is not None, "the order book is a list"
        plan = reply.listing.plan
        while True:
            try:
                next(plan)
            except StopIteration as end:
                return [decode(row) for row in end.value]
