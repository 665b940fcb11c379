"""
The vendor's method names: a dict in, the answer's dict out, without upstream's defects.
"""

from typing import Any

import pytest

from kavach.sdk import BadArgument, OutcomeUnknown, Pocket, Settled, TransportError
from tests.unit.sdk.stage import (
    CLIENT,
    TOKEN,
    Answer,
    Stage,
    entry_row,
    json_answer,
    placed,
    refusal,
)

PUBLISHED_EXAMPLE = """
response = pocket.cancelConditionalOrder({"client_id":clintId,"exchange_order_id":"1300000034566552","execution_type":"CO",
"leg_order_indicator":"ENTRY", 
"oms_order_id":"202403132605"})
"""  # noqa: E501, W291
PUBLISHED_ANSWER = {
    "data": {"basket_id": "20210531-23", "message": "Order Cancelled Successfully"},
    "message": "",
    "status": "success",
}
CANCEL = {
    "client_id": "AB001",
    "exchange_order_id": "1300000034566552",
    "execution_type": "CO",
    "leg_order_indicator": "ENTRY",
    "oms_order_id": "202403132605",
}


def test_the_published_example_runs_as_written(stage: Stage) -> None:
    """The page's cancel example, given ``pocket`` and ``clintId``, gets the page's answer."""
    stage.answers(json_answer(PUBLISHED_ANSWER))
    with Pocket(CLIENT, TOKEN, base_url=stage.url) as pocket:
        scope: dict[str, Any] = {"pocket": pocket, "clintId": CLIENT}
        exec(PUBLISHED_EXAMPLE, scope)

    assert scope["response"] == PUBLISHED_ANSWER
    heard = stage.changes[0]
    assert (heard.method, heard.path) == ("DELETE", "/api/v1/orders/kart/202403132605")
    assert heard.json == CANCEL


@pytest.mark.parametrize(
    ("name", "method"), [("placeConditionalOrder", "POST"), ("modifyConditionalOrder", "PUT")]
)
def test_a_dict_goes_out_and_the_answer_comes_back(
    stage: Stage, pocket: Any, name: str, method: str
) -> None:
    """The request is the caller's dict without its empty values; the dict is left alone."""
    stage.answers(placed())
    parameters = {"client_id": "AB001", "price": 15.4, "tags": None}

    answer = getattr(pocket, name)(parameters)

    assert answer["data"]["data"]["message"] == "basket Order Placed Successfully"
    assert parameters == {"client_id": "AB001", "price": 15.4, "tags": None}
    heard = stage.changes[0]
    assert (heard.method, heard.path) == (method, "/api/v1/orders/kart")
    assert heard.json == {"client_id": "AB001", "price": 15.4}


@pytest.mark.parametrize(
    ("name", "arguments", "path", "query"),
    [
        ("getPendingOrder", (), "/api/v1/orders", {"type": "pending"}),
        ("getCompletedOrder", (), "/api/v1/orders", {"type": "completed"}),
        ("getOrderHistory", ("2024",), "/api/v1/order/2024/history", {}),
        ("getOrderHistory", (2024,), "/api/v1/order/2024/history", {}),
        ("getTradeBook", (), "/api/v1/trades", {}),
        ("getPositionsDaywise", (), "/api/v1/positions", {"type": "live"}),
        ("getPositionsNetwise", (), "/api/v1/positions", {"type": "historical"}),
        ("getPendingOrderBook", (), "/api/v1/orders", {"type": "pending"}),
        ("getDematHoldings", (), "/api/v1/holdings", {}),
        ("getFunds", (), "/api/v2/funds/view", {"type": "all"}),
        ("getProfile", (), "/api/v1/user/profile", {}),
        ("gttFetchRule", (), "/api/v1/event/gtt", {}),
        ("gttFetchRule", ({"ClientId": "AB001"},), "/api/v1/event/gtt", {}),
    ],
)
def test_reads_ask_what_upstream_asks(
    stage: Stage, pocket: Any, name: str, arguments: Any, path: str, query: dict[str, str]
) -> None:
    """Each read goes to upstream's path with upstream's parameters and returns the whole answer."""
    said = {"data": {"any": [1.5]}, "message": "", "status": "success"}
    stage.answers_reads(json_answer(said))

    assert getattr(pocket, name)(*arguments) == said
    assert stage.heard[0].path == path
    assert stage.heard[0].query == query | {"client_id": "AB001"}


