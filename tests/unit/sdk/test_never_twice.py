"""
Whatever a server answers, no change is asked for twice unless the first was surely refused.

The plans are driven here without any socket: Hypothesis makes up every answer and every failure,
in any order, and the requests are watched.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.sdk import NotSent, PocketError
from kavach.sdk.baskets import (
    add_to_basket,
    create_basket,
    delete_basket,
    edit_basket_order,
    execute_basket,
    remove_from_basket,
)
from kavach.sdk.gtt import cancel_gtt, create_gtt, modify_gtt
from kavach.sdk.orders.bracket import (
    exit_bracket_order,
    modify_bracket_order,
    move_bracket_target,
    place_bracket_order,
)
from kavach.sdk.orders.cancelling import cancel_cover_order, exit_cover_order
from kavach.sdk.orders.modifying import modify_cover_order
from kavach.sdk.orders.placing import place_cover_order
from kavach.sdk.orders.regular import cancel_order, modify_order, place_order
from kavach.sdk.portfolio import convert_position
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.plan import Done, Pause, Plan, Reply, Request, Response, advance, lost
from kavach.wire.orders import answers
from kavach.wire.orders.rows import OrderRow
from tests.unit.sdk.stage import entry_row, stop_row
from tests.unit.sdk.test_placing import ORDER

STATUSES = ["PENDING", "CONFIRMED", "PARTIAL_TRADE", "COMPLETE", "CANCEL_CONFIRMED", "REJECTED"]
STEPS_MAX = 400
PLAIN: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "product": "CNC",
    "price": "15.40",
}
BRACKET: dict[str, Any] = PLAIN | {"target_distance": "0.5", "stop_distance": "0.3"}
CONVERSION: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "product": "MIS",
    "new_product": "CNC",
}

PLANS: list[Callable[[Account], Plan[Any]]] = [
    lambda account: place_cover_order(account, **ORDER),
    lambda account: place_cover_order(account, **ORDER, user_order_id=7001, idempotency_key="k"),
    lambda account: modify_cover_order(account, "2024061317", price="15.2", stop_loss="15.1"),
    lambda account: modify_cover_order(account, "2024061318", stop_loss="15.2"),
    lambda account: cancel_cover_order(account, "2024061317"),
    lambda account: exit_cover_order(account, "2024061317"),
    lambda account: exit_cover_order(account, "2024061318"),
    lambda account: place_bracket_order(account, **BRACKET),
    lambda account: modify_bracket_order(account, "2024061317", price="15.2", stop_distance="0.4"),
    lambda account: move_bracket_target(account, "2024061317", "15.9"),
    lambda account: exit_bracket_order(account, "2024061317"),
    lambda account: place_order(account, **PLAIN),
    lambda account: modify_order(account, "2024061317", price="15.2"),
    lambda account: cancel_order(account, "2024061317"),
    lambda account: create_gtt(account, **PLAIN, trigger_price="15.3", expiry="2026-12-31"),
    lambda account: modify_gtt(account, "r1", quantity=20),
    lambda account: cancel_gtt(account, "r1"),
    lambda account: create_basket(account, "One"),
    lambda account: add_to_basket(account, "b1", **PLAIN),
    lambda account: edit_basket_order(account, "b1", "o1", quantity=20),
    lambda account: remove_from_basket(account, "b1", "o1"),
    lambda account: execute_basket(account, "b1"),
    lambda account: delete_basket(account, "b1"),
    lambda account: convert_position(account, **CONVERSION),
]


def target_row(**fields: Any) -> OrderRow:
    """Return the row of a target that waits at the exchange."""
    return stop_row(oms_order_id="2024061319", leg_order_indicator="SECOND", **fields)


rows = st.lists(
    st.builds(
        lambda leg, kind, status, filled, exchange_id: leg(
            execution_type=kind,
            order_status=status,
            filled_quantity=filled,
            exchange_order_id=exchange_id,
        ),
        st.sampled_from([entry_row, stop_row, target_row]),
        st.sampled_from(["CO", "BO", "REGULAR"]),
        st.sampled_from(STATUSES),
        st.integers(0, 10),
        st.sampled_from(["", "11", "12"]),
    ),
    max_size=3,
    unique_by=lambda row: row.oms_order_id,
)
garbage = st.sampled_from([b"", b"<html>", b"[]", b"{}", b'{"status":"success"}'])
success = st.builds(
    lambda state: ({"x-order-state": state}, msgspec.json.encode(answers.cancelled("2024"))),
    st.sampled_from(["", "UNKNOWN", "CANCELLED"]),
)
no = st.builds(
    lambda code: {"data": {}, "error_code": code, "message": "no", "status": "error"},
    st.sampled_from([40000, 44000, 45000, 45010]),
)


rules = st.lists(
    st.builds(
        lambda status, quantity: {
            "id": "r1",
            "status": status,
            "action_type": "single_order",
            "expiry_time": "2026-12-31",
            "order": {"quantity": quantity, "token": 14366, "trigger_price": 15.3},
        },
        st.sampled_from(["Active", "Triggered", "Cancelled"]),
        st.sampled_from([10, 20]),
    ),
    max_size=1,
)
baskets = st.lists(
    st.builds(
        lambda name, executed, quantity: {
            "basket_id": "b1",
            "name": name,
            "is_executed": executed,
            "orders": [{"order_id": "o1", "order_info": {"quantity": quantity}}],
        },
        st.sampled_from(["One", "Two"]),
        st.booleans(),
        st.sampled_from([10, 20]),
    ),
    max_size=1,
)


def read(request: Request, data: st.DataObject) -> Response:
    """Return what the server shows of what a client asks to see."""
    if request.path == "/api/v1/orders":
        return book(data.draw(rows))
    lists = {"/api/v1/event/gtt": rules, "/api/v1/basket": baskets}
    found = data.draw(lists[request.path]) if request.path in lists else []
    return Response(200, {}, msgspec.json.encode({"data": found, "status": "success"}))


def book(found: list[Any]) -> Response:
    """Return an order book with these rows."""
    return Response(200, {}, msgspec.json.encode(answers.Success(answers.Orders(found))))


def reply_to(request: Request, data: st.DataObject) -> tuple[Reply, bool]:
    """Return what becomes of a request, and whether it surely changed nothing."""
    fate = data.draw(st.sampled_from(["answer", "answer", "answer", "no", "lost", "unsent", "??"]))
    if fate == "unsent":
        return NotSent("nothing was sent"), True
    if fate == "lost":
        return lost(request, "no answer"), False
    if fate == "??":
        status = data.draw(st.sampled_from([200, 302, 500, 503]))
        return Response(status, {}, data.draw(garbage)), False
    if fate == "no":
        status = data.draw(st.sampled_from([200, 400, 401, 404, 429, 503]))
        return Response(status, {}, msgspec.json.encode(data.draw(no))), status < 500
    if request.method == "GET":
        return read(request, data), True
    headers, body = data.draw(success)
    return Response(200, headers, body), False


@pytest.mark.parametrize("plan", PLANS, ids=range(len(PLANS)))
@given(data=st.data())
def test_a_change_is_never_asked_for_twice(
    plan: Callable[[Account], Plan[Any]], data: st.DataObject
) -> None:
    """A second change request follows only a first that was refused or never sent; plans end."""
    running = plan(Account("AB001", confirm_seconds=0.2))
    may_have_changed = False
    reply: Reply = None
    pauses = data.draw(st.integers(0, 12))
    for _ in range(STEPS_MAX):
        try:
            step = advance(running, reply)
        except PocketError:
            return
        if isinstance(step, Done):
            return
        reply = None
        if not isinstance(step, Request):
            reply = pauses > 0  # Then the time is over.
            pauses -= isinstance(step, Pause)
            continue
        if step.attempt is not None:
            assert not may_have_changed, "a change was asked for again"
        reply, surely_nothing = reply_to(step, data)
        if step.attempt is not None and not surely_nothing:
            may_have_changed = True
    raise AssertionError("the plan does not end")
