"""
The SQLite file: its tables, how it is made, opened and read, and what its errors mean.

    records          sequence INTEGER PRIMARY KEY AUTOINCREMENT | body BLOB | chain BLOB
    sqlite_sequence  SQLite's own note of the highest sequence, which AUTOINCREMENT keeps: it
                     shows when records at the end have gone, which the chain alone can't
    application_id   "kvch" in ASCII
    user_version     the format version

A file that isn't being written is read without touching it or leaving anything beside it: as
*immutable* when there is no write-ahead log (it was closed), else through the lock-free file
system, with the log's index in memory. The lock on the directory makes both safe.

Source: docs/spec/journal.md; the SQLite pages "WAL-mode File Format" and "URI Filenames".
"""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from kavach.engine.journal_port import (
    JournalCorrupt,
    JournalError,
    JournalLocked,
    JournalNewer,
    JournalUnavailable,
    JournalUnwritable,
)
from kavach.journal.chain import GENESIS, link
from kavach.private_files import create_private, sync_directory

FILE_NAME: Final = "journal.db"
FORMAT_VERSION: Final = 4  # Each has events that the programs of the one before do not know.
FORMAT_OLDEST: Final = 1
READ_TOGETHER: Final = 1_000  # Records; so long a reader keeps the log from starting anew.
READERS_MS: Final = 5_000  # How long opening waits for those who read the log.
LOCK_FREE: Final = "win32-none" if "win32-none" in apsw.vfs_names() else "unix-none"
APPLICATION_ID: Final = int.from_bytes(b"kvch", "big")

_NO_JOURNAL: Final = (apsw.NotADBError, apsw.SQLError)  # SQLError: a table or column is missing.
_DAMAGE: Final = (apsw.CorruptError, apsw.MismatchError, apsw.FormatError, apsw.RangeError)
_MARKED_AS_TEXT: Final = "its bytes are marked as text"  # A bit of the row's header has flipped.
_SCHEMA: Final = f"""
    PRAGMA application_id = {APPLICATION_ID};
    PRAGMA user_version = {FORMAT_VERSION};
    CREATE TABLE records (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        body BLOB NOT NULL,
        chain BLOB NOT NULL
    ) STRICT;
"""


def meaning(error: apsw.Error, path: Path, sequence: int = 0) -> JournalError:
    """Return what an error of SQLite means; ``sequence`` is the record that was being read."""
    if isinstance(error, _NO_JOURNAL):
        return JournalCorrupt(0, f"{path} isn't a journal ({error})")
    if isinstance(error, _DAMAGE):
        return JournalCorrupt(sequence, f"{path} can't be read as a journal ({error})")
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return JournalLocked(f"{path} is in use by another process.")
    if isinstance(error, apsw.ReadOnlyError | apsw.PermissionsError):
        return JournalUnwritable(f"{path} can't be written.")
    if isinstance(error, apsw.FullError):
        return JournalUnavailable(f"{path} can't grow: the disk is full.")
    return JournalUnavailable(f"{path} can't be read or written ({error}).")


def create_database(path: Path, vfs: str | None) -> None:
    """Return when an empty journal is on disk.

    It is made under another name and renamed, so that a crash leaves a whole journal or none.
    """
    unfinished = path.with_suffix(".new")
    try:
        _begin_file(unfinished)
        with closing(apsw.Connection(str(unfinished), vfs=vfs)) as connection:
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", "full")
            with connection:
                connection.execute(_SCHEMA)
        unfinished.replace(path)
        sync_directory(path.parent)
    except (apsw.ReadOnlyError, apsw.CantOpenError) as error:
        raise JournalUnwritable(f"{path.parent} can't be written.") from error
    except apsw.Error as error:
        raise meaning(error, path) from error
    except OSError as error:
        raise JournalUnwritable(f"{path.parent} can't be written: {error.strerror}.") from error


def _begin_file(path: Path) -> None:
    """Make an empty file for SQLite, which gives its log and index the rights of that file.

    A log that a killed process left beside it would be taken for its own.
    """
    forget_log(path)
    path.unlink(missing_ok=True)
    os.close(create_private(path))


