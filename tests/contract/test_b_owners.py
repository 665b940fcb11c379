"""
B: an order is the system's or the client's by what the core knows, never by a client's words.

B1: the field ``device`` decides nothing. B2: the system's orders are not the client's to change.
B3: no kind of order ends with a delivery that was never owned.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from kavach.core.commands import Kill, Shares, SquareOff
from kavach.core.events import ClientOpened, EntriesStopped
from kavach.core.evolve.apply import evolve
from kavach.core.model.money.commands import GrantHoldings
from kavach.core.model.regular.events import RegularOrderPlaced
from kavach.core.model.state import OmsState
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.units import (
    Exchange,
    InstrumentKey,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Validity,
)
from tests.contract.local import local
from tests.unit.api.world import BEARER, KART, World, entry

Row = dict[str, Any]
ORDERS: Final = "/api/v1/orders"
PRODUCT_WITHOUT_SHARES: Final = ("CNC", "MTF")
BRACKET: Final[Row] = {"execution_type": "BO", "stop_loss_value": 0.5, "square_off_value": 0.5}


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh world."""
    with local() as served:
        yield served


def regular(**changes: Any) -> Row:
    """Return a well-formed request for a regular order."""
    names = ("stop_loss_value", "trailing_stop_loss", "is_trailing")
    return entry(execution_type="REGULAR", **(dict.fromkeys(names) | changes))


def place(world: World, path: str, body: Row) -> Row:
    """Place an order; return its row."""
    answer = world.http.post(path, json=body, headers=BEARER)
    assert answer.status_code == 200, answer.text
    return world.rows()[-1]


def square_off(world: World) -> None:
    """Let the square-off time have come."""
    world.do(lambda: world.desk.execute(SquareOff(Exchange.NSE)))


def by_gtt(world: World, device: str) -> Row:
    """Let a rule place the order; return its row."""
    order = regular(device=device, trigger_price=12.9, order_type="LIMIT", price=12.8)
    body = {"action_type": "single_order", "expiry_time": "2024-07-01", "order": order}
    answer = world.http.post("/api/v1/event/gtt", json=body, headers=BEARER)
    assert answer.status_code == 200, answer.text
    world.print_trade(128_500)
    return world.rows()[-1]


def by_basket(world: World, device: str) -> Row:
    """Let a saved basket place the order; return its row."""
    made = world.http.post("/api/v1/basket", json={"name": "b"}, headers=BEARER).json()
    basket_id = made["data"][0]["basket_id"]
    line = {"basket_id": basket_id, "order_info": regular(device=device, price=12.8)}
    added = world.http.post("/api/v1/basket/order", json=line, headers=BEARER)
    assert added.status_code == 200, added.text
    run = {"client_id": "DEMO1", "execution_type": "NML", "basket_id": basket_id}
    assert world.http.post(KART, json=run, headers=BEARER).status_code == 200
    return world.rows()[-1]


def at_once(world: World, device: str) -> Row:
    """Place the order; return its row."""
    return place(world, ORDERS, regular(device=device, price=12.8))


@pytest.mark.parametrize("way", [at_once, by_gtt, by_basket])
def test_b1_a_device_decides_nothing(world: World, way: Any) -> None:
    """An open MIS order is cancelled at square-off, wherever its client says that it comes from."""
    row = way(world, "SQUARE_OFF")
    assert row["order_status"] == "CONFIRMED", row
    square_off(world)
    assert world.row(row["oms_order_id"])["order_status"] == "CANCEL_CONFIRMED"


def test_b1_a_device_does_not_open_the_kill_switch(world: World) -> None:
    """The kill switch cancels what a client has open, whatever device it names."""
    row = at_once(world, "SQUARE_OFF")
    world.do(lambda: world.desk.execute(Kill("DEMO1")))
    assert world.row(row["oms_order_id"])["order_status"] == "CANCEL_CONFIRMED"


def given_back(world: World) -> Row:
    """Hold 100 and let the system give them back where nobody buys; return its order's row."""
    held = place(world, ORDERS, regular(quantity=100))
    world.fill(held, 100, 130_000)
    square_off(world)
    row = world.rows()[-1]
    assert (row["order_side"], row["quantity"], row["device"]) == ("SELL", 100, "SQUARE_OFF")
    assert row["order_status"] == "CONFIRMED"
    return row


OLD: Final = (  # A square-off order as it was journaled before ``by_system``.
    *("RegularOrderPlaced", 202406131, "C", "NSE:14366", "SELL", "MARKET", 100, 0, 0, 0),
    *("DAY", "MIS", 130_000, 0, "SQUARE_OFF", False),
)


