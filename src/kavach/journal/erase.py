"""
A journal becomes an empty one in a single rename, so that a kill leaves the old one or the new.

Everything that only stands beside the records goes first, while they are whole without it: the log
is copied into the database and removed, since SQLite would take it for the log of whatever has the
database's name; snapshots and what else speaks of certain records are removed. Then an empty
database is made beside the old one and renamed over it.

Source: docs/spec/journal.md, "Becoming empty"; the SQLite page "Write-Ahead Logging".
"""

from pathlib import Path
from typing import Final

from kavach.engine.journal_port import JournalUnavailable
from kavach.journal import database, snapshots
from kavach.journal.directory import lock_directory, unlock
from kavach.private_files import sync_directory

OF_RECORDS: Final = ("market.*",)  # What is worth nothing without the records it was made with.


def erase(directory: Path) -> None:
    """Return when the journal in a directory that nobody has open is an empty one.

    Imported contracts, tokens and other people's files stay. Raises ``JournalError``, and then the
    journal is as it was.
    """
    lock = lock_directory(directory, shared=False)
    try:
        path = directory / database.FILE_NAME
        if path.exists():
            database.empty_log(path)
            database.forget_log(path)
        snapshots.forget_all(directory)
        for pattern in OF_RECORDS:
            for left in directory.glob(pattern):
                left.unlink(missing_ok=True)
        sync_directory(directory)
        database.create_database(path, None)
    except OSError as error:
        raise JournalUnavailable(f"{directory} can't be emptied: {error.strerror}.") from error
    finally:
        unlock(lock)
