"""Positions, conversions, holdings and funds as a client reads them."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from kavach.core.commands import EndSession, OpenSession, Shares
from kavach.core.model.money.commands import GrantHoldings
from kavach.units import Exchange, InstrumentKey, Phase, Pips, Quantity, Side, TimestampNs, opposite
from tests.unit.api.world import BEARER, OTHER, World

IDEA = InstrumentKey("NSE:14366")
POSITION_KEYS = [
    "average_buy_price",
    "average_price",
    "average_sell_price",
    "buy_amount",
    "buy_quantity",
    "cf_buy_amount",
    "cf_buy_quantity",
    "cf_sell_amount",
    "cf_sell_quantity",
    "client_id",
    "close_price",
    "exchange",
    "instrument_token",
    "ltp",
    "multiplier",
    "net_amount",
    "net_quantity",
    "previous_close",
    "pro_cli",
    "prod_type",
    "product",
    "realized_mtm",
    "segment",
    "sell_amount",
    "sell_quantity",
    "symbol",
    "token",
    "trading_symbol",
    "v_login_id",
]
HOLDING_KEYS = [
    "branch_code",
    "buy_avg",
    "buy_avg_mtm",
    "client_id",
    "exchange",
    "free_quantity",
    "instrument_details",
    "isin",
    "ltp",
    "pending_quantity",
    "pledge_quantity",
    "previous_close",
    "quantity",
    "symbol",
    "t0_price",
    "t0_quantity",
    "t1_price",
    "t1_quantity",
    "t2_price",
    "t2_quantity",
    "today_pledge_quantity",
    "token",
    "trading_symbol",
    "transaction_type",
    "used_quantity",
]
LABELS = [
    "Available",
    "Adhoc Deposit",
    "Cash Deposit",
    "Delivery",
    "DP Collateral Benefit",
    "DP Credit for Sale",
    "DP Pledge Collateral",
    "Manual Collateral",
    "Pay In",
    "Net Margin",
    "Notion Deposit",
    "Overdraft",
    "Pay out",
    "Pool Collateral Benefit",
    "Pool Pledge Collateral",
    "Premium",
    "Sar Collateral Benefit",
    "Sar Credit for Sale",
    "Span Margin",
    "Var Margin",
    "Extreme Loss Margin",
    "Option Credit For Sell",
    "Available Margin",
    "Margin Used",
    "Total Pledge Collateral",
    "unrealized_mtm",
    "realized_mtm",
    "Opening Balance",
    "Notion",
    "Pledge Benefit",
    "Equity Credit Sell",
    "Realized MTM",
    "Unrealized MTM",
]


def regular(**changes: Any) -> dict[str, Any]:
    """Return a well-formed regular order."""
    return {
        "exchange": "NSE",
        "instrument_token": "14366",
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 13,
        "quantity": 10,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "execution_type": "REGULAR",
    } | changes


def trade(world: World, quantity: int, price: float, side: str = "BUY", **changes: Any) -> None:
    """Let a regular order trade at its price."""
    fields = regular(quantity=quantity, price=price, order_side=side, **changes)
    answer = world.http.post("/api/v1/orders", json=fields, headers=BEARER)
    assert answer.headers["x-order-state"] != "REJECTED", answer.text
    key = InstrumentKey(f"{fields['exchange']}:{fields['instrument_token']}")
    pips = round(price * 10_000)
    world.do(lambda: world.desk.counterparty(key, opposite(Side(side)), pips, quantity))


def get(world: World, path: str, **params: str) -> Any:
    """Return the data of a GET."""
    answer = world.http.get(path, params=params, headers=BEARER)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def net(world: World) -> list[dict[str, Any]]:
    """Return the net-wise positions."""
    found: list[dict[str, Any]] = get(world, "/api/v1/positions", type="historical")
    return found


def day(world: World) -> list[dict[str, Any]]:
    """Return the day-wise positions."""
    found: list[dict[str, Any]] = get(world, "/api/v1/positions", type="live")
    return found


def holdings(world: World) -> list[dict[str, Any]]:
    """Return the holdings."""
    found: list[dict[str, Any]] = get(world, "/api/v1/holdings")["holdings"]
    return found


def funds(world: World) -> dict[str, Decimal]:
    """Return the table of funds, read as clients do."""
    values = get(world, "/api/v2/funds/view", type="all")["values"]
    assert all(isinstance(float(item[1]), float) for item in values)
    table = {item[0]: Decimal(item[1]) for item in values}
    assert len(table) == len(values), "a label is there twice"
    return table


def end_day(world: World) -> None:
    """End the session and open the next one a day later."""

    def change(phase: Phase, command: type[EndSession | OpenSession]) -> None:
        desk, exchange = world.desk, world.desk.embedded.exchange
        desk.change_phase(
            command(Exchange.NSE),
            lambda at_ns: desk.embedded.reports_of(
                exchange.set_phase(Exchange.NSE, phase, TimestampNs(at_ns)), InstrumentKey("")
            ),
            desk.now_ns(),
        )

    world.do(lambda: change(Phase.CLOSED, EndSession))
    world.do(lambda: world.desk.later(86_400))
    world.do(lambda: change(Phase.OPEN, OpenSession))


def convert(world: World, headers: dict[str, str] = BEARER, **changes: Any) -> httpx.Response:
    """Ask for a conversion, as documented."""
    fields = {
        "client_id": "DEMO1",
        "exchange": "NSE",
        "instrument_token": 14366,
        "product": "MIS",
        "new_product": "CNC",
        "quantity": 10,
        "validity": "DAY",
        "order_side": "BUY",
    } | changes
    fields = {name: value for name, value in fields.items() if value is not None}
    return world.http.put("/api/v1/position/convert", json=fields, headers=headers)


def test_a_position_has_every_documented_key(world: World) -> None:
    """All keys and no other, in both views; what was traded today is the same in both."""
    trade(world, 10, 13)
    trade(world, 4, 13.5, "SELL")
    world.print_trade(140_000)
    (row,) = net(world)
    assert list(row) == POSITION_KEYS
    assert day(world) == [row]
    assert {name: row[name] for name in row if name.startswith(("average", "buy", "sell"))} == {
        "average_buy_price": 13,
        "average_price": 13,
        "average_sell_price": 13.5,
        "buy_amount": 130,
        "buy_quantity": 10,
        "sell_amount": 54,
        "sell_quantity": 4,
    }
    assert (row["net_quantity"], row["net_amount"], row["realized_mtm"]) == (6, -76, 2)
    assert (row["ltp"], row["product"], row["prod_type"]) == (14, "MIS", 2)


def test_what_was_carried_in_is_in_the_net_view(world: World) -> None:
    """At the close it was carried at; the day's view knows only what was traded today."""
    trade(world, 10, 13, product="NRML")
    world.print_trade(135_000)
    end_day(world)
    assert day(world) == []
    (row,) = net(world)
    assert (row["cf_buy_quantity"], row["cf_buy_amount"], row["net_quantity"]) == (10, 135, 10)
    assert (row["buy_quantity"], row["average_price"], row["realized_mtm"]) == (0, 13.5, 0)
    trade(world, 4, 14, "SELL", product="NRML")
    (today,), (row,) = day(world), net(world)
    assert (today["net_quantity"], today["realized_mtm"], today["cf_buy_quantity"]) == (-4, 0, 0)
    assert (row["net_quantity"], row["realized_mtm"], row["sell_amount"]) == (6, 2, 56)


