"""GTT rules over the wire: every call as clients send it, every refusal and its text."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from kavach.core.rules.gtt.requests import GTTS_MAX
from kavach.units import NS_PER_SECOND, InstrumentKey, Side
from kavach.wire.gtt import GttOrderRow, GttRow
from tests.unit.api.world import BEARER, OTHER, TestClock, World

GTT = "/api/v1/event/gtt"
NOBODY = "00000000-0000-8000-8000-000000000000"
ORDER: dict[str, Any] = {
    "client_id": "DEMO1",
    "disclosed_quantity": 0,
    "exchange": "NSE",
    "instrument_token": "14366",
    "market_protection_percentage": 0,
    "order_side": "BUY",
    "order_type": "LIMIT",
    "price": 13.65,
    "product": "CNC",
    "quantity": 1,
    "sl_order_price": 0,
    "sl_order_quantity": 0,
    "sl_trigger_price": 0,
    "trigger_price": 13.6,
    "user_order_id": 122321,
}
OCO: dict[str, Any] = {
    "order_side": "SELL",
    "price": 13.55,
    "sl_trigger_price": 12.5,
    "sl_order_price": 12.4,
    "sl_order_quantity": 2,
}
NOT_FOUND = (404, 45000, "Error from backend: (500)-event id not found")
NOT_TO_MODIFY = (
    404,
    45000,
    "Error from backend: (1600)-cannot modify, no data found with this id",
)


def rule(action: str = "single_order", expiry: str = "2024-12-12", **order: Any) -> dict[str, Any]:
    """Return a rule as the vendor's page writes it; None takes a field of the order away."""
    fields = {name: value for name, value in (ORDER | order).items() if value is not None}
    return {"action_type": action, "expiry_time": expiry, "order": fields}


def refusal(answer: httpx.Response) -> tuple[int, int, str]:
    """Return status, code and text of a refusal."""
    told = answer.json()
    assert told["status"] == "error", told
    return answer.status_code, told["error_code"], told["message"]


def create(world: World, fields: dict[str, Any] | None = None) -> str:
    """Return the id of a new rule."""
    answer = world.http.post(GTT, json=fields or rule(), headers=BEARER)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told == {
        "data": {"id": told["data"]["id"]},
        "message": "GTT created successfully",
        "status": "success",
    }
    assert answer.headers["X-Order-State"] == "ACTIVE"
    return str(told["data"]["id"])


def fetch(world: World) -> list[dict[str, Any]]:
    """Return every rule."""
    answer = world.http.get(f"{GTT}?client_id=DEMO1", headers=BEARER)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def cancel(world: World, rule_id: str) -> httpx.Response:
    """Return the answer to a cancel."""
    return world.http.delete(f"{GTT}/DEMO1/{rule_id}", headers=BEARER)


def test_a_rule_is_kept(world: World) -> None:
    """Every documented key comes back, in both ways to ask."""
    rule_id = create(world)
    [row] = fetch(world)
    assert list(row) == list(GttRow.__struct_fields__)
    assert list(row["order"]) == list(GttOrderRow.__struct_fields__)
    assert (row["id"], row["status"], row["type"]) == (rule_id, "Active", "GTTStock")
    assert row["created_at"] == row["updated_at"] == "2024-06-13 09:10:00"
    assert (row["action_type"], row["expiry_time"]) == ("single_order", "2024-12-12")
    order = row["order"]
    assert (order["trigger_price"], order["price"], order["quantity"]) == (13.6, 13.65, 1)
    assert (order["token"], order["trading_symbol"], order["segment"]) == (
        14366,
        "IDEA-EQ",
        "Capital",
    )
    assert (order["prod_type"], order["sl_trigger_price"], order["vendor_code"]) == ("CNC", 0, "00")
    by_path = world.http.get(f"{GTT}/DEMO1", headers=BEARER).json()["data"]
    assert by_path == [row]


