"""
What one connection of the feed has still to be sent, and how much of it there may be.

Two kinds of news, treated in two ways:

- *Updates* of orders are all sent, in order. While the client does not read they are kept, up to
  ``UPDATE_BYTES_MAX``; beyond that the connection is closed with a reason, because an update that
  is left out in silence is worse than a connection that ends.
- *Packets* of the market are only worth something while they are new. Of each topic it is kept
  that there is news, not what; when the client reads again it gets the newest.

So a connection holds at most that many bytes, and one mark a subscription.

Source: docs/wire/feeds.md, "Slow readers".
"""

from collections import deque
from typing import Final, Protocol

from kavach.api.feed.topics import Topic

UPDATE_BYTES_MAX: Final = 512 * 1024
TOO_SLOW: Final = 1013  # "Try again later."


class Way(Protocol):
    """Where frames go."""

    def write(self, frames: bytes) -> None:
        """Send whole frames."""


class Backlog:
    """What waits for one connection."""

    __slots__ = ("_bulk", "_clear", "_stale", "_updates", "_way", "conflated", "held_bytes", "sent")

    def __init__(self, way: Way) -> None:
        self._way = way
        self._clear = True
        self._updates: deque[tuple[bytes, bool]] = deque()  # Frame, whether it counts.
        self._stale: dict[Topic, None] = {}  # In the order in which they became so.
        self._bulk = 0
        self.held_bytes = 0  # Of updates that wait.
        self.sent = 0  # Packets and updates that were handed to the connection.
        self.conflated = 0  # Packets in whose place a newer one was sent.

    @property
    def clear(self) -> bool:
        """Whether the other side reads."""
        return self._clear

    @property
    def marks(self) -> int:
        """How many topics have news that waits."""
        return len(self._stale)

    @property
    def has_bulk(self) -> bool:
        """Whether a snapshot waits; one is enough."""
        return self._bulk > 0

    def update(self, frame: bytes, *, bulk: bool = False) -> bool:
        """Send an update, or keep it; return whether there is still room.

        ``bulk``: what the client has asked for itself, once at a time, and which is not counted.
        """
        if self._clear:
            self._way.write(frame)
            self.sent += 1
            return True
        self._updates.append((frame, bulk))
        if bulk:
            self._bulk += 1
        else:
            self.held_bytes += len(frame)
        return self.held_bytes <= UPDATE_BYTES_MAX

    def show(self, topic: Topic) -> None:
        """Send a topic's newest packet, now or when the other side reads."""
        if self._clear:
            self._way.write(topic.frame)
            self.sent += 1
        elif topic in self._stale:
            self.conflated += 1
        else:
            self._stale[topic] = None

    def drop(self, topic: Topic) -> None:
        """Forget a topic's news: nobody asks for it any more."""
        self._stale.pop(topic, None)

    def hold_back(self) -> None:
        """Write no more."""
        self._clear = False

    def go_on(self) -> None:
        """Write what has waited, until the other side reads no more."""
        self._clear = True
        while self._clear and self._updates:
            frame, bulk = self._updates.popleft()
            if bulk:
                self._bulk -= 1
            else:
                self.held_bytes -= len(frame)
            self._way.write(frame)
            self.sent += 1
        while self._clear and self._stale:
            topic = next(iter(self._stale))
            del self._stale[topic]
            self._way.write(topic.frame)
            self.sent += 1
