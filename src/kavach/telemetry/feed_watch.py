"""
What the feed comes to: who is connected, what was sent, what was left out, who was closed.

Source: docs/operating.md, "Metrics".
"""

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from prometheus_client.core import Metric as Family

from kavach.telemetry import metrics

_REFUSALS: Final = ("BUSY", "FORBIDDEN", "UNAUTHORISED")


class Feed(Protocol):
    """The feed as it is counted."""

    @property
    def readers(self) -> int:
        """How many connections there are."""

    @property
    def closed(self) -> Mapping[str, int]:
        """How many we have closed, by every reason that there is."""

    @property
    def refused(self) -> Mapping[str, int]:
        """How many were not let in, by the word that they were told."""

    def packets(self) -> tuple[int, int]:
        """Return how many packets and updates were sent, and how many conflated."""


class FeedWatch:
    """The figures of a feed; nothing but zeros while there is none."""

    def __init__(self) -> None:
        self._feed: Feed | None = None

    def watch(self, feed: Feed) -> None:
        """Tell of this feed from now on."""
        self._feed = feed

    def collect(self) -> Iterator[Family]:
        """Yield the figures."""
        feed = self._feed
        sent, conflated = (0, 0) if feed is None else feed.packets()
        closed = {"none": 0} if feed is None else feed.closed
        refused = {} if feed is None else feed.refused
        yield metrics.count(metrics.FEED_READERS, 0 if feed is None else feed.readers)
        yield metrics.count(metrics.FEED_SENT, sent)
        yield metrics.count(metrics.FEED_CONFLATED, conflated)
        closings = [((why,), number) for why, number in closed.items()]
        yield metrics.counts(metrics.FEED_CLOSED, closings)
        words = [((word,), refused.get(word, 0)) for word in _REFUSALS]
        yield metrics.counts(metrics.FEED_REFUSED, words)
