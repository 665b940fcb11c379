"""
The durable journal: one SQLite file in a directory of its own, with snapshots beside it.

``append`` hashes and queues; a thread commits whatever has gathered (``group_commit``). Reading
uses a connection of its own and verifies the chain as it goes (``database``). Opening changes
nothing on disk until the directory is locked and what is there was recognised and found whole
at its end.

Source: docs/spec/journal.md.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw

from kavach.engine.journal_port import (
    JournalCorrupt,
    JournalLocked,
    JournalMissing,
    JournalUnavailable,
    JournalUnwritable,
)
from kavach.journal import database, snapshots
from kavach.journal.chain import GENESIS
from kavach.journal.chained import ChainedJournal
from kavach.journal.directory import (
    OWN_FILES,
    UNFINISHED,
    Lock,
    lock_directory,
    make_directory,
    unlock,
)
from kavach.journal.group_commit import GroupCommit
from kavach.journal.log_tail import is_damaged
from kavach.journal.sqlite_commit import SqliteTarget
from kavach.private_files import restrict


class SqliteJournal(ChainedJournal):
    """A journal in ``directory``, opened by one process to write or by many to read.

    ``create`` makes the directory and the journal where there is none. ``beside`` reads even
    while another process writes, and sees what is durable there. ``vfs`` names the SQLite file
    system through which records are written: the place to inject a failing disk.
    """

    def __init__(
        self,
        directory: Path,
        *,
        create: bool = True,
        read_only: bool = False,
        beside: bool = False,
        vfs: str | None = None,
    ) -> None:
        self._directory = directory
        self._path = directory / database.FILE_NAME
        self._read_only = read_only
        if create and not read_only:
            make_directory(directory)
        assert read_only or not beside, "only one process writes"
        self._beside = beside
        self._lock: Lock | None = None
        try:
            self._lock = lock_directory(directory, shared=read_only)
        except JournalLocked:
            if not beside:
                raise
        # SQLite has locks of its own, which let others read while one writes.
        self._live = self._lock is None
        try:
            if not self._path.exists():
                if read_only or not create:
                    raise JournalMissing(f"There is no journal in {directory}.")
                if (directory / UNFINISHED).exists():
                    raise JournalUnwritable(
                        f"{directory} holds a backup that did not end: make it again there."
                    )
                database.create_database(self._path, vfs)
            self._inode = os.stat(self._path).st_ino
            super().__init__(*self._find_end())
            if not read_only:
                connection = database.open_for_writing(self._path, vfs)
                target = SqliteTarget(connection, self._path)
                self._write_by(GroupCommit(target, self._progress))
                self._live = True
                snapshots.forget_unfinished(directory)
                restrict(directory, OWN_FILES)
        except BaseException:
            self._unlock()
            raise

    @property
    def is_live(self) -> bool:
        """Whether somebody had it open to write when it was opened: this process or another."""
        return self._live

    def may_answer(self) -> bool:
        """Return True: a lock on the directory keeps every other writer out."""
        return True

    def linked(self, after: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
        """Return (sequence, body, link) of the durable records behind ``after``, verified."""
        with closing(self._reader()) as connection:
            yield from database.read_records(connection, self._path, after)

    def check(self, until: int, most: int) -> None:
        """Return if the last ``most`` records up to ``until`` are as they were written."""
        for sequence, _body in self.records(max(until - most, 0)):
            if sequence >= until:
                break

    def save_snapshot(self, sequence: int, body: bytes) -> None:
        """Return when the snapshot is on disk; it waits for the records it stands for."""
        if self._read_only and not self._beside:
            raise JournalUnwritable("The journal was opened for reading only.")
        if not self._read_only:  # What others write is seen only once it is durable.
            self._progress.wait(sequence, None)
        chain = self.link_of(sequence)
        assert chain is not None, "a durable record has a link"
        snapshots.save(self._directory, sequence, chain, body, self._is_same_file)

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        """Return the newest snapshot that is intact and belongs to these records, if any.

        Raises JournalCorrupt if there is an intact one of records that are not there: a
        snapshot is only ever made of durable records, so they have been lost.
        """
        with closing(self._reader()) as connection:
            end = database.last_sequence(connection, self._path)
            for sequence, chain, body in snapshots.intact(self._directory):
                if sequence > end:  # Perhaps it was made, beside us, of records that came since.
                    end = database.last_sequence(connection, self._path)
                if sequence > end:
                    raise JournalCorrupt(
                        end + 1, f"it is missing, though there is a snapshot of record {sequence}"
                    )
                if database.chain_at(connection, self._path, sequence) == chain:
                    return sequence, body
        return None

    def check_snapshots(self) -> None:
        """Return if every snapshot beside the records is intact and of these records."""
        with closing(self._reader()) as connection:
            for sequence, chain in snapshots.examine(self._directory):
                if chain is None:
                    raise JournalCorrupt(sequence, "its snapshot is damaged")
                if database.chain_at(connection, self._path, sequence) != chain:
                    raise JournalCorrupt(sequence, "its snapshot is of other records")

    def intact_snapshots(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Return (sequence, link, body) of each snapshot whose digest is right, newest first."""
        return snapshots.intact(self._directory)

    def newest_snapshot(self) -> int:
        """Return the sequence that the newest snapshot's name claims, 0 if there is none."""
        return snapshots.newest(self._directory)

    def link_of(self, sequence: int) -> bytes | None:
        """Return the link of a record, or None if there is no such record."""
        with closing(self._reader()) as connection:
            return database.chain_at(connection, self._path, sequence)

    def copy_database(self, path: Path) -> None:
        """Return when the records, as they are at this moment, are in a new file."""
        with closing(self._reader()) as connection:
            database.copy_database(connection, path)

    def _find_end(self) -> tuple[int, bytes]:
        """Return the last sequence and its link, after checking what can be checked quickly."""
        log = self._path.with_name(f"{database.FILE_NAME}-wal")
        damaged = not self._live and log.exists() and is_damaged(log)
        with closing(database.open_for_reading(self._path, live=self._live)) as connection:
            database.check_format(connection, self._path)
            end = database.last_sequence(connection, self._path)
            if damaged:
                raise JournalCorrupt(end + 1, "the log is damaged there, and goes on behind it")
            if self._read_only:
                return end, GENESIS  # Nothing will be appended; reading finds the first damage.
            # The last record must follow from the one before, or new ones would hang in the air.
            for _record in database.read_records(connection, self._path, max(end - 1, 0)):
                pass
            chain = database.chain_at(connection, self._path, end)
            assert chain is not None, "the last record was just read"
            return end, chain

    def _reader(self) -> apsw.Connection:
        if self._closed:
            raise JournalUnavailable("The journal is closed.")
        return database.open_for_reading(self._path, live=self._live)

    def _is_same_file(self) -> bool:
        """Return whether the journal that was opened is still the one of that name."""
        try:
            return os.stat(self._path).st_ino == self._inode
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Return when everything is on disk and the directory is free; raise what prevented it."""
        try:
            super().close()
        finally:
            self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            unlock(self._lock)
            self._lock = None
