"""
One call of a method: how much time it has left, and what of it may have reached the server.

Both drivers run a plan inside a ``Call``. It holds one deadline, on the monotonic clock, over the
wait for a connection, connecting, sending, reading, pauses and the looks afterwards; and it decides
what an exception means for the caller, whatever it is and wherever it came from:

    what may have left       an error of the tree     another Exception      KeyboardInterrupt, ...
    nothing                  as it is                 BadArgument            as it is
    reads                    as it is                 UnreadableAnswer       as it is
    a change                 as it is                 OutcomeUnknown         carries OutcomeUnknown
    a change, accepted       OutcomeUnknown           OutcomeUnknown         carries OutcomeUnknown

Source: docs/decisions/0032-one-deadline-one-guard.md.
"""

import time
from typing import Final

from kavach.sdk.errors import Attempt, BadArgument, OutcomeUnknown, PocketError, UnreadableAnswer
from kavach.sdk.requests.plan import Pause, Request, Watch

LAST_LOOK_SECONDS: Final = 0.25  # What a look may take that begins when watching ends.
SHORTEST_SECONDS: Final = 0.01


class Call:
    """The time of one call, and how far it has come."""

    __slots__ = ("accepted", "attempt", "begun", "is_secret", "looks_until", "until")

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds  # Of requests.
        self.looks_until = self.until  # Of pauses.
        self.attempt: Attempt | None = None  # The change that may have left.
        self.accepted = False
        self.begun = False
        self.is_secret = False

    def seconds_left(self) -> float:
        """Return how long a request may still take; not positive when the time is over."""
        return self.until - time.monotonic()

    def watch(self, step: Watch) -> None:
        """Begin to look for the effect of a change."""
        now = time.monotonic()
        self.looks_until = now + step.seconds
        if step.attempt is not None:
            self.attempt, self.accepted = step.attempt, True
            self.until = self.looks_until + LAST_LOOK_SECONDS
        else:
            self.until = max(self.until, self.looks_until + LAST_LOOK_SECONDS)

    def seconds_of(self, pause: Pause) -> float | None:
        """Return how long to pause, ``None`` if the time is over."""
        left = self.looks_until - time.monotonic()
        if left < (pause.seconds if pause.must else SHORTEST_SECONDS):
            return None
        return min(pause.seconds, left)

    def leaves(self, request: Request) -> None:
        """Note that a byte of this request may leave from now on."""
        self.begun = True
        self.attempt = request.attempt or self.attempt

    def meaning(self, error: BaseException) -> BaseException:
        """Return what to raise for an exception that ended the call; itself if it says all."""
        if isinstance(error, PocketError):
            if not self.accepted or isinstance(error, OutcomeUnknown):
                return error
            assert self.attempt is not None, "what was accepted is an attempt"
            return self._because(
                error, OutcomeUnknown(f"accepted, and then: {error}", self.attempt)
            )
        if isinstance(error, Exception):
            why = type(error).__name__ if self.is_secret else f"{type(error).__name__}: {error}"
            if self.attempt is not None:
                return self._because(error, OutcomeUnknown(why, self.attempt))
            if self.begun:
                return self._because(error, UnreadableAnswer(f"an answer makes no sense: {why}"))
            return self._because(error, BadArgument(f"the call cannot be made: {why}"))
        if self.attempt is not None and error.__cause__ is None:
            unknown = OutcomeUnknown(f"ended by {type(error).__name__}", self.attempt)
            error.__cause__ = unknown
            error.add_note(str(unknown))
        return error

    def _because(self, error: Exception, told: PocketError) -> PocketError:
        if not self.is_secret:  # What failed to be read can be a login's answer.
            told.__cause__ = error
        return told