def test_an_open_order_is_no_position(world: World) -> None:
    """A row appears with the first trade."""
    world.http.post("/api/v1/orders", json=regular(), headers=BEARER)
    assert (day(world), net(world)) == ([], [])


@pytest.mark.parametrize("path", ["positions", "holdings", "funds/view"])
def test_nobody_sees_anothers(calm: World, path: str) -> None:
    """Another account is forbidden, no token unauthorised."""
    params = {"client_id": "DEMO1", "type": "live" if path == "positions" else "all"}
    for prefix in ("v1", "v2") if path == "funds/view" else ("v1",):
        url = f"/api/{prefix}/{path}"
        assert calm.http.get(url, params=params, headers=OTHER).json()["error_code"] == 40000
        assert calm.http.get(url, params=params, headers=OTHER).status_code == 403
        answer = calm.http.get(url, params=params)
        assert (answer.status_code, answer.json()["message"]) == (401, "Request Unauthorised")


@pytest.mark.parametrize("path", ["/api/v1/positions", "/api/v1/funds/view", "/api/v2/funds/view"])
def test_an_unknown_type_is_refused(calm: World, path: str) -> None:
    """44000, and the field is named."""
    answer = calm.http.get(path, params={"type": "yesterday"}, headers=BEARER)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == 44000
    assert answer.json()["message"].startswith("`type` is invalid: ")


