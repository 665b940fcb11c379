"""A2, A3: what the venue's reports imply of a change whose answer is late or lost.

A trade that only the changed order could make proves the change. What nothing proves, the
question to the venue decides. Nothing that a client reads may contradict a trade meanwhile.
"""

from collections.abc import Callable
from typing import Final

import pytest

from kavach.core.commands import Leg
from kavach.units import OrderType, Pips, Side
from tests.contract.rows_world import RowsDesk

LOSSES: Final = ("drop_report", "delay", "duplicate_report")
PLACES: Final[dict[str, Callable[..., int]]] = {
    "CO": RowsDesk.cover,
    "BO": RowsDesk.bracket,
    "regular": RowsDesk.regular,
}
KINDS: Final = tuple(PLACES)


@pytest.mark.parametrize("effect", LOSSES)
def test_a2_a_stop_that_fills_more_than_was_confirmed_has_grown(effect: str) -> None:
    """The stop grows to 27, the answer is lost, the stop fills 27: it was 27."""
    desk = RowsDesk()
    order_id = desk.cover(27)
    desk.fill(order_id, 25)
    desk.fault(effect, leg=Leg.THIRD)
    desk.fill(order_id, 2)
    desk.check()
    desk.meet(Side.BUY, 119_900, 30)
    desk.print_trade(119_900)
    for _ in range(2):
        row = desk.row(order_id, Leg.THIRD)
        assert (row["quantity"], row["filled_quantity"]) == (27, 27)
        assert (row["remaining_quantity"], row["order_status"]) == (0, "COMPLETE")
        desk.check()
        desk.later(10)
    desk.check_replay()


@pytest.mark.parametrize("effect", LOSSES)
def test_a2_a_stop_that_fills_in_parts_is_as_large_as_its_trades_say(effect: str) -> None:
    """The first part proves nothing; the one beyond 25 proves 27, with 1 still to go."""
    desk = RowsDesk()
    order_id = desk.cover(27)
    desk.fill(order_id, 25)
    desk.fault(effect, leg=Leg.THIRD)
    desk.fill(order_id, 2)
    desk.meet(Side.BUY, 119_900, 24)
    desk.print_trade(119_900)
    desk.check()
    desk.meet(Side.BUY, 119_900, 2)
    row = desk.row(order_id, Leg.THIRD)
    assert (row["quantity"], row["filled_quantity"], row["remaining_quantity"]) == (27, 26, 1)
    desk.check()
    desk.later(10)
    desk.check()


@pytest.mark.parametrize("effect", LOSSES)
@pytest.mark.parametrize("kind", KINDS)
def test_a3_a_fill_beyond_the_total_proves_the_growth(kind: str, effect: str) -> None:
    """PUT 10 to 20, no answer, 20 fill: the order was for 20, and is complete."""
    desk = RowsDesk()
    order_id = PLACES[kind](desk, 10)
    desk.fault(effect, leg=Leg.ENTRY)
    desk.done(desk.row(order_id), quantity=20)
    desk.fill(order_id, 20)
    for _ in range(2):
        row = desk.row(order_id)
        assert (row["quantity"], row["filled_quantity"]) == (20, 20)
        assert (row["remaining_quantity"], row["order_status"]) == (0, "COMPLETE")
        assert desk.history(order_id)[-1]["status"] == "COMPLETE"
        desk.check()
        desk.later(10)
    desk.check_replay()


@pytest.mark.parametrize("effect", LOSSES)
@pytest.mark.parametrize("kind", KINDS)
def test_a3_a_part_beyond_the_total_leaves_the_rest_open(kind: str, effect: str) -> None:
    """PUT 10 to 30, no answer, 15 fill: 15 of 30, 15 left, and no number below nothing."""
    desk = RowsDesk()
    order_id = PLACES[kind](desk, 10)
    desk.fault(effect, leg=Leg.ENTRY)
    desk.done(desk.row(order_id), quantity=30)
    desk.fill(order_id, 15)
    for _ in range(2):
        row = desk.row(order_id)
        assert (row["quantity"], row["filled_quantity"], row["remaining_quantity"]) == (30, 15, 15)
        desk.check()
        desk.later(10)
    desk.done(desk.row(order_id), quantity=40)
    assert desk.row(order_id)["quantity"] == 40
    desk.check_replay()


