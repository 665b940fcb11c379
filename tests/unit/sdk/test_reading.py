"""
Reads are typed, exact, and forgiving about what servers of this family leave out.
"""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kavach.sdk import AuthError, BadArgument, NotFound, RequestRefused, rows
from kavach.sdk.rows import read_row
from kavach.wire.orders import rows as wire_rows
from tests.defaults import telling_defaults
from tests.unit.sdk.conftest import MakeClient
from tests.unit.sdk.stage import Stage, entry_row, json_answer, refusal, stop_row


def success(data: Any) -> Any:
    """Return an answer with this data."""
    return json_answer({"data": data, "message": "", "status": "success"})


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (rows.Order, wire_rows.OrderRow),
        (rows.Trade, wire_rows.TradeRow),
        (rows.HistoryEntry, wire_rows.HistoryRow),
        (rows.Position, wire_rows.PositionRow),
        (rows.TradingInfo, wire_rows.TradingInfo),
    ],
)
def test_every_value_read_is_one_that_is_written(read: Any, written: Any) -> None:
    """The client's rows use the wire's names, so none of them can be misspelled."""
    assert set(read.__struct_fields__) <= set(written.__struct_fields__)


def test_both_halves_of_the_book(stage: Stage, pocket: Any) -> None:
    """All orders are the living and the closed ones, each half by its own documented read."""
    stage.put(entry_row(order_status="COMPLETE"), stop_row())

    assert [row.order_status for row in pocket.orders()] == ["TRIGGER_PENDING", "COMPLETE"]
    assert [row.leg_order_indicator for row in pocket.orders("pending")] == ["THIRD"]
    assert [row.leg_order_indicator for row in pocket.orders("completed")] == ["ENTRY"]
    assert {heard.query["client_id"] for heard in stage.heard} == {"AB001"}


def test_an_order_that_moves_between_the_halves_is_seen_once(stage: Stage, pocket: Any) -> None:
    """An order that closes between the two reads is shown once, as it was last."""
    living = msgspec.to_builtins(entry_row())
    closed = msgspec.to_builtins(entry_row(order_status="COMPLETE"))
    stage.answers_reads(success({"orders": [living]}), success({"orders": [closed]}))

    (row,) = pocket.orders()

    assert row.order_status == "COMPLETE"


def test_prices_are_exact(stage: Stage, pocket: Any) -> None:
    """A price is the decimal that was written, and a reference keeps all its digits."""
    stage.put(entry_row(price=0.1 + 0.2, last_activity_reference=2**60 + 1))

    (row,) = pocket.orders("pending")

    assert row.price == Decimal("0.30000000000000004")
    assert row.stop_loss_value == Decimal("15.1")
    assert row.last_activity_reference == 2**60 + 1


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"price": "50.50"}, "price", Decimal("50.50")),
        ({"stop_loss_value": {}}, "stop_loss_value", Decimal(0)),
        ({"leg_order_indicator": None}, "leg_order_indicator", ""),
        ({"user_order_id": 10002}, "user_order_id", "10002"),
        ({"quantity": "3"}, "quantity", 3),
        ({"some_new_key": [1]}, "order_status", "CONFIRMED"),
    ],
)
def test_rows_of_other_servers_can_be_read(given: Any, field: str, value: Any) -> None:
    """Text for numbers, numbers for text, null and {} for nothing, missing and unknown keys."""
    row = {"oms_order_id": "1", "order_status": "CONFIRMED"} | given

    assert getattr(read_row(rows.Order, row), field) == value


def test_a_number_that_a_server_leaves_out_is_nothing() -> None:
    """It is 0 or False, but where the market has another word for nothing special."""
    assert telling_defaults("kavach.sdk") == {
        "Contract.is_tradable": True,
        "Position.multiplier": 1,
        "ScripInfo.board_lot_quantity": 1,
        "ScripInfo.tradable": True,
    }


