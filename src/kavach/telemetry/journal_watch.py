"""
How the journal keeps up: how long a record waits for the disk, and how many share a commit.

One record is timed at a time: the first that is appended after the last timed one came to disk.
Timing each would cost every step for figures that a batch shares anyway.

The engine's thread starts the timing and the journal's thread ends it. Each writes the field
that passes between them in one step, so they need no lock.
"""

from collections.abc import Callable, Iterator
from time import perf_counter_ns
from typing import Final

from prometheus_client.core import Metric as Family

from kavach.engine.journal_port import Journal
from kavach.telemetry import metrics
from kavach.telemetry.histogram import Histogram
from kavach.units import NS_PER_MS

_COMMIT_MS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000)
_BATCH: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class JournalWatch:
    """What is counted of one journal after another."""

    def __init__(self) -> None:
        self._commits = Histogram([ms * NS_PER_MS for ms in _COMMIT_MS])
        self._batches = Histogram(_BATCH)
        self._timed: tuple[int, int] | None = None  # Sequence, and since when it waits.
        self._durable = 0
        self._journal: Journal | None = None
        self._leave: Callable[[], None] | None = None

    def watch(self, journal: Journal) -> None:
        """Count what this journal does from now on, and no other."""
        if self._leave is not None:
            self._leave()
        self._timed = None
        self._durable = journal.durable_sequence
        self._journal = journal
        self._leave = journal.subscribe(self._on_batch)

    def appended(self, sequence: int) -> None:
        """Hear that a record was appended."""
        journal = self._journal
        assert journal is not None, "watch comes first"
        if self._timed is None:
            self._timed = (sequence, perf_counter_ns())
            # Only now, or the journal's thread could come between the look and the timing.
            if sequence <= journal.durable_sequence:
                self._timed = None

    def _on_batch(self, durable_sequence: int) -> None:
        """Hear how far the disk has got, or that it failed; runs on the journal's thread."""
        records = durable_sequence - self._durable
        if records:
            self._durable = durable_sequence
            self._batches.observe(records)
        timed = self._timed
        if timed is not None and timed[0] <= durable_sequence:
            self._commits.observe(perf_counter_ns() - timed[1])
            self._timed = None

    def collect(self, sequence: int) -> Iterator[Family]:
        """Yield the figures; ``sequence`` is that of the last record appended."""
        journal = self._journal
        assert journal is not None, "watch comes first"
        yield metrics.sizes(metrics.COMMIT, [((), self._commits)])
        yield metrics.sizes(metrics.BATCH, [((), self._batches)], unit=1)
        yield metrics.count(metrics.QUEUE, max(0, sequence - journal.durable_sequence))
        yield metrics.count(metrics.JOURNAL_UP, journal.failure is None)
