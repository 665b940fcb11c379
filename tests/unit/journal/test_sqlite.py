"""The journal in SQLite keeps the contract, over restarts and kills too."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.engine.journal_port import Journal, JournalUnwritable
from kavach.journal.sqlite import SqliteJournal
from tests.unit.journal.contract import PATIENCE_SECONDS, JournalContract, filled
from tests.unit.journal.files import content

APPENDER = """
import itertools, sys
from pathlib import Path
from kavach.journal.sqlite import SqliteJournal

journal = SqliteJournal(Path(sys.argv[1]))
for number in itertools.count(1):
    for _ in range(number % 40):
        sequence = journal.append(b"body %d" % (journal.durable_sequence + 1))
        if number % 3:
            journal.wait_durable(sequence)
    journal.wait_durable(sequence if number > 1 else 0)
    print(journal.durable_sequence, flush=True)
"""


class TestSqliteJournal(JournalContract):
    """The contract on a real disk."""

    @pytest.fixture
    def journal(self, tmp_path: Path) -> Iterator[Journal]:
        """An empty journal in a directory that doesn't exist yet."""
        journal = SqliteJournal(tmp_path / "new" / "data")
        yield journal
        journal.close()


def test_a_closed_journal_opens_where_it_ended(tmp_path: Path) -> None:
    """Records, snapshot and the next sequence survive a close."""
    first = SqliteJournal(tmp_path)
    filled(first, [b"a", b"b"])
    first.save_snapshot(1, b"state")
    first.close()
    second = SqliteJournal(tmp_path)
    assert second.durable_sequence == 2
    assert second.latest_snapshot() == (1, b"state")
    assert second.append(b"c") == 3
    second.close()
    third = SqliteJournal(tmp_path, read_only=True)
    assert list(third.records()) == [(1, b"a"), (2, b"b"), (3, b"c")]
    third.close()


@given(st.lists(st.lists(st.binary(max_size=40), max_size=30), max_size=5))
def test_any_number_of_restarts_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, lives: list[list[bytes]]
) -> None:
    """However appends and restarts alternate, all records are there, in order."""
    directory = tmp_path_factory.mktemp("lives")
    expected: list[bytes] = []
    for bodies in lives:
        journal = SqliteJournal(directory)
        for body in bodies:
            journal.append(body)
        expected += bodies
        journal.close()
    journal = SqliteJournal(directory)
    assert list(journal.records()) == list(enumerate(expected, 1))
    journal.close()


def test_a_killed_process_keeps_what_it_answered(tmp_path: Path) -> None:
    """After SIGKILL every sequence that was reported durable is there, and the chain holds."""
    with subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        for _ in range(60):
            answered = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split(b"\n")[:-1]
    answered = int(rest[-1]) if rest else answered
    before = content(tmp_path)
    reader = SqliteJournal(tmp_path, read_only=True)
    seen = list(reader.records())
    reader.close()
    assert content(tmp_path) == before, "reading leaves no trace"
    assert "journal.db-wal" in before, "the kill left a log to recover"
    assert len(seen) >= answered > 0
    writer = SqliteJournal(tmp_path)
    assert list(writer.records()) == seen
    assert writer.append(b"more") == len(seen) + 1
    writer.close()


def test_a_reader_of_a_stopped_journal_leaves_no_trace(tmp_path: Path) -> None:
    """Reading only makes no file, changes no byte, and appends and snapshots are refused."""
    writer = SqliteJournal(tmp_path)
    filled(writer, [b"a"])
    writer.close()
    before = content(tmp_path)
    assert set(before) == {"journal.db"}
    readers = [SqliteJournal(tmp_path, read_only=True) for _ in range(2)]
    for reader in readers:
        assert list(reader.records()) == [(1, b"a")]
        with pytest.raises(JournalUnwritable, match="reading only"):
            reader.append(b"b")
        with pytest.raises(JournalUnwritable, match="reading only"):
            reader.save_snapshot(1, b"")
    for reader in readers:
        reader.close()
    assert content(tmp_path) == before


def test_records_can_be_read_while_others_are_appended(tmp_path: Path) -> None:
    """A reader sees the records that were durable when it began, however long it takes."""
    journal = SqliteJournal(tmp_path)
    filled(journal, [b"a", b"b"])
    reading = journal.records()
    assert next(reading) == (1, b"a")
    journal.wait_durable(journal.append(b"c"), PATIENCE_SECONDS)
    assert list(reading) == [(2, b"b")]
    assert len(list(journal.records())) == 3
    journal.close()