QUOTE = "/api/v1/marketdata/NSE/Capital"
FUTURE = "/api/v1/marketdata/NFO/FutOpt"
LAST = {"key": "last_trade_price"}


@pytest.mark.parametrize(
    ("name", "arguments", "path", "query"),
    [
        ("fetchBasket", (), "/api/v1/basket", {"login_id": "AB001"}),
        ("searchScrip", ("M&M #1",), "/api/v1/search", {"key": "M&M #1"}),
        (
            "getScripInfo",
            ("NSE", 14366),
            "/api/v1/contract/NSE",
            {"info": "scrip", "token": "14366"},
        ),
        (
            "getOptionChain",
            (26009, 40, 46363.5),
            "/api/v1/optionchain/NFO",
            {"token": "26009", "num": "40", "price": "46363.5"},
        ),
        ("getMarketdata", ("NSE", 14366), QUOTE, {"token": "14366"}),
        ("getLtp", ("NSE", "14366"), QUOTE, {"token": "14366"} | LAST),
        ("getClosePrice", ("NSE", 1), QUOTE, {"token": "1", "key": "close_price"}),
        ("getFNOdata", ("NFO", 2), FUTURE, {"token": "2"}),
        *(
            (name, ("NFO", 2), FUTURE, {"token": "2"} | LAST)
            for name in ("getFNOltp", "getFnoLtp", "getNFOltp")
        ),
    ],
)
def test_public_reads_ask_what_upstream_asks(
    stage: Stage, pocket: Any, name: str, arguments: Any, path: str, query: dict[str, str]
) -> None:
    """Contracts and prices are asked for with upstream's parameters, each of them escaped."""
    stage.answers_reads(json_answer({"any": 1}))

    assert getattr(pocket, name)(*arguments) == {"any": 1}
    assert (stage.heard[0].path, stage.heard[0].query) == (path, query)


RULE = "e06f52ab-6cf4-492d-a014-c6e0e5843a93"
BASKET = {"BasketId": "b1", "BasketName": "One"}


@pytest.mark.parametrize(
    ("name", "parameters", "method", "path", "query", "body"),
    [
        ("placeOrder", {"price": 1}, "POST", "/api/v1/orders", {}, {"price": 1}),
        ("modifyOrder", {"price": 1}, "PUT", "/api/v1/orders", {}, {"price": 1}),
        (
            "cancelOrder",
            {"oms_order_id": "7", "execution_type": "REGULAR"},
            "DELETE",
            "/api/v1/orders/7",
            {},
            {"oms_order_id": "7", "execution_type": "REGULAR"},
        ),
        ("gttCreateRule", {"order": {}}, "POST", "/api/v1/event/gtt", {}, {"order": {}}),
        ("gttModifyRule", {"Id": RULE}, "PUT", "/api/v1/event/gtt", {}, {"id": RULE}),
        ("gttCancelRule", {"id": RULE}, "DELETE", f"/api/v1/event/gtt/AB001/{RULE}", {}, None),
        (
            "gttCancelRule",
            {"ClientId": "XY", "Id": RULE},
            "DELETE",
            f"/api/v1/event/gtt/XY/{RULE}",
            {},
            None,
        ),
        ("createBasket", {"name": "One"}, "POST", "/api/v1/basket", {}, {"name": "One"}),
        (
            "renameBasket",
            BASKET,
            "PUT",
            "/api/v1/basket",
            {},
            {"basket_id": "b1", "name": "One"},
        ),
        (
            "deleteBasket",
            BASKET,
            "DELETE",
            "/api/v1/basket",
            {"basket_id": "b1", "name": "One"},
            None,
        ),
        (
            "deleteBasket",
            {"basket_id": "b1", "basket_name": "One"},
            "DELETE",
            "/api/v1/basket",
            {"basket_id": "b1", "name": "One"},
            None,
        ),
        (
            "addInstrumentToBasket",
            {"basket_id": "b1", "order_info": {"price": 1}},
            "POST",
            "/api/v1/basket/order",
            {},
            {"basket_id": "b1", "order_info": {"price": 1}},
        ),
        (
            "editBasketInstrument",
            BASKET | {"OrderId": "o1"},
            "PUT",
            "/api/v1/basket/order",
            {},
            {"basket_id": "b1", "name": "One", "order_id": "o1"},
        ),
        (
            "deleteBasketInstrument",
            BASKET | {"OrderId": "o1"},
            "DELETE",
            "/api/v1/basket/order",
            {"basket_id": "b1", "name": "One", "order_id": "o1"},
            None,
        ),
        (
            "executeBasket",
            {"basket_id": "b1", "execution_type": "NML"},
            "POST",
            "/api/v1/orders/kart",
            {},
            {"basket_id": "b1", "execution_type": "NML"},
        ),
        (
            "convertPosition",
            {"quantity": 1},
            "PUT",
            "/api/v1/position/convert",
            {},
            {"quantity": 1},
        ),
    ],
)
def test_changes_say_what_the_pages_say(
    stage: Stage,
    pocket: Any,
    name: str,
    parameters: dict[str, Any],
    method: str,
    path: str,
    query: dict[str, str],
    body: Any,
) -> None:
    """Each change goes to its address in the documented words; the dict stays as it is."""
    said = {"data": {"id": "any"}, "message": "", "status": "success"}
    stage.answers(json_answer(said))
    before = dict(parameters)

    assert getattr(pocket, name)(parameters | {"tags": None}) == said

    heard = stage.changes[0]
    assert (heard.method, heard.path, heard.query) == (method, path, query)
    assert (heard.json if heard.body else None) == body
    assert heard.headers["idempotency-key"]
    assert parameters == before


