"""
The life of a regular order: its states, and every move from state to state that may ever be seen.

A regular order is carried out by one order at the venue and protects nothing, so its life is
short: it is sent, it lives, it ends. An AMO (after-market order) is parked first, and sent when
the session opens. The state is derived from the facts, as that of a cover order.

Source: docs/spec/regular_order.md.
"""

from enum import StrEnum
from typing import Final


class RegularState(StrEnum):
    """Where a regular order stands."""

    NEW = "NEW"  # Persisted, nothing sent: for now, or until the budget has room.
    PARKED = "PARKED"  # An AMO that waits for the session.
    SENT = "SENT"  # Sent, not acknowledged.
    OPEN = "OPEN"  # Live at the venue, in part filled or not.
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


NEW, PARKED, SENT, OPEN, FILLED, CANCELLED, REJECTED, EXPIRED = RegularState
TERMINAL: Final = frozenset({FILLED, CANCELLED, REJECTED, EXPIRED})

MOVES: Final[dict[RegularState, frozenset[RegularState]]] = {
    NEW: frozenset({PARKED, SENT, REJECTED, CANCELLED}),
    PARKED: frozenset({NEW, SENT, REJECTED, CANCELLED}),
    SENT: frozenset({OPEN, FILLED, CANCELLED, REJECTED, EXPIRED}),
    OPEN: frozenset({FILLED, CANCELLED, REJECTED, EXPIRED}),
    # A fill, or an order that the venue had denied, opens it again until all is known.
    FILLED: frozenset({OPEN}),
    CANCELLED: frozenset({OPEN, FILLED}),
    REJECTED: frozenset({OPEN, FILLED, CANCELLED}),
    EXPIRED: frozenset({OPEN, FILLED, CANCELLED}),
}
