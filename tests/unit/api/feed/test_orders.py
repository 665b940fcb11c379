"""Order, trade and position updates: each change once, in order, to its client only."""

import json
from typing import Any

import pytest

from kavach.wire.feed.updates import NUMBERED, ORDER, POSITION, TRADE, read_numbered
from tests.twin_server import TwinServer, running
from tests.unit.api.feed.stage import Reader, feed_url
from tests.unit.api.world import entry

Row = dict[str, Any]


def place(server: TwinServer, **changes: Any) -> None:
    """Place a cover order as DEMO1."""
    answer = server.http.post("/api/v1/orders/kart", json=entry(**changes))
    assert answer.status_code == 200, answer.text


def sell(server: TwinServer, quantity: int, price: float) -> None:
    """Let a stranger sell IDEA."""
    server.room(
        "POST",
        "market/order",
        exchange="NSE",
        instrument_token=14366,
        side="SELL",
        price=price,
        quantity=quantity,
    )


def rows(server: TwinServer) -> list[Row]:
    """Return the rows of DEMO1's order book."""
    answer = server.http.get("/api/v1/orders", params={"type": "all"})
    found: list[Row] = answer.json()["data"]["orders"]
    return found


def short(seen: list[tuple[int, Row]]) -> list[str]:
    """Return updates in a few words each."""
    words = []
    for mode, update in seen:
        if mode == ORDER:
            leg, status = update["leg_order_indicator"], update["order_status"]
            words.append(f"{leg} {status} {update['filled_quantity']}/{update['quantity']}")
        elif mode == TRADE:
            words.append(f"trade {update['filled_quantity']} @ {update['trade_price']}")
        else:
            assert mode == POSITION
            words.append(f"position {update['net_quantity']}")
    return words


def check_rows(seen: list[tuple[int, Row]], book: list[Row]) -> None:
    """Fail unless the last update of each leg says what its row says."""
    last = {update["oms_order_id"]: update for mode, update in seen if mode == ORDER}
    assert set(last) == {row["oms_order_id"] for row in book}
    for row in book:
        update = last[row["oms_order_id"]]
        for name in set(row) & set(update) - {"mode", "rejection_code", "rejection_reason"}:
            if name not in {"spread_token", "leg_order_indicator"}:
                assert update[name] == row[name], name


def test_one_step_is_told_line_by_line(fresh: TwinServer) -> None:
    """Accepted, part, whole: three updates of the entry in order, its stop's between them."""
    for ask, quantity in ((12.95, 40), (13.0, 60)):
        sell(fresh, quantity, ask)
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        reader.subscribe("position_updates", "DEMO1", "web")
        reader.settle()
        place(fresh, quantity=100)
        seen = reader.updates(9)
        assert reader.silent()
    assert short(seen) == [
        "ENTRY CONFIRMED 0/100",
        "ENTRY PARTIAL_TRADE 40/100",
        "trade 40 @ 12.95",
        "ENTRY COMPLETE 100/100",
        "trade 60 @ 13",
        "THIRD TRIGGER_PENDING 0/40",
        "THIRD MODIFY_CONFIRMED 0/100",
        "THIRD TRIGGER_PENDING 0/100",
        "position 100",
    ]
    check_rows(seen, rows(fresh))