def forget_log(path: Path) -> None:
    """Remove log and index of a database; all that counts of them must be in the database."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def copy_database(source: apsw.Connection, path: Path) -> None:
    """Return when everything that ``source`` sees is in a new file, whole or not at all."""
    unfinished = path.with_suffix(".new")
    try:
        _begin_file(unfinished)
        with closing(apsw.Connection(str(unfinished))) as copy:
            with copy.backup("main", source, "main") as running:
                running.step(-1)
            copy.pragma("journal_mode", "wal")
        unfinished.replace(path)
        sync_directory(path.parent)
    except apsw.Error as error:
        raise meaning(error, path) from error
    except OSError as error:
        raise JournalUnwritable(f"{path.parent} can't be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def open_for_writing(path: Path, vfs: str | None) -> apsw.Connection:
    """Return the connection that commits: each statement is one synced transaction.

    What a killed process left in the log is copied into the database and synced first. It was
    written, but perhaps never synced, or its sync failed; from here on it will be shown, so it
    must be on disk.
    """
    try:
        connection = apsw.Connection(
            str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs, statementcachesize=64
        )
        if connection.readonly("main"):
            connection.close()
            raise JournalUnwritable(f"{path} can't be written.")
        connection.pragma("synchronous", "full")
        connection.pragma("fullfsync", True)  # Where fsync alone leaves data in the drive's cache.
        connection.pragma("checkpoint_fullfsync", True)
        connection.pragma("wal_autocheckpoint", 0)  # The writer chooses the moment.
        mode = connection.pragma("journal_mode")
        connection.set_busy_timeout(READERS_MS)
        _empty_log(connection)
    except apsw.Error as error:
        raise meaning(error, path) from error
    if mode != "wal":
        connection.close()
        raise JournalCorrupt(0, f"{path} is not in write-ahead mode")
    return connection


def empty_log(path: Path) -> None:
    """Return when a database that nobody has open is whole without its log."""
    connection = open_for_writing(path, None)
    try:
        connection.close()
    except apsw.Error as error:
        raise meaning(error, path) from error


def _empty_log(connection: apsw.Connection) -> None:
    """Return when the database holds what the log held, synced, and the log is empty."""
    try:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.BusyError:  # Somebody reads the log; what is in it can be made safe all the same.
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_FULL)


def open_for_reading(path: Path, *, live: bool) -> apsw.Connection:
    """Return a connection that reads; ``live`` says that somebody has the file open to write.

    Otherwise nobody writes, and nothing on disk is touched.
    """
    log = path.with_name(path.name + "-wal")
    if live:
        options = "mode=ro"
    elif log.exists() and log.stat().st_size > 0:
        options = f"mode=ro&vfs={LOCK_FREE}"
    else:
        options = "immutable=1"
    try:
        connection = apsw.Connection(
            f"{path.absolute().as_uri()}?{options}",
            flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
        )
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        if not live:
            connection.pragma("locking_mode", "exclusive")
    except apsw.Error as error:
        raise meaning(error, path) from error
    return connection


def check_format(connection: apsw.Connection, path: Path) -> None:
    """Return if the file is a journal that this version can read."""
    try:
        application_id = connection.pragma("application_id")
        version = connection.pragma("user_version")
    except apsw.Error as error:
        raise meaning(error, path) from error
    if application_id != APPLICATION_ID:
        raise JournalCorrupt(0, f"{path} is a database, but not a journal of kavach")
    if version > FORMAT_VERSION:
        raise JournalNewer(
            f"{path} was written by a newer version of kavach"
            f" (format {version}; this one knows {FORMAT_VERSION})."
        )
    if version < FORMAT_OLDEST:
        raise JournalCorrupt(0, f"{path} has the unknown format {version}")


def mark_format(connection: apsw.Connection) -> None:
    """Return when the file carries this version's format, so that an older program refuses it.

    It is done before the first record is written, not when the file is opened: a start that fails
    leaves the directory to the older program.
    """
    if connection.pragma("user_version") != FORMAT_VERSION:
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")


def last_sequence(connection: apsw.Connection, path: Path) -> int:
    """Return the highest sequence that was ever written, 0 if none."""
    try:
        row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").get
    except apsw.Error as error:
        raise meaning(error, path) from error
    if row is None:
        return 0
    if not isinstance(row, int) or row < 0:
        raise JournalCorrupt(0, f"{path} has lost count of its records")
    return row


def chain_at(connection: apsw.Connection, path: Path, sequence: int) -> bytes | None:
    """Return the link of a record, or None if there is no such record."""
    if sequence == 0:
        return GENESIS
    try:
        chain = connection.execute("SELECT chain FROM records WHERE sequence = ?", (sequence,)).get
    except apsw.Error as error:
        raise meaning(error, path, sequence) from error
    except UnicodeDecodeError as error:
        raise JournalCorrupt(sequence, _MARKED_AS_TEXT) from error
    return chain if isinstance(chain, bytes) else None


def read_records(
    connection: apsw.Connection, path: Path, after: int
) -> Iterator[tuple[int, bytes, bytes]]:
    """Return (sequence, body, chain) of the records behind ``after``, each one verified.

    It ends with the last record there was at the call. A record never changes, so each stretch
    is read in a transaction of its own, and the log can be copied away meanwhile.
    """
    end, highest = _ends(connection, path)
    after = min(after, end)
    chain = chain_at(connection, path, after)
    if chain is None:
        raise JournalCorrupt(after, "it is missing")
    expected = after + 1
    while expected <= end:
        for sequence, body, stored in _stretch(connection, path, expected, end):
            if sequence != expected:
                raise JournalCorrupt(expected, f"record {sequence} is in its place")
            if not isinstance(body, bytes):
                raise JournalCorrupt(expected, "its body isn't bytes")
            chain = link(chain, sequence, body)
            if chain != stored:
                raise JournalCorrupt(expected, "its hash doesn't follow from the one before")
            yield sequence, body, chain
            expected += 1
    if highest > end:
        raise JournalCorrupt(end + 1, f"record {highest} is there, though {end} were written")


def _stretch(
    connection: apsw.Connection, path: Path, first: int, end: int
) -> Iterator[tuple[object, object, object]]:
    """Return the rows from ``first`` on, some at a time; there is at least one."""
    sequence = first
    try:
        for row in connection.execute(
            "SELECT sequence, body, chain FROM records"
            " WHERE sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?",
            (first, end, READ_TOGETHER),
        ):
            yield row
            sequence += 1
    except apsw.Error as error:
        raise meaning(error, path, sequence) from error
    except UnicodeDecodeError as error:
        raise JournalCorrupt(sequence, _MARKED_AS_TEXT) from error
    if sequence == first:
        raise JournalCorrupt(first, f"it is missing, though {end} were written")


def _ends(connection: apsw.Connection, path: Path) -> tuple[int, int]:
    """Return the highest sequence that was noted, and the highest that is there."""
    try:
        with connection:  # One transaction: both are of the same moment.
            end = last_sequence(connection, path)
            highest = connection.execute("SELECT max(sequence) FROM records").get
    except apsw.Error as error:
        raise meaning(error, path) from error
    return end, highest if isinstance(highest, int) else 0