def test_an_oco_rule_is_kept(world: World) -> None:
    """Both sides come back; what the second does not say of its quantity is the first's."""
    create(world, rule("OCO", **OCO))
    create(world, rule("oco_order", **OCO | {"sl_order_quantity": 0, "quantity": 7}))
    first, second = (row["order"] for row in fetch(world))
    assert (first["sl_trigger_price"], first["sl_order_price"]) == (12.5, 12.4)
    assert (first["quantity"], first["sl_order_quantity"]) == (1, 2)
    assert (second["quantity"], second["sl_order_quantity"]) == (7, 7)
    assert {row["action_type"] for row in fetch(world)} == {"oco_order"}


@pytest.mark.parametrize("word", ["single", "SINGLE_ORDER", "Single"])
def test_spellings_of_a_single_rule(world: World, word: str) -> None:
    """Any case, with and without what follows."""
    create(world, rule(word))
    assert fetch(world)[0]["action_type"] == "single_order"


def test_a_rule_is_modified(world: World) -> None:
    """All of it as the page does, or one field and the rest stays."""
    rule_id = create(world)
    changed = rule(trigger_price=13.5, price=13.55, quantity=3) | {"id": rule_id}
    answer = world.http.put(GTT, json=changed, headers=BEARER)
    assert answer.json() == {
        "data": {"id": rule_id},
        "message": "gtt request modified successfully",
        "status": "success",
    }
    [row] = fetch(world)
    order = row["order"]
    assert (order["trigger_price"], order["price"], order["quantity"]) == (13.5, 13.55, 3)
    fields: dict[str, Any] = {"id": rule_id, "expiry_time": "2024-06-20"}
    assert world.http.put(GTT, json=fields, headers=BEARER).status_code == 200
    fields = {"id": rule_id, "order": {"trigger_price": "12.4"}}
    assert world.http.put(GTT, json=fields, headers=BEARER).status_code == 200
    [row] = fetch(world)
    assert row["expiry_time"] == "2024-06-20"
    assert row["order"] == order | {"trigger_price": 12.4}


def test_a_rule_becomes_an_oco_and_back(world: World) -> None:
    """The second side comes with its prices, and goes with them."""
    rule_id = create(world)
    fields: dict[str, Any] = {"id": rule_id, "action_type": "oco", "order": {}}
    answer = world.http.put(GTT, json=fields, headers=BEARER)
    assert refusal(answer) == (400, 44000, "`order` `sl_trigger_price` can't be blank")
    fields["order"] = {"sl_trigger_price": 12.5, "sl_order_price": 12.4}
    assert world.http.put(GTT, json=fields, headers=BEARER).status_code == 200
    fields["order"] = {"sl_order_quantity": 5}
    assert world.http.put(GTT, json=fields, headers=BEARER).status_code == 200
    [row] = fetch(world)
    assert (row["action_type"], row["order"]["sl_trigger_price"]) == ("oco_order", 12.5)
    assert (row["order"]["quantity"], row["order"]["sl_order_quantity"]) == (1, 5)
    back = {"id": rule_id, "action_type": "single_order"}
    assert world.http.put(GTT, json=back, headers=BEARER).status_code == 200
    assert fetch(world)[0]["order"]["sl_trigger_price"] == 0


@pytest.mark.parametrize("how", ["path", "body", "pairs", "document"])
def test_a_rule_is_cancelled(world: World, how: str) -> None:
    """However the parameters travel, and as often as it is asked."""
    rule_id = create(world)
    named = {"client_id": "DEMO1", "id": rule_id}
    query, body = {
        "path": ("", b""),
        "body": ("", json.dumps(named).encode()),
        "pairs": (f"?client_id=DEMO1&id={rule_id}", b""),
        "document": ("?" + quote(json.dumps({"ClientId": "DEMO1", "Id": rule_id})), b""),
    }[how]
    for replayed in (None, "true"):
        answer = world.http.request(
            "DELETE", f"{GTT}/DEMO1/{rule_id}{query}", content=body, headers=BEARER
        )
        assert answer.json() == {
            "data": {"id": rule_id},
            "message": "event cancelled succesfully",
            "status": "success",
        }
        assert answer.headers.get("X-Idempotent-Replay") == replayed
    assert [row["status"] for row in fetch(world)] == ["Cancelled"]
    changed = world.http.put(GTT, json=rule() | {"id": rule_id}, headers=BEARER)
    assert refusal(changed) == (
        400,
        45000,
        "Error from backend: (1600)-the rule is no longer active: it is CANCELLED",
    )


