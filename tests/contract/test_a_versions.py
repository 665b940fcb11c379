"""A4: a row's version changes with the row, and only what is fresh may be sent back.

A version is ``last_activity_reference``; clients that keep numbers as doubles hand it back
rounded. What has ended, and what has been told of the past, stays as it was.
"""

import random
from collections.abc import Callable
from typing import Final

import pytest

from kavach.core.commands import Leg
from kavach.core.events import OrderTraded
from kavach.core.refusals import Reason
from kavach.units import NS_PER_SECOND, Pips, Quantity, Side
from tests.contract.rows_world import IDEA, OVER, Row, RowsDesk

VERSION: Final = "last_activity_reference"
STALE: Final = Reason.REFERENCE_MUST_BE_CURRENT


def trailing(desk: RowsDesk, filled: int = 40, *, bracket: bool = False) -> int:
    """Place 100 with a stop that trails by steps of 10 paise, and fill a part."""
    place = desk.bracket if bracket else desk.cover
    order_id = place(100, trailing_step_pips=Pips(1_000))
    desk.fill(order_id, filled)
    return order_id


@pytest.mark.parametrize("leg", [Leg.ENTRY, Leg.THIRD])
def test_a4_a_row_read_before_the_stop_trailed_is_refused(leg: Leg) -> None:
    """The stop trails after the row was read: what is sent back must not loosen it."""
    desk = RowsDesk()
    order_id = trailing(desk)
    row = desk.row(order_id, leg)
    desk.print_trade(135_000)
    stop = desk.book(order_id, Leg.THIRD)[0].trigger_price_pips
    assert stop > 120_000
    assert desk.refused(row, price=12.9).reason is STALE
    assert desk.book(order_id, Leg.THIRD)[0].trigger_price_pips == stop


@pytest.mark.parametrize("bracket", [False, True])
def test_a4_an_entry_row_read_before_third_moved_the_stop_is_refused(*, bracket: bool) -> None:
    """THIRD moves the stop: the ENTRY's row that says otherwise is stale."""
    desk = RowsDesk()
    order_id = desk.bracket(100) if bracket else desk.cover(100)
    desk.fill(order_id, 40)
    entry = desk.row(order_id)
    desk.done(desk.row(order_id, Leg.THIRD), trigger_price=12.3)
    assert desk.refused(entry, price=12.9).reason is STALE
    assert desk.book(order_id, Leg.THIRD)[0].trigger_price_pips == 123_000


@pytest.mark.parametrize("leg", [Leg.ENTRY, Leg.SECOND, Leg.THIRD])
@pytest.mark.parametrize("moved", [Leg.SECOND, Leg.THIRD])
def test_a4_any_row_of_a_bracket_is_stale_once_a_plan_has_moved(leg: Leg, moved: Leg) -> None:
    """Stop and target stand in every row of a bracket: all are stale when one moves."""
    desk = RowsDesk()
    order_id = desk.bracket(100)
    desk.fill(order_id, 40)
    stale = desk.row(order_id, leg)
    change = {"price": 14.3} if moved is Leg.SECOND else {"trigger_price": 12.3}
    desk.done(desk.row(order_id, moved), **change)
    assert desk.refused(stale, price=14.1 if leg is Leg.SECOND else stale["price"]).reason is STALE
    desk.done(desk.row(order_id, leg))


def test_a4_each_fill_makes_another_version_while_time_stands_still() -> None:
    """With the clock paused every change of a row is a higher version of it."""
    desk = RowsDesk()
    order_id = desk.cover(100)
    seen = [desk.row(order_id)]
    for _ in range(5):
        desk.fill(order_id, 10)
        seen.append(desk.row(order_id))
    desk.done(seen[-1], price=12.99)
    seen.append(desk.row(order_id))
    versions = [row[VERSION] for row in seen]
    assert versions == sorted(set(versions))
    for row in seen[:-1]:
        assert desk.refused(row, price=12.98).reason is STALE
    desk.done(seen[-1], price=12.98)


