"""
Regular orders: placed, changed and cancelled, and reported as the order book shows them.
"""

from decimal import Decimal
from typing import Any

import pytest

from kavach.sdk import (
    BadArgument,
    CancelOutcome,
    Order,
    OutcomeUnknown,
    RateLimited,
    RequestRefused,
    Settled,
)
from kavach.wire.orders import regular_answers as answers
from tests.unit.sdk.stage import (
    CLIENT,
    Answer,
    ExecutionReport,
    Stage,
    entry_row,
    json_answer,
    refusal,
)

ID = "2024061317"
ORDER: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "product": "CNC",
    "price": "15.40",
}


def plain_row(**fields: Any) -> Any:
    """Return the row of a regular order that rests at the exchange."""
    plain = {"execution_type": "REGULAR", "leg_order_indicator": None, "stop_loss_value": 0.0}
    return entry_row(**(plain | {"product": "CNC"} | fields))


def appears(stage: Stage, **fields: Any) -> Any:
    """Return an effect: the order that is asked for is in the book from now on."""

    def effect(heard: ExecutionReport) -> None:
        row = plain_row(user_order_id=str(heard.json["user_order_id"]), **fields)
        stage.put(row)

    return effect


def ends(stage: Stage, **fields: Any) -> Any:
    """Return an effect: the order in the book changes."""
    return lambda heard: stage.change(ID, **fields)


def test_an_order_is_placed_and_found(stage: Stage, pocket: Any) -> None:
    """The documented body goes out under a key, and the row with the answered id comes back."""
    stage.answers(json_answer(answers.placed(ID), effect=appears(stage)))

    order = pocket.place_order(**ORDER)

    assert (order.oms_order_id, order.order_status, order.price) == (
        ID,
        "CONFIRMED",
        Decimal("15.4"),
    )
    heard = stage.changes[0]
    number = heard.json["user_order_id"]
    assert (heard.method, heard.path) == ("POST", "/api/v1/orders")
    assert heard.headers["idempotency-key"]
    assert number >= 1 << 52
    assert heard.json == {
        "exchange": "NSE",
        "instrument_token": "14366",
        "client_id": CLIENT,
        "order_type": "LIMIT",
        "price": 15.4,
        "quantity": 10,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "CNC",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": number,
        "trigger_price": 0,
        "execution_type": "REGULAR",
    }


def test_an_order_for_the_next_session_says_so(stage: Stage, pocket: Any) -> None:
    """``after_market`` travels as the execution type, which is what decides."""
    stage.answers(json_answer(answers.placed(ID), effect=appears(stage)))

    pocket.place_order(**ORDER, after_market=True)

    assert stage.changes[0].json["execution_type"] == "AMO"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"price": None}, "price: must be given for a LIMIT order"),
        ({"order_type": "SL"}, "trigger_price: must be given for a SL order"),
        ({"quantity": 1.5}, "quantity: 1.5 is not a whole number"),
        ({"side": "LONG"}, "side: 'LONG' is none of"),
        ({"product": "XYZ"}, "product: 'XYZ' is none of"),
    ],
)
def test_what_cannot_be_sent_is_named(
    stage: Stage, pocket: Any, changes: dict[str, Any], complaint: str
) -> None:
    """A bad argument is named, and nothing is sent."""
    with pytest.raises(BadArgument, match=complaint):
        pocket.place_order(**(ORDER | changes))
    assert stage.heard == []


def test_a_lost_placement_is_found(stage: Stage, pocket: Any) -> None:
    """An order whose answer was lost is found by its user order id; nothing is sent again."""
    stage.answers(Answer(dropped=True, effect=appears(stage)))

    with pytest.raises(OutcomeUnknown) as caught:
        pocket.place_order(**ORDER)
    resolution = pocket.resolve(caught.value)

    assert resolution.settled is Settled.DONE
    assert isinstance(resolution.order, Order) and resolution.order.oms_order_id == ID
    assert len(stage.changes) == 1


def test_a_placement_that_never_arrived_is_not_seen(stage: Stage, pocket: Any) -> None:
    """Without a trace in the book nobody knows; that is not the same as not placed."""
    stage.put(plain_row(user_order_id="5"))
    stage.answers(Answer(dropped=True))

    with pytest.raises(OutcomeUnknown) as caught:
        pocket.place_order(**ORDER)

    assert pocket.resolve(caught.value).settled is Settled.NOT_SEEN


def test_an_accepted_order_that_is_not_shown_is_unknown(stage: Stage, pocket: Any) -> None:
    """Accepted is not placed: without a row no order is claimed; the id is named."""
    stage.answers(json_answer(answers.placed(ID)))

    with pytest.raises(OutcomeUnknown, match=f"accepted as order {ID}, not found"):
        pocket.place_order(**ORDER)


