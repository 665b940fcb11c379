"""
Cancel and exit say what really happened, from the rows of the order book alone.

Every test plays against a server without any header of ours unless it says otherwise: the
vendor's own server must do.
"""

from typing import Any

import pytest

from kavach.sdk import BadArgument, CancelOutcome, Leg, NotFound, RateLimited, RequestRefused
from tests.unit.sdk.stage import ExecutionReport, Stage, cancelled, entry_row, refusal, stop_row

ENTRY = "2024061317"
STOP = "2024061318"


def held(stage: Stage, quantity: int = 10, **fields: Any) -> None:
    """Let the book show an entry that has traded this much, and its stop."""
    done = quantity == 10
    stage.put(
        entry_row(
            filled_quantity=quantity,
            remaining_quantity=10 - quantity,
            order_status="COMPLETE" if done else "PARTIAL_TRADE",
            **fields,
        ),
        stop_row(quantity=quantity, remaining_quantity=quantity),
    )


@pytest.mark.parametrize(
    ("traded", "status", "outcome"),
    [
        (0, "CANCEL_CONFIRMED", CancelOutcome.CANCELLED),
        (4, "CANCEL_CONFIRMED", CancelOutcome.CANCELLED),
        (0, "BATCH_CANCEL_CONFIRMED", CancelOutcome.CANCELLED),
        (10, "COMPLETE", CancelOutcome.TOO_LATE),
        (0, "REJECTED", CancelOutcome.TOO_LATE),
        (4, "CANCEL_PENDING", CancelOutcome.PENDING),
        (0, "CONFIRMED", CancelOutcome.PENDING),
        (0, "A_STATUS_NOBODY_KNOWS", CancelOutcome.PENDING),
    ],
)
def test_an_accepted_cancel_is_what_the_book_says(
    stage: Stage, pocket: Any, traded: int, status: str, outcome: CancelOutcome
) -> None:
    """The same 200 means cancelled, too late or pending: the entry's row tells which."""
    stage.put(entry_row())
    order = pocket.cover_order(ENTRY)
    stage.answers(
        cancelled(
            effect=lambda heard: stage.change(ENTRY, order_status=status, filled_quantity=traded)
        )
    )

    result = pocket.cancel_cover_order(order)

    assert result.outcome is outcome
    assert result.order.entry.quantity_traded == traded
    assert result.is_final is (outcome is not CancelOutcome.PENDING)


def test_cancel_is_the_documented_request(stage: Stage, pocket: Any) -> None:
    """One DELETE with a JSON body that names order, exchange order and leg; no query."""
    stage.put(entry_row())
    stage.answers(cancelled(effect=lambda heard: closes(stage, ENTRY)))

    pocket.cancel_cover_order(ENTRY, idempotency_key="mine")

    (heard,) = stage.changes
    assert (heard.method, heard.path) == ("DELETE", f"/api/v1/orders/kart/{ENTRY}")
    assert heard.query == {}
    assert heard.json == {
        "client_id": "AB001",
        "exchange_order_id": "1100000000000017",
        "execution_type": "CO",
        "leg_order_indicator": "ENTRY",
        "oms_order_id": ENTRY,
    }
    assert heard.headers["idempotency-key"] == "mine"


def closes(stage: Stage, oms_order_id: str, status: str = "CANCEL_CONFIRMED") -> None:
    """Let a row show that its order is closed."""
    stage.change(oms_order_id, order_status=status)


def test_waits_for_the_book(stage: Stage, pocket: Any) -> None:
    """A cancel that the exchange confirms a moment after the answer is seen through."""
    stage.put(entry_row())
    stage.answers(cancelled(effect_later=lambda: closes(stage, ENTRY)))

    assert pocket.cancel_cover_order(ENTRY).outcome is CancelOutcome.CANCELLED


def test_does_not_wait_longer_than_told(stage: Stage, pocket: Any) -> None:
    """With no time to confirm, the book is read once and the answer is what it shows."""
    stage.put(entry_row())
    order = pocket.cover_order(ENTRY)
    stage.answers(cancelled())
    before = len(stage.heard)

    result = pocket.cancel_cover_order(order, confirm_seconds=0)

    assert result.outcome is CancelOutcome.PENDING
    assert len(stage.heard) - before == 3  # The cancel, and both halves of the book.


