"""Whose order it is: unknown and foreign ids get the same answer, and ids must agree."""

import pytest

from tests.unit.api.test_bad_input import check_envelope
from tests.unit.api.world import BEARER, KART, OTHER, World, cancel_body

ODD_IDS = ["0", "1", "abc", "-1", "9" * 40, "20240613", "a%2Fb", "%00", "x%20y%3Fz", "٣"]


def test_a_foreign_id_is_an_unknown_id(world: World) -> None:
    """To DEMO2, an order of DEMO1 and no order at all are one: status, body and headers."""
    row = world.place()
    before = world.state_hash()
    foreign = row["oms_order_id"]
    unknown = str(int(foreign) + 1000)
    body = {name: value for name, value in cancel_body(row).items() if name != "client_id"}

    def ask(order_id: str) -> list[tuple[object, ...]]:
        answers = [
            world.http.request(
                "DELETE",
                f"{KART}/{order_id}",
                json=body | {"oms_order_id": order_id},
                headers=OTHER,
            ),
            world.http.put(
                KART,
                json={
                    "client_id": "DEMO2",
                    "oms_order_id": order_id,
                    "execution_type": "CO",
                    "exchange": "NSE",
                    "price": 12.9,
                },
                headers=OTHER,
            ),
            world.http.get(f"/api/v1/order/{order_id}/history", headers=OTHER),
        ]
        for answer in answers:
            check_envelope(answer, 404)
        return [(a.status_code, a.content, a.headers["x-error-reason"]) for a in answers]

    assert ask(foreign) == ask(unknown)
    assert world.state_hash() == before
    assert ask(foreign)[0][2] == "ORDER_NOT_FOUND"


@pytest.mark.parametrize("order_id", ODD_IDS)
def test_odd_ids_are_unknown(calm: World, order_id: str) -> None:
    """An id of a form that we never give out is nobody's, not an accident."""
    body = {"exchange_order_id": "1", "leg_order_indicator": "ENTRY"}
    answer = calm.http.request("DELETE", f"{KART}/{order_id}", json=body, headers=BEARER)
    check_envelope(answer, 404)
    assert answer.json()["error_code"] == 45000
    assert answer.json()["message"] == "`oms_order_id` is invalid"


def test_path_and_payload_must_agree(world: World) -> None:
    """Two ids are no id, even if both are the client's own."""
    first, second = world.place(), world.place(user_order_id=2)
    before = world.state_hash()
    answer = world.cancel(first, oms_order_id=second["oms_order_id"])
    check_envelope(answer, 400)
    assert answer.json()["error_code"] == 45000
    assert world.state_hash() == before


def test_the_exchange_id_must_be_the_legs(world: World) -> None:
    """An id of another order is refused with 45000."""
    first, second = world.place(), world.place(user_order_id=2)
    answer = world.cancel(first, exchange_order_id=second["exchange_order_id"])
    check_envelope(answer, 400)
    assert answer.json()["error_code"] == 45000
    assert answer.json()["message"].startswith("`exchange_order_id` is invalid: 1100")


def test_the_id_may_travel_in_the_parameters_alone(world: World) -> None:
    """A cancel without an id in the path finds it in the body."""
    row = world.place()
    answer = world.http.request("DELETE", KART, json=cancel_body(row), headers=BEARER)
    assert answer.status_code == 200, answer.text
    assert world.row(row["oms_order_id"])["order_status"] == "CANCEL_CONFIRMED"


def test_no_id_anywhere_is_blank(calm: World) -> None:
    """A cancel that names no order is told so."""
    body = {"exchange_order_id": "1", "leg_order_indicator": "ENTRY"}
    answer = calm.http.request("DELETE", KART, json=body, headers=BEARER)
    check_envelope(answer, 400)
    assert answer.json()["message"] == "`oms_order_id` can't be blank"