def test_what_is_not_there(world: World) -> None:
    """Unknown and foreign ids are one; having no rules is told as upstream."""
    rule_id = create(world)
    asked = {"client_id": "DEMO2"}
    for headers, named, client in ((BEARER, NOBODY, "DEMO1"), (OTHER, rule_id, "DEMO2")):
        fields = rule(client_id=client) | {"id": named}
        assert refusal(world.http.put(GTT, json=fields, headers=headers)) == NOT_TO_MODIFY
        gone = world.http.delete(f"{GTT}/{client}/{named}", headers=headers)
        assert refusal(gone) == NOT_FOUND
    answer = world.http.get(GTT, params=asked, headers=OTHER)
    assert refusal(answer) == (404, 45000, "Error from backend: (500)-no gtt data found")
    assert [row["status"] for row in fetch(world)] == ["Active"]


def test_another_account_is_forbidden(world: World) -> None:
    """An account that is not the token's is refused in path, query, body and order."""
    rule_id = create(world)
    foreign = rule(client_id="DEMO2")
    asks = [
        world.http.post(GTT, json=foreign, headers=BEARER),
        world.http.post(GTT, json={"client_id": "DEMO2"}, headers=BEARER),
        world.http.put(GTT, json={"client_id": "DEMO2"}, headers=BEARER),
        world.http.put(GTT, json=foreign | {"id": rule_id}, headers=BEARER),
        world.http.get(f"{GTT}?client_id=DEMO2", headers=BEARER),
        world.http.get(f"{GTT}/DEMO2", headers=BEARER),
        world.http.delete(f"{GTT}/DEMO2/{rule_id}", headers=BEARER),
        world.http.delete(f"{GTT}/DEMO1/{rule_id}?client_id=DEMO2", headers=BEARER),
    ]
    assert {refusal(answer) for answer in asks} == {(403, 40000, "Request forbidden")}
    assert [row["status"] for row in fetch(world)] == ["Active"]


