"""
The journal that keeps nothing: for ``--data-dir :memory:``, tests and benchmarks.

A record is durable as soon as it is appended, for as long as the process lives. There is no disk
between writing and reading, hence no chain.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from kavach.engine.journal_port import JournalError, JournalUnavailable
from kavach.journal.progress import Subscriber

FORMAT_VERSION: Final = 2


class MemoryJournal:
    """A list of bodies that passes for a journal."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self._snapshot: tuple[int, bytes] | None = None
        self._subscribers: tuple[Subscriber, ...] = ()
        self._closed = False

    @property
    def format_version(self) -> int:
        """The version of the format, which never meets another one."""
        return FORMAT_VERSION

    @property
    def durable_sequence(self) -> int:
        """The last sequence that was appended."""
        return len(self._bodies)

    @property
    def failure(self) -> JournalError | None:
        """None: memory doesn't fail, the process does."""
        return None

    def append(self, body: bytes) -> int:
        """Return the sequence of the record, which is durable at once; subscribers are told."""
        if self._closed:
            raise JournalUnavailable("The journal is closed.")
        bodies = self._bodies
        bodies.append(body)
        sequence = len(bodies)
        for subscriber in self._subscribers:
            subscriber(sequence)
        return sequence

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Return a function that ends the subscription; callbacks run inside ``append``."""
        self._subscribers = (*self._subscribers, callback)

        def unsubscribe() -> None:
            self._subscribers = tuple(s for s in self._subscribers if s is not callback)

        return unsubscribe

    def may_answer(self) -> bool:
        """Return True: no other process writes to this memory."""
        return True

    def wait_durable(self, sequence: int, timeout: float | None = None) -> None:
        """Return at once: what was appended is durable, and what wasn't will not be waited for."""
        if sequence <= len(self._bodies):
            return
        if self._closed:
            raise JournalUnavailable("The journal is closed.")
        raise TimeoutError(f"Record {sequence} wasn't durable within {timeout} s.")

    def give_turn(self) -> bool:
        """Return False: nothing ever waits for the disk."""
        return False

    def records(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Return the records behind ``after`` that were there at the call."""
        end = len(self._bodies)
        return enumerate(islice(self._bodies, after, end), after + 1)

    def check(self, until: int, most: int) -> None:
        """Return: memory doesn't change by itself."""

    def save_snapshot(self, sequence: int, body: bytes) -> None:
        """Return when the snapshot is kept, in place of one that stands for less."""
        self.wait_durable(sequence)
        if self._snapshot is None or self._snapshot[0] <= sequence:
            self._snapshot = (sequence, body)

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        """Return the snapshot that was saved last, if any."""
        return self._snapshot

    def close(self) -> None:
        """Refuse records from now on; those that are there can still be read."""
        self._closed = True
