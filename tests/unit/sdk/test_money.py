"""
Money and shares through the client, against ``kavach serve``: funds, margin, holdings, conversion.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from kavach.sdk import (
    BadArgument,
    MarginOrder,
    OutcomeUnknown,
    Pocket,
    Product,
    RequestRefused,
    Settled,
)
from tests.twin_server import TwinServer, running

IDEA: dict[str, Any] = {"exchange": "NSE", "instrument_token": 14366}
ORDER = IDEA | {"side": "BUY", "quantity": 10, "price": "12.90"}


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


def bought(server: TwinServer, pocket: Pocket, product: Product) -> None:
    """Let the client buy 10 at 12.90."""
    pocket.place_order(**ORDER, product=product)
    server.room("POST", "market/order", **IDEA, side="SELL", price=12.9, quantity=10)


def test_an_order_blocks_its_margin(pocket: Pocket) -> None:
    """What the calculator says is what an order takes from the funds, and a cancel gives back."""
    before = pocket.funds()
    assert before.client_id == "DEMO1" and before.used == 0
    wanted = MarginOrder(**ORDER, product="CNC")
    margin = pocket.margin([wanted])
    assert margin.combined == margin.individual[0] == Decimal(129)

    order = pocket.place_order(**ORDER, product="CNC")

    assert before.available - pocket.funds().available == margin.combined
    pocket.cancel_order(order)
    assert pocket.funds().available == before.available


def test_two_orders_that_meet_need_less_together(pocket: Pocket) -> None:
    """Each is told by itself, and together the one that closes the other needs nothing."""
    buy = MarginOrder(**ORDER, product="MIS")
    sell = MarginOrder(**(ORDER | {"side": "SELL"}), product="MIS")
    margin = pocket.margin([buy, sell])
    assert len(margin.individual) == 2
    assert margin.combined < sum(margin.individual)


def test_funds_know_every_label(pocket: Pocket) -> None:
    """Both spellings of what is available are there and agree; an unknown label is a KeyError."""
    funds = pocket.funds()
    assert funds.values["Available"] == funds.values["Available Margin"] == funds.available
    with pytest.raises(KeyError):
        funds.first_of("No Such Label")


def test_holdings_are_typed(server: TwinServer, pocket: Pocket) -> None:
    """A client begins with no shares; what is given to it is there, with its numbers typed."""
    assert pocket.holdings() == []
    given = IDEA | {"quantity": 100, "average_price": 12.5}
    server.room("POST", "holdings", client_id="DEMO1", holdings=[given])
    [holding] = pocket.holdings()
    assert (holding.trading_symbol, holding.quantity) == ("IDEA", 100)
    assert holding.buy_avg == Decimal("12.5")


def test_a_position_is_converted(server: TwinServer, pocket: Pocket) -> None:
    """What was bought for the day is delivered instead; too much of it is refused."""
    bought(server, pocket, Product.MIS)
    change: dict[str, Any] = IDEA | {"side": "BUY", "product": "MIS", "new_product": "CNC"}

    after = pocket.convert_position(**change, quantity=4)

    held = {row.product: row.net_quantity for row in after}
    assert held == {"MIS": 6, "CNC": 4}
    with pytest.raises(RequestRefused):
        pocket.convert_position(**change, quantity=7)
    with pytest.raises(BadArgument, match="new_product"):
        pocket.convert_position(**(change | {"new_product": "XYZ"}), quantity=1)


class Deaf(httpx2.HTTPTransport):
    """The network, on which the answer to every change is lost after it was done."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Carry the request; a change's answer never comes back."""
        response = super().handle_request(request)
        if request.method == "GET":
            return response
        response.close()
        raise httpx2.ReadTimeout("lost on the way", request=request)


def test_a_lost_conversion_is_found(server: TwinServer, pocket: Pocket) -> None:
    """The positions tell whether a conversion happened whose answer was lost."""
    bought(server, pocket, Product.MIS)
    with Pocket(access_token=server.access_token, base_url=server.url, transport=Deaf()) as deaf:
        with pytest.raises(OutcomeUnknown) as caught:
            deaf.convert_position(**IDEA, side="BUY", product="MIS", new_product="CNC", quantity=4)
        resolution = deaf.resolve(caught.value)
    assert resolution.settled is Settled.DONE
    assert {row.product: row.net_quantity for row in resolution.positions} == {"MIS": 6, "CNC": 4}


class Mute(httpx2.HTTPTransport):
    """The network, on which changes are lost before they arrive."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Carry reads only."""
        if request.method == "GET":
            return super().handle_request(request)
        raise httpx2.ReadTimeout("lost on the way", request=request)


def test_a_conversion_that_never_arrived_is_not_seen(server: TwinServer, pocket: Pocket) -> None:
    """Positions that are as they were tell of no conversion."""
    bought(server, pocket, Product.MIS)
    with Pocket(access_token=server.access_token, base_url=server.url, transport=Mute()) as mute:
        with pytest.raises(OutcomeUnknown) as caught:
            mute.convert_position(**IDEA, side="BUY", product="MIS", new_product="CNC", quantity=4)
        resolution = mute.resolve(caught.value, confirm_seconds=0)
    assert resolution.settled is Settled.NOT_SEEN


def test_the_vendors_names_answer_their_pages(server: TwinServer, pocket: Pocket) -> None:
    """Every vendor-named method of portfolio and money succeeds with the shape of its page."""
    bought(server, pocket, Product.MIS)
    assert pocket.getDematHoldings()["data"] == {"holdings": []}
    assert ["Available Margin"] == [
        pair[0] for pair in pocket.getFunds()["data"]["values"] if pair[0] == "Available Margin"
    ]
    told = pocket.convertPosition(
        {
            "client_id": "DEMO1",
            **IDEA,
            "product": "MIS",
            "new_product": "CNC",
            "quantity": 10,
            "validity": "DAY",
            "order_side": "BUY",
        }
    )
    assert told == {"data": {}, "message": "Conversion completed", "status": "success"}
    [row] = [row for row in pocket.getPositionsDaywise()["data"] if row["net_quantity"]]
    assert (row["product"], row["net_quantity"]) == ("CNC", 10)
    assert pocket.getPositionsNetwise()["status"] == "success"
