"""
Watching for the effect of a change: look, wait a little, look again.

A look that fails is reported, not raised: the change that is being watched was accepted, and a
failed read must not make it look as if it had not been. A server that says when it wants to be
asked again is asked then and not before.

Source: docs/client.md, "What cancel tells you" (an accepted request is not yet its effect).
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from kavach.sdk.errors import Attempt, RateLimited, RequestRefused, TransportError
from kavach.sdk.requests.plan import Pause, Plan, Watch

SHORTEST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 0.5

X = TypeVar("X")


class Sighting(msgspec.Struct, Generic[X], frozen=True):
    """How a thing looked when watching it ended."""

    seen: X | None  # ``None``: never seen.
    is_settled: bool
    trouble: TransportError | RequestRefused | None = None  # Why the last look failed, if it did.


def watch_for(
    look: Callable[[], Plan[X | None]],
    is_settled: Callable[[X], bool],
    seconds: float,
    accepted: Attempt | None = None,
) -> Plan[Sighting[X]]:
    """
    Return how a thing looks once it is as hoped, or when the time is over.

    ``accepted`` is the change whose effect this is, ``None`` when it is not known to be accepted.
    """
    seen: X | None = None
    pause = SHORTEST_PAUSE
    yield Watch(seconds, accepted)
    while True:
        trouble: TransportError | RequestRefused | None = None
        told_to_wait = 0.0
        try:
            found = yield from look()
        except RateLimited as error:
            trouble, told_to_wait = error, error.retry_after or 0.0
        except (TransportError, RequestRefused) as error:
            trouble = error
        else:
            seen = seen if found is None else found
            if found is not None and is_settled(found):
                return Sighting(found, True)
        longer = told_to_wait > pause
        if not (yield Pause(told_to_wait if longer else pause, must=longer)):
            return Sighting(seen, False, trouble)
        pause = min(2 * pause, LONGEST_PAUSE)


def look_once(look: Callable[[], Plan[X | None]]) -> Plan[X | None]:
    """
    Return what one look shows, ``None`` if it fails.

    For a change that was refused: a book that cannot be read must not hide the refusal.
    """
    try:
        found = yield from look()
    except (TransportError, RequestRefused):
        return None
    return found