def test_a4_a_version_rounded_to_a_double_is_still_that_version() -> None:
    """A double keeps 53 bits of it: enough for the fresh row, never enough for a stale one."""
    desk = RowsDesk()
    order_id = desk.cover(100)
    for _ in range(10):
        stale = desk.row(order_id)
        for rounded in (float, lambda version: version + 128, lambda version: version - 128):
            desk.done(stale, **{VERSION: int(rounded(stale[VERSION]))})
        desk.fill(order_id, 1)
        for rounded in (float, lambda version: version + 256, lambda version: version - 256):
            refusal = desk.refused(stale, price=12.5, **{VERSION: int(rounded(stale[VERSION]))})
            assert refusal.reason is STALE


def test_a4_a_row_sent_back_at_once_is_fresh() -> None:
    """Whatever has just happened, the row as it is read now is taken."""
    desk = RowsDesk()
    order_id = trailing(desk, bracket=True)
    for last in (131_000, 133_000, 135_000):
        desk.print_trade(last)
        for row in desk.rows(order_id):
            desk.done(row)
    desk.check()


def test_a4_a_stale_row_of_a_regular_order_is_refused_while_time_stands_still() -> None:
    """A regular order that was changed, or has filled, is another version."""
    desk = RowsDesk()
    order_id = desk.regular(100)
    read = desk.row(order_id)
    desk.done(read, price=12.99)
    assert desk.refused(read, price=12.98).reason is STALE
    read = desk.row(order_id)
    desk.fill(order_id, 40, 129_900)
    assert desk.refused(read, quantity=90).reason is STALE
    desk.done(desk.row(order_id), quantity=90)


# --- Any change, in any order -------------------------------------------------------------------


def any_change(desk: RowsDesk, order_ids: list[int], chance: random.Random) -> None:
    """Let one thing happen that may change rows: the market, the client, a fault, time."""
    order_id = chance.choice(order_ids)
    rows = desk.rows(order_id)
    row = chance.choice(rows)
    what = chance.randrange(9)
    if what == 0:
        desk.meet(chance.choice(list(Side)), chance.randrange(118_000, 142_000, 100), 7)
    elif what == 1:
        desk.fill(order_id, chance.randrange(1, 20))
    elif what == 2:
        desk.print_trade(chance.randrange(122_000, 139_000, 100))
    elif what == 3:
        desk.put(rows[0], quantity=max(1, rows[0]["quantity"] + chance.randrange(-30, 30)))
    elif what == 4:
        desk.put(rows[0], price=chance.randrange(12_800, 13_100) / 100)
    elif what == 5 and row["leg_order_indicator"] == "THIRD":
        desk.put(row, trigger_price=chance.randrange(11_800, 12_900) / 100)
    elif what == 6 and row["leg_order_indicator"] == "SECOND":
        desk.put(row, price=chance.randrange(13_500, 14_500) / 100)
    elif what == 7:
        effects = ("reject", "cancel_resting", "delay", "drop_request", "drop_report")
        effect = chance.choice((*effects, "duplicate_report"))
        desk.fault(effect, on=chance.choice(("new", "amend", "cancel")))
    else:
        desk.later(chance.choice((0, 0.3, 1.5)))


def assert_versions(before: Row, after: Row) -> None:
    """Assert that a row is the same, or a higher version of itself; ended, it needs a trade."""
    if before == after:
        return
    if {**before, VERSION: 0} == {**after, VERSION: 0}:
        assert after["order_status"] not in OVER, f"an ended row has another version: {after}"
    if before["order_status"] != "REJECTED" and after["order_status"] != "REJECTED":
        assert after[VERSION] >= before[VERSION] + 1_024, (before, after)


