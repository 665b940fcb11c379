"""
One thread that makes queued records durable, as many at a time as have come in.

Theory. A commit costs a disk sync, whether it holds one record or hundreds. While one is under
way the next records gather; then all of them (up to a cap) become one INSERT of many rows, which
SQLite commits and syncs on its own. That is one call into C: the interpreter's lock is given up
once and taken back once for the whole batch, and a batch is on disk wholly or not at all.

Python gives the interpreter's lock to whom it likes: a busy event loop that lets go of it for a
few microseconds at a time takes it back before this thread has woken, for hundreds of
milliseconds on end. ``give_turn`` is how the loop's thread stands back for long enough.

The hand-off is a list that one thread extends and this one takes from the front. Both steps are
single operations under the interpreter's lock, so they need no other. The bell is rung only
when the writer says that it sleeps.

Source: docs/spec/journal.md, "Guarantees"; the SQLite page "Write-Ahead Logging".
"""

import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import apsw

from kavach.engine.journal_port import JournalError, JournalUnavailable
from kavach.journal.database import mark_format, meaning
from kavach.journal.progress import Progress

ROWS_MAX: Final = 256  # Records in one commit.
CHECKPOINT_FRAMES: Final = 1_000  # 4 MB of log: copy it into the database when nothing waits,
CHECKPOINT_FRAMES_MAX: Final = 16_000  # and at 64 MB whether anything waits or not.
TURN_SECONDS: Final = 20e-6  # The kernel adds about 50 µs: enough to wake a thread.

_COLUMNS: Final = 3
_PAGE_SIZE: Final = 4_096
_INSERT: Final = "INSERT INTO records VALUES "
_INSERTS: Final = tuple(_INSERT + ", ".join(["(?, ?, ?)"] * n) for n in range(ROWS_MAX + 1))


class GroupCommit:
    """The writer's thread, its queue and its connection."""

    def __init__(self, connection: apsw.Connection, path: Path, progress: Progress) -> None:
        self._connection = connection
        self._path = path
        self._progress = progress
        self._queue: list[int | bytes] = []  # Flat: sequence, body, chain, sequence, ...
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._sleeps = False
        self._closing = False
        self._frames = 0  # Of the write-ahead log since its last checkpoint, roughly.
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def add(self, sequence: int, body: bytes, chain: bytes) -> None:
        """Queue a record; only one thread may do so."""
        self._queue.extend((sequence, body, chain))
        if self._sleeps:
            self._sleeps = False
            self._bell.put(None)

    def give_turn(self) -> None:
        """Let the writer's thread run, if it waits for the interpreter."""
        time.sleep(TURN_SECONDS)

    def close(self) -> None:
        """Return when all that was queued is on disk, or was given up after a failure."""
        self._closing = True
        self._bell.put(None)
        self._thread.join()
        if self._progress.failure is not None:
            # After a failure the log is left as it is: the next start reads what is whole of it.
            self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self._connection.close()

    def _run(self) -> None:
        try:
            if self._wait():
                mark_format(self._connection)
            while self._wait():
                self._commit()
                self._checkpoint()
        except apsw.Error as error:
            self._fail(meaning(error, self._path), error)
        except Exception as error:  # Nothing becomes durable any more, and all must hear it.
            self._fail(JournalUnavailable(f"The journal's writer stopped: {error!r}."), error)

    def _fail(self, failure: JournalError, cause: Exception) -> None:
        failure.__cause__ = cause
        self._progress.fail(failure)

    def _wait(self) -> bool:
        """Return whether there is something to write; False: closed, and all is written."""
        while not self._queue:
            if self._closing:
                return False
            self._sleeps = True
            # What was queued just before that line didn't ring the bell.
            if not self._queue:
                self._bell.get()
            self._sleeps = False
        return True

    def _commit(self) -> None:
        batch = self._queue[: ROWS_MAX * _COLUMNS]
        del self._queue[: len(batch)]
        rows, rest = divmod(len(batch), _COLUMNS)
        assert rest == 0, "a batch is made of whole records"
        self._connection.execute(_INSERTS[rows], batch)
        last = batch[-_COLUMNS]
        assert isinstance(last, int)
        self._progress.advance(last)
        self._frames += 2 + sum(map(len, batch[1::_COLUMNS])) // _PAGE_SIZE  # type: ignore[arg-type]

    def _checkpoint(self) -> None:
        if self._frames < CHECKPOINT_FRAMES:
            return
        if self._queue and self._frames < CHECKPOINT_FRAMES_MAX:
            return
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._frames = 0
