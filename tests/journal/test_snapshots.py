"""A snapshot is believed only if it is intact and belongs to the records beside it."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.journal.snapshots import KEPT
from kavach.journal.sqlite import SqliteJournal
from tests.journal.contract import filled
from tests.journal.files import write


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
    """A snapshot from another journal, or of records that are gone, isn't believed."""
    save(tmp_path / "one", 5, 10)
    write(tmp_path / "other", 10)
    write(tmp_path / "shorter", 7)
    for directory in ("other", "shorter"):
        for path in snapshots(tmp_path / "one"):
            (tmp_path / directory / path.name).write_bytes(path.read_bytes())
        assert latest(tmp_path / directory) is None
    assert latest(tmp_path / "one") == (10, b"state at 10")