def test_a_day_in_the_life_of_shares(world: World) -> None:
    """Bought, on their way in, free, being sold, sold: each shown as what it is."""
    assert holdings(world) == []
    trade(world, 10, 13, product="CNC")
    assert holdings(world) == []
    end_day(world)
    (row,) = holdings(world)
    assert list(row) == HOLDING_KEYS
    assert list(row["instrument_details"].values()) == [1, "EQ", 14366, "IDEA-EQ"]
    assert (row["quantity"], row["t1_quantity"], row["t1_price"]) == (10, 10, 13)
    assert (row["free_quantity"], row["buy_avg"], row["trading_symbol"]) == (0, 13, "IDEA")
    end_day(world)
    world.print_trade(142_000)
    (row,) = holdings(world)
    assert (row["free_quantity"], row["t1_quantity"], row["ltp"]) == (10, 0, 14.2)
    assert row["buy_avg_mtm"] == 12
    selling = regular(order_side="SELL", price=15, quantity=3, product="CNC")
    assert world.http.post("/api/v1/orders", json=selling, headers=BEARER).status_code == 200
    trade(world, 4, 14.2, "SELL", product="CNC")
    (row,) = holdings(world)
    assert (row["quantity"], row["used_quantity"], row["pending_quantity"]) == (10, 4, 3)
    assert row["free_quantity"] == 3
    credit = funds(world)
    assert (credit["Equity Credit Sell"], credit["DP Credit for Sale"]) == (Decimal("56.80"),) * 2
    end_day(world)
    (row,) = holdings(world)
    assert (row["quantity"], row["free_quantity"], row["used_quantity"]) == (6, 6, 0)


def test_shares_bought_today_stand_beside_those_that_are_held(world: World) -> None:
    """As T0, with their price."""
    given = Shares(IDEA, Quantity(5), Pips(100_000))
    world.do(lambda: world.desk.execute(GrantHoldings(client_id="DEMO1", holdings=(given,))))
    trade(world, 10, 13, product="CNC")
    (row,) = holdings(world)
    assert (row["quantity"], row["t0_quantity"], row["t0_price"]) == (5, 10, 13)


def test_a_sale_without_shares_is_a_rejected_row(world: World) -> None:
    """The call succeeds, and the row says why not."""
    selling = regular(order_side="SELL", product="CNC")
    answer = world.http.post("/api/v1/orders", json=selling, headers=BEARER)
    assert (answer.status_code, answer.headers["x-order-state"]) == (200, "REJECTED")
    (row,) = world.rows()
    assert (row["order_status"], row["rejection_code"]) == ("REJECTED", 12006)
    assert row["rejection_reason"] == "Holding Available : 0 : Required : 10"


def test_the_table_of_funds_has_every_label_and_its_sums_agree(world: World) -> None:
    """Whatever clients look for is there, and Available is what is left of all that is there."""
    trade(world, 10, 13)
    trade(world, 4, 13.5, "SELL")
    trade(world, 10, 13, product="CNC")
    nifty = {"exchange": "NFO", "instrument_token": "35001", "product": "NRML"}
    future = world.do(lambda: world.desk.last_price_pips(InstrumentKey("NFO:35001"))) / 10_000
    trade(world, 65, future, "SELL", **nifty)
    world.place(quantity=20)
    world.print_trade(140_000)
    table = funds(world)
    assert set(table) >= set(LABELS)
    assert table["Available Margin"] == table["Available"]
    assert table["Net Margin"] == table["Cash Deposit"] + table["Realized MTM"]
    assert table["Available"] == table["Net Margin"] - table["Margin Used"]
    parts = ("Delivery", "Var Margin", "Span Margin", "Extreme Loss Margin", "Premium")
    assert table["Margin Used"] == sum(table[part] for part in parts)
    assert all(table[part] > 0 for part in parts[:3])
    assert (table["Realized MTM"], table["realized_mtm"]) == (Decimal(2), Decimal(2))
    assert table["Unrealized MTM"] == table["unrealized_mtm"] == 6 + 10
    assert table["Opening Balance"] == Decimal(10**7)
    assert table["Delivery"] == 130


