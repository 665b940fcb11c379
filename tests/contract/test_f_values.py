"""
F2, F5, F7: what a person means is read, where it can mean one thing; else the right value is told.
"""

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from tests.contract.local import local
from tests.unit.api.world import BEARER, KART, World, entry

Row = dict[str, Any]
ORDERS: Final = "/api/v1/orders"
NO_STOP: Final = dict.fromkeys(("stop_loss_value", "trailing_stop_loss", "is_trailing"))


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh world."""
    with local() as served:
        yield served


@pytest.fixture(scope="module")
def calm() -> Iterator[World]:
    """A world that the tests of this module do not change, but for new orders."""
    with local() as served:
        yield served


def regular(**changes: Any) -> Row:
    """Return a well-formed request for a regular order; None takes a field away."""
    return entry(**({"execution_type": "REGULAR"} | NO_STOP | changes))


def send(world: World, method: str, path: str, body: Row) -> Any:
    """Return the answer to a request."""
    return world.http.request(method, path, json=body, headers=BEARER)


# --- F2: the account is the token's -------------------------------------------------------------

GTT: Final = {
    "action_type": "single_order",
    "expiry_time": "2024-07-01",
    "order": regular(trigger_price=12.5),
}
WITH_CLIENT: Final = [
    ("POST", ORDERS, regular()),
    ("PUT", ORDERS, {"price": 12.9, "client_id": "DEMO1"}),
    ("POST", KART, entry()),
    ("PUT", KART, {"price": 12.9, "execution_type": "CO", "client_id": "DEMO1"}),
    ("POST", "/api/v1/event/gtt", GTT),
    ("PUT", "/api/v1/position/convert", regular(new_product="CNC", quantity=1)),
]


def addressed(world: World, method: str, path: str, body: Row) -> Row:
    """Return the body, with the id of a living order for a change of one."""
    if method == "PUT" and path in (ORDERS, KART):
        place = regular() if path == ORDERS else entry()
        assert send(world, "POST", path, place).status_code == 200
        return body | {"oms_order_id": world.rows()[-1]["oms_order_id"]}
    if path.endswith("convert"):
        assert send(world, "POST", ORDERS, regular()).status_code == 200
        world.fill(world.rows()[-1], 10, 130_000)
    return body


def without_client(body: Row) -> Row:
    """Return a request that names no account, in objects within it neither."""
    return {
        name: without_client(value) if isinstance(value, dict) else value
        for name, value in body.items()
        if name != "client_id"
    }


def other_client(body: Row) -> Row:
    """Return a request that names another account wherever it names one."""
    return {
        name: other_client(value) if isinstance(value, dict) else value
        for name, value in body.items()
    } | ({"client_id": "DEMO2"} if "client_id" in body else {})


@pytest.mark.parametrize(("method", "path", "body"), WITH_CLIENT)
def test_f2_the_account_is_the_tokens(world: World, method: str, path: str, body: Row) -> None:
    """Who names no account means the token's; who names another is refused, as ever."""
    body = addressed(world, method, path, body)
    refused = send(world, method, path, other_client(body))
    assert (refused.status_code, refused.json()["error_code"]) == (403, 40000)
    answer = send(world, method, path, without_client(body))
    assert answer.status_code == 200, answer.text


# --- F5: what a person means --------------------------------------------------------------------