@pytest.mark.parametrize("leg", [Leg.ENTRY, "entry", "ENTRY"])
def test_the_leg_may_be_spelled(stage: Stage, pocket: Any, leg: str) -> None:
    """A leg is a word, in whatever case."""
    stage.put(entry_row())
    stage.answers(cancelled(effect=lambda heard: closes(stage, ENTRY)))

    assert pocket.cancel_cover_order(ENTRY, leg).outcome is CancelOutcome.CANCELLED


def test_an_unknown_venue_outcome_is_unknown(stage: Stage, pocket: Any) -> None:
    """A server that says it does not know is believed, as long as the book shows nothing."""
    stage.put(entry_row())
    stage.answers(cancelled(headers={"X-Order-State": "UNKNOWN", "X-Request-Id": "r-7"}))

    result = pocket.cancel_cover_order(ENTRY)

    assert result.outcome is CancelOutcome.UNKNOWN
    assert result.request_id == "r-7"


def test_a_header_never_overrules_the_book(stage: Stage, pocket: Any) -> None:
    """The state in the answer was true when it was made; the row is what counts."""
    stage.put(entry_row())
    stage.answers(
        cancelled(
            headers={"X-Order-State": "CANCELLED"},
            effect=lambda heard: closes(stage, ENTRY, "COMPLETE"),
        )
    )

    assert pocket.cancel_cover_order(ENTRY).outcome is CancelOutcome.TOO_LATE


def test_an_unreadable_book_after_a_cancel_is_unknown(stage: Stage, pocket: Any) -> None:
    """An accepted cancel stays accepted when the book cannot be read; it is not an error."""
    stage.put(entry_row())
    order = pocket.cover_order(ENTRY)
    stage.answers(cancelled())
    stage.answers_reads(*[refusal(429, "slow down", 429)] * 20)

    result = pocket.cancel_cover_order(order)

    assert result.outcome is CancelOutcome.UNKNOWN
    assert "slow down" in result.message


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("COMPLETE", CancelOutcome.TOO_LATE),
        ("REJECTED", CancelOutcome.TOO_LATE),
        ("CANCEL_CONFIRMED", CancelOutcome.CANCELLED),
    ],
)
def test_a_refusal_that_the_book_explains_is_an_outcome(
    stage: Stage, pocket: Any, status: str, outcome: CancelOutcome
) -> None:
    """Lost races and repeated cancels are refused; the row says which of the two it was."""
    stage.put(entry_row())
    order = pocket.cover_order(ENTRY)
    stage.answers(refusal(45000, "Entry leg already executed", Error_Reason="SOME_WORD"))
    closes(stage, ENTRY, status)

    result = pocket.cancel_cover_order(order)

    assert result.outcome is outcome
    assert (result.reason, result.message) == ("SOME_WORD", "Entry leg already executed")


def test_a_refusal_that_the_book_does_not_explain_is_raised(stage: Stage, pocket: Any) -> None:
    """An order that lives on after a refused cancel is an error with the server's words."""
    stage.put(entry_row())
    stage.answers(refusal(44000, "`leg_order_indicator` is invalid"))

    with pytest.raises(RequestRefused, match="`leg_order_indicator` is invalid"):
        pocket.cancel_cover_order(ENTRY)

    assert len(stage.changes) == 1


def test_a_rate_limit_is_not_looked_into(stage: Stage, pocket: Any) -> None:
    """Asked to slow down, the client does not ask twice more to find out why."""
    stage.put(entry_row())
    order = pocket.cover_order(ENTRY)
    stage.answers(refusal(429, "too many requests", 429))
    before = len(stage.heard)

    with pytest.raises(RateLimited):
        pocket.cancel_cover_order(order)

    assert len(stage.heard) - before == 1


