"""
The reader of rows can see: columns that lie are noticed, and worlds in which rows are read.

Source: docs/reliability.md; docs/spec/cover_order.md (INV-22 to INV-24).
"""

from typing import Any, Final

import pytest

from kavach.core import events as e
from kavach.units import (
    InstrumentKey,
    OrderType,
    Pips,
    Quantity,
    Side,
    Validity,
)
from tests.simulation.__main__ import WORLDS
from tests.simulation.row_rules import Leg, check_history, check_row
from tests.simulation.slips import Slip
from tests.simulation.world import World, attempt

SEEDS: Final = 6


def slip(quantity: int = 100, price: int = 130_000) -> Slip:
    """Return an entry order that the exchange has taken."""
    asked = e.OrderSubmitted(
        1,
        7,
        e.Purpose.ENTRY,
        InstrumentKey("NSE:1"),
        "A",
        Side.BUY,
        OrderType.LIMIT,
        Quantity(quantity),
        Quantity(0),
        Pips(price),
        Pips(0),
        Validity.DAY,
    )
    made = Slip(asked, 0)
    made.accepted("11")
    return made


def amend(quantity: int, price: int, serial: int = 1) -> e.OrderAmendSent:
    """Return a change of that order."""
    return e.OrderAmendSent(
        1, OrderType.LIMIT, Quantity(quantity), Quantity(0), Pips(price), Pips(0), serial
    )


def trade(quantity: int, price: int = 130_000, name: str = "T1") -> e.OrderTraded:
    """Return a trade of that order."""
    return e.OrderTraded(1, name, Quantity(quantity), Pips(price))


def row(**columns: Any) -> dict[str, Any]:
    """Return its row after 40 of 100 have traded at 13."""
    said: dict[str, Any] = {
        "oms_order_id": "7",
        "leg_order_indicator": "ENTRY",
        "exchange_order_id": "11",
        "order_status": "PARTIAL_TRADE",
        "order_type": "LIMIT",
        "quantity": 100,
        "filled_quantity": 40,
        "remaining_quantity": 60,
        "average_price": 13,
        "price": 13,
        "trigger_price": 0,
    }
    return said | columns


LIES: Final = (
    ("filled", {"filled_quantity": 41, "remaining_quantity": 59}),
    ("quantity", {"quantity": 110}),
    ("quantity", {"quantity": 30, "remaining_quantity": -10}),
    ("remaining", {"remaining_quantity": 50}),
    ("remaining", {"quantity": 90, "remaining_quantity": 50}),
    ("average", {"average_price": 13.05}),
    ("price", {"price": 13.2}),
    ("id", {"exchange_order_id": "12"}),
    ("status", {"order_status": "CONFIRMED"}),
    ("status", {"order_status": "CANCEL_CONFIRMED", "remaining_quantity": 0}),
)


@pytest.mark.parametrize(("column", "said"), LIES)
def test_a_column_that_lies_is_named(column: str, said: dict[str, Any]) -> None:
    """A row that is not what the reports imply is found, by the column that is wrong."""
    order = slip()
    order.traded(trade(40))
    check_row(row(), Leg([order], [100], 40), 0, 40)
    with pytest.raises(AssertionError, match=f"INV-22 {column}"):
        check_row(row(**said), Leg([order], [100], 40), 0, 40)


def test_a_fill_beyond_the_total_proves_the_change() -> None:
    """While a change is unanswered both totals may stand; a trade beyond the smaller decides."""
    order = slip(10)
    order.change(amend(20, 130_000), 0)
    assert order.totals == (10, 20)
    order.traded(trade(8))
    assert order.totals == (10, 20)
    order.traded(trade(7, name="T2"))
    assert order.totals == (20, 20) and order.lives
    order.traded(trade(5, name="T3"))
    assert not order.lives


def test_a_price_beyond_the_limit_proves_the_change() -> None:
    """A trade at a price that only the new limit allows has been made under the new limit."""
    order = slip(10)
    order.change(amend(10, 132_000), 0)
    order.traded(trade(4, 131_000))
    assert {terms.price for terms in order.may_stand} == {132_000}


def test_an_answer_to_an_earlier_change_is_none() -> None:
    """Told late or twice, an answer changes nothing that was asked since."""
    order = slip(10)
    order.change(amend(20, 130_000, serial=1), 0)
    order.changed(1, done=True)
    order.change(amend(30, 130_000, serial=2), 0)
    order.changed(1, done=False)
    assert order.totals == (20, 30)
    order.changed(2, done=False)
    assert order.totals == (20, 20)


