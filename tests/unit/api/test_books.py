"""Trades, positions, history: shapes as real clients read them."""

import pytest

from kavach.api.http.options import ApiOptions
from kavach.units import InstrumentKey, Side
from kavach.wire.orders.rows import HistoryRow, PositionRow, TradeRow
from tests.unit.api.world import BEARER, OTHER, World, entry, running


def test_trades(world: World) -> None:
    """Each trade is a row of ``data.trades``, with what had filled by then."""
    row = world.place()
    world.fill(row, 4, 130_000)
    world.fill(row, 6, 129_500)
    answer = world.http.get("/api/v1/trades?client_id=DEMO1", headers=BEARER).json()
    assert list(answer) == ["data", "message", "status"]
    first, second = answer["data"]["trades"]
    assert list(first) == list(TradeRow.__struct_fields__)
    assert (first["trade_quantity"], first["filled_quantity"], first["remaining_quantity"]) == (
        4,
        4,
        6,
    )
    assert (second["trade_quantity"], second["filled_quantity"]) == (6, 10)
    assert first["trade_price"] == 13
    assert first["trade_number"] != second["trade_number"]
    assert (first["pro_cli"], first["trigger_price"], first["v_login_id"]) == (0, {}, {})
    assert first["oms_order_id"] == row["oms_order_id"]


@pytest.mark.parametrize("span", ["live", "historical"])
def test_positions(world: World, span: str) -> None:
    """A flat list; amounts in rupees, sell less buy, the last price as it is now."""
    row = world.place()
    world.fill(row, 10, 130_000)
    world.fill({**row, "order_side": "SELL"}, 4, 132_000)
    world.print_trade(133_000)
    answer = world.http.get(f"/api/v1/positions?type={span}", headers=BEARER).json()
    (position,) = answer["data"]
    assert list(position) == list(PositionRow.__struct_fields__)
    assert (position["buy_quantity"], position["sell_quantity"]) == (10, 0)
    assert (position["buy_amount"], position["net_amount"]) == (130, -130)
    assert position["average_price"] == 13
    assert (position["net_quantity"], position["prod_type"], position["ltp"]) == (10, 2, 13.3)


def test_a_closed_position_shows_what_it_made(world: World) -> None:
    """Out at 12.40 after in at 13: six rupees lost on ten shares, nothing left."""
    row = world.place()
    world.fill(row, 10, 130_000)
    world.fill({**row, "order_side": "SELL"}, 10, 124_000)
    world.print_trade(125_000)
    (position,) = world.http.get("/api/v1/positions?type=live", headers=BEARER).json()["data"]
    assert (position["net_quantity"], position["average_price"]) == (0, 0)
    assert position["realized_mtm"] == -6
    assert position["net_amount"] == -6


def test_history(world: World) -> None:
    """A flat list of steps, oldest first, ending where the row stands."""
    row = world.place()
    world.fill(row, 4, 130_000)
    world.cancel(row)
    path = f"/api/v1/order/{row['oms_order_id']}/history?client_id=DEMO1"
    steps = world.http.get(path, headers=BEARER).json()["data"]
    assert list(steps[0]) == list(HistoryRow.__struct_fields__)
    told = [(step["status"], step["fill_quantity"], step["remaining_quantity"]) for step in steps]
    assert told == [
        ("PENDING", 0, 10),
        ("CONFIRMED", 0, 10),
        ("PARTIAL_TRADE", 4, 6),
        ("CANCEL_CONFIRMED", 4, 6),
    ]
    times = [step["last_modified"] for step in steps]
    assert times == sorted(times)
    assert {step["client_order_id"] for step in steps} == {"7001"}


def test_history_of_the_stop(world: World) -> None:
    """The third leg has a history of its own, under its own id."""
    row = world.place()
    world.fill(row, 4, 130_000)
    world.fill(row, 6, 130_000)
    stop = world.third(row)
    path = f"/api/v1/order/{stop['oms_order_id']}/history"
    steps = world.http.get(path, headers=BEARER).json()["data"]
    assert [step["status"] for step in steps] == [
        "PENDING",
        "TRIGGER_PENDING",
        "MODIFY_CONFIRMED",
    ]
    assert {step["trigger_price"] for step in steps} == {12.5}
    assert [step["quantity"] for step in steps] == [4, 4, 10]


def test_history_of_what_was_never_sent(world: World) -> None:
    """Refused for want of margin: entered, rejected, and why."""
    row = world.place(quantity=900_000, product="CNC")
    path = f"/api/v1/order/{row['oms_order_id']}/history"
    steps = world.http.get(path, headers=BEARER).json()["data"]
    assert [step["status"] for step in steps] == ["PENDING", "REJECTED"]
    assert "Margin" in steps[-1]["reject_reason"]


def test_history_of_a_market_entry(world: World) -> None:
    """It never had a price, though a protected limit was sent for it."""
    world.do(lambda: world.desk.counterparty(InstrumentKey("NSE:14366"), Side.SELL, 130_000, 10))
    row = world.place(order_type="MARKET", price=0)
    path = f"/api/v1/order/{row['oms_order_id']}/history"
    steps = world.http.get(path, headers=BEARER).json()["data"]
    assert [step["status"] for step in steps] == ["PENDING", "CONFIRMED", "COMPLETE"]
    assert {step["price"] for step in steps} == {0}
    assert steps[-1]["avg_price"] == 13