def test_a_missing_order_is_named(stage: Stage, pocket: Any) -> None:
    """An id that the book does not show is a wrong argument, and nothing is sent."""
    with pytest.raises(BadArgument, match="no cover order with a leg '404'"):
        pocket.cancel_cover_order("404")

    assert stage.changes == []


def test_a_foreign_order_is_not_found(stage: Stage, pocket: Any) -> None:
    """A 404 for an order that still stands in an earlier book is raised as such."""
    stage.put(entry_row())
    order = pocket.cover_order(ENTRY)
    stage.answers(refusal(45000, "`oms_order_id` is invalid", 404))

    with pytest.raises(NotFound):
        pocket.cancel_cover_order(order)

    assert len(stage.changes) == 1


def exits(stage: Stage, traded: int = 10) -> Any:
    """Return an effect: the stop's row trades this much and is closed."""

    def effect(heard: ExecutionReport) -> None:
        stage.change(STOP, order_status="COMPLETE", filled_quantity=traded, quantity=traded)

    return effect


def test_exit_names_the_stop_and_ends_flat(stage: Stage, pocket: Any) -> None:
    """Getting out addresses the stop by its own ids and is EXITED when it has traded all."""
    held(stage)
    stage.answers(cancelled(effect=exits(stage)))

    result = pocket.exit_cover_order(pocket.cover_order(ENTRY))

    assert result.outcome is CancelOutcome.EXITED
    assert result.order.quantity_held == 0 and result.order.is_over
    heard = stage.changes[0]
    assert heard.path == f"/api/v1/orders/kart/{STOP}"
    assert heard.json["exchange_order_id"] == "1100000000000018"
    assert heard.json["leg_order_indicator"] == "THIRD"


def test_exit_of_a_known_stop_asks_nothing_first(stage: Stage, pocket: Any) -> None:
    """Who wants out wants out now: the first request is the exit itself."""
    held(stage)
    order = pocket.cover_order(ENTRY)
    stage.answers(cancelled(effect=exits(stage)))
    before = len(stage.heard)

    pocket.exit_cover_order(order)

    assert stage.heard[before].method == "DELETE"


def test_a_replaced_stop_is_found(stage: Stage, pocket: Any) -> None:
    """An exit by a stop's old exchange id is refused, and sent again by the new one."""
    held(stage)
    order = pocket.cover_order(ENTRY)
    stage.change(STOP, exchange_order_id="1100000000000042")
    stage.answers(refusal(45000, "`exchange_order_id` is invalid"), cancelled(effect=exits(stage)))

    assert pocket.exit_cover_order(order).outcome is CancelOutcome.EXITED
    assert stage.changes[1].json["exchange_order_id"] == "1100000000000042"


def test_a_complete_stop_has_traded_all(stage: Stage, pocket: Any) -> None:
    """A row that says COMPLETE has traded its quantity, even if the count lags behind."""
    held(stage)
    stage.answers(cancelled(effect=lambda heard: stage.change(STOP, order_status="COMPLETE")))

    result = pocket.exit_cover_order(ENTRY)

    assert result.order.stop.filled_quantity == 0
    assert result.outcome is CancelOutcome.EXITED


def test_a_part_exit_is_pending(stage: Stage, pocket: Any) -> None:
    """A stop that has sold less than was bought leaves a position: not EXITED."""
    held(stage)
    stage.answers(cancelled(effect=exits(stage, traded=6)))

    result = pocket.exit_cover_order(ENTRY)

    assert result.outcome is CancelOutcome.PENDING
    assert result.order.quantity_held == 4


def test_a_cancelled_stop_is_no_exit(stage: Stage, pocket: Any) -> None:
    """A stop that is gone without having traded leaves a naked position: never EXITED."""
    held(stage)
    stage.answers(cancelled(effect=lambda heard: closes(stage, STOP)))

    result = pocket.exit_cover_order(ENTRY)

    assert result.outcome is CancelOutcome.PENDING
    assert result.order.quantity_held == 10


