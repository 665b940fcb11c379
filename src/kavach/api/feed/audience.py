"""
Who listens to the orders of one client, and what was told them lately.

``Ring`` numbers the updates of one client: 1, 2, 3 in one *epoch*. It keeps the last of them, so
that a reader that comes back can be given what it has missed; if that is more than is kept, or of
another epoch (another run of the server, another ring), it gets all rows instead.

Source: docs/wire/feeds.md, "Numbered updates".
"""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from kavach.api.feed.connection import FeedConnection
from kavach.api.feed.socket import binary_frame
from kavach.api.feed.stories import Told
from kavach.wire.feed.updates import MODE_OF_KIND, Kind, frame, numbered_frame

RING_ENTRIES_MAX: Final = 2_000
RING_BYTES_MAX: Final = 1024 * 1024
SENT_MAX: Final = 64  # Frames that are written in one step.


class Ring:
    """The last updates of one client, by their numbers."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self.number = 0  # Of the last update.
        self._frames: deque[bytes] = deque()
        self.held_bytes = 0

    def add(self, told: Told) -> bytes:
        """Return the frame of the next update."""
        self.number += 1
        made = binary_frame(numbered_frame(self.epoch, self.number, told.kind, told.body))
        self._frames.append(made)
        self.held_bytes += len(made)
        while len(self._frames) > RING_ENTRIES_MAX or self.held_bytes > RING_BYTES_MAX:
            self.held_bytes -= len(self._frames.popleft())
        return made

    def since(self, epoch: str, number: int) -> list[bytes] | None:
        """Return the frames behind a number, or None if they are not all kept."""
        if epoch != self.epoch or number > self.number:
            return None
        missed = self.number - number
        if missed > len(self._frames):
            return None
        return list(self._frames)[len(self._frames) - missed :]

    def __len__(self) -> int:
        return len(self._frames)


class Audience:
    """The connections that listen to one client's orders."""

    __slots__ = ("_enveloped", "alone_since", "numbered", "plain", "positions", "ring")

    def __init__(self, *, enveloped: bool) -> None:
        self._enveloped = enveloped
        self.plain: dict[FeedConnection, None] = {}
        self.positions: dict[FeedConnection, None] = {}
        self.numbered: dict[FeedConnection, None] = {}
        self.ring: Ring | None = None  # From the first numbered reader on.
        self.alone_since = 0.0  # When the last numbered reader left; 0 while there is one.

    @property
    def listens(self) -> bool:
        """Whether updates are wanted, by somebody who is here or may come back."""
        return bool(self.plain or self.positions or self.ring is not None)

    def leave(self, reader: FeedConnection, now: float) -> None:
        """Forget a connection."""
        self.plain.pop(reader, None)
        self.positions.pop(reader, None)
        if reader in self.numbered:
            self.leave_numbered(reader, now)

    def leave_numbered(self, reader: FeedConnection, now: float) -> None:
        """Number updates for a connection no longer, but for some time still for its return."""
        del self.numbered[reader]
        if not self.numbered:
            self.alone_since = now

    def deliver(self, told: Iterable[Told]) -> Iterator[None]:
        """Tell everybody, some at each step."""
        for one in told:
            readers = self.positions if one.kind is Kind.POSITION else self.plain
            if readers:
                body = frame(MODE_OF_KIND[one.kind], one.body, enveloped=self._enveloped)
                yield from _send(readers, binary_frame(body))
            if self.ring is not None:
                yield from _send(self.numbered, self.ring.add(one))


def _send(readers: dict[FeedConnection, None], made: bytes) -> Iterator[None]:
    for number, reader in enumerate(list(readers), 1):
        if reader in readers:  # Who can't keep up is closed, and leaves.
            reader.update(made)
        if number % SENT_MAX == 0:
            yield
