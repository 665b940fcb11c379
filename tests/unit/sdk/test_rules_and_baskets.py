"""
GTT rules and saved baskets through the client, against ``kavach serve``, of either kind of client.
"""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from kavach.sdk import (
    BadArgument,
    CancelOutcome,
    OutcomeUnknown,
    Pocket,
    RequestRefused,
    Settled,
)
from tests.twin_server import TwinServer, running
from tests.unit.sdk.conftest import Awaited

NEXT_YEAR = date.today() + timedelta(days=200)  # noqa: DTZ011
RULE: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "product": "CNC",
    "price": "12.50",
    "trigger_price": "12.60",
    "expiry": NEXT_YEAR,
}
LINE: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "product": "MIS",
    "price": "12.50",
}


@pytest.fixture(scope="module")
def program() -> Iterator[TwinServer]:
    """A server for these tests alone."""
    with running("--data-dir", ":memory:") as started:
        yield started


@pytest.fixture
def server(program: TwinServer) -> Iterator[TwinServer]:
    """The server with a fresh world in it; afterwards every invariant must still hold."""
    program.room("POST", "reset")
    yield program
    assert program.audit()["violations"] == []


@pytest.fixture(params=["blocking", "asyncio"])
def pocket(request: pytest.FixtureRequest, server: TwinServer) -> Iterator[Any]:
    """A client of the server, of either kind."""
    told: dict[str, Any] = {"access_token": server.access_token, "base_url": server.url}
    if request.param == "blocking":
        with Pocket(**told) as made:
            yield made
        return
    loop = asyncio.new_event_loop()
    awaited = Awaited(loop, **told)
    yield awaited
    awaited.close()
    loop.close()


class Deaf(httpx2.HTTPTransport):
    """The network, on which the answer to every change is lost after it was done."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Carry the request; a change's answer never comes back."""
        response = super().handle_request(request)
        if request.method == "GET":
            return response
        response.close()
        raise httpx2.ReadTimeout("lost on the way", request=request)


@pytest.fixture
def deaf(server: TwinServer) -> Iterator[Pocket]:
    """A client to which no answer to a change comes back."""
    with Pocket(access_token=server.access_token, base_url=server.url, transport=Deaf()) as made:
        yield made


def trade_at(server: TwinServer, price: float) -> None:
    """Let two strangers trade, so that this is the last price."""
    fields = {"exchange": "NSE", "instrument_token": 14366, "price": price, "quantity": 5}
    server.room("POST", "market/order", side="BUY", **fields)
    server.room("POST", "market/order", side="SELL", **fields)


def test_a_rule_lives_and_is_ended(pocket: Any) -> None:
    """A rule is made, found, changed and ended; ending it again says the same."""
    rule = pocket.create_gtt(**RULE)
    assert rule.is_active and rule.order.trigger_price == Decimal("12.6")
    assert rule.expiry_time == NEXT_YEAR.isoformat()
    assert [found.id for found in pocket.gtt_rules()] == [rule.id]

    changed = pocket.modify_gtt(rule, price="12.40", trigger_price="12.45")
    assert (changed.order.price, changed.order.quantity) == (Decimal("12.4"), 10)

    assert pocket.cancel_gtt(rule).outcome is CancelOutcome.CANCELLED
    assert pocket.cancel_gtt(rule).outcome is CancelOutcome.CANCELLED
    assert not pocket.gtt_rule(rule).is_active


def test_no_rules_are_an_empty_list(pocket: Any) -> None:
    """The vendor's error for having no rules is no error here."""
    assert pocket.gtt_rules() == []


def test_a_rule_that_fires_places_its_order(server: TwinServer, pocket: Any) -> None:
    """The price is reached: the order is in the book, and ending the rule comes too late."""
    rule = pocket.create_gtt(**RULE)
    trade_at(server, 12.6)

    [order] = pocket.orders()
    assert (order.price, order.quantity, order.product) == (Decimal("12.5"), 10, "CNC")
    result = pocket.cancel_gtt(rule)
    assert result.outcome is CancelOutcome.TOO_LATE
    assert result.order.status.upper() == "TRIGGERED"


def test_a_rule_with_two_triggers(server: TwinServer, pocket: Any) -> None:
    """Whichever side is reached first places its order, and the other is gone."""
    sides = {"trigger_price": "13.80", "stop_trigger_price": "12.60", "stop_price": "12.55"}
    rule = pocket.create_gtt(**(RULE | sides | {"price": "13.85"}))
    assert rule.order.sl_trigger_price == Decimal("12.6")
    trade_at(server, 12.6)

    [order] = pocket.orders()
    assert order.price == Decimal("12.55")
    trade_at(server, 13.8)
    assert len(pocket.orders()) == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"expiry": "soon"}, "expiry: 'soon' is not a day"),
        ({"price": None}, "price: must be given"),
        ({"stop_price": 12}, "stop_trigger_price: must be given"),
    ],
)
def test_a_rule_that_cannot_be_is_named(
    pocket: Any, changes: dict[str, Any], complaint: str
) -> None:
    """A bad argument is named before anything is sent."""
    with pytest.raises(BadArgument, match=complaint):
        pocket.create_gtt(**(RULE | changes))


