"""
What the feed's outbox holds until it is durable: updates, packets of the market, snapshots.

Each is delivered in steps, for it may have thousands of readers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kavach.api.feed.audience import SENT_MAX, Audience
from kavach.api.feed.connection import FeedConnection
from kavach.api.feed.socket import binary_frame
from kavach.api.feed.stories import Told
from kavach.api.feed.topics import Topic
from kavach.wire.feed.updates import Kind, numbered_frame


@dataclass(slots=True)
class Updates:
    """Updates of one order, and what was known of it before."""

    audiences: dict[str, Audience]
    client_id: str
    told: list[Told]
    order_id: int
    lines_before: int

    def deliver(self) -> Iterator[None]:
        """Tell those who listen to the client's orders."""
        audience = self.audiences.get(self.client_id)
        if audience is not None:
            yield from audience.deliver(self.told)


@dataclass(slots=True)
class Packets:
    """Packets of topics as they were at one moment."""

    frames: list[tuple[Topic, bytes]]

    def deliver(self) -> Iterator[None]:
        """Show them to those who have subscribed."""
        sent = 0
        for topic, frame in self.frames:
            topic.frame = frame
            for reader in list(topic.readers):
                reader.show(topic)
                sent += 1
                if sent % SENT_MAX == 0:
                    yield


@dataclass(slots=True)
class SnapshotOf:
    """All rows of a client, for one reader, which hears updates from then on."""

    reader: FeedConnection
    audience: Audience
    body: bytes

    def deliver(self) -> Iterator[None]:
        """Send them."""
        reader, ring = self.reader, self.audience.ring
        reader.waits_for_snapshot = False
        if reader.closed:
            return
        assert ring is not None, "a ring is kept while somebody waits for it"
        made = numbered_frame(ring.epoch, ring.number, Kind.SNAPSHOT, self.body)
        reader.update(binary_frame(made), bulk=True)
        self.audience.numbered[reader] = None
        yield
