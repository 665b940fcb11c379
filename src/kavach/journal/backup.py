"""
A copy of a journal, taken while it is written, that is itself a journal.

SQLite copies the database as it stands at one moment; whoever writes meanwhile is not held up.
Then the copy is read from its first record to its last, because a backup that nobody has read
is a hope. The newest snapshot that fits goes with it.

Source: docs/spec/journal.md, "Backups"; the SQLite page "Online Backup API".
"""

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from kavach.engine.journal_port import JournalUnwritable
from kavach.journal import database, snapshots
from kavach.journal.directory import lock_directory, make_directory, unlock
from kavach.journal.sqlite import SqliteJournal


class Copied(NamedTuple):
    """What a backup holds."""

    sequence: int  # Of the last record.
    snapshot_sequence: int  # Of the snapshot, 0 without one.


def back_up(directory: Path, target: Path) -> Copied:
    """Return what was copied into the new or empty directory ``target``, and read again there.

    Raises ``JournalError``: the source can't be read, the target can't be written or holds
    something already, or the copy is not what it should be.
    """
    with closing(SqliteJournal(directory, create=False, read_only=True, beside=True)) as source:
        make_directory(target)
        lock = lock_directory(target, shared=False)
        try:
            if any(target.iterdir()):
                raise JournalUnwritable(f"{target} is not empty.")
            source.copy_database(target / database.FILE_NAME)
        finally:
            unlock(lock)
    with closing(SqliteJournal(target, create=False)) as copy:
        for _record in copy.records():
            pass
        return Copied(copy.durable_sequence, _copy_snapshot(directory, copy))


def _copy_snapshot(directory: Path, copy: SqliteJournal) -> int:
    """Return the sequence of the newest snapshot that the copy has the record of, or 0."""
    for sequence, chain, body in snapshots.intact(directory):
        if copy.link_of(sequence) == chain:
            copy.save_snapshot(sequence, body)
            return sequence
    return 0
