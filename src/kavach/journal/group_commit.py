"""
One thread that makes queued records durable, as many at a time as have come in.

Theory. A commit costs a disk sync, whether it holds one record or hundreds. While one is under
way the next records gather; then all of them (up to a cap) become one commit. Where they go is
the business of a ``Target``: SQLite on this machine, or PostgreSQL on another. A batch is there
wholly or not at all, and it is one call into C, in which the interpreter's lock is given up.

Python gives the interpreter's lock to whom it likes: a busy event loop that lets go of it for a
few microseconds at a time takes it back before this thread has woken, for hundreds of
milliseconds on end. ``give_turn`` is how the loop's thread stands back for long enough.

The hand-off is a list that one thread extends and this one takes from the front. Both steps are
single operations under the interpreter's lock, so they need no other. The bell is rung only
when the writer says that it sleeps.

Source: docs/spec/journal.md, "Guarantees", "How a commit works".
"""

import threading
import time
from queue import Empty, SimpleQueue
from typing import Final, Protocol, cast

from kavach.engine.journal_port import JournalError, JournalUnavailable
from kavach.journal.progress import Progress

ROWS_MAX: Final = 256  # Records in one commit.
TURN_SECONDS: Final = 20e-6  # The kernel adds about 50 µs: enough to wake a thread.
COLUMNS: Final = 3  # Of a record in the queue, which is flat: sequence, body, chain, sequence, ...

Batch = list[int | bytes]


def bodies_of(batch: Batch) -> list[bytes]:
    """Return the bodies of the records of a batch."""
    return cast(list[bytes], batch[1::COLUMNS])


class Target(Protocol):
    """Where batches of records become durable; used by the writer's thread only."""

    @property
    def idle_seconds(self) -> float | None:
        """How long ``rest`` may stay uncalled while nothing is written; None: for ever."""

    def begin(self) -> None:
        """Return when the first batch may come."""

    def commit(self, batch: Batch) -> None:
        """Return when these records, whole and at most ROWS_MAX, are durable."""

    def rest(self, *, waiting: bool) -> None:
        """Do what is to be done between commits; ``waiting``: more records wait already."""

    def meaning(self, error: Exception) -> JournalError | None:
        """Return what an error of this target means; None: it is none of this target."""

    def close(self, *, failed: bool) -> None:
        """Release what is held; ``failed``: nothing more may be written."""


class GroupCommit:
    """The writer's thread and its queue."""

    def __init__(self, target: Target, progress: Progress) -> None:
        self._target = target
        self._progress = progress
        self._queue: Batch = []
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._sleeps = False
        self._closing = False
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
        self._target.close(failed=self._progress.failure is not None)

    def _run(self) -> None:
        try:
            if self._wait():
                self._target.begin()
            while self._wait():
                self._commit()
                self._target.rest(waiting=bool(self._queue))
        except Exception as error:  # Nothing becomes durable any more, and all must hear it.
            failure = self._target.meaning(error)
            if failure is None:
                failure = JournalUnavailable(f"The journal's writer stopped: {error!r}.")
            if failure is not error:
                failure.__cause__ = error
            self._progress.fail(failure)

    def _wait(self) -> bool:
        """Return whether there is something to write; False: closed, and all is written."""
        while not self._queue:
            if self._closing:
                return False
            self._sleeps = True
            # What was queued just before that line didn't ring the bell.
            if not self._queue:
                try:
                    self._bell.get(timeout=self._target.idle_seconds)
                except Empty:
                    self._target.rest(waiting=False)
            self._sleeps = False
        return True

    def _commit(self) -> None:
        batch = self._queue[: ROWS_MAX * COLUMNS]
        del self._queue[: len(batch)]
        assert len(batch) % COLUMNS == 0, "a batch is made of whole records"
        self._target.commit(batch)
        last = batch[-COLUMNS]
        assert isinstance(last, int)
        self._progress.advance(last)