def test_a_rule_that_is_refused_is_not_there(pocket: Any) -> None:
    """The server's refusal is raised, and no rule came of it."""
    with pytest.raises(RequestRefused, match="expiry_time"):
        pocket.create_gtt(**(RULE | {"expiry": "2020-01-01"}))
    assert pocket.gtt_rules() == []


def test_a_lost_rule_is_found(deaf: Pocket, pocket: Any) -> None:
    """Lost answers to making, changing and ending a rule are found out by looking."""
    pocket.create_gtt(**RULE)  # Just the same, but there before.
    with pytest.raises(OutcomeUnknown) as made:
        deaf.create_gtt(**RULE)
    found = deaf.resolve(made.value)
    assert found.settled is Settled.DONE and found.rule is not None
    rule = found.rule
    with pytest.raises(OutcomeUnknown) as changed:
        deaf.modify_gtt(rule, quantity=20)
    assert deaf.resolve(changed.value).settled is Settled.DONE
    with pytest.raises(OutcomeUnknown) as ended:
        deaf.cancel_gtt(rule)
    resolution = deaf.resolve(ended.value)
    assert (resolution.settled, resolution.outcome) == (Settled.DONE, CancelOutcome.CANCELLED)
    assert len(deaf.gtt_rules()) == 2


def test_a_basket_is_kept_and_executed(pocket: Any) -> None:
    """A basket is made, filled, changed and executed; each order's outcome is told."""
    saved = pocket.create_basket("Morning")
    saved = pocket.add_to_basket(saved, **LINE)
    saved = pocket.add_to_basket(
        saved, **(LINE | {"instrument_token": 11915, "quantity": 20, "price": "17.40"})
    )
    assert [order.quantity for order in saved.orders] == [10, 20]
    first, second = (order.order_id for order in saved.orders)

    saved = pocket.edit_basket_order(saved, second, price="17.30")
    assert saved.orders[1].price == Decimal("17.3") and saved.orders[1].quantity == 20
    saved = pocket.rename_basket(saved, "Evening")
    execution = pocket.execute_basket(saved)

    assert [one.order_id for one in execution.outcomes] == [first, second]
    placed = {order.oms_order_id: order for order in pocket.orders()}
    assert placed.keys() == {one.oms_order_id for one in execution.outcomes}
    assert {one.state for one in execution.outcomes} == {"CONFIRMED"}
    assert pocket.saved_basket(saved).is_executed

    saved = pocket.remove_from_basket(saved, first)
    assert [order.order_id for order in saved.orders] == [second]
    pocket.delete_basket(saved)
    assert pocket.saved_baskets() == []
    assert len(pocket.orders("pending")) == 2


def test_a_basket_executed_under_one_key_is_executed_once(pocket: Any) -> None:
    """The same key again gets the first answer again; another key places again."""
    saved = pocket.add_to_basket(pocket.create_basket("Once"), **LINE)
    first = pocket.execute_basket(saved, idempotency_key="k-1")

    assert pocket.execute_basket(saved, idempotency_key="k-1").basket_id == first.basket_id
    assert len(pocket.orders()) == 1
    pocket.execute_basket(saved)
    assert len(pocket.orders()) == 2


def test_a_basket_that_is_not_there(pocket: Any) -> None:
    """An unknown basket or order is named before anything is sent."""
    with pytest.raises(BadArgument, match="there is no basket 'none'"):
        pocket.execute_basket("none")
    saved = pocket.create_basket("Empty")
    with pytest.raises(BadArgument, match="has no order 'none'"):
        pocket.remove_from_basket(saved, "none")


def test_lost_answers_about_baskets_are_found(deaf: Pocket) -> None:
    """Every change of a basket whose answer was lost is found out by looking."""

    def lost(call: Any, *arguments: Any, **named: Any) -> Any:
        with pytest.raises(OutcomeUnknown) as caught:
            call(*arguments, **named)
        resolution = deaf.resolve(caught.value)
        assert resolution.settled is Settled.DONE, resolution
        return resolution.basket

    saved = lost(deaf.create_basket, "Lost")
    saved = lost(deaf.add_to_basket, saved, **LINE)
    saved = lost(deaf.edit_basket_order, saved, saved.orders[0].order_id, quantity=30)
    assert saved.orders[0].quantity == 30
    saved = lost(deaf.rename_basket, saved, "Found")
    saved = lost(deaf.execute_basket, saved)
    saved = lost(deaf.remove_from_basket, saved, saved.orders[0].order_id)
    assert lost(deaf.delete_basket, saved) is None
    assert len(deaf.orders()) == 1


def test_a_second_lost_execution_cannot_be_told(deaf: Pocket, pocket: Any) -> None:
    """A basket that had been executed before bears no new mark: nobody claims to know."""
    saved = pocket.add_to_basket(pocket.create_basket("Twice"), **LINE)
    pocket.execute_basket(saved)
    with pytest.raises(OutcomeUnknown) as caught:
        deaf.execute_basket(saved)
    assert deaf.resolve(caught.value, confirm_seconds=0).settled is Settled.NOT_SEEN
