"""``kavach verify`` against one flipped bit, wherever it is: it says which record, and exits 1."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest

from kavach.engine.record import LAYOUT
from kavach.journal.sqlite import SqliteJournal
from tests.reliability.crash.run import quick_directory, remove
from tests.reliability.crash.workload import day, tell
from tests.reliability.crash.world import World
from tests.twin_server import ask

SNAPSHOT_AT = 30  # Steps.


@pytest.fixture(scope="module")
def whole() -> Iterator[Path]:
    """The journal of a day, with two snapshots, closed."""
    directory = quick_directory()
    world = World(SqliteJournal(directory))
    for number, step in enumerate(day()):
        tell(world, step)
        if number in (SNAPSHOT_AT, 2 * SNAPSHOT_AT):
            world.engine.save_snapshot()
    world.journal.close()
    assert ask("verify", directory).exit_code == 0
    yield directory
    remove(directory)


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def flip(path: Path, find: Callable[[bytes], int]) -> None:
    """Change one bit of the byte that ``find`` points to."""
    stored = bytearray(path.read_bytes())
    stored[find(bytes(stored))] ^= 0b100
    path.write_bytes(stored)


def links(directory: Path) -> list[tuple[int, bytes]]:
    """Return sequence and link of every record."""
    with closing(apsw.Connection(str(directory / "journal.db"))) as connection:
        return connection.execute("SELECT sequence, chain FROM records").fetchall()  # type: ignore[return-value]


def places(stored: bytes, part: bytes) -> list[int]:
    """Return where something stands in a file; SQLite leaves old copies in unused space."""
    found = [stored.find(part)]
    while found[-1] >= 0:
        found.append(stored.find(part, found[-1] + 1))
    return found[:-1]


def test_a_flipped_bit_in_any_record_is_named(copy: Path) -> None:
    """In the body or the link of every single record: exit 1, and that record's number."""
    path = copy / "journal.db"
    whole_file = path.read_bytes()
    everything = links(copy)
    named = 0
    for sequence, link in everything:
        for at in places(whole_file, link):
            told = set()
            for position in (at - 1, at, at + len(link) - 1):  # The body ends before the link.
                flip(path, lambda _stored, position=position: position)  # type: ignore[misc]
                verified = ask("verify", copy)
                told.add(verified.exit_code)
                if verified.exit_code:
                    assert f"record {sequence} is damaged" in verified.output, verified.output
                path.write_bytes(whole_file)
            assert told in ({1}, {0}), "all of a copy is in use, or nothing of it"
            named += told == {1}
    assert named >= len(everything) - 2, "of all but those whose link goes over two pages"
    assert ask("verify", copy).exit_code == 0


@pytest.mark.parametrize("bit", [1, 2, 64, 4_096])
def test_a_flipped_bit_in_the_count_is_told(copy: Path, bit: int) -> None:
    """If the note of the highest sequence changes, records are missing or too many: exit 1."""
    with closing(apsw.Connection(str(copy / "journal.db"))) as connection:
        flipped = "(seq | ?1) - (seq & ?1)"
        connection.execute(f"UPDATE sqlite_sequence SET seq = {flipped}", (bit,))
    verified = ask("verify", copy)
    assert verified.exit_code == 1
    assert "Journal record" in verified.output


def test_a_flipped_bit_in_any_snapshot_is_named(copy: Path) -> None:
    """Head, body or end of the newer or the older one: exit 1, and the snapshot's record."""
    for path in sorted(copy.glob("snapshot-*")):
        stored = path.read_bytes()
        sequence = int(path.name.removeprefix("snapshot-"))
        for position in (0, 9, 20, 40, 48, len(stored) // 2, len(stored) - 1):
            flip(path, lambda _stored, position=position: position)  # type: ignore[misc]
            verified = ask("verify", copy)
            assert verified.exit_code == 1, (path.name, position)
            assert f"record {sequence} is damaged: its snapshot" in verified.output
            path.write_bytes(stored)


def test_a_snapshot_of_another_state_is_named(copy: Path) -> None:
    """One that is intact and yet not what the records lead to is found by comparing states."""
    with closing(SqliteJournal(copy)) as journal:
        stored = journal.latest_snapshot()
        assert stored is not None
        sequence, body = stored
        assert body.count(b"EXITED") > 0
        journal.save_snapshot(sequence, body.replace(b"EXITED", b"CARRIE", 1))
    verified = ask("verify", copy)
    assert verified.exit_code == 1
    assert f"Record {sequence}: its snapshot" in verified.output


@pytest.mark.parametrize("layout", [None, LAYOUT - 1, LAYOUT + 1])
def test_a_snapshot_of_another_version_is_passed_over(copy: Path, layout: int | None) -> None:
    """One of an older or a newer layout, the first without a number, is told and no error."""
    with closing(SqliteJournal(copy)) as journal:
        stored = journal.latest_snapshot()
        assert stored is not None
        sequence, body = stored
        fields = msgspec.msgpack.decode(body)
        fields[-1:] = [] if layout is None else [layout]
        journal.save_snapshot(sequence, msgspec.msgpack.encode(fields))
    verified = ask("verify", copy)
    assert verified.exit_code == 0, verified.output
    assert f"snapshot of record {sequence} of another version, not used" in verified.output


def test_a_snapshot_that_is_none_is_named(copy: Path) -> None:
    """Intact bytes that no version could have written as a snapshot are an error."""
    with closing(SqliteJournal(copy)) as journal:
        stored = journal.latest_snapshot()
        assert stored is not None
        journal.save_snapshot(stored[0], msgspec.msgpack.encode(["no", "snapshot"]))
    verified = ask("verify", copy)
    assert verified.exit_code == 1
    assert "its snapshot can't be read" in verified.output
