"""
When no answer comes, the client says that it does not know, and never asks again by itself.
"""

import time
from typing import Any

import pytest

from kavach.sdk import NotSent, OutcomeUnknown, Settled, TransportError, UnreadableAnswer
from tests.unit.sdk.conftest import MakeClient
from tests.unit.sdk.stage import Answer, Stage, cancelled, entry_row, modified, placed
from tests.unit.sdk.test_placing import ORDER, books_it

ENTRY = "2024061317"

LOST = [
    pytest.param({"late_seconds": 5.0}, id="late"),
    pytest.param({"dropped": True}, id="dropped"),
    pytest.param({"body": b"<!doctype html><title>gateway</title>"}, id="html"),
    pytest.param({"body": b""}, id="empty"),
    pytest.param({"body": b"[1]"}, id="no object"),
    pytest.param({"body": b'{"data":{"bas'}, id="cut short"),
    pytest.param({"body": b'{"status":"error"}', "http_status": 502}, id="server error"),
    pytest.param({"body": b"{}"}, id="says nothing"),
    pytest.param({"body": b'{"status":"success"}', "http_status": 502}, id="success under 502"),
]


def lost(how: dict[str, Any], effect: Any = None) -> Answer:
    """Return an answer that never arrives, or says nothing."""
    return Answer(**how, effect=effect)


@pytest.fixture
def hasty(make_client: MakeClient) -> Any:
    """Return a client that waits a quarter of a second for an answer."""
    return make_client(timeout_seconds=0.25)


@pytest.mark.parametrize("how", LOST)
def test_a_lost_placement_is_unknown_and_can_be_found(
    stage: Stage, hasty: Any, how: dict[str, Any]
) -> None:
    """The order was placed, its answer was lost: one request was sent, and resolve finds it."""
    stage.answers(lost(how, effect=books_it(stage)))

    with pytest.raises(OutcomeUnknown) as caught:
        hasty.place_cover_order(**ORDER)

    (heard,) = stage.changes
    assert caught.value.idempotency_key == heard.headers["idempotency-key"]
    assert caught.value.user_order_id == str(heard.json["user_order_id"])
    resolution = hasty.resolve(caught.value)
    assert resolution.settled is Settled.DONE
    assert resolution.order.oms_order_id == ENTRY
    assert len(stage.changes) == 1


def test_a_placement_without_a_trace_is_not_seen(stage: Stage, hasty: Any) -> None:
    """An order that is not in the book may still come: it is not reported as not placed."""
    stage.answers(Answer(dropped=True))

    with pytest.raises(OutcomeUnknown) as caught:
        hasty.place_cover_order(**ORDER)

    assert hasty.resolve(caught.value).settled is Settled.NOT_SEEN
    assert len(stage.changes) == 1


@pytest.mark.parametrize("how", LOST)
def test_a_lost_cancel_is_unknown(stage: Stage, hasty: Any, how: dict[str, Any]) -> None:
    """A cancel whose answer is lost raises and is not sent again, even if it took effect."""
    stage.put(entry_row())
    order = hasty.cover_order(ENTRY)
    stage.answers(
        lost(how, effect=lambda heard: stage.change(ENTRY, order_status="CANCEL_CONFIRMED"))
    )

    with pytest.raises(OutcomeUnknown) as caught:
        hasty.cancel_cover_order(order)

    assert caught.value.idempotency_key == stage.changes[0].headers["idempotency-key"]
    assert len(stage.changes) == 1


@pytest.mark.parametrize(
    ("status", "settled"),
    [
        ("CANCEL_CONFIRMED", Settled.DONE),
        ("COMPLETE", Settled.NOT_DONE),
        ("CONFIRMED", Settled.NOT_SEEN),
    ],
)
def test_a_lost_cancel_is_resolved_by_the_book(
    stage: Stage, hasty: Any, status: str, settled: Settled
) -> None:
    """What became of a cancel whose answer is lost is read from the rows."""
    stage.put(entry_row())
    order = hasty.cover_order(ENTRY)
    stage.answers(
        lost({"dropped": True}, effect=lambda heard: stage.change(ENTRY, order_status=status))
    )

    with pytest.raises(OutcomeUnknown) as caught:
        hasty.cancel_cover_order(order)

    assert caught.value.attempt.oms_order_id == ENTRY
    assert hasty.resolve(caught.value, confirm_seconds=0.1).settled is settled
    assert len(stage.changes) == 1