@pytest.mark.parametrize("seed", range(60))
def test_inv_23_a_row_never_changes_under_the_same_version(seed: int) -> None:
    """Whatever happens to some orders, a row that changed has a higher version (INV-23)."""
    chance = random.Random(seed)
    desk = RowsDesk()
    order_ids = [
        desk.cover(50, trailing_step_pips=Pips(chance.choice((0, 1_000)))),
        desk.bracket(40),
        desk.regular(30),
        desk.cover(20, side=Side.SELL, stop_price_pips=Pips(140_000), price_pips=Pips(131_000)),
    ]
    rows: dict[str, Row] = {}
    past: dict[int, tuple[list[Row], list[Row]]] = {}
    for _ in range(40):
        any_change(desk, order_ids, chance)
        for order_id in order_ids:
            trades = desk.trades(order_id)
            for row in desk.rows(order_id):
                before = rows.get(row["oms_order_id"], row)
                assert_versions(before, row)
                rows[row["oms_order_id"]] = row
                lines = desk.history(order_id, Leg(row["leg_order_indicator"] or "ENTRY"))
                old_trades, old_lines = past.get(int(row["oms_order_id"]), ([], []))
                assert lines[: len(old_lines)] == old_lines, "a history line has changed (INV-24)"
                assert trades[: len(old_trades)] == old_trades, "a past trade has changed (INV-24)"
                past[int(row["oms_order_id"])] = (trades, lines)
    desk.check()
    desk.check_replay()


# --- What has ended stays -----------------------------------------------------------------------


def change_third(desk: RowsDesk, order_id: int) -> None:
    """Move the stop by hand."""
    desk.done(desk.row(order_id, Leg.THIRD), trigger_price=12.3)


def trail(desk: RowsDesk, order_id: int) -> None:
    """Let the market move in favour."""
    desk.print_trade(137_000)


def get_out(desk: RowsDesk, order_id: int) -> None:
    """Let the stop fire and trade."""
    desk.meet(Side.BUY, 119_000, 100)
    desk.print_trade(119_000)


@pytest.mark.parametrize(
    ("then", "bracket"),
    [
        (change_third, False),
        (change_third, True),
        (trail, False),
        (trail, True),
        (get_out, False),
        (get_out, True),
    ],
)
def test_inv_24_an_entry_that_has_ended_stays_as_it_was(
    *, then: Callable[[RowsDesk, int], None], bracket: bool
) -> None:
    """A complete entry's row, history and trades are the past, whatever its stop does."""
    desk = RowsDesk()
    order_id = trailing(desk, 100, bracket=bracket)
    row, history, trades = desk.row(order_id), desk.history(order_id), desk.trades(order_id)
    assert row["order_status"] == "COMPLETE"
    desk.clock.at_ns += NS_PER_SECOND
    then(desk, order_id)
    desk.later(5)
    assert desk.row(order_id) == row
    assert desk.history(order_id) == history
    assert desk.trades(order_id)[: len(trades)] == trades


def test_inv_24_a_past_trade_keeps_the_price_it_was_ordered_at() -> None:
    """A trade tells of the order as it was; a later change of the order is not in it."""
    desk = RowsDesk()
    order_id = desk.regular(100)
    desk.fill(order_id, 40)
    trades, history = desk.trades(order_id), desk.history(order_id)
    desk.done(desk.row(order_id), price=12.99, quantity=90)
    assert desk.trades(order_id) == trades
    assert desk.history(order_id)[: len(history)] == history
    assert history[0]["exchange_order_id"] == ""
    assert (history[0]["quantity"], history[0]["price"]) == (100, 13)
    assert (trades[0]["original_vol"], trades[0]["order_price"]) == (100, 13)


def test_inv_24_a_late_trade_changes_an_ended_row_and_the_history_says_why() -> None:
    """A trade that is told after the end is in the row, under a higher version, with its line."""
    desk = RowsDesk()
    order_id = desk.regular(100)
    desk.fault("drop_request", on="cancel")
    desk.fill(order_id, 10)
    row = desk.row(order_id)
    tag = desk.parent(order_id).entries[0].tag
    told = desk.engine.core
    desk.done(row, quantity=Quantity(60))
    desk.fill(order_id, 50)
    ended = desk.row(order_id)
    assert ended["order_status"] == "COMPLETE"
    late = late_trade(tag)
    told.begin(desk.clock.at_ns)
    told.on_report(late)
    told.finish()
    after = desk.row(order_id)
    assert after["filled_quantity"] == ended["filled_quantity"] + 5 == after["quantity"]
    assert after[VERSION] > ended[VERSION]
    assert desk.history(order_id)[-1]["fill_quantity"] == after["filled_quantity"]
    assert IDEA == desk.parent(order_id).instrument


def late_trade(tag: int) -> OrderTraded:
    """Return a trade that nobody had told of."""
    return OrderTraded(tag, "late", Quantity(5), Pips(130_000))
