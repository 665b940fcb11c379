"""
Directories written by older programs: they start, verify and show the rows they showed.

``by_6ae260f`` holds what the program at commit 6ae260f wrote, and what it showed of that to each
client; ``make_6ae260f.py`` tells how. Where a later version shows another row on purpose, the
difference stands in ``differences.py`` with its reason.
"""

import json
import lzma
import shutil
import tarfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from kavach.engine.record import LAYOUT, Step, decode_record, encode
from kavach.journal.sqlite import SqliteJournal
from tests.reliability.upgrade.coverage import marks
from tests.reliability.upgrade.differences import as_shown_now
from tests.reliability.upgrade.reading import bodies, rows
from tests.twin_server import ask, running

WRITTEN: Final = Path(__file__).parent / "by_6ae260f"
NAMES: Final = sorted(path.name.removesuffix(".tar.xz") for path in WRITTEN.glob("*.tar.xz"))
SNAPSHOT_AT: Final = "told"  # The directory with a snapshot in it.


def unpacked(name: str, place: Path) -> Path:
    """Return a copy of a directory."""
    with tarfile.open(WRITTEN / f"{name}.tar.xz") as archive:
        archive.extractall(place, filter="data")
    return place / name


@cache
def shown_then() -> dict[str, Any]:
    """Return what the older program showed, by directory and client."""
    with lzma.open(WRITTEN / "rows.json.xz", "rt") as file:
        found: dict[str, Any] = json.load(file)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_it_starts_and_shows_the_same_rows(name: str, tmp_path: Path) -> None:
    """Every book of every client reads as it did, but for differences that are written down."""
    found = json.loads(json.dumps(rows(unpacked(name, tmp_path))))
    then = shown_then()[name]
    assert list(found) == list(then), "other clients"
    for client_id, books in then.items():
        assert list(found[client_id]) == list(books), client_id
        for book, content in books.items():
            wanted = as_shown_now(name, client_id, book, content)
            assert found[client_id][book] == wanted, (name, client_id, book)


@pytest.mark.parametrize("name", NAMES)
def test_it_verifies_before_and_after_a_start(name: str, tmp_path: Path) -> None:
    """``kavach verify`` finds nothing wrong, in what was written then nor in what was added."""
    directory = unpacked(name, tmp_path)
    before = ask("verify", directory)
    assert before.exit_code == 0, before.output
    rows(directory)
    after = ask("verify", directory)
    assert after.exit_code == 0, after.output


def test_a_snapshot_holds_what_the_records_lead_to(tmp_path: Path) -> None:
    """With the snapshot and without it the same rows are shown; one of an older layout is told."""
    directory = unpacked(SNAPSHOT_AT, tmp_path)
    snapshots = list(directory.glob("snapshot-*"))
    assert snapshots
    told = ask("verify", directory).output
    assert f"snapshot of record {int(snapshots[0].name.rpartition('-')[2])} " in told
    with_it = rows(directory)
    shutil.rmtree(directory)
    directory = unpacked(SNAPSHOT_AT, tmp_path)
    for path in snapshots:
        path.unlink()
    assert rows(directory) == with_it


def test_a_snapshot_of_another_layout_is_passed_over_and_told(tmp_path: Path) -> None:
    """The records are replayed instead; the log counts what was not used, ``verify`` names it."""
    directory = unpacked("told", tmp_path)
    for path in directory.glob("snapshot-*"):
        path.unlink()
    journal = SqliteJournal(directory)
    sequence = journal.durable_sequence
    # The state is whatever the next layout makes of it; time, exchange and number stay in place.
    journal.save_snapshot(sequence, msgspec.msgpack.encode([1, {"of": "later"}, b"", LAYOUT + 1]))
    journal.close()
    assert (
        f"snapshot of record {sequence} of another version, not used"
        in ask("verify", directory).output
    )
    with running("--data-dir", directory) as server:
        assert server.http.get("/api/v1/orders?type=all").status_code == 200
        assert f"snapshot passed_over=1 replayed={sequence}" in server.said()
        server.stop()


def test_a_server_goes_on_with_it(tmp_path: Path) -> None:
    """``kavach serve`` on a copy answers, takes an order, and stops without a complaint."""
    directory = unpacked("told", tmp_path)
    with running("--data-dir", directory) as server:
        answer = server.http.get("/api/v1/orders?type=all&client_id=DEMO1")
        assert answer.status_code == 200, answer.text
        assert server.audit()["violations"] == []
        code, _, _ = server.stop()
    assert code == 0
    verified = ask("verify", directory)
    assert verified.exit_code == 0, verified.output


def test_the_directories_hold_what_they_are_said_to_hold(tmp_path: Path) -> None:
    """All marks are reached that the older program found in what it wrote, and none is lost."""
    found: set[str] = set()
    for name in NAMES:
        found |= marks(bodies(unpacked(name, tmp_path)))
    assert sorted(set((WRITTEN / "marks.txt").read_text().split("\n")) - found - {""}) == []


def test_every_event_ever_stored_is_read() -> None:
    """One of every event, with each value of its enums, is decoded with what was stored in it."""
    for origin, stored in json.loads((WRITTEN / "examples.json").read_text()):
        place = 2 if origin == "core" else 3
        raw: list[Any] = [1, "Market", [], []]
        raw[place] = [stored]
        record = decode_record(msgspec.msgpack.encode(raw))
        (event,) = record.events or record.venue
        again = msgspec.msgpack.decode(encode(Step(1, "Market", [*record.events], [*record.venue])))
        assert _begins(again[place][0], stored), (event, stored)


def _begins(now: Any, then: Any) -> bool:
    """Return whether this is what was stored, with fields added at the end at most."""
    if isinstance(now, list) and isinstance(then, list):
        pairs = zip(now, then, strict=False)
        return len(now) >= len(then) and all(_begins(one, other) for one, other in pairs)
    return bool(now == then)
