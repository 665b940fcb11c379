"""
Bracket orders through the client, against ``kavach serve``.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from kavach.sdk import (
    BadArgument,
    BracketOrder,
    CancelOutcome,
    Leg,
    OutcomeUnknown,
    Pocket,
    RequestRefused,
    Settled,
)
from tests.twin_server import TwinServer, running

IDEA: dict[str, Any] = {"exchange": "NSE", "instrument_token": 14366}
ORDER: dict[str, Any] = IDEA | {
    "side": "BUY",
    "quantity": 10,
    "price": "12.90",
    "target_distance": "0.50",
    "stop_distance": "0.30",
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


@pytest.fixture
def pocket(server: TwinServer) -> Iterator[Pocket]:
    """A client of the server."""
    with Pocket(access_token=server.access_token, base_url=server.url) as made:
        yield made


def trade(server: TwinServer, side: str, price: float, quantity: int) -> None:
    """Let a stranger buy or sell."""
    server.room("POST", "market/order", **IDEA, side=side, price=price, quantity=quantity)


def filled(server: TwinServer, pocket: Pocket) -> BracketOrder:
    """Return a bracket order that has filled."""
    order = pocket.place_bracket_order(**ORDER)
    trade(server, "SELL", 12.9, 10)
    return pocket.bracket_order(order)


def test_place_find_modify_cancel(pocket: Pocket) -> None:
    """A resting bracket is placed, found, changed and cancelled; before a fill it has no exits."""
    order = pocket.place_bracket_order(**ORDER)
    assert (order.status, order.target, order.stop) == ("CONFIRMED", None, None)
    assert (order.entry.square_off_value, order.entry.stop_loss_value) == (
        Decimal("0.5"),
        Decimal("0.3"),
    )
    with pytest.raises(BadArgument, match="no SECOND row before its first fill"):
        pocket.move_bracket_target(order, "13.50")

    changed = pocket.modify_bracket_order(order, price="12.80", target_distance="0.60")
    assert (changed.entry.price, changed.entry.square_off_value) == (
        Decimal("12.8"),
        Decimal("0.6"),
    )
    assert changed.entry.stop_loss_value == Decimal("0.3")

    result = pocket.cancel_bracket_order(changed)
    assert result.outcome is CancelOutcome.CANCELLED
    assert isinstance(result.order, BracketOrder)


def test_a_fill_brings_stop_and_target(server: TwinServer, pocket: Pocket) -> None:
    """Both exits stand at their distances and can be moved each by itself."""
    order = filled(server, pocket)
    assert order.target is not None and order.stop is not None
    assert (order.target.price, order.stop.trigger_price) == (Decimal("13.4"), Decimal("12.6"))
    assert order.quantity_held == 10

    order = pocket.move_bracket_target(order, "13.20")
    assert order.target is not None and order.target.price == Decimal("13.2")
    order = pocket.move_bracket_stop(order, "12.70")
    assert order.stop is not None and order.stop.trigger_price == Decimal("12.7")
    assert order.target is not None and order.target.price == Decimal("13.2")


def test_the_target_ends_it(server: TwinServer, pocket: Pocket) -> None:
    """Once the target has sold everything, nothing is left, and getting out says so."""
    order = filled(server, pocket)
    trade(server, "BUY", 13.4, 10)

    order = pocket.bracket_order(order)
    assert order.is_over and order.quantity_held == 0
    assert pocket.exit_bracket_order(order).outcome is CancelOutcome.EXITED


@pytest.mark.parametrize("leg", [Leg.SECOND, Leg.THIRD])
def test_getting_out_by_either_exit(server: TwinServer, pocket: Pocket, leg: Leg) -> None:
    """SECOND and THIRD mean the same: the position is sold, and both exits are gone."""
    order = filled(server, pocket)
    trade(server, "BUY", 12.8, 10)

    result = pocket.cancel_bracket_order(order, leg)

    assert result.outcome is CancelOutcome.EXITED
    assert result.order.quantity_held == 0
    assert pocket.orders("pending") == []


def test_cancelling_the_entry_leaves_both_exits(server: TwinServer, pocket: Pocket) -> None:
    """What has traded keeps its stop and its target."""
    order = pocket.place_bracket_order(**ORDER)
    trade(server, "SELL", 12.9, 4)

    result = pocket.cancel_bracket_order(order)

    assert result.outcome is CancelOutcome.CANCELLED
    assert result.order.quantity_held == 4
    living = {row.leg_order_indicator for row in pocket.orders("pending")}
    assert living == {"SECOND", "THIRD"}


def test_a_cover_order_is_no_bracket(pocket: Pocket) -> None:
    """A cover order has no target: asking for it as a bracket is an error of the caller."""
    cover = pocket.place_cover_order(
        **IDEA, side="BUY", quantity=10, price="12.90", stop_loss="12.50"
    )
    assert not isinstance(cover, BracketOrder)
    with pytest.raises(BadArgument, match="is a cover order and has no target"):
        pocket.bracket_order(cover.oms_order_id)
    with pytest.raises(RequestRefused, match="leg_order_indicator"):
        pocket.cancel_cover_order(cover, Leg.SECOND)


def test_a_price_taken_for_a_distance_is_refused(pocket: Pocket) -> None:
    """An absolute price as a distance leads outside the day's range, and nothing is placed."""
    with pytest.raises(RequestRefused, match="square_off_value"):
        pocket.place_bracket_order(**(ORDER | {"target_distance": "13.40"}))
    assert pocket.orders() == []


class Deaf(httpx2.HTTPTransport):
    """The network, on which the answer to every change is lost after it was done."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Carry the request; a change's answer never comes back."""
        response = super().handle_request(request)
        if request.method == "GET":
            return response
        response.close()
        raise httpx2.ReadTimeout("lost on the way", request=request)


def test_lost_answers_are_found(server: TwinServer) -> None:
    """Every change whose answer was lost is found out by looking."""
    with Pocket(access_token=server.access_token, base_url=server.url, transport=Deaf()) as deaf:

        def lost(call: Any, *arguments: Any, **named: Any) -> Any:
            with pytest.raises(OutcomeUnknown) as caught:
                call(*arguments, **named)
            resolution = deaf.resolve(caught.value)
            assert resolution.settled is Settled.DONE, resolution
            return resolution.order

        order = lost(deaf.place_bracket_order, **ORDER)
        assert isinstance(order, BracketOrder)
        trade(server, "SELL", 12.9, 10)
        order = lost(deaf.move_bracket_target, order, "13.20")
        order = lost(deaf.move_bracket_stop, order, "12.70")
        trade(server, "BUY", 12.8, 10)
        order = lost(deaf.exit_bracket_order, order)
        assert order.is_over