def test_trades_history_positions(stage: Stage, pocket: Any) -> None:
    """Each read asks its documented path and returns its rows, typed."""
    trade = {"trade_number": "9", "oms_order_id": "1", "trade_price": 15.4, "trigger_price": {}}
    stage.answers_reads(
        success({"trades": [trade]}),
        success([{"status": "PENDING", "price": 15}, {"status": "CONFIRMED"}]),
        success({"order history": [{"status": "COMPLETE"}], "message": "", "status": "success"}),
        success([{"exchange": "NSE", "instrument_token": 14366, "net_quantity": -3, "ltp": 15}]),
        success(None),
    )

    assert [row.trade_price for row in pocket.trades()] == [Decimal("15.4")]
    assert [row.status for row in pocket.order_history("1")] == ["PENDING", "CONFIRMED"]
    assert [row.status for row in pocket.order_history("1")] == ["COMPLETE"]
    assert [row.net_quantity for row in pocket.positions()] == [-3]
    assert pocket.positions("historical") == []
    paths = [(heard.path, heard.query.get("type")) for heard in stage.heard]
    assert paths == [
        ("/api/v1/trades", None),
        ("/api/v1/order/1/history", None),
        ("/api/v1/order/1/history", None),
        ("/api/v1/positions", "live"),
        ("/api/v1/positions", "historical"),
    ]


def test_the_client_id_is_asked_for_once(stage: Stage, make_client: MakeClient) -> None:
    """Whoever gives only a token is asked about at the server, at the first call, once."""
    pocket = make_client(client_id=None)
    stage.answers_reads(success({"client_id": "AB001", "name": "A. Trader"}))

    pocket.orders("pending")
    pocket.orders("pending")

    assert [heard.path for heard in stage.heard] == [
        "/api/v1/user/trading_info",
        "/api/v1/orders",
        "/api/v1/orders",
    ]
    assert stage.heard[1].query == {"type": "pending", "client_id": "AB001"}


def test_trading_info(stage: Stage, pocket: Any) -> None:
    """The owner of the token, and what they may trade."""
    stage.answers_reads(success({"client_id": "AB001", "exchanges_subscribed": ["NSE"]}))

    info = pocket.trading_info()

    assert (info.client_id, info.exchanges_subscribed) == ("AB001", ["NSE"])


@pytest.mark.parametrize(
    ("http_status", "body", "error", "code", "message"),
    [
        (401, {"error_code": 40000, "message": "Request Unauthorised"}, AuthError, 40000, "Req"),
        (200, {"error_code": 40000, "message": "Request forbidden"}, AuthError, 40000, "Req"),
        (401, {"error": "invalid credentials"}, AuthError, 0, "invalid credentials"),
        (404, {"error_code": 45000, "message": "no order"}, NotFound, 45000, "no order"),
        (200, {"error_code": 45010, "message": "Something"}, RequestRefused, 45010, "Something"),
        (200, {"error": {"code": 404, "message": "Gone"}, "result": ""}, NotFound, 404, "Gone"),
        (400, {"message": "bad"}, RequestRefused, 0, "bad"),
        (200, {"status": "error", "message": "Invalid"}, RequestRefused, 0, "Invalid"),
    ],
)
def test_every_error_envelope_is_understood(
    stage: Stage,
    pocket: Any,
    http_status: int,
    body: dict[str, Any],
    error: type[RequestRefused],
    code: int,
    message: str,
) -> None:
    """An error is one under 200 as well, and in every envelope of the family."""
    said = body if "error" in body else {"data": {}, "status": "error"} | body
    stage.answers_reads(json_answer(said, http_status))

    with pytest.raises(error) as caught:
        pocket.orders()

    assert (caught.value.code, caught.value.http_status) == (code, http_status)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("order", ["", None, 7.5, True, "..", "."])
def test_an_impossible_id_is_named(stage: Stage, pocket: Any, order: Any) -> None:
    """What is no id is refused by its argument's name and never becomes part of a path."""
    with pytest.raises(BadArgument, match="order: "):
        pocket.order_history(order)

    assert stage.heard == []


def test_the_book_has_two_halves(pocket: Any) -> None:
    """A half that does not exist is named."""
    with pytest.raises(BadArgument, match="book: 'open' is none of"):
        pocket.orders("open")
    with pytest.raises(BadArgument, match="kind: 'net' is none of"):
        pocket.positions("net")


def test_a_refusal_tells_all_it_knows(stage: Stage, pocket: Any) -> None:
    """What is printed of a refusal has text, code, reason, status and request id."""
    stage.answers_reads(refusal(40000, "Request forbidden", 403, Request_Id="r9", Error_Reason="W"))

    with pytest.raises(AuthError) as caught:
        pocket.orders()

    assert str(caught.value) == "Request forbidden (code 40000, W, HTTP 403, request r9)"
