"""
A5: a PUT is done, or refused with 400 naming the field; a row sent back as it was read is taken.

Generated over leg, field and value: each value is sent alone, and in the whole row as it was read.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from tests.contract.local import local
from tests.unit.api.world import BEARER, KART, World, entry

Row = dict[str, Any]
ORDERS: Final = "/api/v1/orders"
BRACKET: Final = {"execution_type": "BO", "stop_loss_value": 0.5, "square_off_value": 0.5}
REGULAR: Final = {
    "execution_type": "REGULAR",
    "stop_loss_value": None,
    "trailing_stop_loss": None,
    "is_trailing": None,
}

# What of a row a PUT may bring, and values to try: the row's own come on top.
VALUES: Final[dict[str, list[Any]]] = {
    "exchange": ["BSE"],
    "instrument_token": [11915, "11915"],
    "order_side": ["BUY", "SELL"],
    "product": ["CNC", "NRML"],
    "order_type": ["LIMIT", "MARKET", "SL", "SLM"],
    "price": [0, 12.8, 13.2, "13.4", 99999, 13.001],
    "quantity": [0, 1, 3, 4, 10, 12, "11", 1000, 10**9],
    "disclosed_quantity": [0, 2, 5, 10, 11],
    "filled_quantity": [0, 1, 4, 9],
    "remaining_quantity": [0, 1, 6, 900],
    "validity": ["DAY", "IOC"],
    "trigger_price": [0, 12.3, 12.7, "12.6", 13.3, 99999],
    "stop_loss_value": [0, 12.3, 12.7, "0.4", 99999],
    "square_off_value": [0.7, "0.6", 3, 99999],
    "trailing_stop_loss": [0, 0.05, "0.1", 0.001],
    "is_trailing": [True, False],
    "user_order_id": [0, 7001, "7002"],
    "market_protection_percentage": [0, 2.5],
}
SENT_BACK: Final = (*VALUES, "oms_order_id", "exchange_order_id", "execution_type")

# What clients send as a word for nothing (docs/wire/README.md, "Modifying").
CHECKS: Final = ("filled_quantity", "remaining_quantity")
NOTHING: Final = {
    *((leg, field) for leg in ("ENTRY", "SECOND", "THIRD") for field in CHECKS),
    ("ENTRY", "stop_loss_value"),
}
NAMED: Final = {  # A refusal may name what the value wants beside it.
    "order_type": {"order_type", "price", "trigger_price"},
    "is_trailing": {"is_trailing", "trailing_stop_loss"},
}


@dataclass(frozen=True)
class Case:
    """A leg in a state in which it can be changed."""

    place: Row
    leg: str
    fill: int

    @property
    def path(self) -> str:
        """Where it is changed."""
        return ORDERS if self.place.get("execution_type") == "REGULAR" else KART

    def make(self, world: World) -> Row:
        """Place and fill; return the row."""
        known = {row["oms_order_id"] for row in world.rows()}
        answer = world.http.post(self.path, json=entry(**self.place), headers=BEARER)
        assert answer.status_code == 200, answer.text
        rows = [row for row in world.rows() if row["oms_order_id"] not in known]
        if self.fill:
            world.fill(rows[0], self.fill, 130_000)
            rows = [row for row in world.rows() if row["oms_order_id"] not in known]
        return next(row for row in rows if (row["leg_order_indicator"] or "ENTRY") == self.leg)


CASES: Final = {
    "regular": Case(REGULAR, "ENTRY", 0),
    "regular in part": Case(REGULAR, "ENTRY", 4),
    "cover entry": Case({}, "ENTRY", 0),
    "cover entry in part": Case({}, "ENTRY", 4),
    "cover stop": Case({}, "THIRD", 4),
    "trailing stop": Case({"is_trailing": True}, "THIRD", 4),
    "short cover stop": Case({"order_side": "SELL", "stop_loss_value": 13.5}, "THIRD", 4),
    "bracket entry": Case(BRACKET, "ENTRY", 0),
    "bracket target": Case(BRACKET, "SECOND", 4),
    "bracket stop": Case(BRACKET, "THIRD", 4),
}


every_leg = pytest.mark.parametrize("name", CASES, ids=lambda name: name.replace(" ", "-"))


def put(world: World, case: Case, row: Row, **fields: Any) -> httpx.Response:
    """Return the answer to a change of a row that names the row and these fields."""
    body = {
        "client_id": "DEMO1",
        "oms_order_id": row["oms_order_id"],
        "execution_type": row["execution_type"],
    }
    return world.http.put(case.path, json=body | fields, headers=BEARER)


def sent_back(row: Row) -> Row:
    """Return the row with what a PUT may bring, as a client that read it sends it."""
    return {name: row[name] for name in SENT_BACK}


def same(one: Any, other: Any) -> bool:
    """Return whether two values say the same, a number as text included."""
    try:
        return float(one) == float(other)
    except (TypeError, ValueError):
        return bool(one == other)


def says_nothing(case: Case, field: str, value: Any, body: Row, before: Row) -> bool:
    """Return whether a change asks for what is so, or says what documents give for nothing."""
    if same(value, before[field]) or (value == 0 and (case.leg, field) in NOTHING):
        return True
    if field == "user_order_id":  # Of the request: clients send another with each.
        return True
    if field == "remaining_quantity":
        return same(value, before["quantity"])  # Of the total that is asked for.
    if field == "square_off_value":
        return before["execution_type"] == "CO" and value in (0, 1)
    if field == "trailing_stop_loss":  # Sent in every change by clients that mean nothing by it.
        return body.get("is_trailing", value != 0) is False
    return False


def is_done(case: Case, field: str, value: Any, body: Row, before: Row, after: Row | None) -> bool:
    """Return whether the row, None when it left the open book, shows that it was done."""
    if says_nothing(case, field, value, body, before):
        return after == before
    if field == "order_type" and value == "MARKET" and case.leg != "ENTRY":
        return after is None or after["order_type"] == "LIMIT"  # It gets out.
    if field == "quantity" and case.leg == "ENTRY" and same(value, before["filled_quantity"]):
        return after is None  # The rest is cancelled.
    return after is not None and same(value, after[field])


def shown(world: World, row: Row) -> Row | None:
    """Return the row as it is now, None once it is over."""
    now = world.row(row["oms_order_id"])
    over = now["order_status"] in ("COMPLETE", "CANCEL_CONFIRMED", "REJECTED")
    return None if over else now


def names(answer: httpx.Response, field: str) -> bool:
    """Return whether a refusal names the field, or what its value wants beside it."""
    message = answer.json()["message"]
    return any(f"`{name}`" in message for name in NAMED.get(field, {field}))


def trouble(case: Case, field: str, whole: bool) -> Iterator[str]:
    """Yield what is wrong with the answers to changes of a field to each of its values."""
    with ExitStack() as worlds:
        world = row = None
        for value in VALUES[field]:
            if world is None or row is None:
                world = worlds.enter_context(local())
                row = case.make(world)
            before = world.state_hash()
            body = (sent_back(row) if whole else {}) | {field: value}
            answer = put(world, case, row, **body)
            if answer.status_code == 200:
                after = shown(world, row)
                if not is_done(case, field, value, body, row, after):
                    yield f"{field}={value!r}: accepted, and the row has {after and after[field]!r}"
                row = row if after == row else None
            elif answer.status_code != 400 or not names(answer, field):
                yield f"{field}={value!r}: {answer.status_code} {answer.text}"
            elif world.state_hash() != before:
                yield f"{field}={value!r}: refused, and something changed"


@pytest.mark.parametrize("whole", [False, True], ids=["alone", "whole-row"])
@every_leg
def test_a5_a_change_is_done_or_refused(name: str, whole: bool) -> None:
    """Each value of each field is done, or 400 names the field and nothing has changed."""
    found = [line for field in VALUES for line in trouble(CASES[name], field, whole)]
    assert not found, "\n".join(found)


@every_leg
def test_a5_a_row_as_it_was_read_is_taken(name: str) -> None:
    """Clients send the whole row back: nothing in it is another value, so nothing changes."""
    case = CASES[name]
    with local() as world:
        row = case.make(world)
        reference = str(row["last_activity_reference"])
        for extra in ({}, {"last_activity_reference": reference}, row):
            answer = put(world, case, row, **(sent_back(row) | extra))
            assert answer.status_code == 200, answer.text
            assert world.row(row["oms_order_id"]) == row


@every_leg
def test_a5_a_type_without_a_price_drops_the_rows(name: str) -> None:
    """A whole row sent back with MARKET alone is MARKET: its old price asks for nothing."""
    case = CASES[name]
    with local() as world:
        row = case.make(world)
        answer = put(world, case, row, **(sent_back(row) | {"order_type": "MARKET"}))
        assert answer.status_code == 200, answer.text
        if case.leg == "ENTRY":
            assert world.row(row["oms_order_id"])["order_type"] == "MARKET"
        else:
            assert answer.headers["x-order-state"] in ("EXITING", "EXITED")


@pytest.mark.parametrize(
    ("name", "value"), [("prod_type", "CNC"), ("disclosed_qty", 2), ("token", 11915)]
)
def test_a5_a_rules_row_is_sent_back_by_its_own_names(name: str, value: Any) -> None:
    """A GTT row calls three fields otherwise than a request: a change of them is no less one."""
    path = "/api/v1/event/gtt"
    order = entry(**REGULAR, trigger_price=12.5)
    fields = {"action_type": "single_order", "expiry_time": "2024-07-01", "order": order}
    with local() as world:
        assert world.http.post(path, json=fields, headers=BEARER).status_code == 200
        [row] = world.http.get(path, headers=BEARER).json()["data"]
        whole = {"id": row["id"], "order": row["order"] | {name: value}}
        answer = world.http.put(path, json=whole, headers=BEARER)
        [after] = world.http.get(path, headers=BEARER).json()["data"]
        if name == "token":
            assert answer.status_code == 400 and "`instrument_token`" in answer.text
            assert after == row
        else:
            assert answer.status_code == 200, answer.text
            assert after["order"][name] == value
