"""What the tests of the client in the field have in common: a proxy, a client, orders."""

from collections.abc import Iterator
from typing import Any

import pytest

from kavach.sdk import (
    Pocket,
)
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.faulty import FaultyProxy

ORDER: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "price": "12.90",
    "stop_loss": "12.50",
}
PLAIN: dict[str, Any] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "product": "CNC",
    "price": "12.90",
}


@pytest.fixture
def proxy(twin: TwinServer) -> Iterator[FaultyProxy]:
    """Return a faithful proxy before a fresh world; a test makes it faulty."""
    twin.room("POST", "reset")
    made = FaultyProxy(twin.url)
    yield made
    made.close()


def pocket_of(twin: TwinServer, proxy: FaultyProxy | None = None, **arguments: Any) -> Any:
    """Return DEMO1's client, through the proxy if there is one."""
    told: dict[str, Any] = {"timeout_seconds": 1.0, "confirm_seconds": 0.3} | arguments
    url = proxy.url if proxy else twin.url
    return Pocket(twin.client_id, twin.access_token, base_url=url, **told)


def fill(twin: TwinServer, quantity: int = 10, price: float = 12.9) -> None:
    """Let the market sell this much to whoever bids."""
    twin.room(
        "POST",
        "market/order",
        exchange="NSE",
        instrument_token=14366,
        side="SELL",
        price=price,
        quantity=quantity,
    )
