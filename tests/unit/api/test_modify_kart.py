"""What a PUT on ``/orders/kart`` checks by whichever row's id, and what a stop of 0 means."""

from typing import Any

import pytest

from tests.unit.api.test_bad_input import check_envelope
from tests.unit.api.world import BEARER, KART, World, entry

BRACKET = {"execution_type": "BO", "stop_loss_value": 0.5, "square_off_value": 0.5}


def put(world: World, order_id: str, **fields: Any) -> Any:
    """Return the answer to a change."""
    body = {"client_id": "DEMO1", "oms_order_id": order_id} | fields
    return world.http.put(KART, json=body, headers=BEARER)


@pytest.mark.parametrize("kind", ["CO", "BO"])
def test_every_leg_checks_what_may_not_change(world: World, kind: str) -> None:
    """Exchange, instrument, product and account are the order's, by the id of any of its rows."""
    row = world.place(**(BRACKET if kind == "BO" else {}))
    world.fill(row, 4, 130_000)
    rows = world.rows()
    assert len(rows) == (3 if kind == "BO" else 2)
    before = world.state_hash()
    for leg in rows:
        for changes, field in (
            ({"exchange": "BSE"}, "exchange"),
            ({"exchange": "BSE", "instrument_token": 14366}, "exchange"),
            ({"instrument_token": "11915"}, "instrument_token"),
            ({"product": "CNC"}, "product"),
        ):
            answer = put(world, leg["oms_order_id"], execution_type=kind, **changes)
            check_envelope(answer, 400)
            told = answer.json()
            assert told["error_code"] == 44000
            assert told["message"].startswith(f"`{field}` is invalid: "), leg
    assert world.state_hash() == before


@pytest.mark.parametrize("addressed", [{}, {"leg_order_indicator": "Entry"}], ids=str)
@pytest.mark.parametrize("zero", [0, "0", 0.0])
def test_a_stop_of_nothing_leaves_the_stop(world: World, zero: object, addressed: Any) -> None:
    """Clients change the entry with a stop of 0, as printed: the stop stays where it is."""
    row = world.place()
    fields = {"execution_type": "CO", "price": 12.9, "stop_loss_value": zero} | addressed
    answer = put(world, row["oms_order_id"], **fields)
    assert answer.status_code == 200, answer.text
    changed = world.row(row["oms_order_id"])
    assert (changed["price"], changed["stop_loss_value"]) == (12.9, 12.5)


def test_a_stop_of_nothing_leaves_a_brackets_stop(world: World) -> None:
    """The same of a bracket; its target of 0 is refused, because nobody sends that."""
    row = world.place(**BRACKET)
    fields = {"execution_type": "BO", "price": 12.9, "stop_loss_value": 0}
    assert put(world, row["oms_order_id"], **fields).status_code == 200
    assert world.row(row["oms_order_id"])["stop_loss_value"] == 0.5
    refused = put(world, row["oms_order_id"], **fields, square_off_value=0)
    assert refused.json()["message"] == "`square_off_value` is invalid: above 0"


def test_a_stop_of_nothing_is_no_stop(world: World) -> None:
    """Who speaks of the stop itself, or places an order, must name a price."""
    placed = world.http.post(KART, json=entry(stop_loss_value=0), headers=BEARER)
    assert placed.json()["message"] == "`stop_loss_value` is invalid: above 0"
    row = world.place()
    world.fill(row, 4, 130_000)
    third = world.third(row)
    before = world.state_hash()
    for order_id, leg in ((third["oms_order_id"], None), (row["oms_order_id"], "THIRD")):
        fields = {"execution_type": "CO", "leg_order_indicator": leg, "stop_loss_value": 0}
        answer = put(world, order_id, **fields)
        assert answer.json()["message"] == "`stop_loss_value` is invalid: above 0"
    assert world.state_hash() == before