MEANT: Final = [  # Field, what is sent, field of the row, what it says.
    ("order_type", "SL-M", {"price": 0, "trigger_price": 13.2}, "SLM"),
    ("order_type", "sl-m", {"price": 0, "trigger_price": 13.2}, "SLM"),
    ("order_type", "SL_M", {"price": 0, "trigger_price": 13.2}, "SLM"),
    ("order_type", "SL-L", {"price": 13.3, "trigger_price": 13.2}, "SL"),
    ("order_type", "limit", {}, "LIMIT"),
    ("order_type", " LIMIT ", {}, "LIMIT"),
    ("order_type", "MKT", {"price": 0}, "MARKET"),
    ("order_side", "buy", {}, "BUY"),
    ("order_side", "Buy", {}, "BUY"),
    ("order_side", "B", {}, "BUY"),
    ("exchange", "nse", {}, "NSE"),
    ("product", "mis", {}, "MIS"),
    ("product", "INTRADAY", {}, "MIS"),
    ("product", "delivery", {}, "CNC"),
    ("validity", "day", {}, "DAY"),
    ("instrument_token", 14366.0, {}, 14366),
    ("instrument_token", "14366.0", {}, 14366),
    ("quantity", "10", {}, 10),
    ("quantity", 10.0, {}, 10),
    ("quantity", " 10 ", {}, 10),
    ("quantity", 1e1, {}, 10),
    ("price", " 13 ", {}, 13),
    ("price", "13.00", {}, 13),
    ("user_order_id", 7001.0, {}, "7001"),
    ("device", 1, {}, "1"),
]


@pytest.mark.parametrize(("field", "value", "beside", "says"), MEANT)
def test_f5_what_is_meant_is_read(
    calm: World, field: str, value: Any, beside: Row, says: Any
) -> None:
    """Another spelling of a word, a number as text or with a point of zero: it is one thing."""
    body = regular(**(beside | {field: value}))
    answer = send(calm, "POST", ORDERS, body)
    assert answer.status_code == 200, answer.text
    assert calm.rows()[-1][field] == says


@pytest.mark.parametrize(
    "write", [lambda n: float(n), lambda n: f"{n}.0", int, str, "  {} ".format]
)
def test_f5_ids_as_tables_make_them(world: World, write: Any) -> None:
    """Ids that a column of numbers was made of still name the order: in PUT, DELETE and path."""
    row = world.place()
    named = {
        "oms_order_id": write(int(row["oms_order_id"])),
        "exchange_order_id": write(int(row["exchange_order_id"])),
        "last_activity_reference": write(row["last_activity_reference"]),
    }
    body = named | {"client_id": "DEMO1", "execution_type": "co", "price": 12.9}
    changed = send(world, "PUT", KART, body)
    assert changed.status_code == 200, changed.text
    leg = {"execution_type": "Co", "leg_order_indicator": "entry"}
    path = f"{KART}/{named['oms_order_id']}".replace(" ", "%20")
    gone = send(world, "DELETE", path, named | leg)
    assert gone.status_code == 200, gone.text
    history = world.http.get(
        f"/api/v1/order/{named['oms_order_id']}/history".replace(" ", "%20"), headers=BEARER
    )
    assert history.status_code == 200, history.text
    # A number of 19 digits that was a double is right within its precision.
    assert float(write(10**18)) == 10**18


@pytest.mark.parametrize("path", [ORDERS, KART])
def test_f5_a_form_is_a_body(world: World, path: str) -> None:
    """What ``requests.post(url, data=...)`` makes of a dict is read like JSON."""
    body = regular() if path == ORDERS else entry()
    form = urlencode(body)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    placed = world.http.post(path, content=form, headers=BEARER | kind)
    assert placed.status_code == 200, placed.text
    row = world.rows()[-1]
    change = {"oms_order_id": row["oms_order_id"], "price": "12.9", "client_id": "DEMO1"}
    change |= {"execution_type": row["execution_type"]}
    answer = world.http.put(path, content=urlencode(change), headers=BEARER | kind)
    assert answer.status_code == 200, answer.text
    assert world.row(row["oms_order_id"])["price"] == 12.9


def test_f5_a_form_may_hold_an_object(world: World) -> None:
    """An object within a form is JSON text, as form libraries write it."""
    form = GTT | {"order": json.dumps(GTT["order"])}
    answer = world.http.post("/api/v1/event/gtt", content=urlencode(form), headers=BEARER)
    assert answer.status_code == 200, answer.text


def test_f5_json_that_was_encoded_twice(world: World) -> None:
    """``requests.post(url, json=json.dumps(fields))`` holds the object as text."""
    answer = world.http.post(ORDERS, json=json.dumps(regular()), headers=BEARER)
    assert answer.status_code == 200, answer.text


