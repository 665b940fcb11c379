"""INV-25 over HTTP: what a served twin tells of one instrument in two places agrees."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.contract.places_stage import Key, Places
from tests.simulation.places import disagreement
from tests.twin_server import TwinServer, ask, running
from tests.unit.contracts.published import Cells, packed, share

RICH: Final = "RICH1"  # Has the margin of every contract.
NEWCO: Final = ("NSE", 100_001)


def trade(server: TwinServer, key: Key, lots: int = 2) -> None:
    """Buy some lots of an instrument a tick above its last price, from a stranger."""
    exchange, token = key
    scrip = server.http.get(f"/api/v1/contract/{exchange}?info=scrip&token={token}").json()
    row = scrip["result"]
    tick, lot = row["tick_size"], row["board_lot_quantity"]
    price = round(float(row["close_price"]) + tick, 4)
    at = {"exchange": exchange, "instrument_token": token}
    product = "CNC" if row["instrument_name"] == "EQ" else "NRML"
    order: dict[str, Any] = at | {
        "client_id": server.client_id,
        "order_type": "LIMIT",
        "validity": "DAY",
        "order_side": "BUY",
        "quantity": lots * lot,
        "product": product,
        "price": price,
    }
    answer = server.http.post("/api/v1/orders", json=order)
    assert answer.headers["x-order-state"] == "OPEN", answer.text
    sold = server.room("POST", "market/order", **at, side="SELL", price=price, quantity=lots * lot)
    assert sold["filled"] == lots * lot


def disagreements(server: TwinServer, keys: list[Key] | None = None) -> list[str]:
    """Return what two places tell differently, of these instruments or of all."""
    places = Places(server)
    found = [disagreement(f"{key[0]}:{key[1]}", places.told(key)) for key in keys or places.listed]
    return [one for one in found if one]


def test_inv25_every_place_tells_the_same_of_every_instrument() -> None:
    """Of all bundled instruments, untraded and traded, each figure is the same in every place."""
    with running("--data-dir", ":memory:") as server:
        made = server.room("POST", "clients", client_id=RICH, cash=1_000_000_000)
        server.client_id, server.access_token = RICH, made["access_token"]
        server.http.headers["Authorization"] = f"Bearer {server.access_token}"
        assert disagreements(server) == []
        listed = Places(server).listed
        for key in listed:
            trade(server, key)
        assert disagreements(server) == []
        assert server.audit()["violations"] == []


def imported(place: Path, lines: list[Cells], data: Path) -> None:
    """Import these contracts."""
    ended = ask("import-contracts", packed(place / "Compact.zip", lines), "--data-dir", data)
    assert ended.exit_code == 0, ended.output


def terms_told(server: TwinServer) -> tuple[str, int]:
    """Return the name and the lot that scrip info has of the imported share."""
    answer = server.http.get(f"/api/v1/contract/NSE?info=scrip&token={NEWCO[1]}").json()
    return answer["result"]["trading_symbol"], answer["result"]["board_lot_quantity"]


FIRST: Final = share("NSE", NEWCO[1], "NEWCO", "Newco Limited")
LATER: Final[dict[str, Cells]] = {
    "other lot and tick": (*FIRST[:5], 7, "0.50", *FIRST[7:]),
    "the token is another's": share("NSE", NEWCO[1], "OTHER", "Other Limited"),
}


@pytest.mark.parametrize("later", list(LATER))
def test_inv25_terms_on_record_are_told_in_every_place(later: str, tmp_path: Path) -> None:
    """After another import the table, search and scrip info tell the terms that orders go by.

    A reset forgets what was on record, and all of them tell the newest.
    """
    data, line = tmp_path / "data", LATER[later]
    imported(tmp_path, [FIRST], data)
    with running("--data-dir", data) as server:
        trade(server, NEWCO)
        before = terms_told(server)
        server.stop()
    imported(tmp_path, [line], data)
    with running("--data-dir", data) as server:
        assert disagreements(server, [NEWCO]) == []
        assert terms_told(server) == before
        server.room("POST", "reset")
        assert disagreements(server, [NEWCO]) == []
        assert terms_told(server) == (line[2], line[5])
