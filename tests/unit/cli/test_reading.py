"""``kavach verify`` and ``kavach journal``: what they find, print and refuse."""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.journal.chain import GENESIS, link
from kavach.journal.sqlite import SqliteJournal
from kavach.twin.clock import TwinClock
from kavach.venues.embedded import EmbeddedVenue
from tests.twin_server import TwinServer, ask, running

KART = "/api/v1/orders/kart"
RECORD = 3  # The first fill of the story below.


def place(server: TwinServer, user_order_id: int) -> dict[str, Any]:
    """Place a cover order for 100 and return its ENTRY row."""
    order = {
        "exchange": "NSE",
        "instrument_token": 14366,
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 13,
        "quantity": 100,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "user_order_id": user_order_id,
        "execution_type": "CO",
        "stop_loss_value": 12.5,
    }
    response = server.http.post(KART, json=order)
    assert response.status_code == 200, response.text
    rows = server.http.get("/api/v1/orders?type=pending&client_id=DEMO1").json()["data"]["orders"]
    found: dict[str, Any] = next(
        row
        for row in rows
        if row["user_order_id"] == str(user_order_id) and row["leg_order_indicator"] == "ENTRY"
    )
    return found


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A stopped journal of two orders, the first filled by 40: its place, ENTRY row and hash."""
    directory = tmp_path_factory.mktemp("lived")
    with running("--data-dir", directory) as server:
        entry = place(server, 1)
        server.room(
            "POST",
            "market/order",
            exchange="NSE",
            instrument_token=14366,
            side="SELL",
            price=13,
            quantity=40,
        )
        place(server, 2)
        state_hash: str = server.audit()["state_hash"]
        assert server.stop()[0] == 0
    return directory, entry, state_hash


@pytest.fixture
def story(
    lived: tuple[Path, dict[str, Any], str], tmp_path: Path
) -> tuple[Path, dict[str, Any], str]:
    """A copy of that journal, to do with as one likes."""
    directory, entry, state_hash = lived
    shutil.copytree(directory, tmp_path / "data")
    return tmp_path / "data", entry, state_hash


@contextmanager
def rewriting(directory: Path) -> Iterator[dict[int, list[Any]]]:
    """Give the records to change by number, and store them with a chain that fits again."""
    database = sqlite3.connect(directory / "journal.db")
    with database:
        rows = database.execute("SELECT sequence, body FROM records ORDER BY sequence").fetchall()
        records = {sequence: msgspec.msgpack.decode(body) for sequence, body in rows}
        yield records
        chain = GENESIS
        for sequence, record in records.items():
            body = msgspec.msgpack.encode(record)
            chain = link(chain, sequence, body)
            database.execute(
                "UPDATE records SET body = ?, chain = ? WHERE sequence = ?",
                (body, chain, sequence),
            )
    database.close()


def found_wrong(directory: Path) -> str:
    """Return what ``verify`` says is wrong; its exit code is 1."""
    ended = ask("verify", directory)
    assert (ended.exit_code, ended.stdout) == (1, ""), ended
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


def test_a_sound_journal_is_verified(story: tuple[Path, dict[str, Any], str]) -> None:
    """Verify counts, finds nothing wrong, changes nothing, and ends in the server's own state."""
    directory, _, state_hash = story
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    ended = ask("verify", directory)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert "4 records, 2 cover orders: chain intact" in ended.stdout
    assert state_hash in ended.stdout
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def save_snapshot(directory: Path, cash_paise: int | None = None) -> int:
    """Add a snapshot as a clean stop does, its first client's cash changed if asked."""
    journal = SqliteJournal(directory)
    try:
        instruments = load_instruments()
        venue = EmbeddedVenue(instruments)
        standing = TwinClock(lambda: 0, start_ns=0)
        engine = Engine(instruments, Settings(), journal, venue, standing)
        engine.recover()
        if cash_paise is not None:
            engine.state.clients["DEMO1"].cash_paise = cash_paise
        engine.save_snapshot()
        return engine.sequence
    finally:
        journal.close()


def test_a_snapshot_is_compared(story: tuple[Path, dict[str, Any], str]) -> None:
    """A snapshot that holds what the records lead to is said to be equal."""
    directory, _, state_hash = story
    sequence = save_snapshot(directory)
    ended = ask("verify", directory)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert f"snapshot of record {sequence} equal" in ended.stdout
    assert state_hash in ended.stdout


def test_a_snapshot_of_another_state_is_found(story: tuple[Path, dict[str, Any], str]) -> None:
    """A snapshot with a rupee more on an account than the records give it is named."""
    directory, _, _ = story
    sequence = save_snapshot(directory, cash_paise=10_000_001_00)
    assert f"Record {sequence}: its snapshot holds another state" in found_wrong(directory)


