"""Days of trading on a server that is stopped and killed between them: no paisa is lost."""

import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.twin_server import TwinServer, run, running

IDEA = {"exchange": "NSE", "instrument_token": 14366}
CONVERSION = IDEA | {
    "client_id": "DEMO1",
    "product": "MIS",
    "new_product": "CNC",
    "quantity": 30,
    "order_side": "BUY",
}


def trade(server: TwinServer, side: str, quantity: int, product: str, price: float = 13) -> None:
    """Let a regular order trade."""
    fields = {"client_id": "DEMO1", "order_type": "LIMIT", "validity": "DAY", **IDEA}
    order = fields | {"order_side": side, "quantity": quantity, "product": product, "price": price}
    assert server.http.post("/api/v1/orders", json=order).headers["x-order-state"] == "OPEN"
    other = "SELL" if side == "BUY" else "BUY"
    done = server.room("POST", "market/order", **IDEA, side=other, price=price, quantity=quantity)
    assert done["filled"] == quantity


def portfolio(server: TwinServer) -> list[Any]:
    """Return all that a client can see of what it has."""
    paths = (
        "positions?type=live",
        "positions?type=historical",
        "holdings",
        "funds/view",
    )
    return [server.http.get(f"/api/v1/{path}").json()["data"] for path in paths]


def worth(server: TwinServer) -> Decimal:
    """Return cash, profit and shares at the last price, in rupees, as a client adds them up."""
    _, _, holdings, funds = portfolio(server)
    table = {label: Decimal(value) for label, value in funds["values"]}
    shares = Decimal(0)
    for row in holdings["holdings"]:
        shares += row["quantity"] * Decimal(str(row["ltp"]))
    return table["Cash Deposit"] + table["Realized MTM"] + table["Unrealized MTM"] + shares


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_days_pass_over_restarts(signal_number: int, tmp_path: Path) -> None:
    """After every stop the client has what it had, and over all days what trades made of it."""
    data = tmp_path / "data"
    seen: list[Any] = []
    for day in range(3):
        with running("--data-dir", data) as server:
            if seen:
                assert portfolio(server) == seen
            trade(server, "BUY", 100, "MIS")
            trade(server, "SELL", 40, "MIS", 13.5)
            trade(server, "BUY", 10, "CNC")
            answer = server.http.put(
                "/api/v1/position/convert",
                json=CONVERSION,
                headers={"Idempotency-Key": f"day-{day}"},
            )
            assert answer.status_code == 200
            before = worth(server)
            server.room("POST", "session", exchange="NSE", phase="closed")
            assert worth(server) == before
            server.room("POST", "clock", action="advance", seconds=86_400)
            server.room("POST", "session", exchange="NSE", phase="open")
            assert server.audit()["violations"] == []
            seen, hashed = portfolio(server), server.audit()["state_hash"]
            server.stop(signal_number)
    _, positions, holdings, _ = seen
    assert [row["net_quantity"] for row in positions] == [3 * 30]
    assert [row["quantity"] for row in holdings["holdings"]] == [3 * 40]
    assert hashed in run("verify", data).stdout
    with running("--data-dir", data) as server:
        # Bought at 13 and sold at 13.50, three times; what is held last traded at 13.
        assert worth(server) == 10_000_000 + 3 * 40 * Decimal("0.5")
        again = server.http.put(
            "/api/v1/position/convert", json=CONVERSION, headers={"Idempotency-Key": "day-2"}
        )
        assert again.headers["x-idempotent-replay"] == "true"
        assert portfolio(server) == seen
