"""A1: the row of a leg in several orders is the sum of what stands in the exchange's book.

The table is every (start, filled, wanted) over the borders of what one order may hold (27 lots of
65), against a model that knows nothing of slices.
"""

from itertools import product
from typing import Final

import pytest

from kavach.core.commands import Leg
from kavach.sdk import Pocket
from kavach.units import Pips, Side
from tests.contract.rows_world import FUTURE, IDEA, LOT, SLICE, RowsDesk
from tests.unit.api.world import TOKEN, running

PRICE: Final = 260_000_000
TICK: Final = 1_000
STOP: Final = 258_000_000
LOTS: Final = (1, 26, 27, 28, 54, 55, 81)
TABLE: Final = [
    (start * LOT, filled * LOT, wanted * LOT)
    for start, filled, wanted in product(LOTS, (0, 1, 26, 27, 28, 54), LOTS)
    if filled < start and wanted >= max(filled, 1) and wanted != start
]


def future(desk: RowsDesk, quantity: int, side: Side = Side.BUY) -> int:
    """Place a cover order of the future, its stop 200 rupees away."""
    stop = STOP if side is Side.BUY else 2 * PRICE - STOP
    return desk.cover(
        quantity, instrument=FUTURE, side=side, price_pips=Pips(PRICE), stop_price_pips=Pips(stop)
    )


def assert_row_is_book(desk: RowsDesk, order_id: int, leg: Leg, total: int, filled: int) -> None:
    """Assert that a leg's row has this total, and that what is left of it stands in the book."""
    row = desk.row(order_id, leg)
    assert (row["quantity"], row["filled_quantity"]) == (total, filled)
    assert row["remaining_quantity"] == total - filled == desk.standing(order_id, leg)


@pytest.mark.parametrize("side", Side)
def test_a1_the_row_is_the_book(side: Side) -> None:
    """A total changed up or down past slices is the row's and the book's; sent back it stays."""
    wrong = {}
    for start, filled, wanted in TABLE:
        try:
            change_and_send_back(start, filled, wanted, side)
        except AssertionError as error:
            wrong[start, filled, wanted] = str(error).partition("\n")[0]
    assert wrong == {}, f"{len(wrong)} of {len(TABLE)} are wrong"


def change_and_send_back(start: int, filled: int, wanted: int, side: Side) -> None:
    """Place, fill a part, change the total, send the row back with a price, fill the rest."""
    desk = RowsDesk()
    order_id = future(desk, start, side)
    if filled:
        desk.fill(order_id, filled, PRICE)
    desk.done(desk.row(order_id), quantity=wanted)
    assert_row_is_book(desk, order_id, Leg.ENTRY, wanted, filled)
    if filled:
        assert_row_is_book(desk, order_id, Leg.THIRD, filled, 0)
    price = PRICE
    if wanted > filled:
        sent = len(desk.parent(order_id).entries)
        price += -TICK if side is Side.BUY else TICK
        desk.done(desk.row(order_id), price=price / 10_000)
        assert_row_is_book(desk, order_id, Leg.ENTRY, wanted, filled)
        assert len(desk.parent(order_id).entries) == sent, "sent back, it became another order"
        assert {one.price_pips for one in desk.book(order_id)} == {price}
        desk.fill(order_id, wanted - filled, price)
    row = desk.row(order_id)
    assert_row_is_book(desk, order_id, Leg.ENTRY, wanted, wanted)
    assert (row["order_status"], row["price"]) == ("COMPLETE", price / 10_000)
    assert desk.history(order_id)[-1]["status"] == "COMPLETE"
    assert_row_is_book(desk, order_id, Leg.THIRD, wanted, 0)
    desk.check()
    desk.check_replay()


