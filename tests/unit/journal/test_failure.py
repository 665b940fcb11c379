"""When the disk fails: nothing is promised that isn't kept, and all who wait hear of it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from kavach.engine.journal_port import JournalUnavailable
from kavach.journal.group_commit import ROWS_MAX
from kavach.journal.sqlite import SqliteJournal
from tests.unit.journal.contract import PATIENCE_SECONDS, filled
from tests.unit.journal.faulty_disk import FaultyDisk, faulty_disk


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    """A disk that does as it is told."""
    with faulty_disk() as disk:
        yield disk


def test_what_gathers_during_a_sync_is_one_commit(tmp_path: Path, disk: FaultyDisk) -> None:
    """Records that come in while the disk is busy share the next sync, up to the cap."""
    journal = SqliteJournal(tmp_path, vfs=disk.name)
    filled(journal, [b"warm"])
    heard: list[int] = []
    journal.subscribe(heard.append)
    disk.syncing.clear()
    disk.may_sync.clear()
    journal.append(b"first")
    assert disk.syncing.wait(PATIENCE_SECONDS)
    syncs = disk.log_syncs
    for _ in range(ROWS_MAX + 5):
        journal.append(b"gathering")
    disk.may_sync.set()
    journal.wait_durable(ROWS_MAX + 7, PATIENCE_SECONDS)
    journal.close()
    assert heard == [2, ROWS_MAX + 2, ROWS_MAX + 7]
    assert disk.log_syncs - syncs == 2 + 1, "one for each commit, one for the close"


def test_nothing_is_durable_before_its_sync_ended(tmp_path: Path, disk: FaultyDisk) -> None:
    """While the disk is still syncing, the record doesn't count, and waiting times out."""
    journal = SqliteJournal(tmp_path, vfs=disk.name)
    disk.may_sync.clear()
    journal.append(b"x")
    with pytest.raises(TimeoutError):
        journal.wait_durable(1, 0.05)
    assert journal.durable_sequence == 0
    assert journal.give_turn()
    disk.may_sync.set()
    journal.wait_durable(1, PATIENCE_SECONDS)
    assert journal.durable_sequence == 1
    journal.close()


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("write", apsw.FullError, "the disk is full"),
        ("write", apsw.IOError, "can't be read or written"),
        ("sync", apsw.IOError, "can't be read or written"),
    ],
)
@pytest.mark.parametrize("writes_before_error", [0, 1, 3])
def test_a_failing_disk_ends_the_journal_but_not_its_past(
    tmp_path: Path,
    disk: FaultyDisk,
    kind: str,
    error: type[apsw.Error],
    text: str,
    writes_before_error: int,
) -> None:
    """All who wait hear of the failure; what was durable can be read, now and after a restart."""
    journal = SqliteJournal(tmp_path, vfs=disk.name)
    filled(journal, [b"a", b"b"])
    told = threading.Event()
    heard: list[int] = []

    def listen(sequence: int) -> None:
        heard.append(sequence)
        told.set()

    journal.subscribe(listen)
    disk.writes_before_error = writes_before_error
    if kind == "write":
        disk.write_error = error
    else:
        disk.sync_error = error
    journal.append(b"c" * 9_000)
    assert told.wait(PATIENCE_SECONDS)
    assert isinstance(journal.failure, JournalUnavailable)
    assert heard == [2]
    for refused in (lambda: journal.append(b"d"), lambda: journal.wait_durable(3)):
        with pytest.raises(JournalUnavailable, match=text):
            refused()
    assert not journal.give_turn()
    assert list(journal.records()) == [(1, b"a"), (2, b"b")]
    with pytest.raises(JournalUnavailable, match=text):
        journal.close()
    disk.write_error = disk.sync_error = None
    with_room = SqliteJournal(tmp_path)
    survivors = list(with_room.records())
    assert survivors[:2] == [(1, b"a"), (2, b"b")]
    # A record whose sync failed may have reached the disk all the same; nobody was told of it.
    assert survivors[2:] in ([], [(3, b"c" * 9_000)])
    assert with_room.append(b"e") == len(survivors) + 1
    with_room.close()


def test_a_subscriber_that_raises_ends_the_journal(tmp_path: Path) -> None:
    """Whoever must hear of durable records and can't is a failure, told to the others."""
    journal = SqliteJournal(tmp_path)
    heard: list[int] = []

    def break_down(sequence: int) -> None:
        raise LookupError(f"nobody home for {sequence}")

    journal.subscribe(break_down)
    journal.subscribe(heard.append)
    journal.append(b"a")
    with pytest.raises(JournalUnavailable, match="nobody home for 1"):
        journal.close()
    assert heard == [1]
    assert isinstance(journal.failure, JournalUnavailable)
    reopened = SqliteJournal(tmp_path)
    assert list(reopened.records()) == [(1, b"a")]
    reopened.close()
