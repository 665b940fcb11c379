"""
Placing returns the order that was placed, or says what became of the attempt.
"""

from decimal import Decimal
from typing import Any

import pytest

from kavach.sdk import BadArgument, InvalidRequest, OutcomeUnknown
from tests.unit.sdk.stage import ExecutionReport, Stage, entry_row, placed, refusal

ORDER: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "price": "15.40",
    "stop_loss": 15.1,
}


def books_it(stage: Stage, **fields: Any) -> Any:
    """Return an effect that books the order under the id that the client sent."""

    def effect(heard: ExecutionReport) -> None:
        stage.put(entry_row(user_order_id=str(heard.json["user_order_id"]), **fields))

    return effect


def test_returns_the_order_it_placed(stage: Stage, pocket: Any) -> None:
    """The order comes back with the ids that a cancel needs, found by its own user order id."""
    stage.put(entry_row(oms_order_id="1", user_order_id="10002"))
    stage.answers(placed("2024061316", effect=books_it(stage)))

    order = pocket.place_cover_order(**ORDER)

    sent = stage.changes[0].json["user_order_id"]
    assert order.user_order_id == str(sent)
    assert (order.oms_order_id, order.exchange_order_id) == ("2024061317", "1100000000000017")
    assert order.basket_id == "2024061316"
    assert order.entry.price == Decimal("15.4") and order.stop is None


def test_sends_what_the_documents_ask_for(stage: Stage, pocket: Any) -> None:
    """Prices travel as the very digits given, and the request carries a token and a key."""
    stage.answers(placed(effect=books_it(stage)))

    pocket.place_cover_order(**ORDER, trailing_stop_loss=Decimal("0.05"))

    heard = stage.changes[0]
    assert (heard.method, heard.path) == ("POST", "/api/v1/orders/kart")
    assert b'"price":15.40' in heard.body and b'"stop_loss_value":15.1' in heard.body
    expected = {
        "exchange": "NSE",
        "instrument_token": "14366",
        "client_id": "AB001",
        "order_type": "LIMIT",
        "price": 15.4,
        "quantity": 10,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": heard.json["user_order_id"],
        "execution_type": "CO",
        "stop_loss_value": 15.1,
        "trailing_stop_loss": "0.05",
        "is_trailing": True,
        "trigger_price": 0,
    }
    assert heard.json == expected
    assert heard.headers["authorization"] == "Bearer a-token"
    assert len(heard.headers["idempotency-key"]) == 32


def test_every_order_has_its_own_ids(stage: Stage, pocket: Any) -> None:
    """Two orders alike differ in user order id and idempotency key, both exact as a double."""
    stage.answers(placed(effect=books_it(stage)), placed(effect=books_it(stage)))

    pocket.place_cover_order(**ORDER)
    pocket.place_cover_order(**ORDER)

    first, second = stage.changes
    assert first.json["user_order_id"] != second.json["user_order_id"]
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert 2**52 <= first.json["user_order_id"] < 2**53


def test_finds_an_order_that_closed_at_once(stage: Stage, pocket: Any) -> None:
    """An order that risk management refused is returned, with the refusal's words."""
    row = {"order_status": "REJECTED", "rejection_code": 1010, "rejection_reason": " blocked"}
    stage.answers(placed(effect=books_it(stage, **row)))

    order = pocket.place_cover_order(**ORDER)

    assert order.is_rejected
    assert order.entry.rejection_reason == " blocked"


def test_waits_for_the_row_to_appear(stage: Stage, pocket: Any) -> None:
    """A book that shows the order a moment late is asked again."""
    keys: list[str] = []
    stage.answers(
        placed(
            effect=lambda heard: keys.append(str(heard.json["user_order_id"])),
            effect_later=lambda: stage.put(entry_row(user_order_id=keys[0])),
        )
    )

    order = pocket.place_cover_order(**ORDER)

    assert order.user_order_id == keys[0]


def test_accepted_but_not_in_the_book_is_unknown(stage: Stage, pocket: Any) -> None:
    """An accepted order that the book does not show is neither placed nor failed."""
    stage.answers(placed("2024061316"))

    with pytest.raises(OutcomeUnknown, match="basket 2024061316") as caught:
        pocket.place_cover_order(**ORDER)

    assert caught.value.attempt.basket_id == "2024061316"
    assert len(stage.changes) == 1


def test_accepted_and_unreadable_book_is_unknown(stage: Stage, pocket: Any) -> None:
    """A read that fails after an accepted order does not look like a failed order."""
    stage.answers(placed())
    stage.answers_reads(*[refusal(429, "slow down", 429)] * 20)

    with pytest.raises(OutcomeUnknown) as caught:
        pocket.place_cover_order(**ORDER)

    assert caught.value.user_order_id == str(stage.changes[0].json["user_order_id"])


def test_a_refusal_names_the_field(stage: Stage, pocket: Any) -> None:
    """A refusal carries code, text, status, reason and request id, and nothing is looked up."""
    stage.answers(
        refusal(44000, "`product` is invalid", Request_Id="r-1", Error_Reason="PRODUCT_MUST_FIT")
    )

    with pytest.raises(InvalidRequest) as caught:
        pocket.place_cover_order(**ORDER)

    error = caught.value
    assert (error.code, error.message, error.http_status) == (44000, "`product` is invalid", 400)
    assert (error.request_id, error.reason) == ("r-1", "PRODUCT_MUST_FIT")
    assert len(stage.heard) == 1


def test_a_used_user_order_id_is_refused_before_sending(stage: Stage, pocket: Any) -> None:
    """An id of the caller's own that the book already shows would find the wrong order."""
    stage.put(entry_row(user_order_id="7001"))

    with pytest.raises(BadArgument, match="user_order_id: 7001 is taken by order 2024061317"):
        pocket.place_cover_order(**ORDER, user_order_id=7001)

    assert stage.changes == []


def test_a_used_id_is_refused_under_a_key_that_the_server_does_not_know(
    stage: Stage, pocket: Any
) -> None:
    """A key helps only where the server says that it knows it: another would place a second."""
    stage.put(entry_row(user_order_id="7001"))

    with pytest.raises(BadArgument, match="user_order_id: 7001 is taken by order 2024061317"):
        pocket.place_cover_order(**ORDER, user_order_id=7001, idempotency_key="mine")

    assert stage.changes == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"price": float("nan")}, "price: nan is not a price"),
        ({"price": True}, "price: True is not a price"),
        ({"price": None}, "price: must be given for a LIMIT order"),
        ({"order_type": "SLM"}, "trigger_price: must be given for a SLM order"),
        ({"stop_loss": "cheap"}, "stop_loss: 'cheap' is not a price"),
        ({"quantity": 1.5}, "quantity: 1.5 is not a whole number"),
        ({"side": "HOLD"}, "side: 'HOLD' is none of BUY, SELL"),
        ({"idempotency_key": "a\nb"}, "idempotency_key:"),
    ],
)
def test_an_impossible_argument_is_named(
    stage: Stage, pocket: Any, change: dict[str, Any], complaint: str
) -> None:
    """What cannot be sent truthfully is refused here, by its name, and nothing is sent."""
    with pytest.raises(BadArgument, match=complaint):
        pocket.place_cover_order(**(ORDER | change))

    assert stage.heard == []
