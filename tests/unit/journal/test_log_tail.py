"""A log that a killed process left: its torn end is dropped, damage before the end is told."""

import os
import signal
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from kavach.engine.journal_port import JournalCorrupt, JournalError
from kavach.journal.log_tail import FRAME, HEADER, is_damaged
from kavach.journal.sqlite import SqliteJournal
from tests.unit.journal.files import write

RECORDS = 12
PAGE = 4_096


def killed(directory: Path) -> Path:
    """Return the log of a process that was killed after so many commits of one record each."""
    child = os.fork()
    if child == 0:
        journal = SqliteJournal(directory)
        for number in range(1, RECORDS + 1):
            journal.append(b"record %d" % number)
            journal.wait_durable(number)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    return directory / "journal.db-wal"


def read(directory: Path) -> list[int]:
    """Return what a reader finds."""
    with closing(SqliteJournal(directory, read_only=True)) as journal:
        return [sequence for sequence, _body in journal.records()]


def commits(log: Path) -> list[int]:
    """Return where the frames end with which a transaction ends."""
    stored = log.read_bytes()
    ends = range(HEADER.size + FRAME.size + PAGE, len(stored) + 1, FRAME.size + PAGE)
    return [end for end in ends if FRAME.unpack_from(stored, end - FRAME.size - PAGE)[1]]


def test_a_torn_end_is_no_damage(tmp_path: Path) -> None:
    """Cut anywhere, the log gives the records of the transactions that are whole."""
    log = killed(tmp_path)
    stored, ends = log.read_bytes(), commits(log)
    assert len(ends) == RECORDS and read(tmp_path) == list(range(1, RECORDS + 1))
    for size in range(0, len(stored), 1_031):
        log.write_bytes(stored[:size])
        whole = sum(end <= size for end in ends)
        assert not is_damaged(log)
        assert read(tmp_path) == list(range(1, whole + 1))


def test_every_flipped_bit_before_the_last_transaction_is_told(tmp_path: Path) -> None:
    """Reading, verifying and starting name the first record that SQLite would have dropped."""
    log = killed(tmp_path)
    stored, ends = log.read_bytes(), commits(log)
    named = Counter[int]()
    for position in range(HEADER.size, ends[-2], 509):
        damaged = bytearray(stored)
        damaged[position] ^= 1 << position % 8
        log.write_bytes(damaged)
        assert is_damaged(log), position
        first = sum(end <= position for end in ends) + 1
        for read_only in (True, False):
            with pytest.raises(JournalCorrupt) as caught:
                SqliteJournal(tmp_path, read_only=read_only)
            assert caught.value.sequence == first
        named[first] += 1
        assert log.read_bytes() == damaged, "who can't open it leaves it as it was"
    assert set(named) == set(range(1, RECORDS))


def test_what_it_cannot_see_is_never_read_as_something_else(tmp_path: Path) -> None:
    """Damage to the header or to the last transaction only shortens what is read."""
    log = killed(tmp_path)
    stored, ends = log.read_bytes(), commits(log)
    for position in [*range(HEADER.size), *range(ends[-2], len(stored), 127)]:
        damaged = bytearray(stored)
        damaged[position] ^= 1 << position % 8
        log.write_bytes(damaged)
        try:
            seen = read(tmp_path)
        except JournalError:
            continue
        assert seen in ([], list(range(1, RECORDS)), list(range(1, RECORDS + 1)))


def test_a_journal_that_was_closed_has_no_log(tmp_path: Path) -> None:
    """There is nothing to look at, and a log that begins anew has nothing old in it."""
    write(tmp_path, 3)
    assert not (tmp_path / "journal.db-wal").exists()
    log = killed(tmp_path / "other")
    SqliteJournal(tmp_path / "other").close()
    assert not log.exists()