def test_a_line_of_history_that_cannot_be_is_named() -> None:
    """No line has more filled than its quantity, and the last one is where the row stands."""
    line = {"fill_quantity": 40, "quantity": 100, "remaining_quantity": 60, "avg_price": 13}
    check_history(row(), [line])
    with pytest.raises(AssertionError, match="INV-22 history"):
        check_history(row(), [line | {"quantity": 30, "remaining_quantity": 0}])
    with pytest.raises(AssertionError, match="INV-22 history"):
        check_history(row(), [line | {"fill_quantity": 30, "remaining_quantity": 70}])


ONCE_WRONG: Final = (
    ("far", 76, "INV-22 quantity"),
    ("far", 97, "INV-22 price"),
    ("far", 1, "INV-22 remaining"),
    ("far", 1, "INV-23"),
    ("far", 1, "INV-24 history"),
    ("far", 9, "INV-24 trades"),
    ("near", 46, "INV-22 quantity"),
    ("near", 46, "INV-22 history"),
    ("near", 85, "INV-22 price"),
    ("near", 2, "INV-22 remaining"),
    ("near", 1, "INV-23"),
    ("near", 2, "INV-24 history"),
    ("near", 6, "INV-24 trades"),
    ("far-whole", 4, "INV-22 remaining"),
    ("far-whole", 1, "INV-23"),
    ("near-whole", 3, "INV-22 remaining"),
    ("near-whole", 1, "INV-23"),
    ("far", 45044, "INV-22 remaining"),
    ("far", 50224, "INV-22 remaining"),
    ("far", 50534, "INV-22 remaining"),
    ("far-whole", 50399, "INV-22 remaining"),
    ("far-restless", 1075, "INV-22 status"),
)
# In these the reader was wrong: a lost change is settled by time, too, as an absent order is.
ONCE_MISREAD: Final = (("far", 50223), ("far-whole", 50385))


@pytest.mark.parametrize(("name", "seed", "label"), ONCE_WRONG)
def test_worlds_in_which_rows_were_wrong(name: str, seed: int, label: str) -> None:
    """In a world that once showed a row, a version or a past line to be wrong, none is."""
    world = attempt(WORLDS[name], seed, count=True)
    assert isinstance(world, World), world
    assert world.rows is not None and world.rows.rows_read > 0
    assert world.rows.findings is not None
    assert world.rows.findings[label] == 0


@pytest.mark.parametrize(
    ("name", "seed"),
    [("near", 2), ("far", 2), ("near-days", 5), ("near-restless", 3), *ONCE_MISREAD],
)
def test_worlds_that_showed_other_faults(name: str, seed: int) -> None:
    """What was carried is protected after the opening; shares are sold by who has them."""
    world = attempt(WORLDS[name], seed)
    assert isinstance(world, World), world.text


@pytest.mark.parametrize(
    ("name", "seed"), [("far", 50483), ("far", 50540), ("near-thin", 1), ("far-thin", 40023)]
)
def test_worlds_that_the_auditors_misread(name: str, seed: int) -> None:
    """A refused change takes a stop's plan back; a turn is over when the other side has left."""
    world = attempt(WORLDS[name], seed)
    assert isinstance(world, World), world.text


def test_a_change_that_is_not_made_is_counted() -> None:
    """Refused by the exchange, or shown never to have arrived, a change is not made: once."""
    order = slip(10)
    order.change(amend(10, 131_000, serial=1), 0)
    order.changed(1, done=False)
    order.changed(1, done=False)
    assert order.unmade == 1
    order.change(amend(10, 132_000, serial=2), 0)
    order.changed(2, done=True)
    assert order.unmade == 1


@pytest.mark.parametrize("name", ["far", "near", "far-whole", "near-whole"])
def test_reading_changes_nothing(name: str) -> None:
    """A world in which rows are read is the same world, and an update is the row it is about."""
    for seed in range(1, SEEDS + 1):
        read = attempt(WORLDS[name], seed, count=True)
        unread = attempt(WORLDS[name], seed, rows=False)
        assert isinstance(read, World) and isinstance(unread, World), (read, unread)
        assert read.engine.state_hash() == unread.engine.state_hash()
        assert read.rows is not None and read.rows.findings is not None
        assert not any(label.startswith("feed") for label in read.rows.findings)