def replayed(*, stopped: bool = True, **changes: Any) -> bool:
    """Return whether an order of an old journal is taken for the system's."""
    state = OmsState(load_instruments(), Settings())
    evolve(state, ClientOpened("C", Paise(10**9), "", "", ""), 1)
    if stopped:
        evolve(state, EntriesStopped(Exchange.NSE), 1)
    event = msgspec.convert(OLD, RegularOrderPlaced, strict=False)
    evolve(state, msgspec.structs.replace(event, **changes), 1)
    return state.regulars[202406131].squares_off


def test_b1_square_offs_of_older_journals_are_known() -> None:
    """Before the core told, the device did: only what is just as the system placed it is its."""
    assert replayed()
    assert not replayed(by_system=False)
    assert replayed(by_system=True, device="WEB", stopped=False)
    assert not replayed(stopped=False)
    for words in (
        {"device": "WEB"},
        {"order_type": OrderType.LIMIT},
        {"product": Product.NRML},
        {"validity": Validity.IOC},
        {"user_order_id": 7},
        {"disclosed_quantity": Quantity(1)},
        {"amo": True},
    ):
        assert not replayed(**words), words


CHANGES: Final[list[Row]] = [
    {"quantity": 300},
    {"order_type": "LIMIT", "price": 15.6},
    {"validity": "IOC"},
    {"disclosed_quantity": 10},
    {"market_protection_percentage": 50},
    {},
]


@pytest.mark.parametrize("path", [ORDERS, KART])
def test_b2_the_systems_order_is_not_changed(world: World, path: str) -> None:
    """PUT and DELETE of a square-off order are refused, by either route, and change nothing."""
    row = given_back(world)
    before = world.state_hash()
    kind = "REGULAR" if path == ORDERS else "CO"
    named = {"client_id": "DEMO1", "oms_order_id": row["oms_order_id"], "execution_type": kind}
    answers = [
        world.http.put(path, json={**named, **changes}, headers=BEARER) for changes in CHANGES
    ]
    for leg in ("ENTRY", "SECOND", "THIRD"):
        body = named | {
            "leg_order_indicator": leg,
            "exchange_order_id": row["exchange_order_id"],
        }
        target = f"{path}/{row['oms_order_id']}"
        answers.append(world.http.request("DELETE", target, json=body, headers=BEARER))
    for answer in answers:
        assert answer.status_code == 400, answer.text
        assert answer.json()["error_code"] == 45000
        assert answer.headers["x-error-reason"] == "ORDER_MUST_BE_THE_CLIENTS"
        assert "square-off" in answer.json()["message"]
    assert world.state_hash() == before


def cover(**changes: Any) -> Row:
    """Return a request for a short cover order."""
    return entry(order_side="SELL", stop_loss_value=13.5, **changes)


@pytest.mark.parametrize("product", PRODUCT_WITHOUT_SHARES)
@pytest.mark.parametrize("kind", ["CO", "BO", "REGULAR"])
def test_b3_shares_that_nobody_has_are_not_sold(world: World, kind: str, product: str) -> None:
    """SELL CNC or MTF without shares is REJECTED with 12006, as whatever kind of order."""
    body = regular(order_side="SELL", product=product)
    if kind != "REGULAR":
        body = cover(product=product) | (BRACKET if kind == "BO" else {})
    answer = world.http.post(ORDERS if kind == "REGULAR" else KART, json=body, headers=BEARER)
    if kind != "REGULAR" and product == "MTF":
        assert answer.status_code == 400 and "`product`" in answer.json()["message"]
        return
    assert answer.status_code == 200, answer.text
    row = world.rows()[-1]
    assert (row["order_status"], row["rejection_code"]) == ("REJECTED", 12006), row
    assert row["rejection_reason"] == "Holding Available : 0 : Required : 10"


def test_b3_shares_are_sold_once(world: World) -> None:
    """What a cover order could sell of a holding, no other order can sell as well."""
    key = InstrumentKey("NSE:14366")
    owned = (Shares(key, Quantity(15), Pips(120_000)),)
    world.do(lambda: world.desk.execute(GrantHoldings(client_id="DEMO1", holdings=owned)))
    place(world, KART, cover(product="CNC"))
    for path, body in (
        (ORDERS, regular(order_side="SELL", product="CNC")),
        (KART, cover(product="CNC", user_order_id=7002)),
    ):
        row = place(world, path, body)
        assert row["rejection_code"] == 12006, row
        assert row["rejection_reason"] == "Holding Available : 5 : Required : 10"