def test_a_changed_byte_is_found(story: tuple[Path, dict[str, Any], str]) -> None:
    """The record whose hash does not fit is named."""
    directory, _, _ = story
    database = sqlite3.connect(directory / "journal.db")
    with database:
        database.execute(
            "UPDATE records SET body = CAST(body || x'00' AS BLOB) WHERE sequence = ?", (RECORD,)
        )
    database.close()
    assert f"Journal record {RECORD} is damaged" in found_wrong(directory)


def test_a_missing_stop_is_found(story: tuple[Path, dict[str, Any], str]) -> None:
    """A record after which a position has no stop breaks an invariant, though the chain fits."""
    directory, _, _ = story
    with rewriting(directory) as records:
        _, _, events, venue = records[RECORD]
        del events[1:]  # The trade stays; the stop's leg, order and acceptance go.
        del venue[1:]
    assert f"Record {RECORD}: INV-1 of cover order" in found_wrong(directory)


def test_an_impossible_event_is_found(story: tuple[Path, dict[str, Any], str]) -> None:
    """A trade of an order that nobody sent can't be replayed, and is named."""
    directory, _, _ = story
    with rewriting(directory) as records:
        events = records[RECORD][2]
        events[0][1] = 99  # The tag.
    assert f"Record {RECORD}: it does not follow from those before" in found_wrong(directory)


def test_a_record_of_another_program_is_found(story: tuple[Path, dict[str, Any], str]) -> None:
    """A body that is no record is named."""
    directory, _, _ = story
    with rewriting(directory) as records:
        records[RECORD] = ["hello"]
    assert f"Record {RECORD}: it is no record of this version" in found_wrong(directory)


@pytest.mark.parametrize("name", ["verify", "journal"])
def test_nothing_to_read_is_a_sentence(name: str, tmp_path: Path) -> None:
    """A directory without a journal, or none at all, ends with exit code 2 and is not made."""
    for directory in (tmp_path, tmp_path / "none"):
        ended = ask(name, directory)
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert str(directory) in ended.stderr and ended.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_events_are_printed_one_a_line(story: tuple[Path, dict[str, Any], str]) -> None:
    """Each line says when, why, who and what; prices are rupees."""
    directory, _, _ = story
    ended = ask("journal", directory)
    assert (ended.exit_code, ended.stderr) == (0, "")
    told = [line.split() for line in ended.stdout.splitlines()]
    assert [line[5] for line in told if line[0] == str(RECORD)] == [
        "OrderTraded",
        "StopLegNamed",
        "OrderSubmitted",
        "OrderAccepted",
        "Traded",
        "Accepted",
    ]
    trade = next(line for line in told if line[5] == "OrderTraded")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+05:30", " ".join(trade[1:3]))
    assert trade[3:5] == ["Market", "core"]
    assert {"quantity=40", "price=13.00"} <= set(trade)


def test_events_of_one_order_are_printed(story: tuple[Path, dict[str, Any], str]) -> None:
    """Entry, stop and basket id all select the same events, and no others."""
    directory, entry, _ = story
    everything = ask("journal", directory).stdout.splitlines()
    stop_id = next(
        word.removeprefix("stop_id=")
        for line in everything
        for word in line.split()
        if word.startswith("stop_id=")
    )
    by_entry = ask("journal", directory, "--order", entry["oms_order_id"]).stdout
    assert {line.split()[0] for line in by_entry.splitlines()} == {"2", "3"}
    assert ask("journal", directory, "--order", stop_id).stdout == by_entry
    assert ask("journal", directory, "--order", "1").stdout == ""


def test_events_of_one_client_are_printed(story: tuple[Path, dict[str, Any], str]) -> None:
    """A client's events are those of its orders and its account."""
    directory, _, _ = story
    assert ask("journal", directory, "--client", "DEMO1").stdout == ask("journal", directory).stdout
    assert ask("journal", directory, "--client", "DEMO2").stdout == ""


def test_events_are_printed_for_programs(story: tuple[Path, dict[str, Any], str]) -> None:
    """With --json a line is an object with the fields as they are stored."""
    directory, entry, _ = story
    told = [json.loads(line) for line in ask("journal", directory, "--json").stdout.splitlines()]
    placed = next(line for line in told if line["event"] == "CoverOrderPlaced")
    assert {"sequence": 2, "cause": "PlaceCoverOrder", "by": "core"}.items() <= placed.items()
    assert placed["fields"]["order_id"] == int(entry["oms_order_id"])
    assert placed["fields"]["price_pips"] == 130_000
    assert all(line["at_ns"] >= told[0]["at_ns"] for line in told)