def test_the_price_range_is_the_one_of_its_page(stage: Stage, pocket: Any) -> None:
    """The range comes back in the documented shape; an unknown contract as the documented error."""
    found = {
        "higher_circuit_limit": 27.4,
        "lower_circuit_limit": 18.3,
        "instrument_token": 14366,
    }
    fine = {"code": 0, "message": ""}
    gone = {"code": 404, "message": "Resource Not Found"}
    stage.answers_reads(
        json_answer({"error": fine, "result": found}), json_answer({"error": gone, "result": ""})
    )

    assert pocket.getDPRdata("NSE", 14366)["data"] == {
        "exchange": "NSE",
        "exchange_timestamp": 0,
        "high_dpr": 27.4,
        "instrument_token": 14366,
        "low_dpr": 18.3,
    }
    assert pocket.getDPRdata("NSE", 1) == {
        "data": {},
        "message": "Invalid parameters",
        "status": "error",
    }


@pytest.mark.parametrize(("question_id", "kind"), [(22, "PIN"), (100, "TOTP"), ("100", "TOTP")])
def test_a_session_is_opened_and_used(
    stage: Stage, make_client: Any, question_id: Any, kind: str
) -> None:
    """Password, then PIN or TOTP as the question wants; later calls carry the new token."""
    pocket = make_client(access_token="stale")
    twofa = {"twofa_token": "t", "questions": [{"question": "?", "question_id": question_id}]}
    stage.answers(
        json_answer({"status": "success", "data": {"twofa": twofa}}),
        json_answer({"status": "success", "data": {"auth_token": "fresh"}}),
    )

    answer = pocket.generateSession("XY999", "secret", "1234")
    pocket.getPendingOrder()

    assert answer["data"]["auth_token"] == "fresh"
    first, second, later = stage.heard
    assert first.json == {"channel_id": "XY999", "channel_secret": "secret"}
    assert second.json == {
        "login_id": "XY999",
        "twofa": [{"question_id": question_id, "answer": "1234"}],
        "twofa_token": "t",
        "type": kind,
        "device_type": "web",
    }
    assert "authorization" not in first.headers and "authorization" not in second.headers
    assert later.headers["authorization"] == "Bearer fresh"
    assert later.query["client_id"] == "XY999"


