"""
One client on the feed: what it says, what it wants, what it is sent.

Whatever is not understood is passed over, because clients differ and none expects an answer; who
says too much of it, or too much at all, is closed with a reason. Nothing that a client says is
answered but by what it has subscribed to.

Source: docs/wire/feeds.md, "Limits and closing"; docs/wire/feeds.md, "What a client says";
docs/wire/feeds.md, "Limits".
"""

from collections import deque
from enum import StrEnum
from typing import Final, Protocol

from kavach.api.feed.channel import TOO_SLOW, Backlog
from kavach.api.feed.socket import POLICY, FeedSocket
from kavach.api.feed.topics import OF_EXCHANGES, OF_INSTRUMENTS, Topic
from kavach.wire.feed.wishes import Action, NotUnderstood, Wish, read_wish

SUBSCRIPTIONS_MAX: Final = 5_000
MESSAGES_MAX: Final = 2_000  # In the time between two sweeps.
GARBAGE_MAX: Final = 100  # Over the life of a connection.
VALUES_MAX: Final = 32  # Instruments of a wish that are looked at in one step.


class Ended(StrEnum):
    """Why we closed a connection."""

    SLOW = "slow"  # Order updates could not be delivered.
    IDLE = "idle"
    FLOOD = "flood"  # Control frames, parts of messages or bytes beyond all measure.
    GARBAGE = "garbage"
    TOO_MANY_MESSAGES = "too_many_messages"
    TOO_MANY_SUBSCRIPTIONS = "too_many_subscriptions"
    TOKEN = "token"  # It is valid no longer.
    STOPPING = "stopping"


class Desk(Protocol):
    """Who carries out what a client wants."""

    def subscribe(self, reader: "FeedConnection", wish: Wish) -> None:
        """Begin to send something."""

    def unsubscribe(self, reader: "FeedConnection", wish: Wish) -> None:
        """Send something no longer."""

    def ended(self, reader: "FeedConnection", why: Ended) -> None:
        """Count a connection that we close."""

    def forget(self, reader: "FeedConnection") -> None:
        """Send nothing more to a connection that has ended."""


class FeedConnection:
    """A client that was let in."""

    __slots__ = (
        "_desk",
        "_garbage",
        "_messages",
        "_socket",
        "_todo",
        "backlog",
        "client_id",
        "closed",
        "token_digest",
        "topics",
        "waits_for_snapshot",
    )

    def __init__(self, desk: Desk, socket: FeedSocket, client_id: str, token_digest: str) -> None:
        self._desk = desk
        self._socket = socket
        self.backlog = Backlog(socket)
        self.client_id = client_id
        self.token_digest = token_digest
        self.topics: dict[Topic, None] = {}
        self.waits_for_snapshot = False
        self.closed = False
        self._messages = 0  # Since the last sweep.
        self._garbage = 0
        self._todo: deque[Wish] | None = None  # What was heard and is not done yet, in order.

    # --- What is sent ---------------------------------------------------------------------------

    def update(self, frame: bytes, *, bulk: bool = False) -> None:
        """Send an update, or close if the client does not fetch them."""
        if not self.closed and not self.backlog.update(frame, bulk=bulk):
            reason = "too slow: order updates could not be delivered, connect again"
            self.close(TOO_SLOW, reason, Ended.SLOW)

    def show(self, topic: Topic) -> None:
        """Send a topic's newest packet."""
        if not self.closed:
            self.backlog.show(topic)

    def close(self, code: int, reason: str, why: Ended) -> None:
        """End the connection, and tell why."""
        if not self.closed:
            self.closed = True
            self._desk.ended(self, why)
            self._desk.forget(self)
            self._socket.close(code, reason)

    def sweep(self, now: float, ping_after: float, idle_after: float) -> None:
        """Look whether the client is still there, and let it speak again."""
        self._messages = 0
        silent = now - self._socket.heard_at
        if silent > idle_after:
            self.close(POLICY, "nothing was heard for too long", Ended.IDLE)
        elif silent > ping_after:
            self._socket.ping()

    # --- What the socket says -------------------------------------------------------------------

    def heard(self, message: bytes) -> None:
        """Do what a client wants."""
        if self.closed:
            return
        self._messages += 1
        if self._messages > MESSAGES_MAX:
            self.close(POLICY, "too many messages", Ended.TOO_MANY_MESSAGES)
            return
        try:
            wish = read_wish(message)
        except NotUnderstood as error:
            self._garbage += 1
            if self._garbage > GARBAGE_MAX:
                self.close(POLICY, f"too much that is not understood: {error}", Ended.GARBAGE)
            return
        if wish is None or wish.mode is None:
            return
        is_list = wish.mode in OF_INSTRUMENTS or wish.mode in OF_EXCHANGES
        parts = wish.parts(VALUES_MAX) if is_list else [wish]
        if self._todo is None:
            self._carry_out(parts.pop(0))
            self._todo = deque(parts) if parts else None
        else:
            self._todo.extend(parts)

    @property
    def busy(self) -> bool:
        """Whether a part of what the client wants is still to be carried out."""
        return self._todo is not None

    def work(self) -> None:
        """Carry out the next part of what the client wants."""
        assert self._todo is not None, "nothing is left to do"
        self._carry_out(self._todo.popleft())
        if not self._todo:
            self._todo = None

    def _carry_out(self, wish: Wish) -> None:
        if self.closed:
            return
        if wish.action is Action.SUBSCRIBE:
            self._desk.subscribe(self, wish)
        elif wish.action is Action.UNSUBSCRIBE:
            self._desk.unsubscribe(self, wish)

    def flooded(self, reason: str) -> None:
        """Close: the client has sent more than a connection may cost."""
        self.close(POLICY, reason, Ended.FLOOD)

    def left(self) -> None:
        """Be forgotten: the connection has ended."""
        if not self.closed:
            self.closed = True
            self._desk.forget(self)

    def hold_back(self) -> None:
        """Keep what is to be sent: the client does not read."""
        self.backlog.hold_back()

    def go_on(self) -> None:
        """Send what has waited."""
        if not self.closed:
            self.backlog.go_on()