def test_a_life_from_place_to_exit(fresh: TwinServer) -> None:
    """Placed, part-filled, cancelled, got out: each change is told, and equals the row."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        reader.settle()
        place(fresh, quantity=100)
        seen = reader.updates(1)
        sell(fresh, 40, 13)
        seen += reader.updates(3)
        [entry_row] = [r for r in rows(fresh) if r["leg_order_indicator"] == "ENTRY"]
        body = {
            "client_id": "DEMO1",
            "exchange_order_id": entry_row["exchange_order_id"],
            "execution_type": "CO",
            "leg_order_indicator": "ENTRY",
            "oms_order_id": entry_row["oms_order_id"],
        }
        path = f"/api/v1/orders/kart/{entry_row['oms_order_id']}"
        assert fresh.http.request("DELETE", path, json=body).status_code == 200
        seen += reader.updates(1)
        assert short(seen) == [
            "ENTRY CONFIRMED 0/100",
            "ENTRY PARTIAL_TRADE 40/100",
            "trade 40 @ 13",
            "THIRD TRIGGER_PENDING 0/40",
            "ENTRY CANCEL_CONFIRMED 40/100",
        ]
        check_rows(seen, rows(fresh))
        assert seen[-1][1]["mode"] == "CANCEL"
        assert reader.silent()


def test_a_refused_order_is_told(fresh: TwinServer) -> None:
    """An order that margin does not cover is REJECTED, with the reason."""
    answer = fresh.room(
        "POST", "clients", client_id="POOR", cash=10, password="p" * 12, pin="123456"
    )
    token = answer["access_token"]
    with Reader(feed_url(fresh.url, token, "POOR")) as reader:
        reader.subscribe("updates", "POOR", "web")
        reader.settle()
        fresh.http.post(
            "/api/v1/orders/kart",
            json=entry(client_id="POOR", quantity=1_000),
            headers={"Authorization": f"Bearer {token}"},
        )
        mode, update = reader.update()
        assert reader.silent()
    assert (mode, update["order_status"]) == (ORDER, "REJECTED")
    assert update["rejection_reason"] not in ("", "NONE")


def test_a_change_on_its_way_is_told(fresh: TwinServer) -> None:
    """While the venue has not answered, the row waits; then it is as asked for."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        place(fresh, quantity=100)
        reader.updates(1)
        fresh.room(
            "POST",
            "faults",
            on="amend",
            leg="ENTRY",
            client_id=None,
            effect="delay",
            code=0,
            reason="late",
            delay_ms=400,
            times=1,
        )
        [row] = rows(fresh)
        fresh.http.put(
            "/api/v1/orders/kart",
            json=entry(oms_order_id=row["oms_order_id"], price=12.9, quantity=80),
        )
        seen = reader.updates(2)
        assert reader.silent()
    assert short(seen) == ["ENTRY MODIFY_PENDING 0/100", "ENTRY MODIFY_CONFIRMED 0/80"]
    assert [update["mode"] for _, update in seen] == ["MODIFY", "MODIFY"]


def test_a_refused_change_is_told_and_what_stands(fresh: TwinServer) -> None:
    """MODIFY_REJECTED is a step; the update behind it shows where the order stands."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        place(fresh, quantity=100)
        reader.updates(1)
        fresh.room(
            "POST",
            "faults",
            on="amend",
            leg="ENTRY",
            client_id=None,
            effect="reject",
            code=16_346,
            reason="no",
            delay_ms=0,
            times=1,
        )
        [row] = rows(fresh)
        fresh.http.put(
            "/api/v1/orders/kart", json=entry(oms_order_id=row["oms_order_id"], price=12.9)
        )
        seen = reader.updates(2)
        assert reader.silent()
    assert short(seen) == ["ENTRY MODIFY_REJECTED 0/100", "ENTRY CONFIRMED 0/100"]
    assert seen[0][1]["rejection_reason"] == "no"
    check_rows(seen, rows(fresh))


def test_two_readers_of_one_client_both_hear_everything(fresh: TwinServer) -> None:
    """Each connection of a client is told each change once."""
    with Reader(feed_url(fresh.url)) as one, Reader(feed_url(fresh.url)) as two:
        for reader in (one, two):
            reader.subscribe("updates", "DEMO1", "web")
            reader.subscribe("updates", "DEMO1", "web")
            reader.settle()
        place(fresh, quantity=100)
        assert one.updates(1) == two.updates(1)
        assert one.silent() and two.silent()


@pytest.mark.parametrize("asked", ["DEMO1", "DEMO2", "", "demo2"])
def test_nobody_hears_of_anothers_orders(fresh: TwinServer, asked: str) -> None:
    """Whatever name a client asks for, it is told of its own orders at most."""
    answer = fresh.room(
        "POST", "clients", client_id="DEMO2", cash=1_000_000, password="p" * 12, pin="123456"
    )
    with Reader(feed_url(fresh.url, answer["access_token"], "DEMO2")) as other:
        for mode in ("updates", "position_updates", "numbered_updates"):
            other.subscribe(mode, asked)
        other.settle()
        if asked == "DEMO2":
            assert other.numbered().kind == "snapshot"
        place(fresh, quantity=100)
        sell(fresh, 100, 13)
        assert other.silent()


def test_unsubscribed_updates_end(fresh: TwinServer) -> None:
    """After unsubscribing nothing is told; subscribing again tells of what happens then."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        reader.say("unsubscribe", "updates", "DEMO1", "web")
        reader.settle()
        place(fresh, quantity=100)
        assert reader.silent()
        reader.subscribe("updates", "DEMO1", "web")
        reader.settle()
        sell(fresh, 100, 13)
        assert short(reader.updates(3))[:2] == ["ENTRY COMPLETE 100/100", "trade 100 @ 13"]


