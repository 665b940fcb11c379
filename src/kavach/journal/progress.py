"""
How far the disk has got, and who wants to know.

The writer's thread moves it; any thread reads it, waits for it or subscribes to it.
"""

import threading
from collections.abc import Callable

from kavach.engine.journal_port import JournalError, JournalUnavailable

Subscriber = Callable[[int], None]


class Progress:
    """The durable sequence, the failure that ended it, and those who are told of both."""

    def __init__(self, durable_sequence: int) -> None:
        self.durable_sequence = durable_sequence
        self.failure: JournalError | None = None
        self._ended = False
        self._changed = threading.Condition()
        self._subscribers: tuple[Subscriber, ...] = ()  # Replaced, never changed: read unlocked.

    def advance(self, durable_sequence: int) -> None:
        """Tell everybody that the disk has got to this sequence."""
        assert durable_sequence > self.durable_sequence, "what is durable only grows"
        with self._changed:
            self.durable_sequence = durable_sequence
            self._changed.notify_all()
        self._tell()

    def fail(self, failure: JournalError) -> None:
        """Tell everybody that the disk will get no further; the first failure stays."""
        with self._changed:
            self.failure = self.failure or failure
            self._changed.notify_all()
        self._tell()

    def end(self) -> None:
        """Wake those who wait for what will not come, because the journal was closed."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self, sequence: int, timeout: float | None) -> None:
        """Return when the disk has got to ``sequence``; ``timeout`` is in seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_decided(sequence), timeout)
            if self.durable_sequence >= sequence:
                return
            if self.failure is not None:
                raise self.failure
            if self._ended:
                raise JournalUnavailable("The journal is closed.")
            raise TimeoutError(f"Record {sequence} wasn't durable within {timeout} s.")

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Return a function that ends the subscription; a second call of it does nothing."""
        with self._changed:
            self._subscribers = (*self._subscribers, subscriber)
        return lambda: self._drop(subscriber)

    def _is_decided(self, sequence: int) -> bool:
        return self.durable_sequence >= sequence or self.failure is not None or self._ended

    def _tell(self) -> None:
        for subscriber in self._subscribers:
            try:
                subscriber(self.durable_sequence)
            except BaseException:
                self._drop(subscriber)  # Or the news of this failure would raise it again.
                raise

    def _drop(self, subscriber: Subscriber) -> None:
        with self._changed:
            self._subscribers = tuple(s for s in self._subscribers if s is not subscriber)
