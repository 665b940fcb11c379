"""
Bad input: whatever is sent, the answer is envelope A, names the field, and nothing has changed.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.unit.api.world import BEARER, KART, World, cancel_body, entry, running

# Written as JSON, because some of them can be written no other way.
NO_NUMBER = [
    *["true", "false", "[]", "[1]", "{}", '{"a":1}', '"abc"', '"NaN"', '"1e400"', '"1_0"'],
    *["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 30, "-1", '"-1"', "-0.5", "9" * 5000],
]
NO_WORD = ["true", "1", "1.5", "[]", "{}", '"FOO"', '"\\u0000"', "NaN", '"' + "x" * 9000 + '"']
NO_TEXT = ["true", "1.5", "[]", "{}", '"\\u0000"', "NaN", '"' + "x" * 9000 + '"']
BLANK = ["null", '""', '"  "', None]  # None: the field is missing.

PLACE_NUMBERS = ["price", "quantity", "stop_loss_value", "instrument_token"]
PLACE_WORDS = ["exchange", "order_type", "product", "order_side", "validity", "execution_type"]
OPTIONAL_NUMBERS = [
    *["disclosed_quantity", "trigger_price", "trailing_stop_loss", "user_order_id"],
    "square_off_value",
]
MODIFY_NUMBERS = [
    *["price", "quantity", "disclosed_quantity", "trigger_price", "stop_loss_value"],
    *["trailing_stop_loss", "last_activity_reference", "filled_quantity", "remaining_quantity"],
    "instrument_token",
]
MODIFY_WORDS = ["exchange", "order_type", "product", "order_side", "validity", "execution_type"]

CODES = {  # Everything else is 44000.
    "price": 45000,
    "quantity": 45000,
    "oms_order_id": 45000,
    "exchange_order_id": 45000,
    "last_activity_reference": 45000,
    "instrument_token": 45010,
}


@pytest.fixture(scope="module")
def calm() -> Iterator[World]:
    """A world with one open cover order, which no test of this module may change."""
    with running() as served:
        served.place()
        yield served


def written(fields: dict[str, Any], field: str, value: str | None) -> bytes:
    """Return the fields as JSON, one of them replaced by this text or left out."""
    rest = {name: given for name, given in fields.items() if name != field}
    text = json.dumps(rest)
    return (text if value is None else f'{text[:-1]},"{field}":{value}}}').encode()


def refused(world: World, method: str, path: str, body: bytes) -> dict[str, Any]:
    """Send it; check that it is refused as it should be; return envelope A."""
    before = world.state_hash()
    answer = world.http.request(method, path, content=body, headers=BEARER)
    check_envelope(answer, 400)
    assert world.state_hash() == before, "a refused request changed something"
    envelope: dict[str, Any] = answer.json()
    return envelope


def check_envelope(answer: httpx.Response, status: int) -> None:
    """Check that an answer is envelope A under this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.headers["x-error-reason"]
    envelope = answer.json()
    assert list(envelope) == ["data", "error_code", "message", "status"]
    assert envelope["data"] == {}
    assert envelope["status"] == "error"
    assert isinstance(envelope["error_code"], int)


PLACE_INVALID = [
    *[(field, value) for field in PLACE_NUMBERS + OPTIONAL_NUMBERS for value in NO_NUMBER],
    *[(field, value) for field in PLACE_WORDS for value in NO_WORD],
    *[(field, value) for field in ("device", "client_id") for value in NO_TEXT],
    *[("is_trailing", value) for value in ("2", '"yes"', "[]", "{}", "NaN")],
    *[(field, "0") for field in ("price", "quantity", "stop_loss_value")],
    *[(field, "1.5") for field in ("quantity", "instrument_token", "user_order_id")],
    *[(field, "13.001") for field in ("price", "stop_loss_value")],  # Off tick.
    *[("execution_type", value) for value in ('"SPD"', '"REGULAR"')],
    ("square_off_value", "5"),
    ("instrument_token", "99999999"),
    ("stop_loss_value", "13.5"),  # Above the price of a BUY.
]


