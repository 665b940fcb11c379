"""A snapshot is believed only if it is intact and belongs to the records beside it."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.engine.journal_port import JournalCorrupt
from kavach.journal.snapshots import KEPT
from kavach.journal.sqlite import SqliteJournal
from tests.unit.journal.contract import filled
from tests.unit.journal.files import write


def snapshots(directory: Path) -> list[Path]:
    """The snapshot files, oldest first."""
    return sorted(directory.glob("snapshot*"))


def save(directory: Path, *sequences: int) -> None:
    """Write ten records and a snapshot at each of the sequences."""
    with closing(SqliteJournal(directory)) as journal:
        filled(journal, [b"record"] * 10)
        for sequence in sequences:
            journal.save_snapshot(sequence, b"state at %d" % sequence)


def latest(directory: Path) -> tuple[int, bytes] | None:
    """What a reader takes for the latest snapshot."""
    with closing(SqliteJournal(directory, read_only=True)) as journal:
        return journal.latest_snapshot()


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    """Older snapshots are removed, and no unfinished one is left."""
    save(tmp_path, 3, 5, 7, 9)
    assert [int(path.name.split("-")[1]) for path in snapshots(tmp_path)] == [7, 9]
    assert len(snapshots(tmp_path)) == KEPT
    assert latest(tmp_path) == (9, b"state at 9")


@given(data=st.data())
def test_a_damaged_snapshot_falls_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A flipped bit anywhere, or a missing end, makes the older one count, then none."""
    directory = tmp_path_factory.mktemp("snapshots")
    save(directory, 3, 5)
    older, newer = snapshots(directory)
    for damaged, remains in ((newer, (3, b"state at 3")), (older, None)):
        stored = bytearray(damaged.read_bytes())
        position = data.draw(st.integers(0, len(stored) - 1))
        if data.draw(st.booleans()):
            stored[position] ^= 1 << data.draw(st.integers(0, 7))
        else:
            del stored[position:]
        damaged.write_bytes(stored)
        assert latest(directory) == remains


def test_a_snapshot_of_other_records_is_passed_over(tmp_path: Path) -> None:
    """A snapshot from another journal isn't believed."""
    save(tmp_path / "one", 5, 10)
    write(tmp_path / "other", 10)
    for path in snapshots(tmp_path / "one"):
        (tmp_path / "other" / path.name).write_bytes(path.read_bytes())
    assert latest(tmp_path / "other") is None
    assert latest(tmp_path / "one") == (10, b"state at 10")


def test_a_snapshot_of_lost_records_is_told(tmp_path: Path) -> None:
    """Records are durable before their snapshot is: one without them means that they are lost."""
    save(tmp_path / "one", 10)
    write(tmp_path / "shorter", 7)
    for path in snapshots(tmp_path / "one"):
        (tmp_path / "shorter" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(JournalCorrupt, match=r"record 8 .* snapshot of record 10") as caught:
        latest(tmp_path / "shorter")
    assert caught.value.sequence == 8


@given(data=st.data())
def test_every_flipped_bit_of_a_snapshot_is_told(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A start passes a damaged snapshot over, the check of all snapshots names its record."""
    directory = tmp_path_factory.mktemp("flipped")
    save(directory, 3, 5)
    with closing(SqliteJournal(directory, read_only=True)) as journal:
        journal.check_snapshots()
    for path, sequence in zip(snapshots(directory), (3, 5), strict=True):
        intact = path.read_bytes()
        damaged = bytearray(intact)
        position = data.draw(st.integers(0, len(intact) - 1))
        damaged[position] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(damaged)
        with closing(SqliteJournal(directory, read_only=True)) as journal:
            with pytest.raises(JournalCorrupt) as caught:
                journal.check_snapshots()
            assert caught.value.sequence == sequence
        path.write_bytes(intact)


def test_what_a_killed_process_left_unfinished_is_removed(tmp_path: Path) -> None:
    """Half a snapshot goes when the journal is opened to write, and was never believed."""
    save(tmp_path, 5)
    half = tmp_path / "snapshot.new-123"
    half.write_bytes(b"half")
    assert latest(tmp_path) == (5, b"state at 5")
    assert half.exists(), "who reads changes nothing"
    SqliteJournal(tmp_path).close()
    assert not half.exists()