WRONG: list[tuple[dict[str, Any], tuple[int, int, str]]] = [
    (rule("two_orders"), (400, 44000, "`action_type` is invalid")),
    (rule(""), (400, 44000, "`action_type` can't be blank")),
    (rule(expiry="12-12-2024"), (400, 44000, "`expiry_time` is invalid")),
    (rule(expiry="2024-02-30"), (400, 44000, "`expiry_time` is invalid")),
    (rule(expiry="20241212"), (400, 44000, "`expiry_time` is invalid")),
    (rule(expiry="2024-06-12"), (400, 44000, "`expiry_time` is invalid")),
    (rule(expiry="2025-06-15"), (400, 44000, "`expiry_time` is invalid")),
    (rule(product="BO"), (400, 44000, "`order` `product` is invalid")),
    (rule(product=None), (400, 44000, "`order` `product` can't be blank")),
    (rule(quantity=0), (400, 45000, "`order` `quantity` is invalid")),
    (rule(quantity=1.5), (400, 45000, "`order` `quantity` is invalid")),
    (rule(disclosed_quantity=2), (400, 44000, "`order` `disclosed_quantity` is invalid")),
    (rule(price=0), (400, 45000, "`order` `price` is invalid")),
    (rule(price=13.001), (400, 45000, "`order` `price` is invalid")),
    (rule(order_type="MARKET"), (400, 45000, "`order` `price` is invalid")),
    (rule(trigger_price=None), (400, 44000, "`order` `trigger_price` can't be blank")),
    (rule(trigger_price=0), (400, 44000, "`order` `trigger_price` is invalid")),
    (rule(trigger_price=13.601), (400, 44000, "`order` `trigger_price` is invalid")),
    (rule(trigger_price=13), (400, 44000, "`order` `trigger_price` is invalid")),
    (
        rule(sl_trigger_price=12),
        (
            400,
            44000,
            "`order` `sl_trigger_price` is invalid: only an oco_order has two triggers",
        ),
    ),
    (
        rule(instrument_token="1"),
        (400, 45010, "Something went wrong: `instrument_token` is invalid: no contract NSE:1"),
    ),
    (rule("oco"), (400, 44000, "`order` `sl_trigger_price` is invalid")),
    (
        rule("oco", **OCO | {"sl_trigger_price": 13.7}),
        (400, 44000, "`order` `sl_trigger_price` is invalid"),
    ),
    (
        rule("oco", **OCO | {"sl_trigger_price": 13}),
        (400, 44000, "`order` `sl_trigger_price` is invalid"),
    ),
    (
        rule("oco", **OCO | {"sl_order_price": 0}),
        (400, 44000, "`order` `sl_order_price` is invalid"),
    ),
    (
        rule("oco", **OCO | {"sl_order_quantity": 10**8}),
        (400, 44000, "`order` `sl_order_quantity` is invalid"),
    ),
    (rule() | {"order": None}, (400, 44000, "`order` can't be blank")),
    (rule() | {"order": "x"}, (400, 44000, "`order` is invalid")),
]


@pytest.mark.parametrize(("fields", "told"), WRONG)
def test_what_no_rule_can_be(
    calm: World, fields: dict[str, Any], told: tuple[int, int, str]
) -> None:
    """What is wrong is named, and nothing is kept."""
    before = calm.state_hash()
    *kind, text = refusal(calm.http.post(GTT, json=fields, headers=BEARER))
    assert (kind, text.startswith(told[-1])) == ([*told[:-1]], True), text
    assert calm.state_hash() == before


@pytest.mark.parametrize("expiry", ["2024-06-13", "2025-06-14"])
def test_the_last_days_that_a_rule_can_have(world: World, expiry: str) -> None:
    """Today is one, and a year ahead."""
    create(world, rule(expiry=expiry))
    assert fetch(world)[0]["expiry_time"] == expiry


def test_a_wrong_change_changes_nothing(world: World) -> None:
    """Another instrument, a trigger at the price: refused, and the rule is as it was."""
    rule_id = create(world)
    before = world.state_hash()
    for order, told in (
        ({"instrument_token": 11915}, "`order` `instrument_token` is invalid"),
        ({"trigger_price": 13}, "`order` `trigger_price` is invalid"),
        ({"quantity": 0}, "`order` `quantity` is invalid"),
    ):
        fields = {"id": rule_id, "order": order}
        answer = world.http.put(GTT, json=fields, headers=BEARER)
        assert refusal(answer)[2].startswith(told)
    assert world.state_hash() == before


def test_there_is_an_end_to_it(world: World) -> None:
    """So many rules can be active; one that is over makes room."""
    ids = [create(world) for _ in range(GTTS_MAX)]
    answer = world.http.post(GTT, json=rule(), headers=BEARER)
    assert refusal(answer) == (
        400,
        45000,
        f"Error from backend: (1600)-no more than {GTTS_MAX} active rules",
    )
    assert cancel(world, ids[7]).status_code == 200
    create(world)


def test_a_repeated_request_is_answered_once(world: World) -> None:
    """Under one key a rule is made once."""
    key = BEARER | {"Idempotency-Key": "g1"}
    first = world.http.post(GTT, json=rule(), headers=key)
    again = world.http.post(GTT, json=rule(), headers=key)
    assert first.json() == again.json()
    assert again.headers["X-Idempotent-Replay"] == "true"
    assert len(fetch(world)) == 1


