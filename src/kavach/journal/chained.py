"""
What every journal with a chain does alike, wherever its records are stored.

``append`` hashes and queues; the writer's thread (``group_commit``) commits what has gathered, and
``progress`` tells how far that has got. A journal without a writer is read only.

Source: docs/spec/journal.md, "Guarantees".
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from kavach.engine.journal_port import JournalError, JournalUnavailable, JournalUnwritable
from kavach.journal.chain import link
from kavach.journal.database import FORMAT_VERSION
from kavach.journal.group_commit import GroupCommit
from kavach.journal.progress import Progress, Subscriber


class ChainedJournal(ABC):
    """The end of the records, their writer, and what is durable of them."""

    _closed = False

    def __init__(self, sequence: int, chain: bytes) -> None:
        """Begin behind the record with this sequence and link; read only until it has a writer."""
        self._sequence, self._chain = sequence, chain
        self._progress = Progress(sequence)
        self._writer: GroupCommit | None = None
        self._refusal: JournalError | None = JournalUnwritable(
            "The journal was opened for reading only."
        )

    def _write_by(self, writer: GroupCommit) -> None:
        """Take records from now on."""
        self._writer, self._refusal = writer, None

    @property
    def format_version(self) -> int:
        """The version of the format in which the records are stored."""
        return FORMAT_VERSION

    @property
    def durable_sequence(self) -> int:
        """The last sequence that is durable; everything before it is, too. 0: none."""
        return self._progress.durable_sequence

    @property
    def failure(self) -> JournalError | None:
        """Why nothing more will become durable, or None while all is well."""
        return self._progress.failure

    def append(self, body: bytes) -> int:
        """Return the sequence of the record that was queued; never waits for the store."""
        refusal = self._refusal or self._progress.failure
        if refusal is not None or self._writer is None:
            raise refusal or JournalUnavailable("The journal is closed.")
        sequence = self._sequence + 1
        chain = link(self._chain, sequence, body)
        self._sequence = sequence
        self._chain = chain
        self._writer.add(sequence, body, chain)
        return sequence

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Return a function that ends the subscription; callbacks run on the writer's thread."""
        return self._progress.subscribe(callback)

    def wait_durable(self, sequence: int, timeout: float | None = None) -> None:
        """Return when everything up to ``sequence`` is durable; ``timeout`` is in seconds."""
        self._progress.wait(sequence, timeout)

    def give_turn(self) -> bool:
        """Return whether records wait for a commit, after letting the writer's thread run."""
        if self._writer is None or not self._is_waiting():
            return False
        self._writer.give_turn()
        return self._is_waiting()

    def head(self) -> tuple[int, bytes]:
        """Return the sequence and the link of the last record, durable or not."""
        return self._sequence, self._chain

    def records(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Return the durable records behind ``after``, each verified against the chain."""
        for sequence, body, _chain in self.linked(after):
            yield sequence, body

    @abstractmethod
    def linked(self, after: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
        """Return (sequence, body, link) of the durable records behind ``after``, verified."""

    def close(self) -> None:
        """Return when everything is durable and what was held is given up.

        Raises what prevented it.
        """
        if self._closed:
            return
        self._closed = True
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._refusal = JournalUnavailable("The journal is closed.")
        self._progress.end()
        if self._progress.failure is not None:
            raise self._progress.failure

    def _is_waiting(self) -> bool:
        return self._progress.failure is None and self._progress.durable_sequence < self._sequence
