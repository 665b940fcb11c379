"""Bracket orders over a real socket: offsets, three legs, rows that can be sent back."""

from typing import Any

import pytest

from kavach.units import InstrumentKey, Side
from tests.unit.api.world import BEARER, KART, World, entry

BRACKET = {"execution_type": "BO", "stop_loss_value": 0.5, "square_off_value": 0.5}


def bracket(world: World, **changes: Any) -> dict[str, Any]:
    """Place a bracket of ten at 13 with exits half a rupee away; return its ENTRY row."""
    return world.place(**(BRACKET | changes))


def legs(world: World, row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the rows of an order by their leg."""
    mine = [r for r in world.rows() if r["user_order_id"] == row["user_order_id"]]
    return {r["leg_order_indicator"]: r for r in mine}


def modify(world: World, row: dict[str, Any], **changes: Any) -> Any:
    """Return the answer to a change of the order or leg of a row."""
    body = {"client_id": "DEMO1", "oms_order_id": row["oms_order_id"], "execution_type": "BO"}
    return world.http.put(KART, json=body | changes, headers=BEARER)


def check_refused(answer: Any, text: str) -> None:
    """Check that an answer names the field that is wrong."""
    assert (answer.status_code, answer.json()["error_code"]) == (400, 44000)
    assert answer.json()["message"] == text


def test_three_rows_and_their_life(world: World) -> None:
    """The exits' rows appear with the first fill; what the target sells is not left to the stop."""
    row = bracket(world)
    assert list(legs(world, row)) == ["ENTRY"]
    assert (row["execution_type"], row["square_off_value"], row["stop_loss_value"]) == (
        "BO",
        0.5,
        0.5,
    )
    world.fill(row, 10, 130_000)
    rows = legs(world, row)
    second, third = rows["SECOND"], rows["THIRD"]
    assert (second["order_type"], second["price"], second["trigger_price"]) == ("LIMIT", 13.5, 0)
    assert (third["order_type"], third["trigger_price"]) == ("SLM", 12.5)
    statuses = second["order_status"], third["order_status"], rows["ENTRY"]["order_status"]
    assert statuses == ("CONFIRMED", "TRIGGER_PENDING", "COMPLETE")
    for leg in (second, third):
        assert (leg["order_side"], leg["execution_type"]) == ("SELL", "BO")
        assert (leg["quantity"], leg["remaining_quantity"]) == (10, 10)
        assert (leg["product"], leg["user_order_id"]) == (row["product"], row["user_order_id"])
    ids = {leg[name] for leg in rows.values() for name in ("oms_order_id", "exchange_order_id")}
    assert len(ids) == 6
    world.fill(second, 4, 135_000)
    rows = legs(world, row)
    assert [rows[leg]["remaining_quantity"] for leg in ("SECOND", "THIRD")] == [6, 6]
    assert (rows["SECOND"]["filled_quantity"], rows["THIRD"]["filled_quantity"]) == (4, 0)
    assert rows["SECOND"]["order_status"] == "PARTIAL_TRADE"
    world.fill(second, 6, 135_000)
    rows = legs(world, row)
    over = [rows[leg]["order_status"] for leg in ("SECOND", "THIRD")]
    assert over == ["COMPLETE", "CANCEL_CONFIRMED"]
    assert [rows[leg]["remaining_quantity"] for leg in rows] == [0, 0, 0]


def test_trades_and_history_by_leg(world: World) -> None:
    """Each leg has trades and a history of its own."""
    row = bracket(world)
    world.fill(row, 10, 130_000)
    second = legs(world, row)["SECOND"]
    world.fill(second, 10, 135_000)
    trades = world.http.get("/api/v1/trades", headers=BEARER).json()["data"]["trades"]
    by_row = [(trade["oms_order_id"], trade["trade_price"]) for trade in trades]
    assert by_row == [(row["oms_order_id"], 13), (second["oms_order_id"], 13.5)]
    path = "/api/v1/order/{}/history"
    steps = {
        leg: world.http.get(path.format(mine["oms_order_id"]), headers=BEARER).json()["data"]
        for leg, mine in legs(world, row).items()
    }
    told = {leg: [step["status"] for step in life] for leg, life in steps.items()}
    assert told["SECOND"] == ["PENDING", "CONFIRMED", "COMPLETE"]
    assert told["THIRD"] == ["PENDING", "TRIGGER_PENDING", "CANCEL_CONFIRMED"]


def test_the_stop_takes_the_target_out(world: World) -> None:
    """When the stop fires, nothing of the target is left, and the position is closed once."""
    row = bracket(world)
    world.fill(row, 10, 130_000)
    bid = InstrumentKey("NSE:14366")
    world.do(lambda: world.desk.counterparty(bid, Side.BUY, 124_000, 10))
    world.print_trade(125_000)
    rows = legs(world, row)
    assert rows["THIRD"]["order_status"] == "COMPLETE"
    assert rows["SECOND"]["order_status"] == "CANCEL_CONFIRMED"
    positions = world.http.get("/api/v1/positions", params={"type": "live"}, headers=BEARER).json()
    assert [p["net_quantity"] for p in positions["data"]] == [0]


@pytest.mark.parametrize("leg", ["SECOND", "TARGET", "THIRD", "sl"])
@pytest.mark.parametrize("addressed", ["ENTRY", "own"])
def test_either_exit_leg_gets_out(world: World, leg: str, addressed: str) -> None:
    """SECOND and THIRD mean the same: out; the sibling is cancelled, by entry's or own id."""
    row = bracket(world)
    world.fill(row, 10, 130_000)
    rows = legs(world, row)
    own = rows["SECOND" if leg in ("SECOND", "TARGET") else "THIRD"]
    named = row if addressed == "ENTRY" else own
    answer = world.cancel(
        named,
        execution_type="BO",
        leg_order_indicator=leg,
        exchange_order_id=own["exchange_order_id"],
    )
    assert (answer.status_code, answer.headers["X-Order-State"]) == (200, "EXITING")
    rows = legs(world, row)
    assert rows["SECOND"]["order_status"] == "CANCEL_CONFIRMED"
    assert rows["THIRD"]["order_type"] == "LIMIT"


def test_cancel_of_the_entry_leaves_both_exits(world: World) -> None:
    """What has not traded is cancelled; target and stop of what has stay as they are."""
    row = bracket(world)
    world.fill(row, 4, 130_000)
    before = legs(world, row)
    answer = world.cancel(row, execution_type="BO")
    assert (answer.status_code, answer.headers["X-Order-State"]) == (200, "COVERED")
    rows = legs(world, row)
    assert [rows[leg] for leg in ("SECOND", "THIRD")] == [
        before[leg] for leg in ("SECOND", "THIRD")
    ]


def test_kinds_and_legs_that_are_not_the_orders(world: World) -> None:
    """Who takes a cover order for a bracket, or a bracket for a cover order, is told the field."""
    cover, taken = world.place(user_order_id=1), bracket(world, user_order_id=2)
    second = world.cancel(cover, leg_order_indicator="SECOND")
    check_refused(second, "`leg_order_indicator` is invalid: ENTRY or THIRD")
    check_refused(world.cancel(cover, execution_type="BO"), "`execution_type` is invalid: CO")
    check_refused(world.cancel(taken, execution_type="CO"), "`execution_type` is invalid: BO")
    check_refused(modify(world, cover, price=12.9), "`execution_type` is invalid: CO")


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"square_off_value": None}, 44000, "`square_off_value` can't be blank"),
        ({"square_off_value": 0}, 44000, "`square_off_value` is invalid"),
        ({"square_off_value": -1}, 44000, "`square_off_value` is invalid"),
        ({"square_off_value": 0.005}, 44000, "`square_off_value` is invalid"),
        ({"square_off_value": 5}, 44000, "`square_off_value` is invalid"),
        ({"stop_loss_value": 0}, 44000, "`stop_loss_value` is invalid"),
        ({"stop_loss_value": 12.5}, 44000, "`stop_loss_value` is invalid"),
        ({"quantity": 10_000_000}, 45000, "Invalid `quantity`"),
    ],
)
def test_a_bracket_that_cannot_be(
    world: World, changes: dict[str, Any], code: int, text: str
) -> None:
    """What is wrong is named, and nothing has changed."""
    before = world.state_hash()
    answer = world.http.post(KART, json=entry(**(BRACKET | changes)), headers=BEARER)
    assert (answer.status_code, answer.json()["error_code"]) == (400, code)
    assert text.split("`")[1] in answer.json()["message"]
    assert world.state_hash() == before