def test_exit_with_a_living_entry_is_pending(stage: Stage, pocket: Any) -> None:
    """As long as the entry can trade, selling what it has bought is not yet out."""
    held(stage, quantity=4)
    stage.answers(cancelled(effect=exits(stage, traded=4)))

    assert pocket.exit_cover_order(ENTRY).outcome is CancelOutcome.PENDING


def test_exit_before_any_fill_cancels(stage: Stage, pocket: Any) -> None:
    """With nothing bought there is no stop to name: the entry's ids go, and it is CANCELLED."""
    stage.put(entry_row())
    stage.answers(cancelled(effect=lambda heard: closes(stage, ENTRY)))

    result = pocket.exit_cover_order(ENTRY)

    assert result.outcome is CancelOutcome.CANCELLED
    assert stage.changes[0].path.endswith(ENTRY)
    assert stage.changes[0].json["leg_order_indicator"] == "THIRD"


def test_exit_finds_a_stop_that_was_placed_meanwhile(stage: Stage, pocket: Any) -> None:
    """An exit refused because the stop has got its own ids is sent again to the stop."""
    stage.put(entry_row())
    stage.answers(
        refusal(45000, "`exchange_order_id` is invalid", effect=lambda heard: held(stage)),
        cancelled(effect=exits(stage)),
    )

    result = pocket.exit_cover_order(ENTRY)

    assert result.outcome is CancelOutcome.EXITED
    first, second = stage.changes
    assert (first.path[-10:], second.path[-10:]) == (ENTRY, STOP)
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_exit_of_what_the_stop_has_sold_is_exited(stage: Stage, pocket: Any) -> None:
    """When the stop was faster the position is closed all the same; the reason tells."""
    held(stage)
    order = pocket.cover_order(ENTRY)
    stage.answers(refusal(45000, "already exited", Error_Reason="ALREADY_EXITED"))
    stage.change(STOP, order_status="COMPLETE", filled_quantity=10)

    result = pocket.exit_cover_order(order)

    assert (result.outcome, result.reason) == (CancelOutcome.EXITED, "ALREADY_EXITED")


def test_a_row_of_either_leg_names_the_order(stage: Stage, pocket: Any) -> None:
    """A row of the order book can be cancelled or exited as it is."""
    held(stage)
    stop = next(row for row in pocket.orders("pending") if row.leg_order_indicator == "THIRD")
    stage.answers(cancelled(effect=exits(stage)))

    assert pocket.exit_cover_order(stop).outcome is CancelOutcome.EXITED


def test_a_shared_user_order_id_never_exits_another_order(stage: Stage, pocket: Any) -> None:
    """With two orders under one user order id their stops cannot be told apart: say so."""
    held(stage)
    stage.put(entry_row(oms_order_id="1", order_status="COMPLETE", filled_quantity=10))

    with pytest.raises(BadArgument, match="belongs to several cover orders"):
        pocket.exit_cover_order(ENTRY)

    assert stage.changes == []


def test_an_entry_without_exchange_id_is_looked_up_again(stage: Stage, pocket: Any) -> None:
    """An order cancelled right after placing is cancelled by the id it has got meanwhile."""
    stage.put(entry_row(exchange_order_id="", order_status="PENDING"))
    order = pocket.cover_order(ENTRY)
    stage.change(ENTRY, exchange_order_id="1100000000000099", order_status="CONFIRMED")
    stage.answers(cancelled(effect=lambda heard: closes(stage, ENTRY)))

    pocket.cancel_cover_order(order)

    assert stage.changes[0].json["exchange_order_id"] == "1100000000000099"


def test_an_unreadable_book_does_not_hide_a_refusal(stage: Stage, pocket: Any) -> None:
    """A cancel that was refused is raised as refused, even if the book cannot be read then."""
    stage.put(entry_row())
    order = pocket.cover_order(ENTRY)
    stage.answers(refusal(45000, "`exchange_order_id` is invalid"))
    stage.answers_reads(*[refusal(429, "slow down", 429)] * 2)

    with pytest.raises(RequestRefused, match="`exchange_order_id` is invalid"):
        pocket.cancel_cover_order(order)

    assert len(stage.changes) == 1