def test_a_modify_repeats_the_row_but_for_the_change(stage: Stage, pocket: Any) -> None:
    """What is not asked to change is sent as the row shows it, under the row's reference."""
    stage.put(plain_row())
    stage.answers(json_answer(answers.modified(ID), effect=ends(stage, price=15.2)))

    order = pocket.modify_order(ID, price="15.20")

    assert order.price == Decimal("15.2")
    heard = stage.changes[0]
    assert (heard.method, heard.path) == ("PUT", "/api/v1/orders")
    sent = heard.json
    assert (sent["price"], sent["quantity"], sent["oms_order_id"]) == (15.2, 10, ID)
    assert sent["last_activity_reference"] == "1402737000123456789"


def test_a_modify_that_the_book_does_not_show_is_unknown(stage: Stage, pocket: Any) -> None:
    """An accepted change that is not seen in time is unknown, and can be resolved later."""
    stage.put(plain_row())
    stage.answers(json_answer(answers.modified(ID)))

    with pytest.raises(OutcomeUnknown) as caught:
        pocket.modify_order(ID, quantity=20)
    assert pocket.resolve(caught.value).settled is Settled.NOT_SEEN
    stage.change(ID, quantity=20)
    assert pocket.resolve(caught.value).settled is Settled.DONE
    stage.change(ID, quantity=10, order_status="COMPLETE")
    assert pocket.resolve(caught.value).settled is Settled.NOT_DONE


@pytest.mark.parametrize(
    ("effect", "outcome"),
    [
        ({"order_status": "CANCEL_CONFIRMED"}, CancelOutcome.CANCELLED),
        ({"order_status": "AMO_CANCEL_CONFIRMED"}, CancelOutcome.CANCELLED),
        ({"order_status": "COMPLETE", "filled_quantity": 10}, CancelOutcome.TOO_LATE),
        ({"order_status": "CANCEL_PENDING"}, CancelOutcome.PENDING),
    ],
)
def test_a_cancel_tells_what_the_book_shows(
    stage: Stage, pocket: Any, effect: dict[str, Any], outcome: CancelOutcome
) -> None:
    """An accepted cancel is what the row says, not what the answer promised."""
    stage.put(plain_row())
    stage.answers(json_answer(answers.cancelled(ID), effect=ends(stage, **effect)))

    result = pocket.cancel_order(ID)

    assert result.outcome is outcome
    assert result.order.order_status == effect["order_status"]
    heard = stage.changes[0]
    assert (heard.method, heard.path) == ("DELETE", f"/api/v1/orders/{ID}")
    assert heard.json == {"client_id": CLIENT, "execution_type": "REGULAR"}


def test_a_refusal_that_the_book_explains_is_an_outcome(stage: Stage, pocket: Any) -> None:
    """The fill was faster: TOO_LATE, with the server's words."""
    stage.put(plain_row())
    filled = ends(stage, order_status="COMPLETE", filled_quantity=10)
    stage.answers(refusal(45000, "`oms_order_id` is invalid", effect=filled))

    result = pocket.cancel_order(ID)

    assert result.outcome is CancelOutcome.TOO_LATE
    assert result.message == "`oms_order_id` is invalid"


def test_a_refusal_that_the_book_does_not_explain_is_raised(stage: Stage, pocket: Any) -> None:
    """The order stands where it stood: the refusal is the caller's to see."""
    stage.put(plain_row())
    stage.answers(refusal(45000, "no"))

    with pytest.raises(RequestRefused, match="no"):
        pocket.cancel_order(ID)


@pytest.mark.parametrize("call", ["modify_order", "cancel_order"])
def test_a_leg_of_a_cover_order_is_not_a_regular_order(
    stage: Stage, pocket: Any, call: str
) -> None:
    """A stop is never touched by the methods of regular orders; nothing is sent."""
    stage.put(entry_row())
    changes = {"price": 15} if call == "modify_order" else {}

    with pytest.raises(BadArgument, match="is a leg of a CO order"):
        getattr(pocket, call)(ID, **changes)

    assert stage.changes == []


def test_too_many_requests_say_when(stage: Stage, pocket: Any) -> None:
    """A 429 is its own error with the time to wait; the client does not ask again by itself."""
    stage.answers(refusal(429, "Too many requests", 429))
    stage.script[0].headers["Retry-After"] = "2"

    with pytest.raises(RateLimited) as caught:
        pocket.place_order(**ORDER)

    assert caught.value.retry_after == 2.0
    assert len(stage.changes) == 1
