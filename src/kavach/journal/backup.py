"""
A copy of a journal, taken while it is written, that is itself a journal.

SQLite copies the database as it stands at one moment; whoever writes meanwhile is not held up.
Then the copy is read from its first record to its last, because a backup that nobody has read
is a hope. The newest snapshot that fits goes with it.

Source: docs/spec/journal.md, "Backups"; the SQLite page "Online Backup API".
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from kavach.engine.journal_port import JournalUnwritable
from kavach.journal import database
from kavach.journal.copying import copy_records
from kavach.journal.directory import LOCK_FILE, UNFINISHED, lock_directory, make_directory, unlock
from kavach.journal.place import Place, Stored, open_stored
from kavach.journal.sqlite import SqliteJournal
from kavach.private_files import sync_directory


class Copied(NamedTuple):
    """What a backup holds."""

    sequence: int  # Of the last record.
    snapshot_sequence: int  # Of the snapshot, 0 without one.


def back_up(
    source_place: Place, target: Path, also: Callable[[Path], None] = lambda place: None
) -> Copied:
    """Return what was copied into the new or empty directory ``target``, and read again there.

    ``also`` copies what else belongs there into the place that it is given. The copy is made and
    read in a directory inside the target, then moved into it, the database last: a target with a
    database is whole. Raises ``JournalError``: the source can't be read, the target can't be
    written or holds something already, or the copy is not what it should be.
    """
    with closing(open_stored(source_place)) as source:
        make_directory(target)
        lock = lock_directory(target, shared=False)
        try:
            place = target / UNFINISHED
            _forget_unfinished(target)
            if any(path.name != LOCK_FILE for path in target.iterdir()):
                raise JournalUnwritable(f"{target} is not empty.")
            make_directory(place)
            if isinstance(source, SqliteJournal):
                source.copy_database(place / database.FILE_NAME)
            with closing(SqliteJournal(place)) as copy:
                if not isinstance(source, SqliteJournal):
                    copy_records(source, copy)
                for _record in copy.records():
                    pass
                copied = Copied(copy.durable_sequence, _copy_snapshot(source, copy))
            also(place)
            _move_up(place, target)
        except OSError as error:
            raise JournalUnwritable(f"{target} can't be written: {error.strerror}.") from error
        finally:
            unlock(lock)
    return copied


def _forget_unfinished(target: Path) -> None:
    """Remove what a killed backup left: all of a target that has such a place and no database."""
    place = target / UNFINISHED
    if place.is_dir() and not place.is_symlink() and not (target / database.FILE_NAME).exists():
        beside = (path for path in target.iterdir() if path != place and path.name != LOCK_FILE)
        for left in (*beside, *place.iterdir()):
            left.unlink()
        place.rmdir()


def _move_up(place: Path, target: Path) -> None:
    """Move a whole copy into the target, the database last."""
    last = place / database.FILE_NAME
    (place / LOCK_FILE).unlink(missing_ok=True)
    for path in (*(path for path in place.iterdir() if path != last), last):
        sync_directory(place)
        path.replace(target / path.name)
        sync_directory(target)
    place.rmdir()


def _copy_snapshot(source: Stored, copy: SqliteJournal) -> int:
    """Return the sequence of the newest snapshot that the copy has the record of, or 0."""
    for sequence, chain, body in source.intact_snapshots():
        if copy.link_of(sequence) == chain:
            copy.save_snapshot(sequence, body)
            return sequence
    return 0