def test_a_refused_password_is_the_answer(stage: Stage, pocket: Any) -> None:
    """A wrong password comes back as the server's answer, and the old token stays in use."""
    stage.answers(refusal(40000, "Request Unauthorised", 401))

    assert pocket.generateSession("AB001", "wrong", "1234")["error_code"] == 40000
    pocket.getPendingOrder()

    assert stage.heard[-1].headers["authorization"] == f"Bearer {TOKEN}"


def test_an_error_comes_back_as_a_dict(stage: Stage, pocket: Any) -> None:
    """A refusal is an answer like any other, as upstream, whatever its HTTP status."""
    stage.answers(refusal(44000, "`exchange_order_id` can't be blank", 400))

    answer = pocket.cancelConditionalOrder(CANCEL | {"exchange_order_id": ""})

    assert answer == {
        "data": {},
        "error_code": 44000,
        "message": "`exchange_order_id` can't be blank",
        "status": "error",
    }


@pytest.mark.parametrize("named", [{}, {"oms_order_id": None}, {"oms_order_id": " "}])
def test_a_missing_order_id_is_named(stage: Stage, pocket: Any, named: dict[str, Any]) -> None:
    """A cancel without an order id says which key is missing, and nothing is sent."""
    parameters = {key: value for key, value in CANCEL.items() if key != "oms_order_id"} | named

    with pytest.raises(BadArgument, match="oms_order_id: must be given"):
        pocket.cancelConditionalOrder(parameters)

    assert stage.heard == []


@pytest.mark.parametrize(
    ("order_id", "path"),
    [
        ("2024/../x y?z", "/api/v1/orders/kart/2024%2F..%2Fx%20y%3Fz"),
        ("a%2Fb#c", "/api/v1/orders/kart/a%252Fb%23c"),
        (202403132605, "/api/v1/orders/kart/202403132605"),
    ],
)
def test_an_id_cannot_become_another_path(
    stage: Stage, pocket: Any, order_id: Any, path: str
) -> None:
    """Whatever is in an id stays in its own piece of the path, and no query grows from it."""
    stage.answers(refusal(45000, "`oms_order_id` is invalid"))

    pocket.cancelConditionalOrder(CANCEL | {"oms_order_id": order_id})

    assert stage.changes[0].path == path
    assert stage.changes[0].query == {}


def test_a_list_is_no_dict(pocket: Any) -> None:
    """Anything but a dict is named before it is sent."""
    with pytest.raises(BadArgument, match="a dict is needed, not list"):
        pocket.placeConditionalOrder([CANCEL])


@pytest.mark.parametrize("body", [b"", b"<!doctype html>", b"[1]"])
def test_an_unreadable_answer_is_raised(stage: Stage, pocket: Any, body: bytes) -> None:
    """A read answered by no JSON object raises, and names what came."""
    stage.answers_reads(Answer(body=body))

    with pytest.raises(TransportError, match="HTTP 200") as caught:
        pocket.getPendingOrder()

    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_lost_modify_is_left_to_the_caller(stage: Stage, pocket: Any) -> None:
    """What a vendor-named modify wanted is not guessed at: the order comes back for comparison."""
    stage.put(entry_row(order_status="COMPLETE", filled_quantity=10))
    stage.answers(Answer(dropped=True))

    with pytest.raises(OutcomeUnknown) as caught:
        pocket.modifyConditionalOrder({"oms_order_id": "2024061317", "price": 15.2})

    resolution = pocket.resolve(caught.value)
    assert resolution.settled is Settled.NOT_SEEN
    assert resolution.order.oms_order_id == "2024061317"


def test_a_lost_cancel_can_be_resolved(stage: Stage, pocket: Any) -> None:
    """An unknown outcome of a vendor-named call is found out like any other."""
    stage.put(entry_row())
    stage.answers(
        Answer(
            dropped=True,
            effect=lambda heard: stage.change("2024061317", order_status="CANCEL_CONFIRMED"),
        )
    )

    with pytest.raises(OutcomeUnknown) as caught:
        pocket.cancelConditionalOrder(CANCEL | {"oms_order_id": "2024061317"})

    assert pocket.resolve(caught.value).settled is Settled.DONE
