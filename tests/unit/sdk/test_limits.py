"""
A server's limits as the client meets them, against ``kavach serve``.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from kavach.sdk import CancelOutcome, InvalidRequest, Pocket, RateLimited
from tests.twin_server import TwinServer, running

ORDER: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "product": "CNC",
    "price": "12.50",
}


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server that follows the regulator's rules."""
    with running("--data-dir", ":memory:", "--limits", "sebi-2026") as started:
        yield started


@pytest.fixture
def pocket(server: TwinServer) -> Iterator[Pocket]:
    """A client of the server, in a fresh world whose clock stands."""
    server.room("POST", "reset")
    server.room("POST", "clock", action="pause")
    with Pocket(access_token=server.access_token, base_url=server.url) as made:
        yield made


def test_too_many_orders_say_when_to_ask_again(server: TwinServer, pocket: Pocket) -> None:
    """The seventh entry within a second is refused with the time to wait; cancels still pass."""
    placed = [pocket.place_order(**ORDER) for _ in range(6)]
    with pytest.raises(RateLimited) as caught:
        pocket.place_order(**ORDER)

    assert caught.value.retry_after == 1.0
    assert caught.value.reason == "RATE_LIMITED"
    assert pocket.cancel_order(placed[0]).outcome is CancelOutcome.CANCELLED
    assert len(pocket.orders()) == 6


def test_a_market_order_brings_its_protection(pocket: Pocket) -> None:
    """Without a percentage a market order is refused by name; with one its row shows it."""
    market = ORDER | {"order_type": "MARKET", "price": None}
    with pytest.raises(InvalidRequest, match="market_protection_percentage"):
        pocket.place_order(**market)

    order = pocket.place_order(**market, market_protection="2.5")

    assert order.market_protection_percentage == Decimal("2.5")
    assert order.order_tag == "RETAIL"
