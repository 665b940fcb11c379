"""
Watching for the effect of a change that was accepted: look, wait a little, look again.

A look that fails is reported, not raised: the change that is being watched was accepted, and a
failed read must not make it look as if it had not been.

Source: wire 2.4 (an accepted request is not yet its effect).
"""

from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

import msgspec

from kavach.sdk.errors import RequestRefused, TransportError
from kavach.sdk.plan import Pause, Plan

SHORTEST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 0.5

X = TypeVar("X")


class Sighting(msgspec.Struct, Generic[X], frozen=True):
    """How a thing looked when watching it ended."""

    order: X | None  # ``None``: never seen.
    is_settled: bool
    trouble: TransportError | RequestRefused | None = None  # Why the last look failed, if it did.


def watch_for(
    look: Callable[[], Plan[X | None]], is_settled: Callable[[X], bool], seconds: float
) -> Plan[Sighting[X]]:
    """Return how a thing looks once it is as hoped, or when the time is over."""
    seen: X | None = None
    trouble: TransportError | RequestRefused | None = None
    for pause in (0.0, *pauses(seconds)):
        if pause:
            yield Pause(pause)
        try:
            found = yield from look()
        except (TransportError, RequestRefused) as error:
            trouble = error
            continue
        trouble = None
        seen = seen if found is None else found
        if found is not None and is_settled(found):
            return Sighting(found, True)
    return Sighting(seen, False, trouble)


def pauses(seconds: float) -> Iterator[float]:
    """Yield pauses that add up to ``seconds``, each twice the last up to half a second."""
    pause = SHORTEST_PAUSE
    while seconds > 0:
        yield min(pause, seconds)
        seconds -= pause
        pause = min(2 * pause, LONGEST_PAUSE)
