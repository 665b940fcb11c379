"""
Modifying changes what was asked and nothing else, and is believed when the rows show it.
"""

from decimal import Decimal
from typing import Any

import pytest

from kavach.sdk import BadArgument, OutcomeUnknown, RequestRefused, Settled
from tests.unit.sdk.stage import ExecutionReport, Stage, entry_row, modified, refusal, stop_row

ENTRY = "2024061317"
STOP = "2024061318"


def shows(stage: Stage, oms_order_id: str = ENTRY, **fields: Any) -> Any:
    """Return an effect that lets a row show these values."""
    return lambda heard: stage.change(oms_order_id, **fields)


def test_the_entry_is_repeated_with_the_change(stage: Stage, pocket: Any) -> None:
    """A changed price goes out with the row as it is, and the row's own reference as text."""
    stage.put(entry_row())
    stage.answers(modified(effect=shows(stage, price=15.25)))

    order = pocket.modify_cover_order(ENTRY, price=15.25)

    assert order.entry.price == Decimal("15.25")
    heard = stage.changes[0]
    assert (heard.method, heard.path) == ("PUT", "/api/v1/orders/kart")
    assert heard.json == {
        "client_id": "AB001",
        "oms_order_id": ENTRY,
        "exchange_order_id": "1100000000000017",
        "execution_type": "CO",
        "leg_order_indicator": "ENTRY",
        "exchange": "NSE",
        "instrument_token": 14366,
        "product": "MIS",
        "last_activity_reference": "1402737000123456789",
        "order_type": "LIMIT",
        "price": 15.25,
        "quantity": 10,
        "disclosed_quantity": 0,
        "filled_quantity": 0,
        "remaining_quantity": 10,
        "validity": "DAY",
        "trigger_price": 0,
        "stop_loss_value": 15.1,
    }


def test_a_waiting_stop_is_changed_by_its_own_row(stage: Stage, pocket: Any) -> None:
    """A new stop price goes to the THIRD row and is believed when its trigger shows it."""
    stage.put(entry_row(order_status="COMPLETE", filled_quantity=10), stop_row())
    stage.answers(modified(effect=shows(stage, STOP, trigger_price=15.2)))

    order = pocket.modify_cover_order(ENTRY, stop_loss="15.20")

    assert order.stop.trigger_price == Decimal("15.2")
    assert stage.changes[0].json == {
        "client_id": "AB001",
        "oms_order_id": STOP,
        "exchange_order_id": "1100000000000018",
        "execution_type": "CO",
        "leg_order_indicator": "THIRD",
        "exchange": "NSE",
        "instrument_token": 14366,
        "product": "MIS",
        "last_activity_reference": "1402737000123456789",
        "stop_loss_value": 15.2,
    }


def test_the_plan_of_a_stop_is_changed_by_the_entry(stage: Stage, pocket: Any) -> None:
    """Before the first fill there is no stop: its price is changed through the entry's row."""
    stage.put(entry_row())
    trails: dict[str, Any] = {"is_trailing": True, "trailing_stop_loss": 0.05}
    stage.answers(modified(effect=shows(stage, stop_loss_value=14.9, **trails)))

    order = pocket.modify_cover_order(ENTRY, stop_loss="14.9", trailing_stop_loss="0.05")

    assert order.entry.stop_loss_value == Decimal("14.9")
    body = stage.changes[0].json
    assert (body["stop_loss_value"], body["trailing_stop_loss"]) == (14.9, 0.05)
    assert body["is_trailing"] is True


def test_a_trailing_stop_is_never_sent_an_old_price(stage: Stage, pocket: Any) -> None:
    """A change of the entry leaves out the stop of an order that trails: it would loosen it."""
    stage.put(entry_row(is_trailing=True, trailing_stop_loss=0.05, filled_quantity=4), stop_row())
    stage.answers(modified(effect=shows(stage, quantity=8)))

    order = pocket.modify_cover_order(ENTRY, quantity=8)

    assert order.entry.quantity == 8
    assert not {"stop_loss_value", "trailing_stop_loss"} & stage.changes[0].json.keys()


def test_a_trailing_stop_that_stands_elsewhere_proves_nothing(stage: Stage, pocket: Any) -> None:
    """A stop that trails may have moved on, or never have been changed: that cannot be told."""
    stage.put(entry_row(is_trailing=True, filled_quantity=4), stop_row(is_trailing=True))
    stage.answers(
        modified(effect=shows(stage, STOP, trigger_price=15.2)),
        modified(effect=shows(stage, STOP, trigger_price=15.3)),
    )

    assert pocket.modify_cover_order(ENTRY, stop_loss="15.2").stop.trigger_price == Decimal("15.2")
    with pytest.raises(OutcomeUnknown) as caught:
        pocket.modify_cover_order(ENTRY, stop_loss="15.25")

    assert pocket.resolve(caught.value).settled is Settled.NOT_SEEN


def test_a_moved_stop_is_repeated_where_it_stands(stage: Stage, pocket: Any) -> None:
    """What is repeated of a stop that exists is its own trigger, not the entry's old plan."""
    stage.put(entry_row(filled_quantity=4), stop_row(trigger_price=15.2))
    stage.answers(modified(effect=shows(stage, quantity=8)))

    pocket.modify_cover_order(ENTRY, quantity=8)

    assert stage.changes[0].json["stop_loss_value"] == 15.2


def test_waits_for_the_row_to_show_it(stage: Stage, pocket: Any) -> None:
    """A change that the exchange confirms a moment later is seen through."""
    stage.put(entry_row())

    def pending(heard: ExecutionReport) -> None:
        stage.change(ENTRY, order_status="MODIFY_PENDING", price=15.25)

    stage.answers(
        modified(
            effect=pending,
            effect_later=lambda: stage.change(ENTRY, order_status="MODIFY_CONFIRMED"),
        )
    )

    assert pocket.modify_cover_order(ENTRY, price="15.25").status == "MODIFY_CONFIRMED"


def test_a_refusal_is_raised(stage: Stage, pocket: Any) -> None:
    """A modify of an executed entry is the server's to refuse, with its reason."""
    stage.put(entry_row(order_status="COMPLETE", filled_quantity=10), stop_row())
    stage.answers(refusal(45000, "too late", Error_Reason="ENTRY_ALREADY_EXECUTED"))

    with pytest.raises(RequestRefused) as caught:
        pocket.modify_cover_order(ENTRY, price="15.25")

    assert caught.value.reason == "ENTRY_ALREADY_EXECUTED"
    assert len(stage.changes) == 1


def test_a_change_of_nothing_is_refused(stage: Stage, pocket: Any) -> None:
    """Without anything to change no request is made up."""
    with pytest.raises(BadArgument, match="nothing to change"):
        pocket.modify_cover_order(ENTRY)

    assert stage.heard == []
