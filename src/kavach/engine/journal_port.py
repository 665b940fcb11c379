"""
What the engine asks of a journal: an ordered, durable log of opaque bytes, and snapshots.

A *record* is a body and its sequence: 1, 2, 3, without a gap. A record becomes *durable* some
time after it was appended, in order, many at once (group commit). Records are chained by hashes,
so that a changed, lost or moved one is found when it is read. A *snapshot* is a body that stands
for all records up to its sequence; it saves time at start and may always be thrown away.

Everything that can go wrong with a journal, printed as one sentence for a person:

    JournalError
     +-- JournalMissing        there is no journal here, and none was to be made
     +-- JournalUnwritable     the place can't be written, or the journal was opened for reading
     +-- JournalLocked         another process has it open
     +-- JournalNewer          a newer version of kavach wrote it
     +-- JournalCorrupt        what is stored isn't what was written; has ``sequence``
     +-- JournalUnavailable    it stopped working: disk full, input or output error, closed
          +-- JournalPaused    it will work again: nothing was done, and may be asked for later
          +-- JournalFenced    another process writes it now: this one never will again

Source: docs/spec/journal.md.
"""

from collections.abc import Callable, Iterator
from typing import Protocol


class JournalError(Exception):
    """Something is wrong with the journal; the text is a sentence for a person."""


class JournalMissing(JournalError):
    """There is no journal here, and none was to be made."""


class JournalUnwritable(JournalError):
    """The place can't be written, or the journal was opened for reading only."""


class JournalLocked(JournalError):
    """Another process has the journal open."""


class JournalNewer(JournalError):
    """The journal was written by a newer version, whose format this one can't know."""


class JournalCorrupt(JournalError):
    """What is stored isn't what was written; ``sequence`` is the first record that doesn't fit.

    Sequence 0 means the file as a whole: it isn't a journal, or can't be read as one.
    """

    def __init__(self, sequence: int, detail: str) -> None:
        place = f"Journal record {sequence} is damaged" if sequence else "The journal is damaged"
        super().__init__(f"{place}: {detail}.")
        self.sequence = sequence
        self.detail = detail


class JournalUnavailable(JournalError):
    """The journal stopped working; nothing more can be made durable until it is opened again."""


class JournalPaused(JournalUnavailable):
    """The disk takes nothing just now: what was asked has not been done, and may be asked again."""


class JournalFenced(JournalUnavailable):
    """Another process has taken the journal over: this one stops, and repairs nothing."""


class Journal(Protocol):
    """An ordered, durable, verifiable log of bytes.

    One thread appends; every other member may be used from any thread. After ``close`` only
    ``append``, ``close`` and the properties may be used.
    """

    @property
    def format_version(self) -> int:
        """The version of the format in which the records are stored."""

    @property
    def durable_sequence(self) -> int:
        """The last sequence that is on disk; everything before it is, too. 0: none."""

    @property
    def failure(self) -> JournalError | None:
        """Why nothing more will become durable, or None while all is well."""

    def append(self, body: bytes) -> int:
        """Return the sequence of the record that was queued; never waits for the disk.

        Raises JournalUnavailable after a failure or a close, JournalUnwritable if read-only.
        """

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Return a function that ends the subscription.

        ``callback(durable_sequence)`` is called once a batch, from the journal's thread; it must
        be quick and must not raise. After a failure it is called a last time, with the sequence
        that was reached, and ``failure`` is set.
        """

    def may_answer(self) -> bool:
        """Return whether no other process can have taken the journal over unknown to this one.

        A journal that several machines can reach has one owner at a time, and an owner that was
        frozen or cut off may have a successor. It may tell nothing until it has heard of its
        journal again: look before and after each wait for durability, reads included.
        """

    def wait_durable(self, sequence: int, timeout: float | None = None) -> None:
        """Return when everything up to ``sequence`` is on disk; ``timeout`` is in seconds.

        Raises TimeoutError, or the failure that makes waiting useless.
        """

    def give_turn(self) -> bool:
        """Return whether records wait for the disk, after letting the journal's thread run.

        A busy event loop can keep every other thread from the interpreter for hundreds of
        milliseconds. Its thread calls this about once a millisecond while answers wait; a turn
        takes less than 0.1 ms, and nothing when no record waits.
        """

    def records(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Return the durable records behind ``after``, in order, as (sequence, body).

        Raises JournalCorrupt at the first record that doesn't fit. Those before it were yielded.
        """

    def check(self, until: int, most: int) -> None:
        """Return if the last ``most`` records up to ``until`` are as they were written.

        Raises JournalCorrupt at the first that doesn't fit.
        """

    def save_snapshot(self, sequence: int, body: bytes) -> None:
        """Return when a snapshot that stands for the records up to ``sequence`` is on disk.

        Waits until those records are durable themselves. May take long; any thread may call it.
        """

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        """Return the newest snapshot that is intact and belongs to these records, if any."""

    def close(self) -> None:
        """Return when everything that was appended is on disk and the journal is released.

        Raises the failure if there was one. A second close does nothing.
        """