def test_a1_a_round_trip_adds_no_slice() -> None:
    """Reduced, sent back, grown and reduced again, an order is never more than was asked."""
    desk = RowsDesk()
    order_id = future(desk, SLICE + LOT)
    for wanted in (SLICE, SLICE + LOT, LOT, 3 * SLICE, SLICE, SLICE + LOT, SLICE):
        desk.done(desk.row(order_id), quantity=wanted)
        assert_row_is_book(desk, order_id, Leg.ENTRY, wanted, 0)
        desk.done(desk.row(order_id), price=(PRICE - TICK) / 10_000)
        assert_row_is_book(desk, order_id, Leg.ENTRY, wanted, 0)
        before = desk.engine.state_hash()
        desk.done(desk.row(order_id))
        assert desk.engine.state_hash() == before, "an unchanged row sent back did something"
    desk.check()


def test_a1_what_a_slice_trades_on_its_way_out_is_in_the_row() -> None:
    """A slice that trades while a reduction cancels it is in the total and in what has filled."""
    desk = RowsDesk()
    order_id = future(desk, SLICE + LOT)
    desk.fault("drop_request", on="cancel", leg=Leg.ENTRY)
    desk.done(desk.row(order_id), quantity=SLICE)
    desk.fill(order_id, SLICE + LOT, PRICE)
    desk.later(10)
    assert_row_is_book(desk, order_id, Leg.ENTRY, SLICE + LOT, SLICE + LOT)
    assert desk.row(order_id)["order_status"] == "COMPLETE"
    desk.check()


def test_a1_a_reduction_under_way_is_a_change_and_no_cancel() -> None:
    """While the venue owes the end of a slice, the row says MODIFY_PENDING and the old total."""
    desk = RowsDesk()
    order_id = future(desk, SLICE + LOT)
    desk.fault("delay", on="cancel", leg=Leg.ENTRY)
    desk.done(desk.row(order_id), quantity=SLICE)
    row = desk.row(order_id)
    assert (row["order_status"], row["quantity"]) == ("MODIFY_PENDING", SLICE + LOT)
    desk.later(10)
    assert_row_is_book(desk, order_id, Leg.ENTRY, SLICE, 0)
    assert desk.row(order_id)["order_status"] == "MODIFY_CONFIRMED"


def test_a1_a_slice_that_the_exchange_removes_is_not_in_the_row() -> None:
    """What the exchange takes out of a leg that lives on cannot trade: it is not left."""
    desk = RowsDesk()
    order_id = future(desk, SLICE + LOT)
    desk.fault("cancel_resting", on="amend", leg=Leg.ENTRY)
    desk.done(desk.row(order_id), price=(PRICE - TICK) / 10_000)
    assert_row_is_book(desk, order_id, Leg.ENTRY, LOT, 0)
    desk.done(desk.row(order_id), price=PRICE / 10_000)
    assert_row_is_book(desk, order_id, Leg.ENTRY, LOT, 0)


def test_a1_a_cancelled_order_keeps_its_total() -> None:
    """An order in slices that a client cancels shows what it was for, and that nothing is left."""
    desk = RowsDesk()
    order_id = desk.regular(100)
    desk.fill(order_id, 40)
    desk.done(desk.row(order_id), quantity=60)
    row = desk.row(order_id)
    assert (row["quantity"], row["filled_quantity"], row["remaining_quantity"]) == (60, 40, 20)


@pytest.mark.parametrize("wanted", [40, 41, 60, 100, 130])
def test_a1_a_regular_order_is_what_its_row_says(wanted: int) -> None:
    """A regular order changed after a partial fill is its row, and ends COMPLETE when filled."""
    desk = RowsDesk()
    order_id = desk.regular(100)
    desk.fill(order_id, 40)
    desk.done(desk.row(order_id), quantity=wanted)
    assert_row_is_book(desk, order_id, Leg.ENTRY, wanted, 40)
    if wanted > 40:
        desk.done(desk.row(order_id), price=12.99)
        assert_row_is_book(desk, order_id, Leg.ENTRY, wanted, 40)
        desk.fill(order_id, wanted - 40, 129_900)
    assert_row_is_book(desk, order_id, Leg.ENTRY, wanted, wanted)
    assert desk.row(order_id)["order_status"] == "COMPLETE"
    assert desk.history(order_id)[-1]["status"] == "COMPLETE"
    desk.check()


