"""Saved baskets over the wire: every call as clients send it, every limit and its text."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from kavach.core.rules.baskets.requests import BASKET_ORDERS_MAX, BASKETS_MAX
from kavach.wire.baskets import BasketRow, LineInfo, LineRequest
from tests.unit.api.world import BEARER, KART, OTHER, World

BASKET = "/api/v1/basket"
LINE = "/api/v1/basket/order"
NOBODY = "00000000-0000-8000-8000-000000000000"
TOKENS = (14366, 11915, 10666, 3045, 1333, 13342, 11536, 2885, 1594)


def line(**changes: Any) -> dict[str, Any]:
    """Return an order as the vendor's page adds it; None takes a field away."""
    fields: dict[str, Any] = {
        "client_id": "DEMO1",
        "disclosedQuantity": 0,
        "exchange": "NSE",
        "execution_type": "REGULAR",
        "instrument_token": 14366,
        "order_side": "BUY",
        "order_type": "MARKET",
        "price": 0,
        "product": "MIS",
        "quantity": 1,
        "series": "EQ",
        "trading_symbol": "IDEA-EQ",
        "trigger_price": 0,
        "underlying_token": "14366",
        "validity": "DAY",
        "user_order_id": 10002,
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def data(answer: httpx.Response) -> Any:
    """Return what a success holds."""
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def refusal(answer: httpx.Response) -> tuple[int, int, str]:
    """Return status, code and text of a refusal."""
    told = answer.json()
    assert told["status"] == "error", told
    return answer.status_code, told["error_code"], told["message"]


def create(world: World, name: str = "Basket1", **changes: Any) -> dict[str, Any]:
    """Return a new basket."""
    fields = {
        "login_id": "DEMO1",
        "name": name,
        "type": "NORMAL",
        "product_type": "ALL",
        "order_type": "ALL",
    } | changes
    made: dict[str, Any] = data(world.http.post(BASKET, json=fields, headers=BEARER))[-1]
    return made


def add(world: World, basket: dict[str, Any], **changes: Any) -> httpx.Response:
    """Return the answer to one more order in a basket."""
    fields = {"basket_id": basket["basket_id"], "name": basket["name"]}
    return world.http.post(LINE, json={**fields, "order_info": line(**changes)}, headers=BEARER)


def fetch(world: World) -> list[dict[str, Any]]:
    """Return every basket."""
    found: list[dict[str, Any]] = data(world.http.get(f"{BASKET}?login_id=DEMO1", headers=BEARER))
    return found


def test_a_basket_is_kept(world: World) -> None:
    """Creating answers all baskets; the new one is empty, has all documented keys, and is found."""
    answer = world.http.post(
        BASKET,
        json={"login_id": "DEMO1", "name": "Basket1", "type": "NORMAL", "product_type": "ALL"},
        headers=BEARER,
    )
    [basket] = data(answer)
    assert answer.json()["message"] == "Basket Basket1 created successfully"
    assert list(basket) == list(BasketRow.__struct_fields__)
    assert basket | {"basket_id": ""} == {
        "basket_id": "",
        "basket_type": "NORMAL",
        "is_executed": False,
        "login_id": "DEMO1",
        "name": "Basket1",
        "order_type": "ALL",
        "orders": [],
        "product_type": "ALL",
        "sip_eligible": False,
        "sip_enabled": False,
    }
    create(world, "Basket2")
    assert [b["name"] for b in fetch(world)] == ["Basket1", "Basket2"]
    assert len({b["basket_id"] for b in fetch(world)}) == 2


def test_a_basket_is_renamed(world: World) -> None:
    """The answer is the basket; its own name again is no offence."""
    basket = create(world)
    for name in ("Basket2", "Basket2"):
        fields = {"basket_id": basket["basket_id"], "name": name}
        answer = world.http.put(BASKET, json=fields, headers=BEARER)
        assert data(answer) == basket | {"name": "Basket2"}
        assert answer.json()["message"] == "Basket name updated successfully"


def as_body(parameters: dict[str, Any]) -> tuple[str, bytes]:
    """A JSON body, as some clients send it."""
    return "", json.dumps(parameters | {"sip_count": 0}).encode()


def as_pairs(parameters: dict[str, Any]) -> tuple[str, bytes]:
    """Query pairs, as the official SDK sends them."""
    return "?" + "&".join(f"{name}={quote(value)}" for name, value in parameters.items()), b""


def as_document(parameters: dict[str, Any]) -> tuple[str, bytes]:
    """The JSON document as the query string, as the SDK before it sends it."""
    return "?" + quote(json.dumps(parameters)), b""


def as_sdk_names(parameters: dict[str, Any]) -> tuple[str, bytes]:
    """The names that the SDK's caller uses, where they reach the wire."""
    names = {"basket_id": "BasketId", "name": "BasketName", "order_id": "OrderId"}
    return as_document({names[name]: value for name, value in parameters.items()})


@pytest.mark.parametrize("encode", [as_body, as_pairs, as_document, as_sdk_names])
def test_deleting_in_every_encoding(world: World, encode: Any) -> None:
    """An order, then the basket, is deleted however the parameters travel."""
    basket = create(world)
    [order] = data(add(world, basket))["orders"]
    named = {"basket_id": basket["basket_id"], "name": basket["name"]}
    query, body = encode({**named, "order_id": order["order_id"]})
    answer = world.http.request("DELETE", f"{LINE}{query}", content=body, headers=BEARER)
    assert data(answer) == []
    assert answer.json()["message"] == "Order remove from the basket Basket1."
    query, body = encode(named)
    answer = world.http.request("DELETE", f"{BASKET}{query}", content=body, headers=BEARER)
    assert data(answer) == []
    assert answer.json()["message"] == "Basket Basket1 deleted successfully"
    assert fetch(world) == []


def test_deleting_answers_what_is_left(world: World) -> None:
    """The other baskets, and the other orders of a basket, stay."""
    basket, other = create(world), create(world, "Other")
    first = data(add(world, basket))["orders"][0]
    second = data(add(world, basket, instrument_token=11915))["orders"][1]
    query = f"?basket_id={basket['basket_id']}&order_id={first['order_id']}"
    assert data(world.http.delete(f"{LINE}{query}", headers=BEARER)) == [second]
    answer = world.http.delete(f"{BASKET}?basket_id={other['basket_id']}", headers=BEARER)
    assert [left["name"] for left in data(answer)] == ["Basket1"]


def test_an_order_is_added(world: World) -> None:
    """The vendor's own request, to the letter; every documented key comes back."""
    basket = create(world)
    answer = add(world, basket)
    assert answer.json()["message"] == "Order added in the basket Basket1."
    [order] = data(answer)["orders"]
    info = order["order_info"]
    assert list(info) == list(LineInfo.__struct_fields__)
    assert len(info) == 56
    assert (info["trading_symbol"], info["user_order_id"]) == ("IDEA-EQ", 10002)
    assert (info["stop_loss_value"], info["square_off_value"], info["tags"]) == (None, None, [])
    assert (info["order_status"], info["oms_order_id"], info["underlying_token"]) == (
        None,
        "",
        "14366",
    )
    assert fetch(world)[0]["orders"] == [order]


def test_an_order_is_edited(world: World) -> None:
    """As the page does it, BO without legs included; then one field, and the rest stays."""
    basket = create(world)
    order_id = data(add(world, basket, instrument_token=3045))["orders"][0]["order_id"]
    fields = {
        "basket_id": basket["basket_id"],
        "name": "h",
        "order_info": {
            "exchange": "NSE",
            "instrument_token": 3045,
            "client_id": "DEMO1",
            "order_type": "LIMIT",
            "price": 740.5,
            "quantity": 2,
            "disclosed_quantity": 0,
            "validity": "DAY",
            "product": "MIS",
            "trading_symbol": "SBIN-EQ",
            "order_side": "BUY",
            "user_order_id": 10002,
            "underlying_token": "3045",
            "series": "EQ",
            "oms_order_id": order_id,
            "exchange_order_id": "",
            "trigger_price": 0,
            "stop_loss_value": 0,
            "square_off_value": 0,
            "trailing_stop_loss": 0,
            "is_trailing": False,
            "execution_type": "BO",
        },
        "order_id": order_id,
    }
    [order] = data(world.http.put(LINE, json=fields, headers=BEARER))["orders"]
    info = order["order_info"]
    assert (order["order_id"], info["order_type"], info["price"]) == (order_id, "LIMIT", 740.5)
    assert (info["quantity"], info["execution_type"]) == (2, "REGULAR")
    fields["order_info"] = {"quantity": 7}
    [order] = data(world.http.put(LINE, json=fields, headers=BEARER))["orders"]
    assert order["order_info"] == info | {"quantity": 7}
    fields["order_info"] = {"order_type": "MARKET", "execution_type": "amo"}
    [order] = data(world.http.put(LINE, json=fields, headers=BEARER))["orders"]
    assert order["order_info"] == info | {
        "quantity": 7,
        "order_type": "MARKET",
        "price": 0,
        "execution_type": "AMO",
    }


INFO: list[tuple[dict[str, Any], tuple[int, int, str]]] = [
    (
        {"order_type": "LIMIT"},
        (400, 48004, "`order_info` order price cannot be zero in SL/LIMIT order"),
    ),
    ({"order_type": "STOP"}, (400, 44000, "`order_info` `order_type` is invalid")),
    ({"order_type": None}, (400, 44000, "`order_info` `order_type` can't be blank")),
    ({"product": "BO"}, (400, 44000, "`order_info` `product` is invalid")),
    ({"quantity": 0}, (400, 45000, "`order_info` `quantity` is invalid")),
    ({"quantity": "many"}, (400, 45000, "`order_info` `quantity` is invalid")),
    ({"price": 13}, (400, 45000, "`order_info` `price` is invalid")),
    ({"order_type": "LIMIT", "price": 13.001}, (400, 45000, "`order_info` `price` is invalid")),
    ({"trigger_price": 13}, (400, 44000, "`order_info` `trigger_price` is invalid")),
    ({"execution_type": "SPD"}, (400, 44000, "`order_info` `execution_type` is invalid")),
    (
        {"execution_type": "BO", "stop_loss_value": 1},
        (
            400,
            44000,
            "`order_info` `stop_loss_value` is invalid: a basket holds no cover or bracket orders",
        ),
    ),
    (
        {"instrument_token": 1},
        (400, 45010, "Something went wrong: `instrument_token` is invalid: no contract NSE:1"),
    ),
    ({"client_id": "DEMO2"}, (403, 40000, "Request forbidden")),
]


@pytest.mark.parametrize(("changes", "told"), INFO)
def test_an_order_that_can_never_be_placed(
    world: World, changes: dict[str, Any], told: tuple[int, int, str]
) -> None:
    """What is wrong is named within the object, and nothing is kept."""
    basket = create(world)
    before = world.state_hash()
    *kind, text = refusal(add(world, basket, **changes))
    assert (kind, text.startswith(told[-1])) == ([*told[:-1]], True), text
    assert world.state_hash() == before


def test_what_a_basket_does_not_take(world: World) -> None:
    """An instrument twice, another product than the basket's, another order type."""
    basket = create(world, product_type="MIS", order_type="LIMIT")
    limit = {"order_type": "LIMIT", "price": 13}
    data(add(world, basket, **limit))
    assert refusal(add(world, basket, **limit)) == (400, 46001, "Instrumetn already added")
    assert refusal(add(world, basket, **limit, instrument_token=11915, product="CNC")) == (
        400,
        44000,
        "`order_info` `product` is invalid: the basket is for MIS",
    )
    assert refusal(add(world, basket, instrument_token=11915)) == (
        400,
        44000,
        "`order_info` `order_type` is invalid: the basket is for LIMIT",
    )


def test_an_edit_does_not_double_an_instrument(world: World) -> None:
    """An order may keep its own instrument, and may not take another's."""
    basket = create(world)
    data(add(world, basket))
    second = data(add(world, basket, instrument_token=11915))["orders"][1]["order_id"]
    fields: dict[str, Any] = {"basket_id": basket["basket_id"], "order_id": second}
    same = {**fields, "order_info": {"instrument_token": 11915}}
    assert world.http.put(LINE, json=same, headers=BEARER).status_code == 200
    other = {**fields, "order_info": {"instrument_token": 14366}}
    answer = world.http.put(LINE, json=other, headers=BEARER)
    assert refusal(answer) == (400, 46001, "Instrumetn already added")


def test_a_hedge_basket_is_for_index_derivatives(world: World) -> None:
    """Of other derivatives it takes none, with the vendor's words."""
    basket = create(world, "Hedge", type="HEDGE")
    nifty = {"exchange": "NFO", "instrument_token": 35001, "quantity": 65, "product": "NRML"}
    assert len(data(add(world, basket, **nifty))["orders"]) == 1
    others = [
        item
        for item in world.desk.instruments.values()
        if item.segment != "Capital" and item.symbol not in ("NIFTY", "BANKNIFTY")
    ]
    other = {
        "exchange": others[0].exchange.value,
        "instrument_token": others[0].token,
        "quantity": others[0].lot,
        "product": "NRML",
    }
    assert refusal(add(world, basket, **other)) == (
        400,
        48001,
        "`order_info` Hedge basket feature enabled only for NIFTY 50 & NIFTY BANK as underlying",
    )


def test_names(world: World) -> None:
    """Twenty characters, not one more, and no name twice; another client's names are free."""
    create(world, "x" * 20)
    basket = create(world, "Other")
    too_long = (400, 48001, "`name` Basket name restricted to 20 characters")
    taken = (400, 48001, "name has already been taken")
    for name, told in (("x" * 21, too_long), ("x" * 500, too_long), ("x" * 20, taken)):
        answer = world.http.post(BASKET, json={"name": name}, headers=BEARER)
        assert refusal(answer) == told
        fields = {"basket_id": basket["basket_id"], "name": name}
        assert refusal(world.http.put(BASKET, json=fields, headers=BEARER)) == told
    blank = world.http.post(BASKET, json={"name": " "}, headers=BEARER)
    assert refusal(blank) == (400, 44000, "`name` can't be blank")
    assert world.http.post(BASKET, json={"name": "x" * 20}, headers=OTHER).status_code == 200


def test_there_is_an_end_to_it(world: World) -> None:
    """A client keeps so many baskets, and a basket so many orders."""
    for number in range(BASKETS_MAX):
        basket = create(world, f"B{number}")
    answer = world.http.post(BASKET, json={"name": "more"}, headers=BEARER)
    assert refusal(answer) == (400, 48001, f"No more than {BASKETS_MAX} baskets can be kept")
    # There are fewer instruments than a basket holds, so the last ones are put in by hand.
    assert add(world, basket).status_code == 200
    kept = world.desk.state.shelf.baskets[basket["basket_id"]]
    world.do(lambda: kept.orders.extend(kept.orders * (BASKET_ORDERS_MAX - 1)))
    answer = add(world, basket, instrument_token=11915)
    told = f"No more than {BASKET_ORDERS_MAX} orders can be in a basket"
    assert refusal(answer) == (400, 48001, told)


def test_what_is_not_there(world: World) -> None:
    """Unknown and foreign ids are one, and the vendor's two spellings tell which call it was."""
    basket = create(world)
    order_id = data(add(world, basket))["orders"][0]["order_id"]
    for headers, basket_id in ((BEARER, NOBODY), (OTHER, basket["basket_id"])):
        info = line(client_id=None)
        named = {"basket_id": basket_id, "name": "Basket1"}
        full = {**named, "order_id": order_id, "order_info": info}
        asks = [
            world.http.put(BASKET, json=named, headers=headers),
            world.http.post(LINE, json=full, headers=headers),
            world.http.put(LINE, json=full, headers=headers),
            world.http.request("DELETE", LINE, json=full, headers=headers),
        ]
        assert {refusal(answer) for answer in asks} == {(400, 48001, "BasketId doesn't exists")}
        gone = world.http.request("DELETE", BASKET, json=named, headers=headers)
        assert refusal(gone) == (400, 48001, "Basket doesnt exists")
    fields = {"basket_id": basket["basket_id"], "order_id": NOBODY, "order_info": line()}
    for method in ("PUT", "DELETE"):
        answer = world.http.request(method, LINE, json=fields, headers=BEARER)
        assert refusal(answer) == (400, 48001, "`order_id` is not in the basket")
    assert data(world.http.get(BASKET, headers=OTHER)) == []


def test_another_account_is_forbidden(world: World) -> None:
    """A login_id that is not the token's is refused wherever it stands."""
    for field in ("login_id", "client_id", "LoginId", "ClientId"):
        for method, path in (("GET", BASKET), ("POST", BASKET), ("DELETE", LINE)):
            answer = world.http.request(
                method, path, json={field: "DEMO2", "name": "b"}, headers=BEARER
            )
            assert refusal(answer) == (403, 40000, "Request forbidden"), (field, method)


def test_a_repeated_request_is_answered_once(world: World) -> None:
    """Under one key a basket is made once; another request under that key is refused."""
    key = BEARER | {"Idempotency-Key": "k1"}
    first = world.http.post(BASKET, json={"name": "Once"}, headers=key)
    again = world.http.post(BASKET, json={"name": "Once"}, headers=key)
    assert data(first) == data(again)
    assert again.headers["X-Idempotent-Replay"] == "true"
    other = world.http.post(BASKET, json={"name": "Twice"}, headers=key)
    assert refusal(other)[1:] == (44000, "`Idempotency-Key` is invalid: k1")
    assert [basket["name"] for basket in fetch(world)] == ["Once"]


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'"x"', b'{"name": NaN}', b'{"order_info": {"price": NaN}}']
)
def test_bodies_that_are_none(world: World, body: bytes) -> None:
    """What is no JSON object, or holds what is no JSON, is refused in the one shape."""
    answer = world.http.post(LINE, content=body, headers=BEARER)
    status, code, text = refusal(answer)
    assert (status, code // 1000) in ((400, 44), (400, 45))
    assert text in (
        "`body` is invalid: it must be a JSON object",
        "`name` is invalid",
        "`order_info` `price` is invalid",
    )


# --- Execute ----------------------------------------------------------------------------------


def execute(world: World, basket: dict[str, Any], **changes: Any) -> httpx.Response:
    """Return the answer to an execution as the vendor's page asks for it."""
    fields = {
        "basket_id": basket["basket_id"],
        "client_id": "DEMO1",
        "execution_state": False,
        "execution_type": "NML",
        "name": basket["name"],
        "square_off": False,
    } | changes
    headers = BEARER | ({"Idempotency-Key": fields.pop("key")} if "key" in fields else {})
    return world.http.post(KART, json=fields, headers=headers)


def outcomes(answer: httpx.Response) -> list[tuple[str, str]]:
    """Return order id and status of each order of an execution, in the basket's order."""
    told = answer.headers["X-Basket-Orders"].split(", ")
    found = [order.partition("=")[2].split(":") for order in told]
    return [(order_id, status) for order_id, status in found]


def test_a_basket_is_executed(world: World) -> None:
    """The answer is the vendor's; each order is a row, and the header says where it stands."""
    basket = create(world)
    limit = {"order_type": "LIMIT", "price": 12.9}
    data(add(world, basket, **limit))
    data(add(world, basket, instrument_token=11915, order_type="LIMIT", price=99))
    data(add(world, basket, instrument_token=10666, quantity=10**6, product="CNC"))
    data(add(world, basket, instrument_token=3045, **limit | {"price": 739, "user_order_id": 7}))
    answer = execute(world, basket)
    told = answer.json()
    assert told == {
        "data": {
            "data": {
                "basket_id": told["data"]["data"]["basket_id"],
                "message": "basket Order Placed Successfully",
            }
        },
        "message": "Order place successfully",
        "status": "success",
    }
    rows = {row["oms_order_id"]: row for row in world.rows()}
    statuses = ["CONFIRMED", "REJECTED", "REJECTED", "CONFIRMED"]
    assert outcomes(answer) == [(order_id, rows[order_id]["order_status"]) for order_id in rows]
    assert [row["order_status"] for row in rows.values()] == statuses
    first, banded, poor, last = rows.values()
    assert (first["execution_type"], first["quantity"], first["price"]) == ("REGULAR", 1, 12.9)
    why = "Price must be in band: outside 14.64 to 21.96"
    assert (banded["rejection_code"], banded["rejection_reason"]) == (7001, why)
    assert (poor["rejection_code"], last["user_order_id"]) == (12001, "7")
    assert fetch(world)[0]["is_executed"] is True
    assert told["data"]["data"]["basket_id"] not in rows


def test_square_off_takes_the_other_side(world: World) -> None:
    """Every order on the other side; the basket keeps its own."""
    basket = create(world)
    data(add(world, basket, order_type="LIMIT", price=13.1))
    assert execute(world, basket, square_off="TRUE").status_code == 200
    [row] = world.rows()
    assert row["order_side"] == "SELL"
    assert fetch(world)[0]["orders"][0]["order_info"]["order_side"] == "BUY"


def test_an_execution_is_repeated_only_on_purpose(world: World) -> None:
    """Under one key once, with the same answer and the same header; without, as often as asked."""
    basket = create(world)
    data(add(world, basket, order_type="LIMIT", price=12.9))
    first, again = execute(world, basket, key="e1"), execute(world, basket, key="e1")
    assert first.json() == again.json()
    assert outcomes(first) == outcomes(again)
    assert again.headers["X-Idempotent-Replay"] == "true"
    assert len(world.rows()) == 1
    assert execute(world, basket).status_code == 200
    assert len(world.rows()) == 2


def test_the_same_execution_in_other_words_is_the_same(world: World) -> None:
    """Lower case, words for flags: the key knows the request again."""
    basket = create(world)
    data(add(world, basket, order_type="LIMIT", price=12.9))
    execute(world, basket, key="e1")
    again = execute(world, basket, key="e1", execution_type="nml", square_off="false", name="")
    assert again.headers["X-Idempotent-Replay"] == "true"
    assert len(world.rows()) == 1


def test_what_cannot_be_executed(world: World) -> None:
    """An empty basket, none, somebody else's, a share that hedges nothing, a bad flag."""
    basket = create(world)
    assert refusal(execute(world, basket)) == (400, 48001, "Basket has no orders")
    nowhere = execute(world, basket, basket_id=NOBODY)
    assert refusal(nowhere) == (400, 48001, "BasketId doesn't exists")
    blank = execute(world, basket, basket_id=None)
    assert refusal(blank) == (400, 44000, "`basket_id` can't be blank")
    foreign = execute(world, basket, client_id="DEMO2")
    assert refusal(foreign) == (403, 40000, "Request forbidden")
    flag = execute(world, basket, square_off="perhaps")
    assert refusal(flag) == (400, 44000, "`square_off` is invalid: true or false")
    hedge = create(world, "Hedge", type="HEDGE")
    data(add(world, hedge, instrument_token=3045))
    told = (400, 49002, "instrument `SBIN-EQ` is disabled for hedging")
    assert refusal(execute(world, hedge)) == told
    spread = execute(world, basket, execution_type="SPD")
    assert refusal(spread)[1:] == (
        44000,
        "`execution_type` is invalid: spread orders are not offered",
    )
    assert world.rows() == []


def test_a_line_needs_what_the_schema_says(world: World) -> None:
    """Each field that OpenAPI requires is missed by its name; without any other, a line is kept."""
    basket = create(world)
    for field in LineRequest.required:
        refused = refusal(add(world, basket, **{field: None}))
        assert refused == (400, 44000, f"`order_info` `{field}` can't be blank")
    others = dict.fromkeys(set(line()) - set(LineRequest.required))
    [kept] = data(add(world, basket, **others))["orders"]
    assert kept["order_info"]["validity"] == "DAY"
