"""
How a batch of records becomes durable in SQLite: one INSERT of many rows.

SQLite commits and syncs it on its own, in one call into C. The write-ahead log is copied into the
database now and then, when nothing waits.

Source: docs/spec/journal.md, "How a commit works"; the SQLite page "Write-Ahead Logging".
"""

from pathlib import Path
from typing import Final

import apsw

from kavach.engine.journal_port import JournalError
from kavach.journal.database import mark_format, meaning
from kavach.journal.group_commit import COLUMNS, ROWS_MAX, Batch, bodies_of

CHECKPOINT_FRAMES: Final = 1_000  # 4 MB of log: copy it into the database when nothing waits,
CHECKPOINT_FRAMES_MAX: Final = 16_000  # and at 64 MB whether anything waits or not.

_PAGE_SIZE: Final = 4_096
_INSERT: Final = "INSERT INTO records VALUES "
_INSERTS: Final = tuple(_INSERT + ", ".join(["(?, ?, ?)"] * n) for n in range(ROWS_MAX + 1))


class SqliteTarget:
    """The connection that writes."""

    idle_seconds: Final = None

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._frames = 0  # Of the write-ahead log since its last checkpoint, roughly.

    def begin(self) -> None:
        """Mark the file as one of this version."""
        mark_format(self._connection)

    def commit(self, batch: Batch) -> None:
        """Return when these records are on disk."""
        self._connection.execute(_INSERTS[len(batch) // COLUMNS], batch)
        self._frames += 2 + sum(map(len, bodies_of(batch))) // _PAGE_SIZE

    def rest(self, *, waiting: bool) -> None:
        """Copy the log into the database, if it has grown."""
        if self._frames < CHECKPOINT_FRAMES:
            return
        if waiting and self._frames < CHECKPOINT_FRAMES_MAX:
            return
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._frames = 0

    def meaning(self, error: Exception) -> JournalError | None:
        """Return what an error of SQLite means."""
        return meaning(error, self._path) if isinstance(error, apsw.Error) else None

    def close(self, *, failed: bool) -> None:
        """Close the connection.

        After a failure the log is left as it is: the next start reads what is whole of it.
        """
        if failed:
            self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self._connection.close()
