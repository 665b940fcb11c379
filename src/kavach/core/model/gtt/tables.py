"""
The life of a GTT rule, as one grid.

A rule waits (ACTIVE) for the last price to reach one of its triggers, and then places one order,
once in its life. MODIFY and CANCEL are what a client asks; REACHED is the price, REFUSED that the
order was refused, by the rules or for want of margin, DAY_OVER the end of its last day.

A cell holds the state that follows, or why there is none: ``OVER`` and ``AGAIN`` are answers to
a client (refused, because it is no longer active; it is so already), ``NEVER`` is what cannot
happen: a rule that no longer waits is not watched, so a second trigger would stop the program.

``docs/spec/gtt.md`` is printed from this file.

Source: docs/wire/gtt.md.
"""

from enum import StrEnum, auto
from typing import Final

from kavach.core.model.orders.life import Illegal, grid


class GttState(StrEnum):
    """Where a rule stands."""

    ACTIVE = "ACTIVE"  # It waits for its price.
    TRIGGERED = "TRIGGERED"  # Its price was reached and its order placed.
    CANCELLED = "CANCELLED"  # By its client.
    EXPIRED = "EXPIRED"  # Its last day is over.
    REJECTED = "REJECTED"  # Its price was reached, and the order refused.


class GttEvent(StrEnum):
    """What can happen to it."""

    MODIFY = auto()
    CANCEL = auto()
    REACHED = auto()
    REFUSED = auto()
    DAY_OVER = auto()


class Deny(StrEnum):
    """What a client is answered where nothing changes."""

    OVER = auto()  # Refused: the rule is no longer active.
    AGAIN = auto()  # It is so already: answered as the first time.


Cell = GttState | Deny | Illegal

ACTIVE, TRIGGERED, CANCELLED, EXPIRED, REJECTED = GttState
OVER, AGAIN = Deny
NEVER: Final = Illegal.NEVER

# fmt: off
_GTT: Final[dict[GttState, tuple[Cell, ...]]] = {
    #            modify     cancel     reached     refused     day over
    ACTIVE:    ( ACTIVE,    CANCELLED, TRIGGERED,  NEVER,      EXPIRED ),
    TRIGGERED: ( OVER,      OVER,      NEVER,      REJECTED,   NEVER   ),
    CANCELLED: ( OVER,      AGAIN,     NEVER,      NEVER,      NEVER   ),
    EXPIRED:   ( OVER,      OVER,      NEVER,      NEVER,      NEVER   ),
    REJECTED:  ( OVER,      OVER,      NEVER,      NEVER,      NEVER   ),
}
# fmt: on

GTT: Final = grid(_GTT, GttState, GttEvent)