def short(value: object) -> str:
    """Return a name for a parameter that fits on a line."""
    return repr(value)[:24]


@pytest.mark.parametrize(("field", "value"), PLACE_INVALID, ids=short)
def test_place_refuses_what_is_invalid(calm: World, field: str, value: str) -> None:
    """The text is "`field` is invalid" with the code that the vendor gives for the field."""
    envelope = refused(calm, "POST", KART, written(entry(), field, value))
    assert f"`{field}` is invalid" in envelope["message"]
    constant = value in ("NaN", "Infinity", "-Infinity")
    assert envelope["error_code"] == CODES.get(field, 44000), (field, constant)


@pytest.mark.parametrize("value", BLANK, ids=short)
@pytest.mark.parametrize("field", [*PLACE_NUMBERS, *PLACE_WORDS])
def test_place_refuses_what_is_blank(calm: World, field: str, value: str | None) -> None:
    """Missing, null and empty are "`field` can't be blank", always 44000."""
    envelope = refused(calm, "POST", KART, written(entry(), field, value))
    assert envelope["message"] == f"`{field}` can't be blank"
    assert envelope["error_code"] == 44000


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"price": 20, "stop_loss_value": 12.5}, "price", 44000),  # Above the day's range.
        ({"price": 1, "stop_loss_value": 0.5}, "price", 44000),
        ({"order_side": "SELL"}, "stop_loss_value", 44000),  # The stop is on the wrong side.
        ({"stop_loss_value": 13}, "stop_loss_value", 44000),
        ({"is_trailing": True, "trailing_stop_loss": 0.001}, "trailing_stop_loss", 44000),
        ({"quantity": 10**9}, "quantity", 45000),
        ({"disclosed_quantity": 11}, "disclosed_quantity", 44000),
        ({"product": "MTF"}, "product", 44000),
        ({"order_type": "MARKET"}, "price", 45000),  # With a price.
        ({"trigger_price": 13}, "trigger_price", 44000),  # Of a LIMIT order.
    ],
)
def test_place_refuses_what_the_rules_forbid(
    calm: World, changes: dict[str, Any], field: str, code: int
) -> None:
    """A value that can be read but not traded is named like any other."""
    envelope = refused(calm, "POST", KART, json.dumps(entry(**changes)).encode())
    assert f"`{field}` is invalid" in envelope["message"]
    assert envelope["error_code"] == code


def test_trailing_without_a_step_is_blank(calm: World) -> None:
    """Who switches trailing on must say by how much."""
    body = json.dumps(entry(is_trailing=True, trailing_stop_loss="")).encode()
    envelope = refused(calm, "POST", KART, body)
    assert envelope["message"] == "`trailing_stop_loss` can't be blank"