def test_numbers_as_text(world: World) -> None:
    """Offsets and the trailing step come as text from some clients."""
    row = bracket(
        world,
        stop_loss_value="0.5",
        square_off_value="2",
        trailing_stop_loss="0.05",
        is_trailing="TRUE",
        execution_type="bo",
    )
    assert (row["square_off_value"], row["stop_loss_value"]) == (2.0, 0.5)
    assert (row["is_trailing"], row["trailing_stop_loss"]) == (True, 0.05)


def test_a_short_bracket(world: World) -> None:
    """A seller's target is below the price, and the stop above it."""
    row = bracket(world, order_side="SELL")
    world.fill(row, 10, 130_000)
    rows = legs(world, row)
    assert (rows["SECOND"]["price"], rows["THIRD"]["trigger_price"]) == (12.5, 13.5)
    assert {rows[leg]["order_side"] for leg in ("SECOND", "THIRD")} == {"BUY"}


def test_modify_entry(world: World) -> None:
    """Before the first fill the exits follow the price, and new offsets are taken."""
    row = bracket(world)
    assert modify(world, row, price=12.9).status_code == 200
    assert modify(world, row, square_off_value=0.7, stop_loss_value="0.4").status_code == 200
    assert legs(world, row)["ENTRY"]["square_off_value"] == 0.7
    world.fill(row, 10, 129_000)
    rows = legs(world, row)
    assert (rows["SECOND"]["price"], rows["THIRD"]["trigger_price"]) == (13.6, 12.5)