@pytest.mark.parametrize("kind", ["CO", "BO"])
@pytest.mark.parametrize("wanted", [40, 60, 130])
def test_a1_exits_follow_what_filled_and_not_what_was_asked(kind: str, wanted: int) -> None:
    """Stop and target are as large as what has filled, whatever the entry's total becomes."""
    desk = RowsDesk()
    order_id = desk.cover(100) if kind == "CO" else desk.bracket(100)
    desk.fill(order_id, 40)
    desk.done(desk.row(order_id), quantity=wanted)
    legs = (Leg.THIRD,) if kind == "CO" else (Leg.SECOND, Leg.THIRD)
    for leg in legs:
        assert_row_is_book(desk, order_id, leg, 40, 0)
    if wanted > 40:
        desk.fill(order_id, wanted - 40)
    assert desk.row(order_id)["order_status"] == "COMPLETE"
    for leg in legs:
        assert_row_is_book(desk, order_id, leg, wanted, 0)
    desk.check()


def test_a1_a_stop_in_slices_says_what_stands() -> None:
    """While a slice of the stop is unconfirmed, the stop's row is what the venue has confirmed."""
    desk = RowsDesk()
    order_id = future(desk, SLICE + 2 * LOT)
    desk.fill(order_id, SLICE, PRICE)
    assert_row_is_book(desk, order_id, Leg.THIRD, SLICE, 0)
    desk.fault("drop_request", on="new", leg=Leg.THIRD)
    desk.fill(order_id, LOT, PRICE)
    assert_row_is_book(desk, order_id, Leg.THIRD, SLICE, 0)
    desk.later(10)
    assert_row_is_book(desk, order_id, Leg.THIRD, SLICE + LOT, 0)


def test_a1_the_exit_of_a_stop_in_slices_ends_complete() -> None:
    """A position that leaves in slices leaves a COMPLETE row for as much as was held."""
    desk = RowsDesk()
    order_id = future(desk, SLICE + 2 * LOT)
    desk.fill(order_id, SLICE + 2 * LOT, PRICE)
    assert_row_is_book(desk, order_id, Leg.THIRD, SLICE + 2 * LOT, 0)
    desk.meet(Side.BUY, STOP, LOT, FUTURE)
    desk.meet(Side.BUY, STOP - TICK, 3 * SLICE, FUTURE)
    desk.print_trade(STOP - TICK, FUTURE)
    desk.later(20)
    row = desk.row(order_id, Leg.THIRD)
    assert (row["order_status"], row["filled_quantity"]) == ("COMPLETE", SLICE + 2 * LOT)
    assert_row_is_book(desk, order_id, Leg.THIRD, SLICE + 2 * LOT, SLICE + 2 * LOT)
    assert desk.row(order_id)["instrument_token"] != int(IDEA.partition(":")[2])
    desk.check()


def test_a1_the_client_sees_that_a_change_of_the_quantity_is_done() -> None:
    """``modify_cover_order(quantity=)`` past a slice returns the order with that quantity."""
    with running() as world:
        world.do(lambda: setattr(world.desk.state.clients["DEMO1"], "cash_paise", 10**15))
        with Pocket(base_url=world.url, access_token=TOKEN, client_id="DEMO1") as pocket:
            order = pocket.place_cover_order(
                exchange="NFO",
                instrument_token=35001,
                side="BUY",
                order_type="LIMIT",
                quantity=SLICE + LOT,
                price=26_000,
                stop_loss=25_800,
                product="MIS",
            )
            for wanted in (SLICE, 2 * SLICE, LOT):
                order = pocket.modify_cover_order(order, quantity=wanted)
                assert order.entry.quantity == order.entry.remaining_quantity == wanted