NOT_JSON = [b"", b"null", b"[]", b"{", b"\xff", b"<html>", b"[" * 60_000, b'{"a":1}x', b"'a'"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("body", NOT_JSON, ids=short)
def test_json_that_is_not_json(calm: World, method: str, body: bytes) -> None:
    """Not even the right kind of thing: one text for all."""
    envelope = refused(calm, method, KART, body)
    assert envelope["message"] == "`body` is invalid: it must be a JSON object"
    assert envelope["error_code"] == 44000


def modify_fields(world: World) -> dict[str, Any]:
    """Return a well-formed modify of the one order there is."""
    row = world.rows("pending")[0]
    return {
        "client_id": "DEMO1",
        "oms_order_id": row["oms_order_id"],
        "exchange_order_id": row["exchange_order_id"],
        "execution_type": "CO",
        "exchange": "NSE",
        "instrument_token": 14366,
        "order_type": "LIMIT",
        "price": 12.9,
        "quantity": 10,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "MIS",
        "stop_loss_value": 12.4,
        "trailing_stop_loss": 0,
        "filled_quantity": 0,
        "remaining_quantity": 10,
        "last_activity_reference": row["last_activity_reference"],
    }


MODIFY_INVALID = [
    *[(field, value) for field in MODIFY_NUMBERS for value in NO_NUMBER],
    *[(field, value) for field in MODIFY_WORDS for value in NO_WORD],
    *[(field, "0") for field in ("price", "quantity")],  # Of a stop, 0 says nothing.
    *[("leg_order_indicator", value) for value in ('"SECOND"', "1", "[]", "true")],
    *[(field, value) for field in ("oms_order_id", "exchange_order_id") for value in NO_TEXT],
    ("exchange_order_id", '"1100000000999999"'),
    ("exchange", '"BSE"'),
    ("order_side", '"SELL"'),
    ("product", '"CNC"'),
    ("last_activity_reference", "1402737000123450000"),
    ("square_off_value", "5"),
]


@pytest.mark.parametrize(("field", "value"), MODIFY_INVALID, ids=short)
def test_modify_refuses_what_is_invalid(calm: World, field: str, value: str) -> None:
    """The same rules for every field of a modify."""
    envelope = refused(calm, "PUT", KART, written(modify_fields(calm), field, value))
    assert f"`{field}` is invalid" in envelope["message"]
    assert envelope["error_code"] == CODES.get(field, 44000)


def test_modify_may_not_change_the_instrument(calm: World) -> None:
    """Another token is named with 44000, because it exists; it is only not the order's."""
    body = written(modify_fields(calm), "instrument_token", "11915")
    envelope = refused(calm, "PUT", KART, body)
    assert "`instrument_token` is invalid" in envelope["message"]
    assert envelope["error_code"] == 44000


@pytest.mark.parametrize("field", ["oms_order_id", "execution_type"])
@pytest.mark.parametrize("value", BLANK, ids=short)
def test_modify_needs_to_know_whom_it_means(calm: World, field: str, value: str | None) -> None:
    """Order and kind must be there; the account is the token's."""
    envelope = refused(calm, "PUT", KART, written(modify_fields(calm), field, value))
    assert envelope["message"] == f"`{field}` can't be blank"


CANCEL_INVALID = [
    *[("leg_order_indicator", value) for value in ("null", '""', '"SECOND"', "true", "3", "[]")],
    ("leg_order_indicator", None),
    *[("exchange_order_id", value) for value in ("true", "1.5", "[]", "{}", '"1"', "NaN")],
    *[("oms_order_id", value) for value in ("true", "1.5", "[]", "{}", '"202406139"', "NaN")],
    *[("execution_type", value) for value in ('"BO"', '"SPD"', '"x"', "1", "true")],
    *[("client_id", value) for value in ("true", "1.5", "[]")],
]


@pytest.mark.parametrize(("field", "value"), CANCEL_INVALID, ids=short)
def test_cancel_refuses_what_is_invalid(calm: World, field: str, value: str | None) -> None:
    """The same rules for every parameter of a cancel."""
    row = calm.rows("pending")[0]
    path = f"{KART}/{row['oms_order_id']}"
    envelope = refused(calm, "DELETE", path, written(cancel_body(row), field, value))
    assert f"`{field}` is invalid" in envelope["message"]
    assert envelope["error_code"] == CODES.get(field, 44000)


@pytest.mark.parametrize("value", BLANK, ids=short)
def test_cancel_says_the_documented_words(calm: World, value: str | None) -> None:
    """The one error that the vendor's page shows, to the letter."""
    row = calm.rows("pending")[0]
    body = written(cancel_body(row), "exchange_order_id", value)
    envelope = refused(calm, "DELETE", f"{KART}/{row['oms_order_id']}", body)
    assert envelope == {
        "data": {},
        "error_code": 44000,
        "message": "`exchange_order_id` can't be blank",
        "status": "error",
    }


@pytest.mark.parametrize("path", ["/api/v1/orders", "/api/v1/positions"])
@pytest.mark.parametrize("query", ["", "?type=", "?type=x", "?type=PEND", "?type=pending&type=x"])
def test_a_bad_type_is_named(calm: World, path: str, query: str) -> None:
    """The books are asked for by their words, which a refusal tells."""
    envelope = refused(calm, "GET", path + query, b"")
    expected = "can't be blank" if query in ("", "?type=") else "is invalid"
    assert envelope["message"].startswith(f"`type` {expected}")
    assert envelope["error_code"] == 44000