def test_path_and_parameters_must_agree(world: World) -> None:
    """Two ids that differ cancel neither."""
    rule_id = create(world)
    answer = world.http.delete(f"{GTT}/DEMO1/{rule_id}?id={NOBODY}", headers=BEARER)
    assert refusal(answer)[2] == "`id` is invalid: path and parameters disagree"
    assert fetch(world)[0]["status"] == "Active"


# --- The price comes --------------------------------------------------------------------------


def test_a_rule_fires(world: World) -> None:
    """Its order is a row like any, with the rule's own correlation number; the rule says so."""
    create(world)
    world.print_trade(135_900)
    assert world.rows() == []
    world.print_trade(136_000)
    [row] = world.rows()
    assert (row["user_order_id"], row["price"], row["quantity"]) == ("122321", 13.65, 1)
    assert (row["order_status"], row["execution_type"]) == ("CONFIRMED", "REGULAR")
    assert [rule["status"] for rule in fetch(world)] == ["Triggered"]
    world.print_trade(130_000)
    world.print_trade(137_000)
    assert len(world.rows()) == 1


def test_the_order_of_a_rule_may_move_the_price_to_the_next(world: World) -> None:
    """One rule's order trades at the second rule's trigger: both fire in one step, each once."""
    create(world, rule(order_type="MARKET", price=0, quantity=5, user_order_id=1))
    create(world, rule(trigger_price=13.8, price=13.85, quantity=5, user_order_id=2))
    world.do(lambda: world.desk.counterparty(InstrumentKey("NSE:14366"), Side.SELL, 138_000, 5))
    sequence = world.desk.sequence
    world.print_trade(136_000)
    assert world.desk.sequence == sequence + 1
    assert [row["user_order_id"] for row in world.rows()] == ["1", "2"]
    assert world.rows()[0]["average_price"] == 13.8
    assert {rule["status"] for rule in fetch(world)} == {"Triggered"}


def test_an_oco_fires_on_either_side(world: World) -> None:
    """The side that is reached brings its own price and quantity, and ends the other."""
    create(world, rule("oco", **OCO | {"product": "MIS"}))
    world.print_trade(124_000)
    [row] = world.rows()
    assert (row["order_side"], row["price"], row["quantity"]) == ("SELL", 12.4, 2)
    world.print_trade(137_000)
    assert len(world.rows()) == 1
    assert [rule["status"] for rule in fetch(world)] == ["Triggered"]


def test_a_refused_order_is_told_in_both_places(world: World) -> None:
    """The rule has code and reason, and so has the row."""
    create(world, rule(quantity=10**6))
    world.print_trade(136_000)
    [row] = world.rows()
    [told] = fetch(world)
    assert (told["status"], row["order_status"]) == ("Rejected", "REJECTED")
    assert (told["reject_code"], told["reject_reason"]) == (
        row["rejection_code"],
        row["rejection_reason"],
    )
    assert row["rejection_code"] == 12001
    assert "Margin ShortFall" in row["rejection_reason"]


def test_a_rule_expires(world: World) -> None:
    """After its last day it is told as expired, and cancelling it is refused."""
    rule_id = create(world, rule(expiry="2024-06-13"))
    create(world, rule(expiry="2024-06-14"))
    clock = world.desk.clock

    def tomorrow() -> None:
        assert isinstance(clock, TestClock)
        clock.time_ns += 20 * 3600 * NS_PER_SECOND
        world.desk.catch_up(world.desk.now_ns())

    world.do(tomorrow)
    assert [row["status"] for row in fetch(world)] == ["Expired", "Active"]
    assert refusal(cancel(world, rule_id))[2].endswith("it is EXPIRED")
    assert fetch(world)[0]["updated_at"] == "2024-06-14 00:00:00"
