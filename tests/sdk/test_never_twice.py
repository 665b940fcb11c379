"""
Whatever a server answers, no change is asked for twice unless the first was surely refused.

The plans are driven here without any socket: Hypothesis makes up every answer and every failure,
in any order, and the requests are watched.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kavach.sdk import NotSent, PocketError
from kavach.sdk.account import Account
from kavach.sdk.cancelling import cancel_cover_order, exit_cover_order
from kavach.sdk.modifying import modify_cover_order
from kavach.sdk.placing import place_cover_order
from kavach.sdk.plan import Done, Pause, Plan, Reply, Request, Response, advance, lost
from kavach.wire import answers
from tests.sdk.stage import entry_row, stop_row
from tests.sdk.test_placing import ORDER

STATUSES = ["PENDING", "CONFIRMED", "PARTIAL_TRADE", "COMPLETE", "CANCEL_CONFIRMED", "REJECTED"]
STEPS_MAX = 400

PLANS: list[Callable[[Account], Plan[Any]]] = [
    lambda account: place_cover_order(account, **ORDER),
    lambda account: place_cover_order(account, **ORDER, user_order_id=7001, idempotency_key="k"),
    lambda account: modify_cover_order(account, "2024061317", price="15.2", stop_loss="15.1"),
    lambda account: modify_cover_order(account, "2024061318", stop_loss="15.2"),
    lambda account: cancel_cover_order(account, "2024061317"),
    lambda account: exit_cover_order(account, "2024061317"),
    lambda account: exit_cover_order(account, "2024061318"),
]

rows = st.lists(
    st.builds(
        lambda leg, status, filled, exchange_id: leg(
            order_status=status, filled_quantity=filled, exchange_order_id=exchange_id
        ),
        st.sampled_from([entry_row, stop_row]),
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
        return book(data.draw(rows)), True
    headers, body = data.draw(success)
    return Response(200, headers, body), False


@given(plan=st.sampled_from(PLANS), data=st.data())
def test_a_change_is_never_asked_for_twice(
    plan: Callable[[Account], Plan[Any]], data: st.DataObject
) -> None:
    """A second change request follows only a first that was refused or never sent; plans end."""
    running = plan(Account("AB001", confirm_seconds=0.2))
    may_have_changed = False
    reply: Reply = None
    for _ in range(STEPS_MAX):
        try:
            step = advance(running, reply)
        except PocketError:
            return
        if isinstance(step, Done):
            return
        reply = None
        if isinstance(step, Pause):
            continue
        if step.attempt is not None:
            assert not may_have_changed, "a change was asked for again"
        reply, surely_nothing = reply_to(step, data)
        if step.attempt is not None and not surely_nothing:
            may_have_changed = True
    raise AssertionError("the plan does not end")
