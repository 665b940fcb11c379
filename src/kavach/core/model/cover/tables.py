"""
The life of a cover order: its states, and every move from state to state that may ever be seen.

The state is *derived* from the facts of the order (``CoverOrder.state``), so it cannot disagree
with them; a move that is not in ``MOVES`` stops the program. What a request, a report or the clock
does in each state stands in ``core.rules.cover.tables``.

Source: docs/spec/cover_order.md, "States".
"""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a cover order stands."""

    NEW = "NEW"  # Persisted, nothing sent.
    ENTRY_SENT = "ENTRY_SENT"  # Sent, not acknowledged.
    ENTRY_OPEN = "ENTRY_OPEN"  # Live, nothing filled.
    COVERING = "COVERING"  # Filled in part or whole, the stop is being placed or grown.
    COVERED_OPEN = "COVERED_OPEN"  # Filled in part, protected, the entry still live.
    COVERED = "COVERED"  # The entry is over, all that filled is protected.
    TRIGGERED = "TRIGGERED"  # The stop has fired and is working.
    EXITING = "EXITING"  # The system is flattening.
    UNPROTECTED = "UNPROTECTED"  # The stop was refused or lost; the ladder is running.
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    EXITED = "EXITED"
    CARRIED = "CARRIED"  # A position was left at the end of the session.


NEW, ENTRY_SENT, ENTRY_OPEN, COVERING, COVERED_OPEN, COVERED, TRIGGERED, EXITING, UNPROTECTED = (
    list(State)[:9]
)
REJECTED, CANCELLED, EXPIRED, EXITED, CARRIED = list(State)[9:]

TERMINAL: Final = frozenset({REJECTED, CANCELLED, EXPIRED, EXITED, CARRIED})

_WORKING = {COVERING, COVERED_OPEN, COVERED, TRIGGERED, EXITING, UNPROTECTED}
MOVES: Final[dict[State, frozenset[State]]] = {
    NEW: frozenset({ENTRY_SENT, CANCELLED, EXPIRED, REJECTED}),
    ENTRY_SENT: frozenset({ENTRY_OPEN, COVERING, EXITING, REJECTED, CANCELLED, EXPIRED, CARRIED}),
    ENTRY_OPEN: frozenset({COVERING, EXITING, REJECTED, CANCELLED, EXPIRED, CARRIED}),
    COVERING: frozenset((_WORKING - {COVERING}) | {EXITED, CARRIED}),
    COVERED_OPEN: frozenset((_WORKING - {COVERED_OPEN}) | {EXITED, CARRIED}),
    COVERED: frozenset({COVERING, COVERED_OPEN, TRIGGERED, EXITING, UNPROTECTED, EXITED, CARRIED}),
    TRIGGERED: frozenset({EXITING, EXITED, CARRIED}),
    EXITING: frozenset({EXITED, CARRIED}),
    UNPROTECTED: frozenset((_WORKING - {UNPROTECTED}) | {EXITED, CARRIED}),
    # A fill that comes after the end opens the order again (race 18).
    REJECTED: frozenset({ENTRY_OPEN, COVERING, EXITING, CARRIED}),
    CANCELLED: frozenset({ENTRY_OPEN, COVERING, EXITING, CARRIED}),
    EXPIRED: frozenset({ENTRY_OPEN, COVERING, EXITING, CARRIED}),
    EXITED: frozenset({COVERING, TRIGGERED, EXITING, CARRIED}),
    CARRIED: frozenset({COVERING, TRIGGERED, EXITING}),
}