UNREADABLE: Final = [  # Field, value, what to write instead.
    ("order_type", "STOP", "LIMIT, MARKET, SL or SLM"),
    ("order_side", "LONG", "BUY or SELL"),
    ("product", "MARGIN", "CNC, MIS, NRML or MTF"),
    ("exchange", "NSE_EQ", "NSE, BSE, NFO, BFO, MCX or CDS"),
    ("validity", "GTC", "DAY or IOC"),
    ("quantity", "ten", "a whole number"),
    ("quantity", 1.5, "a whole number"),
    ("quantity", "1,000", "a whole number"),
    ("quantity", -5, "0 or more"),
    ("price", "13,00", "a number of rupees"),
    ("price", -13, "0 or more"),
    ("price", 13.00001, "at most four decimals"),
    ("instrument_token", "IDEA-EQ", "a whole number"),
    ("user_order_id", "abc", "a whole number"),
    ("execution_type", "CNC", "REGULAR or AMO"),
    ("market_protection_percentage", 101, "0 to 100"),
    ("device", "x" * 65, "at most 64 characters"),
]


@pytest.mark.parametrize(("field", "value", "hint"), UNREADABLE)
def test_f5_what_cannot_be_read_is_told_how(calm: World, field: str, value: Any, hint: str) -> None:
    """What can mean nothing, or two things, is refused with what to write."""
    before = calm.state_hash()
    answer = send(calm, "POST", ORDERS, regular(**{field: value}))
    assert answer.status_code == 400
    message = answer.json()["message"]
    assert f"`{field}`" in message and hint in message, message
    assert calm.state_hash() == before


# --- F7: the right value ------------------------------------------------------------------------

SBIN: Final = {"instrument_token": 3045, "price": 740, "stop_loss_value": 735}
NIFTY: Final = {
    "exchange": "NFO",
    "instrument_token": 35001,
    "price": 26050,
    "stop_loss_value": 26000,
    "quantity": 65,
    "product": "NRML",
}
SL: Final = {"order_type": "SL", "trigger_price": 13.2, "price": 13.3}
BRACKET: Final = {"execution_type": "BO", "stop_loss_value": 0.5, "square_off_value": 0.5}
TOLD: Final = [  # Changes of a cover order's request, the field named, the right value.
    (SBIN | {"price": 740.02}, "price", "not a multiple of the tick 0.05"),
    ({"price": 99}, "price", "outside 10.40 to 15.60"),
    ({"price": 0}, "price", "above 0"),
    ({"order_type": "MARKET", "price": 13}, "price", "MARKET has no price: 0"),
    (SL | {"trigger_price": 0}, "trigger_price", "above 0"),
    (SL | {"trigger_price": 13.201}, "trigger_price", "not a multiple of the tick 0.01"),
    (SL | {"trigger_price": 99, "price": 15}, "trigger_price", "outside 10.40 to 15.60"),
    (SL | {"trigger_price": 12.9}, "trigger_price", "above the last price 13.00"),
    (SL | {"trigger_price": 13.5}, "trigger_price", "not above the price 13.30"),
    ({"trigger_price": 13.2}, "trigger_price", "LIMIT has no trigger: 0"),
    ({"stop_loss_value": 12.501}, "stop_loss_value", "not a multiple of the tick 0.01"),
    ({"stop_loss_value": 10}, "stop_loss_value", "outside 10.40 to 15.60"),
    ({"stop_loss_value": 13.5}, "stop_loss_value", "below 13.00"),
    ({"stop_loss_value": 0}, "stop_loss_value", "above 0"),
    (
        {"is_trailing": True, "trailing_stop_loss": 0.001},
        "trailing_stop_loss",
        "not a multiple of the tick 0.01",
    ),
    (NIFTY | {"quantity": 66}, "quantity", "not a multiple of the lot 65"),
    (NIFTY | {"quantity": 0}, "quantity", "at least 65"),
    ({"quantity": 10**8}, "quantity", "at most"),
    (NIFTY | BRACKET | {"quantity": 1820}, "quantity", "at most 1755"),
    ({"disclosed_quantity": 11}, "disclosed_quantity", "0 to 10"),
    (NIFTY | {"disclosed_quantity": 10}, "disclosed_quantity", "not a multiple of the lot 65"),
    ({"product": "MTF"}, "product", "CNC, MIS or NRML"),
    (NIFTY | {"product": "CNC"}, "product", "MIS or NRML"),
    (SL | {"validity": "IOC"}, "validity", "DAY"),
    (BRACKET | {"square_off_value": 0}, "square_off_value", "above 0"),
    (BRACKET | {"square_off_value": 5}, "square_off_value", "at most 2.60"),
    ({"square_off_value": 5}, "square_off_value", "a cover order has no target"),
    ({"instrument_token": 1}, "instrument_token", "no contract NSE:1"),
]