def test_modify_exits(world: World) -> None:
    """Each exit is changed by its row or by its name, by an offset or a price."""
    row = bracket(world)
    world.fill(row, 10, 130_000)
    rows, named_stop = legs(world, row), {"leg_order_indicator": "sl"}
    for named, changes, leg, key, value in (
        (rows["SECOND"], {"price": 13.4}, "SECOND", "price", 13.4),
        (rows["SECOND"], {"square_off_value": 0.6}, "SECOND", "price", 13.6),
        (row, {"square_off_value": 0.8, "leg_order_indicator": "TARGET"}, "SECOND", "price", 13.8),
        (rows["THIRD"], {"stop_loss_value": 0.4}, "THIRD", "trigger_price", 12.6),
        (rows["THIRD"], {"trigger_price": 12.7}, "THIRD", "trigger_price", 12.7),
        (
            row,
            {"stop_loss_value": 0.2, **named_stop},
            "THIRD",
            "trigger_price",
            12.8,
        ),
    ):
        answer = modify(world, named, **changes)
        assert answer.status_code == 200, answer.text
        assert legs(world, row)[leg][key] == value, changes
    refused = modify(world, rows["SECOND"], price=12.8)
    assert refused.status_code == 400
    assert refused.json()["message"].startswith("`price` is invalid")


@pytest.mark.parametrize("leg", ["ENTRY", "SECOND", "THIRD"])
def test_a_row_sent_back_changes_nothing(world: World, leg: str) -> None:
    """The values of a row mean in a request what they mean in the row."""
    row = bracket(world)
    world.fill(row, 4, 130_000)
    names = ("price", "trigger_price", "stop_loss_value", "square_off_value", "quantity")
    mine = legs(world, row)[leg]
    before = world.state_hash()
    answer = modify(world, mine, **{name: mine[name] for name in names if mine[name]})
    assert answer.status_code == 200, answer.text
    assert world.state_hash() == before