@pytest.mark.parametrize("filled", range(1, 10))
@pytest.mark.parametrize("effect", [*LOSSES, "drop_request"])
def test_a3_what_nothing_proves_the_question_decides(effect: str, filled: int) -> None:
    """A fill within the old total says nothing of the new one; asked, the venue tells."""
    desk = RowsDesk()
    order_id = desk.cover(10)
    desk.fault(effect, leg=Leg.ENTRY)
    desk.done(desk.row(order_id), quantity=20)
    desk.fill(order_id, filled)
    desk.check()
    desk.later(10)
    row = desk.row(order_id)
    total = 10 if effect == "drop_request" else 20
    assert (row["quantity"], row["filled_quantity"]) == (total, filled)
    assert row["remaining_quantity"] == total - filled == desk.standing(order_id)
    desk.check()


@pytest.mark.parametrize("kind", KINDS)
def test_a3_a_growth_that_never_arrived_leaves_a_complete_order(kind: str) -> None:
    """PUT 10 to 20 is lost on its way, 10 fill: asked, the venue says that it is all."""
    desk = RowsDesk()
    order_id = PLACES[kind](desk, 10)
    desk.fault("drop_request", leg=Leg.ENTRY)
    desk.done(desk.row(order_id), quantity=20)
    desk.fill(order_id, 10)
    desk.check()
    desk.later(10)
    row = desk.row(order_id)
    assert (row["quantity"], row["filled_quantity"], row["order_status"]) == (10, 10, "COMPLETE")
    assert desk.history(order_id)[-1]["status"] != "CANCEL_CONFIRMED"
    desk.check()