def test_profit_becomes_cash_when_the_day_ends(world: World) -> None:
    """The opening balance of the next day holds what was realised and marked."""
    trade(world, 10, 13)
    trade(world, 4, 13.5, "SELL")
    world.print_trade(140_000)
    before = funds(world)
    end_day(world)
    after = funds(world)
    gained = before["Realized MTM"] + before["Unrealized MTM"]
    assert after["Opening Balance"] == before["Opening Balance"] + gained
    assert after["Realized MTM"] == after["Unrealized MTM"] == 0


def test_both_versions_of_funds_show_one_table(calm: World) -> None:
    """They differ in a heading."""
    first = get(calm, "/api/v1/funds/view", type="all")
    second = get(calm, "/api/v2/funds/view")
    assert (first.pop("headers"), second.pop("headers")) == (
        ["Description", "all"],
        ["Description", ""],
    )
    assert first == second
    assert all(len(value.rpartition(".")[2]) == 2 for _, value in first["values"])


@pytest.mark.parametrize("token", [14366, "14366"])
def test_a_position_is_converted(world: World, token: object) -> None:
    """The documented answer, and both positions are as they should be."""
    trade(world, 30, 13)
    answer = convert(world, instrument_token=token, quantity="10")
    assert answer.status_code == 200
    assert answer.json() == {"data": {}, "message": "Conversion completed", "status": "success"}
    assert {row["product"]: row["net_quantity"] for row in net(world)} == {"MIS": 20, "CNC": 10}


def test_a_repeated_conversion_is_done_once(world: World) -> None:
    """The same key gets the first answer again."""
    trade(world, 30, 13)
    headers = BEARER | {"Idempotency-Key": "convert-1"}
    first, again = convert(world, headers), convert(world, headers)
    assert (first.json(), again.headers["x-idempotent-replay"]) == (again.json(), "true")
    assert {row["product"]: row["net_quantity"] for row in net(world)} == {"MIS": 20, "CNC": 10}


@pytest.mark.parametrize(
    ("changes", "status", "code", "message"),
    [
        ({"client_id": "DEMO2"}, 403, 40000, "Request forbidden"),
        ({"exchange": "LSE"}, 400, 44000, "`exchange` is invalid"),
        ({"instrument_token": None}, 400, 44000, "`instrument_token` can't be blank"),
        (
            {"instrument_token": 1},
            400,
            45010,
            "Something went wrong: `instrument_token` is invalid: no contract NSE:1",
        ),
        ({"product": "BTST"}, 400, 44000, "`product` is invalid"),
        ({"product": None}, 400, 44000, "`product` can't be blank"),
        ({"new_product": "btst"}, 400, 44000, "`new_product` is invalid"),
        ({"new_product": None}, 400, 44000, "`new_product` can't be blank"),
        ({"new_product": "MIS"}, 400, 44000, "`new_product` is invalid"),
        ({"quantity": None}, 400, 44000, "`quantity` can't be blank"),
        ({"quantity": 0}, 400, 45000, "`quantity` is invalid"),
        ({"quantity": -1}, 400, 45000, "`quantity` is invalid"),
        ({"quantity": 1.5}, 400, 45000, "`quantity` is invalid"),
        ({"quantity": 31}, 400, 45000, "`quantity` is invalid: 30 can be converted"),
        ({"validity": "GTC"}, 400, 44000, "`validity` is invalid"),
        ({"order_side": None}, 400, 44000, "`order_side` can't be blank"),
        ({"order_side": "SELL"}, 400, 44000, "`order_side` is invalid"),
        (
            {"product": "NRML"},
            400,
            45000,
            "`instrument_token` is invalid: nothing is held in NRML",
        ),
    ],
)
def test_a_conversion_that_cannot_be(
    converting: World, changes: dict[str, Any], status: int, code: int, message: str
) -> None:
    """The field is named, with the vendor's code, and nothing has changed."""
    before = converting.state_hash()
    answer = convert(converting, **changes)
    assert answer.status_code == status
    assert answer.json()["error_code"] == code
    assert answer.json()["message"].startswith(message)
    assert converting.state_hash() == before


