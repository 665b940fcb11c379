"""
What is told of orders, against a naive model: after every step, look at every row.

The worlds are those of the property tests: clients, a house and an operator who breaks things, on
the exchange inside and on a venue that is late, silent and says things twice.
"""

import random
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from kavach.api.feed.stories import Storyteller
from kavach.api.feed.update_rows import order_update
from kavach.api.rows.legs import legs_of
from kavach.core.events import Event
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Outcome
from kavach.engine.engine import Engine
from kavach.wire.feed.updates import Kind
from tests.simulation.property import far, near
from tests.simulation.property.far import FarWorld
from tests.simulation.property.near import NearWorld
from tests.unit.telemetry.test_counts import deed

SEEDS = range(10)
DEEDS_A_RUN = 120
ENDS = {"CANCEL_CONFIRMED", "REJECTED"}
TRANSIENT = {"MODIFY_REJECTED", "CANCEL_REJECTED"}
Row = dict[str, Any]


class Listener:
    """Observes an engine, keeps every row as it was told, and checks it against the book."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.stories = Storyteller(engine.state, engine.core.last_price)
        self.told: dict[str, Row] = {}  # By order id: the last update.
        self.trades: list[str] = []
        self.kinds: set[str] = set()
        self.ended: set[str] = set()  # Entries that were told to be cancelled or rejected.
        self.revived: set[str] = set()  # Those of them that were told to live after all.
        engine.observers.append(self)
        self.book = self.rows()

    def rows(self) -> dict[str, Row]:
        """Return every row there is, as an update."""
        state = self.engine.state
        return {
            str(view.order_id): msgspec.to_builtins(order_update(view))
            for cover in state.every_order()
            for view in legs_of(cover, state.instruments)
        }

    def stepped(
        self,
        cause: str,
        outcome: Outcome | None,
        events: Sequence[Event],
        touched: Collection[ParentOrder],
        at_ns: int,
    ) -> None:
        """Hear a step, let it be told, and compare."""
        told: list[tuple[Kind, Row]] = []
        if events:
            for cover in touched:
                news = self.stories.tell(cover, events)
                told += [(one.kind, msgspec.json.decode(one.body)) for one in news]
        before, self.book = self.book, self.rows()
        orders = [row for kind, row in told if kind is Kind.ORDER]
        self.kinds |= {row["order_status"] for row in orders}
        for row in orders:
            if row["leg_order_indicator"] == "ENTRY":
                order_id, status = row["oms_order_id"], row["order_status"]
                if status in ENDS:
                    self.ended.add(order_id)
                elif order_id in self.ended:
                    self.revived.add(order_id)
        last = {row["oms_order_id"]: row for row in orders}
        self.told |= last
        self.trades += [row["trade_id"] for kind, row in told if kind is Kind.TRADE]
        for order_id, row in self.book.items():
            if visible(row) != visible(before.get(order_id, {})):
                assert order_id in last, f"{cause}: a row has changed and nothing was told"
        for order_id, row in last.items():
            assert row == self.book[order_id], f"{cause}: the last update is not the row"
            assert row["order_status"] not in TRANSIENT
        for order_id in last:
            mine = [visible(row) for row in orders if row["oms_order_id"] == order_id]
            start = [visible(before[order_id])] if order_id in before else []
            for earlier, later in pairwise(start + mine):
                assert earlier != later, f"{cause}: told twice"

    def booked(self) -> list[str]:
        """Return the ids of all trades of all orders."""
        covers = self.engine.state.every_order()
        return [trade.trade_id for cover in covers for trade in cover.trades or ()]


def visible(row: Row) -> Row:
    """Return what a client sees change: all but the time, and who wanted it."""
    unseen = {"exchange_time", "mode"}
    return {name: value for name, value in row.items() if name not in unseen}


@pytest.mark.parametrize(("kind", "deeds"), [(FarWorld, far.DEEDS), (NearWorld, near.DEEDS)])
def test_every_change_is_told_once_and_ends_in_the_row(kind: type[Any], deeds: Any) -> None:
    """After each step: what changed was told, what was told last is the row, nothing twice."""
    kinds: set[str] = set()
    for seed in SEEDS:
        chance = random.Random(seed)
        world = kind()
        listener = Listener(world.engine)
        for _ in range(DEEDS_A_RUN):
            deed(world, deeds, chance)
        assert sorted(listener.trades) == sorted(listener.booked()), "each trade once"
        # On the exchange inside nothing comes late, so what was told to be over is.
        assert kind is FarWorld or not listener.revived
        kinds |= listener.kinds
    assert {"CONFIRMED", "PARTIAL_TRADE", "COMPLETE", "CANCEL_CONFIRMED"} <= kinds
    assert {"TRIGGER_PENDING", "SL_TRIGGER_CONFIRMED", "MODIFY_CONFIRMED"} <= kinds


def test_who_begins_to_listen_late_is_told_of_what_happens_then() -> None:
    """Lines from before are not told again; each trade after the start is told once."""
    chance = random.Random(7)
    world = NearWorld()
    for _ in range(60):
        deed(world, near.DEEDS, chance)
    stories = Storyteller(world.engine.state, world.engine.core.last_price)
    covers = list(world.engine.state.every_order())
    assert any(cover.changes for cover in covers)
    for cover in covers:
        assert stories.tell(cover, ()) == []
        stories.forget(cover)
        assert stories.tell(cover, ()) == []