def test_a_regular_order_is_told_too(fresh: TwinServer) -> None:
    """Placed, modified, filled: a regular order has one row, no leg, no basket and no stop."""
    body = {
        "exchange": "NSE",
        "instrument_token": "14366",
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 13,
        "quantity": 10,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "CNC",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": 5,
        "trigger_price": 0,
        "execution_type": "REGULAR",
    }
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        reader.settle()
        answer = fresh.http.post("/api/v1/orders", json=body)
        assert answer.status_code == 200, answer.text
        order_id = answer.json()["data"]["oms_order_id"]
        seen = reader.updates(1)
        changed = body | {"oms_order_id": order_id, "price": 12.9}
        assert fresh.http.put("/api/v1/orders", json=changed).status_code == 200
        seen += reader.updates(1)
        sell(fresh, 10, 12.9)
        seen += reader.updates(2)
        assert reader.silent()
    assert short(seen) == [
        " CONFIRMED 0/10",
        " MODIFY_CONFIRMED 0/10",
        " COMPLETE 10/10",
        "trade 10 @ 12.9",
    ]
    assert {update["basket_id"] for mode, update in seen if mode == ORDER} == {""}
    assert {update["execution_type"] for mode, update in seen if mode == ORDER} == {"REGULAR"}
    check_rows(seen, rows(fresh))


def test_a_parked_order_is_told_in_its_own_words(fresh: TwinServer) -> None:
    """An after-market order waits, is changed and cancelled before anything is sent."""
    body = entry(execution_type="AMO", product="CNC", price=12.9, stop_loss_value=None)
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        fresh.room("POST", "session", exchange="NSE", phase="closed")
        reader.settle()
        answer = fresh.http.post("/api/v1/orders", json=body)
        assert answer.status_code == 200, answer.text
        order_id = answer.json()["data"]["oms_order_id"]
        seen = reader.updates(1)
        changed = body | {"oms_order_id": order_id, "price": 12.8}
        assert fresh.http.put("/api/v1/orders", json=changed).status_code == 200
        seen += reader.updates(1)
        history = fresh.http.get(f"/api/v1/order/{order_id}/history").json()["data"]
        assert (history[-1]["status"], history[-1]["price"]) == ("AMO_MODIFY_CONFIRMED", 12.8)
        path = f"/api/v1/orders/{order_id}"
        assert fresh.http.request("DELETE", path, json={"client_id": "DEMO1"}).status_code == 200
        seen += reader.updates(1)
        assert reader.silent()
    assert [update["order_status"] for _, update in seen] == [
        "AMO_REQ_RECEIVED",
        "AMO_MODIFY_CONFIRMED",
        "AMO_CANCEL_CONFIRMED",
    ]
    check_rows(seen, rows(fresh))


def test_updates_may_be_enveloped() -> None:
    """``--enveloped-updates`` sends what one page prints; the numbered ones stay as they are."""
    with (
        running("--data-dir", ":memory:", "--enveloped-updates") as server,
        Reader(feed_url(server.url)) as reader,
    ):
        reader.subscribe("numbered_updates", "DEMO1")
        assert reader.numbered().kind == "snapshot"
        reader.subscribe("updates", "DEMO1", "web")
        reader.settle()
        place(server, quantity=100)
        frames = {frame[0]: frame for frame in (reader.frame(), reader.frame())}
    told = json.loads(frames[ORDER][5:])
    assert told["error"] == {"code": 0, "message": ""}
    [update] = told["result"]
    assert update == read_numbered(frames[NUMBERED]).data