@pytest.mark.parametrize(
    ("fields", "settled"),
    [
        ({"price": 15.25}, Settled.DONE),
        ({"order_status": "COMPLETE", "filled_quantity": 10}, Settled.NOT_DONE),
        ({}, Settled.NOT_SEEN),
    ],
)
def test_a_lost_modify_is_unknown_until_the_book_tells(
    stage: Stage, hasty: Any, fields: dict[str, Any], settled: Settled
) -> None:
    """A modify whose answer is lost took effect if the rows show what was asked."""
    stage.put(entry_row())
    stage.answers(Answer(late_seconds=5.0, effect=lambda heard: stage.change(ENTRY, **fields)))

    with pytest.raises(OutcomeUnknown) as caught:
        hasty.modify_cover_order(ENTRY, price="15.25")

    assert hasty.resolve(caught.value, confirm_seconds=0.1).settled is settled


def test_resolving_waits_for_the_book(stage: Stage, hasty: Any) -> None:
    """A cancel that takes effect after its connection was lost is found by looking again."""
    stage.put(entry_row())
    stage.answers(
        cancelled(
            late_seconds=0.4,
            effect_later=lambda: stage.change(ENTRY, order_status="CANCEL_CONFIRMED"),
        )
    )

    with pytest.raises(OutcomeUnknown) as caught:
        hasty.cancel_cover_order(ENTRY)

    assert hasty.resolve(caught.value, confirm_seconds=3.0).settled is Settled.DONE


def test_nothing_listening_means_nothing_sent(make_client: MakeClient, stage: Stage) -> None:
    """A refused connection is no unknown outcome: nothing left, and the error says so."""
    pocket = make_client()
    stage.close()

    with pytest.raises(NotSent, match="nothing was sent") as caught:
        pocket.place_cover_order(**ORDER)

    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"late_seconds": 5.0}, TransportError),
        ({"dropped": True}, TransportError),
        ({"body": b"<!doctype html>"}, UnreadableAnswer),
        ({"body": b""}, UnreadableAnswer),
        ({"body": b'{"data":{"orders":7},"status":"success"}'}, UnreadableAnswer),
        ({"body": b'{"data":{"orders":[{}]},"status":"success"}'}, UnreadableAnswer),
        ({"body": b"no", "http_status": 503}, UnreadableAnswer),
    ],
)
def test_a_lost_read_is_a_transport_error(
    stage: Stage, hasty: Any, how: dict[str, Any], error: type[Exception]
) -> None:
    """A read changes nothing, so its lost answer is never an unknown outcome."""
    stage.answers_reads(lost(how))

    with pytest.raises(error) as caught:
        hasty.orders()

    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_dead_book_is_no_resolution(stage: Stage, hasty: Any) -> None:
    """When the book cannot be read, resolve raises that instead of guessing."""
    stage.answers(Answer(dropped=True))
    with pytest.raises(OutcomeUnknown) as caught:
        hasty.place_cover_order(**ORDER)
    stage.answers_reads(*[Answer(body=b"<html>")] * 50)

    with pytest.raises(UnreadableAnswer):
        hasty.resolve(caught.value)


def test_an_accepted_modify_that_does_not_show_is_unknown(stage: Stage, pocket: Any) -> None:
    """A 200 to a modify is not believed before the row shows it."""
    stage.put(entry_row())
    stage.answers(modified())

    with pytest.raises(OutcomeUnknown, match="does not show the change"):
        pocket.modify_cover_order(ENTRY, price="15.25")

    assert len(stage.changes) == 1


def test_a_connection_that_was_given_up_is_not_used_for_a_change(stage: Stage, pocket: Any) -> None:
    """A server that hangs up between two calls costs a new connection, not an unknown outcome."""
    stage.put(entry_row(oms_order_id="1", user_order_id="1"))
    stage.answers_reads(*[Answer(body=b'{"data":{},"status":"success"}', hangs_up=True)] * 3)
    for _ in range(3):
        pocket.trades()
        time.sleep(0.1)  # Until the end of the connection has arrived here.
    stage.answers(placed(effect=books_it(stage)))

    assert pocket.place_cover_order(**ORDER).oms_order_id == ENTRY
    assert len({heard.connection for heard in stage.heard}) == 4


def test_connections_are_kept(stage: Stage, pocket: Any) -> None:
    """Many calls of one client use one connection."""
    stage.answers(placed(effect=books_it(stage)))

    pocket.place_cover_order(**ORDER)
    pocket.orders()

    assert len(stage.heard) >= 4
    assert len({heard.connection for heard in stage.heard}) == 1
