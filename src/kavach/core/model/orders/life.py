"""
The life of one order at a venue, as two small machines.

Everything that moves a venue order is in this file. ``LIFE`` says where the order stands;
``REQUEST`` says whether a change or a cancel of ours is still unanswered. They are two,
because a request in flight does not change where the order stands: a refused cancel has
nothing to restore (F-19), and an order whose cancel is pending is alive everywhere (F-18).

Cells without a state are ``LATE`` (the venue was faster than the wire, or says a thing twice:
book any trade, do not move) or ``NEVER`` (the journal or the venue adapter is wrong: stop).

Source: docs/spec/order_life.md.
"""

from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum, auto
from typing import Final, TypeVar


class Life(StrEnum):
    """Where an order stands at the venue."""

    SENT = auto()  # On its way: the venue has not answered.
    WAITING = auto()  # A stop order waiting for its trigger price.
    WORKING = auto()  # In the book.
    FILLED = auto()
    CANCELLED = auto()
    REJECTED = auto()
    EXPIRED = auto()


class LifeEvent(StrEnum):
    """What can happen to it."""

    PARKED = auto()  # Accepted or amended as a stop that waits.
    OPENED = auto()  # Accepted or amended as an order that works.
    TRIGGERED = auto()
    TRADED = auto()
    COMPLETED = auto()  # Traded, and nothing is left.
    CANCELLED = auto()
    REJECTED = auto()
    EXPIRED = auto()


class InFlight(StrEnum):
    """Which request of ours the venue has not answered yet."""

    NONE = auto()
    AMEND = auto()
    CANCEL = auto()


class InFlightEvent(StrEnum):
    """What can happen to a request."""

    AMEND_SENT = auto()
    CANCEL_SENT = auto()
    ANSWERED = auto()  # Done or refused.
    CLOSED = auto()  # The order is gone, and the request with it.


class Illegal(Enum):
    """Why a cell holds no state."""

    LATE = auto()
    NEVER = auto()


SENT, WAITING, WORKING, FILLED, CANCELLED, REJECTED, EXPIRED = Life
NONE, AMEND, CANCEL = InFlight
LATE, NEVER = Illegal

# fmt: off
_LIFE: Final[dict[Life, tuple[Life | Illegal, ...]]] = {
    #            PARKED   OPENED   TRIGGERED  TRADED   COMPLETED  CANCELLED  REJECTED  EXPIRED
    SENT:      ( WAITING, WORKING, WORKING,   WORKING, FILLED,    CANCELLED, REJECTED, EXPIRED ),
    WAITING:   ( WAITING, WORKING, WORKING,   WORKING, FILLED,    CANCELLED, REJECTED, EXPIRED ),
    WORKING:   ( LATE,    WORKING, LATE,      WORKING, FILLED,    CANCELLED, REJECTED, EXPIRED ),
    FILLED:    ( LATE,    LATE,    LATE,      NEVER,   NEVER,     LATE,      NEVER,    LATE    ),
    CANCELLED: ( LATE,    LATE,    LATE,      LATE,    LATE,      LATE,      NEVER,    LATE    ),
    REJECTED:  ( LATE,    LATE,    LATE,      LATE,    LATE,      LATE,      LATE,     LATE    ),
    EXPIRED:   ( LATE,    LATE,    LATE,      LATE,    LATE,      LATE,      NEVER,    LATE    ),
}
_REQUEST: Final[dict[InFlight, tuple[InFlight | Illegal, ...]]] = {
    #            AMEND_SENT  CANCEL_SENT  ANSWERED  CLOSED
    NONE:      ( AMEND,      CANCEL,      LATE,     NONE ),
    AMEND:     ( NEVER,      NEVER,       NONE,     NONE ),
    CANCEL:    ( NEVER,      NEVER,       NONE,     NONE ),
}
# fmt: on

CLOSED: Final = frozenset({FILLED, CANCELLED, REJECTED, EXPIRED})

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)
C = TypeVar("C")


def grid(
    rows: Mapping[S, tuple[C, ...]], states: type[S], events: Iterable[E]
) -> dict[S, dict[E, C]]:
    """Return the grid by state and event, having checked that it has no holes."""
    assert list(rows) == list(states), "a row is missing or out of order"
    columns = tuple(events)
    assert all(len(row) == len(columns) for row in rows.values()), "a row has a hole"
    return {state: dict(zip(columns, row, strict=True)) for state, row in rows.items()}


LIFE: Final = grid(_LIFE, Life, LifeEvent)
REQUEST: Final = grid(_REQUEST, InFlight, InFlightEvent)