@pytest.mark.parametrize("effect", [*LOSSES, "drop_request"])
@pytest.mark.parametrize("wanted", [4, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_a3_a_reduction_is_what_the_book_says(kind: str, wanted: int, effect: str) -> None:
    """PUT 10 to 7, no answer, as many fill as can: the row ends as the order at the exchange."""
    desk = RowsDesk()
    order_id = PLACES[kind](desk, 10)
    desk.fill(order_id, 3)
    desk.fault(effect, leg=Leg.ENTRY)
    desk.done(desk.row(order_id), quantity=wanted)
    desk.fill(order_id, 7)
    desk.check()
    desk.later(10)
    row = desk.row(order_id)
    total = 10 if effect == "drop_request" else wanted
    assert (row["quantity"], row["filled_quantity"], row["order_status"]) == (
        total,
        total,
        "COMPLETE",
    )
    desk.check()
    desk.check_replay()


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("effect", LOSSES)
@pytest.mark.parametrize("kind", KINDS)
def test_a3_a_trade_beyond_the_limit_proves_the_new_one(kind: str, effect: str, side: Side) -> None:
    """PUT price 13 to 13.20, no answer, filled at 13.20: the limit was 13.20."""
    desk = RowsDesk()
    price = 132_000 if side is Side.BUY else 128_000
    stop = {} if kind != "CO" else {"stop_price_pips": Pips(260_000 - 140_000)}
    if kind == "CO" and side is Side.SELL:
        stop = {"stop_price_pips": Pips(140_000)}
    order_id = PLACES[kind](desk, 10, side=side, **stop)
    desk.fault(effect, leg=Leg.ENTRY)
    desk.done(desk.row(order_id), price=price / 10_000)
    desk.fill(order_id, 4, price)
    for filled in (4, 10):
        row = desk.row(order_id)
        assert (row["price"], row["average_price"]) == (price / 10_000, price / 10_000)
        assert row["filled_quantity"] == filled
        assert [trade["order_price"] for trade in desk.trades(order_id)] == [price / 10_000] * len(
            desk.trades(order_id)
        )
        desk.check()
        desk.fill(order_id, 6, price)
    desk.later(10)
    assert desk.row(order_id)["price"] == price / 10_000
    desk.check_replay()


def test_a3_chains_of_changes_are_told_apart() -> None:
    """10 to 20 lost and proved, 20 to 30 lost and proved: the first answer told late is no news."""
    desk = RowsDesk()
    order_id = desk.cover(10)
    desk.fault("delay", leg=Leg.ENTRY)
    desk.done(desk.row(order_id), quantity=20)
    desk.fill(order_id, 12)
    assert desk.row(order_id)["quantity"] == 20
    desk.fault("drop_report", leg=Leg.ENTRY)
    desk.done(desk.row(order_id), quantity=30)
    assert desk.row(order_id)["quantity"] == 20
    desk.fill(order_id, 10)
    row = desk.row(order_id)
    assert (row["quantity"], row["filled_quantity"], row["remaining_quantity"]) == (30, 22, 8)
    desk.later(10)
    assert desk.row(order_id)["quantity"] == 30
    desk.check()
    desk.check_replay()


@pytest.mark.parametrize("effect", LOSSES)
def test_a3_a_target_that_fills_more_than_was_confirmed_has_grown(effect: str) -> None:
    """A bracket's target grows from 10 to 14, no answer, and fills 14: its row says so."""
    desk = RowsDesk()
    order_id = desk.bracket(14)
    desk.fill(order_id, 10)
    desk.fault(effect, leg=Leg.SECOND)
    desk.fill(order_id, 4)
    desk.check()
    desk.meet(Side.BUY, 140_000, 13)
    row = desk.row(order_id, Leg.SECOND)
    assert (row["quantity"], row["filled_quantity"], row["remaining_quantity"]) == (14, 13, 1)
    desk.check()
    desk.meet(Side.BUY, 140_000, 1)
    row = desk.row(order_id, Leg.SECOND)
    assert (row["quantity"], row["filled_quantity"], row["order_status"]) == (14, 14, "COMPLETE")
    desk.check()
    desk.later(10)
    desk.check()
    desk.check_replay()


@pytest.mark.parametrize("effect", [*LOSSES, "drop_request"])
@pytest.mark.parametrize("leg", [Leg.SECOND, Leg.THIRD])
def test_a3_an_exit_that_moves_is_what_the_venue_says(leg: Leg, effect: str) -> None:
    """A stop's trigger and a target's price, moved without an answer, end as the book has them."""
    desk = RowsDesk()
    order_id = desk.bracket(10)
    desk.fill(order_id, 10)
    desk.fault(effect, leg=leg)
    if leg is Leg.SECOND:
        desk.done(desk.row(order_id, leg), price=14.2)
    else:
        desk.done(desk.row(order_id, leg), trigger_price=12.2)
    desk.check()
    desk.later(10)
    row, (record,) = desk.row(order_id, leg), desk.book(order_id, leg)
    assert row["trigger_price"] == record.trigger_price_pips / 10_000
    if leg is Leg.SECOND:
        assert row["price"] == record.price_pips / 10_000
    desk.check()


@pytest.mark.parametrize("effect", LOSSES)
def test_a3_a_stop_entry_that_trades_beyond_its_limit_was_moved(effect: str) -> None:
    """An SL entry moved to a higher limit, no answer, fires and trades there: it was moved."""
    desk = RowsDesk()
    order_id = desk.cover(
        10,
        order_type=OrderType.SL,
        price_pips=Pips(132_000),
        trigger_price_pips=Pips(131_000),
    )
    desk.fault(effect, leg=Leg.ENTRY)
    desk.done(desk.row(order_id), price=13.4)
    desk.meet(Side.SELL, 134_000, 10)
    desk.print_trade(133_500)
    row = desk.row(order_id)
    assert (row["filled_quantity"], row["price"]) == (10, 13.4)
    assert row["average_price"] <= row["price"]
    desk.check()