@pytest.mark.parametrize(("changes", "field", "value"), TOLD)
def test_f7_a_refusal_tells_the_right_value(
    calm: World, changes: Row, field: str, value: str
) -> None:
    """Who is told that a value is wrong is told which would be right."""
    answer = send(calm, "POST", KART, entry(**changes))
    assert answer.status_code == 400
    message = answer.json()["message"]
    assert f"`{field}`" in message and value in message, message


CHANGED: Final = [  # Changes of a living cover order of which 4 of 10 have filled.
    ({"quantity": 3}, "quantity", "4 have filled"),
    ({"exchange": "BSE"}, "exchange", "NSE"),
    ({"instrument_token": 11915}, "instrument_token", "14366"),
    ({"order_side": "SELL"}, "order_side", "BUY"),
    ({"product": "CNC"}, "product", "MIS"),
    ({"exchange_order_id": "1"}, "exchange_order_id", "1100000000000"),
    ({"last_activity_reference": 5}, "last_activity_reference", "read the row again"),
    ({"execution_type": "BO"}, "execution_type", "CO"),
    ({"leg_order_indicator": "SECOND"}, "leg_order_indicator", "ENTRY or THIRD"),
]


@pytest.mark.parametrize(("changes", "field", "value"), CHANGED)
def test_f7_a_refused_change_tells_what_is_so(
    world: World, changes: Row, field: str, value: str
) -> None:
    """What may not change, or not so far, is told with what it is."""
    row = world.place()
    world.fill(row, 4, 130_000)
    named = {"client_id": "DEMO1", "oms_order_id": row["oms_order_id"], "execution_type": "CO"}
    answer = send(world, "PUT", KART, named | changes)
    assert answer.status_code == 400
    message = answer.json()["message"]
    assert f"`{field}`" in message and value in message, message


def test_f7_what_is_free_and_what_is_needed_is_told(world: World) -> None:
    """A change for which the margin does not suffice tells both figures."""
    row = world.place(product="CNC")
    named = {"oms_order_id": row["oms_order_id"], "execution_type": "CO", "quantity": 10**6}
    answer = send(world, "PUT", KART, named)
    told = "(12001)-Margin unavailable: available 9999870.00, required 12999870.00"
    assert answer.json()["message"] == f"Error from backend: {told}"


def test_f7_a_row_that_says_rejected_tells_the_value(world: World) -> None:
    """An order that a rule or a basket places has no answer: its row tells the right value."""
    made = send(world, "POST", "/api/v1/basket", {"name": "b"}).json()
    basket_id = made["data"][0]["basket_id"]
    line = {"basket_id": basket_id, "order_info": regular(price=99)}
    assert send(world, "POST", "/api/v1/basket/order", line).status_code == 200
    run = {"client_id": "DEMO1", "execution_type": "NML", "basket_id": basket_id}
    assert send(world, "POST", KART, run).status_code == 200
    reason = world.rows()[-1]["rejection_reason"]
    assert reason == "Price must be in band: outside 10.40 to 15.60"