@pytest.fixture(scope="module")
def converting(calm: World) -> World:
    """The shared world with a position in it."""
    trade(calm, 30, 13)
    return calm


def calc(world: World, *legs: dict[str, Any]) -> httpx.Response:
    """Ask what orders would need."""
    return world.http.post("/api/v1/calc", json={"data": list(legs)}, headers=BEARER)


def leg(**changes: Any) -> dict[str, Any]:
    """Return a leg as clients write it: all text."""
    return {
        "segment": "Capital",
        "series": "EQ",
        "exchange": "NSE",
        "side": "BUY",
        "mode": "NEW",
        "symbol": "IDEA",
        "underlying": "",
        "token": "14366",
        "quantity": "100",
        "price": "13.00",
        "product": "MIS",
    } | changes


def required(parts: dict[str, Any]) -> float:
    """Add the components up, as clients do."""
    names = "span exposure_margin premium_margin var_margin extreme_loss_margin delivery_margin"
    more = ("additional_margin", "span_spread_margin", "somtier_margin")
    total = sum(float(parts[name]) for name in (*names.split(), *more))
    return total - float(parts["premium_benefit"])


def test_the_calculator_nets_and_tells_each(calm: World) -> None:
    """In envelope B; combined is what is left after netting, each alone is what it would need."""
    before = calm.state_hash()
    answer = calc(
        calm,
        leg(),
        leg(side="SELL", quantity="40", price="14"),
        leg(product="CNC", quantity=10),
        leg(product="1", side="SELL", quantity="10"),
        leg(product="2", token=11915, price="0"),
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["error"] == {"code": 0, "message": ""}
    alone = [required(parts) for parts in body["result"]["individual_margin_values"]]
    assert alone == [260, 112, 130, 0, 366]
    assert required(body["result"]["combined_margin"]) == 156 + 0 + 366
    assert calm.state_hash() == before


def test_the_calculator_agrees_with_the_order(world: World) -> None:
    """What it says is what the order blocks."""
    said = calc(world, leg(quantity="77", price="12.35", product="NRML")).json()
    order = regular(quantity=77, price=12.35, product="NRML")
    world.http.post("/api/v1/orders", json=order, headers=BEARER)
    blocked = funds(world)["Margin Used"]
    assert Decimal(str(required(said["result"]["individual_margin_values"][0]))) == blocked


@pytest.mark.parametrize(
    ("legs", "field"),
    [
        ([leg(exchange="LSE")], "exchange"),
        ([leg(token="1")], "token"),
        ([leg(token="")], "token"),
        ([leg(side="LONG")], "side"),
        ([leg(quantity="0")], "quantity"),
        ([leg(quantity="-5")], "quantity"),
        ([leg(), leg(price="x")], "price"),
        ([leg(product="9")], "product"),
        ([leg(product=None)], "product"),
        ([], "data"),
        ([7], "data"),
        ([leg()] * 51, "data"),
        (None, "data"),
        ("x", "data"),
    ],
)
def test_a_leg_that_is_none(calm: World, legs: Any, field: str) -> None:
    """The field is named, in the envelope that a client of the calculator decodes."""
    answer = calm.http.post("/api/v1/calc", json={"data": legs}, headers=BEARER)
    assert answer.status_code == 400
    told = answer.json()
    assert (told.keys(), told["result"]) == ({"error", "result"}, "")
    assert told["error"]["code"] in (44000, 45000)
    assert f"`{field}`" in told["error"]["message"]


def test_a_calculation_of_no_json(calm: World) -> None:
    """What is no JSON object is told in the same envelope; a token that is missing, in A."""
    answer = calm.http.post("/api/v1/calc", content=b"[", headers=BEARER)
    assert answer.status_code == 400
    text = "`body` is invalid: it must be a JSON object"
    assert answer.json() == {"error": {"code": 44000, "message": text}, "result": ""}
    stranger = calm.http.post("/api/v1/calc", content=b"[")
    assert (stranger.status_code, stranger.json()["error_code"]) == (401, 40000)
