"""
The directory of a journal, and the lock that keeps a second process out.

The lock is ``flock`` on the directory itself: it leaves no file behind, works where nothing may be
written, and the kernel releases it when the process dies. One writer, or any number of readers.
Windows has no ``flock``. There SQLite's own lock is taken on an empty database, ``journal.lock``:
it has readers and writers, too, and the system releases it when the process dies.

Source: docs/spec/journal.md, "Files"; docs/decisions/0039-windows-by-design.md.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from kavach.engine.journal_port import (
    JournalLocked,
    JournalMissing,
    JournalUnavailable,
    JournalUnwritable,
)
from kavach.private_files import create_private, make_private_directory

try:
    import fcntl
except ImportError:  # On Windows.
    _HAS_FLOCK = False
else:
    _HAS_FLOCK = True

Lock = int | apsw.Connection  # A descriptor with flock, or a database that is locked.
LOCK_FILE: Final = "journal.lock"  # Only where there is no flock.
PROBE: Final = "probe.new"
UNFINISHED: Final = "backup.new"  # A directory: the target of a backup that has not ended.
PROBE_BYTES: Final = 1_000_000
# All that is kept in a data directory, whoever keeps it; other files there are not ours.
OWN_FILES: Final = ("journal.*", "snapshot*", "contracts.*", "tokens.*", "market.*", PROBE)

_IN_USE: Final = "The journal in {} is in use by another process."


def make_directory(directory: Path) -> None:
    """Return when the directory exists, its owner's alone, made with its parents if missing."""
    try:
        make_private_directory(directory)
    except FileExistsError as error:
        raise JournalUnwritable(f"{directory} is not a directory.") from error
    except OSError as error:
        raise JournalUnwritable(f"{directory} can't be made: {error.strerror}.") from error


def lock_directory(directory: Path, *, shared: bool) -> Lock:
    """Return the lock, held; ``unlock`` releases it, and so does the end of the process."""
    try:
        os.stat(directory / ".")  # Files in it are reached only with the right to search it.
    except FileNotFoundError as error:
        raise JournalMissing(f"There is no directory {directory}.") from error
    except NotADirectoryError as error:
        raise JournalUnwritable(f"{directory} is not a directory.") from error
    except OSError as error:
        raise JournalUnavailable(f"{directory} can't be opened: {error.strerror}.") from error
    lock = _lock_with_flock if _HAS_FLOCK else _lock_with_sqlite
    return lock(directory, shared)


def _lock_with_flock(directory: Path, shared: bool) -> Lock:
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise JournalUnavailable(f"{directory} can't be opened: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise JournalLocked(_IN_USE.format(directory)) from error
    except OSError as error:
        os.close(descriptor)
        raise JournalUnavailable(f"{directory} can't be locked: {error.strerror}.") from error
    return descriptor


def _lock_with_sqlite(directory: Path, shared: bool) -> Lock:
    try:
        connection = apsw.Connection(str(directory / LOCK_FILE))
        try:
            connection.pragma("journal_mode", "memory")  # No second file: nothing is written.
            # The transaction ends with the lock.
            connection.execute("BEGIN" if shared else "BEGIN EXCLUSIVE")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except apsw.Error:
            connection.close()
            raise
    except (apsw.BusyError, apsw.LockedError) as error:
        raise JournalLocked(_IN_USE.format(directory)) from error
    except apsw.Error as error:
        raise JournalUnavailable(f"{directory} can't be locked: {error}.") from error
    return connection


def unlock(lock: Lock) -> None:
    """Return when others may lock the directory."""
    if isinstance(lock, int):
        os.close(lock)
    else:
        lock.close()


def probe(directory: Path) -> None:
    """Return if the disk takes and syncs a megabyte; nothing of it is kept."""
    path = directory / PROBE
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(create_private(path), "wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except OSError as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise JournalUnavailable(f"{directory} can't be written: {error.strerror}.") from error