def test_history_as_documented() -> None:
    """A switch nests it as the pages print it, message and status inside ``data``."""
    with running(ApiOptions(documented_history=True)) as world:
        row = world.place()
        path = f"/api/v1/order/{row['oms_order_id']}/history"
        answer = world.http.get(path, headers=BEARER).json()
        assert list(answer) == ["data"]
        assert list(answer["data"]) == ["order history", "message", "status"]
        assert answer["data"]["order history"][0]["status"] == "PENDING"


def test_books_are_split_by_what_is_over(world: World) -> None:
    """Each row is in pending or in completed, and in all."""
    over = world.place()
    world.cancel(over)
    alive = world.place(user_order_id=2)
    ids = {
        book: [row["oms_order_id"] for row in world.rows(book)]
        for book in ("pending", "completed", "all")
    }
    assert ids["completed"] == [over["oms_order_id"]]
    assert ids["pending"] == [alive["oms_order_id"]]
    assert ids["all"] == [over["oms_order_id"], alive["oms_order_id"]]


def test_an_account_sees_its_own(world: World) -> None:
    """Orders, trades and positions of one client are nothing to another."""
    row = world.place()
    world.fill(row, 10, 130_000)
    for path in ("/api/v1/orders?type=all", "/api/v1/trades", "/api/v1/positions?type=live"):
        data = world.http.get(path, headers=OTHER).json()["data"]
        assert data in ([], {"orders": []}, {"trades": []})


def test_json_glued_to_the_query_is_dropped(world: World) -> None:
    """An old SDK appends its parameters as JSON to the real ones."""
    world.place()
    path = "/api/v1/orders?type=pending&client_id=DEMO1&%7B%22ClientId%22:%20%22DEMO1%22%7D"
    answer = world.http.get(path, headers=BEARER)
    assert len(answer.json()["data"]["orders"]) == 1


def test_whose_token_it_is(calm: World) -> None:
    """The keys that the vendor's answer has."""
    data = calm.http.get("/api/v1/user/trading_info", headers=BEARER).json()["data"]
    assert sorted(data) == list(data)
    assert data["client_id"] == "DEMO1"
    assert "NSE" in data["exchanges_subscribed"]
    assert "MIS" in data["products_enabled"]


@pytest.mark.parametrize("book", ["pending", "completed", "all"])
def test_one_order_can_be_asked_for(world: World, book: str) -> None:
    """By the id of any leg, by its user order id or by its key the book has one order's legs."""
    row = world.place(user_order_id=2)
    world.place(user_order_id=1)
    world.fill(row, 10, 130_000)
    third = world.third(row)
    wanted = {
        "pending": [third["oms_order_id"]],
        "completed": [row["oms_order_id"]],
        "all": [row["oms_order_id"], third["oms_order_id"]],
    }[book]
    asked = (f"oms_order_id={row['oms_order_id']}", f"oms_order_id={third['oms_order_id']}")
    for query in (*asked, "user_order_id=2", f"{asked[0]}&user_order_id=2"):
        answer = world.http.get(f"/api/v1/orders?type={book}&{query}", headers=BEARER).json()
        assert [one["oms_order_id"] for one in answer["data"]["orders"]] == wanted


def test_no_order_is_found_by_what_names_none(world: World) -> None:
    """An id of nobody's, of another client's, or of another order finds nothing."""
    row = world.place(user_order_id=2)
    for query in (
        "oms_order_id=1",
        "oms_order_id=x",
        "user_order_id=3",
        "idempotency_key=never",
        f"oms_order_id={row['oms_order_id']}&user_order_id=3",
        f"oms_order_id={row['oms_order_id']}&idempotency_key=never",
    ):
        answer = world.http.get(f"/api/v1/orders?type=all&{query}", headers=BEARER).json()
        assert answer["data"]["orders"] == []
    query = f"type=all&oms_order_id={row['oms_order_id']}"
    assert world.http.get(f"/api/v1/orders?{query}", headers=OTHER).json()["data"]["orders"] == []
    for query in ("user_order_id=x", "idempotency_key=%0d%0aX-Evil:1"):
        bad = world.http.get(f"/api/v1/orders?type=all&{query}", headers=BEARER)
        assert bad.status_code == 400
        assert "x-evil" not in bad.headers


def test_an_order_is_found_by_the_key_that_placed_it(world: World) -> None:
    """The key of a placement finds its order, and comes back as a header; others see nothing."""
    body = entry(user_order_id=5)
    world.http.post("/api/v1/orders/kart", json=body, headers=BEARER | {"Idempotency-Key": "mine"})
    world.place(user_order_id=6)
    path = "/api/v1/orders?type=all&idempotency_key=mine"
    answer = world.http.get(path, headers=BEARER)
    assert [row["user_order_id"] for row in answer.json()["data"]["orders"]] == ["5"]
    assert answer.headers["Idempotency-Key"] == "mine"
    assert world.http.get(path, headers=OTHER).json()["data"]["orders"] == []
