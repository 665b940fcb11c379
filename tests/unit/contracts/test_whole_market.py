"""A server that trades a hundred thousand contracts: its start, its journal, what may change."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kavach.contracts.store import load
from kavach.journal.sqlite import SqliteJournal
from tests.twin_server import TwinServer, ask, run, running
from tests.unit.contracts.published import Cells, market, packed, share

KART = "/api/v1/orders/kart"
START_SECONDS_MAX = 40  # Four where nothing else runs.
SNAPSHOT_BYTES_MAX = 20_000  # Of a world in which three contracts were used.


def place(server: TwinServer, token: int, user_order_id: int, **changes: Any) -> dict[str, Any]:
    """Return the answer to a cover order of ten shares, at the last price."""
    path = f"/api/v1/marketdata/NSE/Capital?token={token}&key=last_trade_price"
    last = server.http.get(path).json()["data"]
    order = {
        "exchange": "NSE",
        "instrument_token": token,
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": last,
        "quantity": 10,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "user_order_id": user_order_id,
        "execution_type": "CO",
        "stop_loss_value": round(last * 0.95 * 20) / 20,
    }
    answer: dict[str, Any] = server.http.post(KART, json=order | changes).json()
    return answer


def rows(server: TwinServer) -> list[dict[str, Any]]:
    """Return the order book."""
    found: list[dict[str, Any]] = server.http.get("/api/v1/orders?type=all").json()["data"][
        "orders"
    ]
    return found


def quote(server: TwinServer, token: int, exchange: str = "NSE") -> dict[str, Any]:
    """Return a quote."""
    answer = server.http.get(f"/api/v1/marketdata/{exchange}/Capital?token={token}").json()
    found: dict[str, Any] = answer["data"]
    return found


def imported(place: Path, lines: list[Cells], data: Path) -> None:
    """Import these contracts."""
    ended = ask("import-contracts", packed(place / "Compact.zip", lines), "--data-dir", data)
    assert ended.exit_code == 0, ended.output


@pytest.mark.alone  # It measures time.
def test_it_starts_in_seconds_and_trades_everything(whole_market: Path, tmp_path: Path) -> None:
    """With a hundred thousand contracts it is up in seconds, and quotes what is looked at."""
    data = tmp_path / "data"
    assert ask("import-contracts", whole_market, "--data-dir", data).exit_code == 0
    begun = time.monotonic()
    with running("--data-dir", data, "--market", "synthetic") as server:
        assert time.monotonic() - begun < START_SECONDS_MAX
        first = quote(server, 100_007)
        assert first["bid_qty"] > 0 and first["ask_qty"] > 0
        option = load(data).current[-1]
        path = f"/api/v1/marketdata/{option.exchange}/FutOpt?token={option.token}"
        assert server.http.get(path).json()["data"]["bid_qty"] > 0
        assert place(server, 100_123, 1)["status"] == "success"
        found = server.http.get("/api/v1/search", params={"key": option.trading_symbol}).json()
        assert found["result"][0]["token"] == str(option.token)
        assert server.audit()["violations"] == []
        server.stop()
    ended = run("snapshot", data)
    assert ended.returncode == 0, ended.stderr
    snapshots = list(data.glob("snapshot-*"))
    assert [path.stat().st_size < SNAPSHOT_BYTES_MAX for path in snapshots] == [True]
    assert run("verify", data).returncode == 0


def test_memory_reads_the_file_itself(tmp_path: Path) -> None:
    """A world that keeps nothing trades a published file, also after a reset; others may not."""
    file = packed(tmp_path / "Compact.zip", market(300))
    with running("--data-dir", ":memory:", "--contracts", file) as server:
        assert quote(server, 100_001)["instrument_token"] == 100_001
        server.room("POST", "reset")
        assert quote(server, 100_001)["instrument_token"] == 100_001
    ended = run("serve", "--contracts", file, "--data-dir", tmp_path / "data")
    assert ended.returncode == 2 and "import-contracts" in ended.stderr
    ended = run("serve", "--contracts", tmp_path / "no", "--data-dir", ":memory:", "--port", "0")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)


OLD = [
    share("NSE", 100_001, "NEWCO", "Newco Limited"),
    share("NSE", 100_002, "GONE", "Gone Limited"),
]


def changed(lines: list[Cells], **by: object) -> list[Cells]:
    """Return lines with another lot and another tick."""
    return [(*line[:5], by.get("lot", 1), by.get("tick", "0.05"), *line[7:]) for line in lines]


LATER: dict[str, list[Cells]] = {
    "the same": OLD,
    "other lots and ticks": changed(OLD, lot=7, tick="0.50"),
    "one is gone": OLD[:1],
    "all are gone": [share("NSE", 100_009, "OTHER", "Other Limited")],
    "the token is another's": [share("NSE", 100_001, "OTHER", "Other Limited", "BE"), OLD[1]],
}


@pytest.mark.parametrize("later", list(LATER))
def test_a_journal_means_the_same_whatever_is_imported(later: str, tmp_path: Path) -> None:
    """Killed, and started after another import, a server is in the state in which it was killed.

    Its rows say the same, its orders can be exited, and the journal can be verified by itself.
    """
    data = tmp_path / "data"
    imported(tmp_path, OLD, data)
    with running("--data-dir", data) as server:
        for user_order_id, token in enumerate((100_001, 100_002, 100_001), start=1):
            answer = place(server, token, user_order_id)
            assert answer["status"] == "success", answer
        price = quote(server, 100_001)["last_trade_price"]
        sell = {"exchange": "NSE", "instrument_token": 100_001, "side": "SELL"}
        server.room("POST", "market/order", **sell, price=price, quantity=15)
        before, state = rows(server), server.audit()
        seen = quote(server, 100_001)
        server.process.kill()
    imported(tmp_path, LATER[later], data)
    for _ in range(2):
        with running("--data-dir", data) as server:
            after = server.audit()
            assert (after["violations"], after["state_hash"]) == ([], state["state_hash"])
            assert rows(server) == before
            again = quote(server, 100_001)
            assert again | {"exchange_timestamp": 0} == seen | {"exchange_timestamp": 0}
            server.process.kill()
    assert state["state_hash"] in run("verify", data).stdout
    assert run("snapshot", data).returncode == 0
    with running("--data-dir", data) as server:
        assert server.audit()["state_hash"] == state["state_hash"]
        stop = next(row for row in rows(server) if row["leg_order_indicator"] == "THIRD")
        parameters = {
            "exchange_order_id": stop["exchange_order_id"],
            "leg_order_indicator": "THIRD",
        }
        path = f"{KART}/{stop['oms_order_id']}"
        assert server.http.delete(path, params=parameters).json()["status"] == "success"
        assert place(server, 100_001, 9)["status"] == "success"
        assert server.audit()["violations"] == []


def test_new_terms_hold_where_nothing_was_used(tmp_path: Path) -> None:
    """A contract that was only looked at, or refused, is traded by the newest terms."""
    data = tmp_path / "data"
    imported(tmp_path, OLD, data)
    with running("--data-dir", data) as server:
        quote(server, 100_001)
        assert place(server, 100_001, 1, price=0.01)["status"] == "error"
        server.stop()
    with closing(SqliteJournal(data, create=False, read_only=True)) as journal:
        assert all(b"NEWCO" not in body for _, body in journal.records())
    imported(tmp_path, changed(OLD, lot=7), data)
    with running("--data-dir", data) as server:
        assert place(server, 100_001, 2)["status"] == "error"
        assert place(server, 100_001, 3, quantity=14)["status"] == "success"


def test_a_backup_trades_the_same_market(tmp_path: Path) -> None:
    """Imported contracts go with a backup."""
    data = tmp_path / "data"
    imported(tmp_path, OLD, data)
    with running("--data-dir", data) as server:
        assert place(server, 100_001, 1)["status"] == "success"
        assert run("backup", data, tmp_path / "copy").returncode == 0
        state = server.audit()["state_hash"]
    with running("--data-dir", tmp_path / "copy") as server:
        assert server.audit()["state_hash"] == state
        assert place(server, 100_002, 2)["status"] == "success"
