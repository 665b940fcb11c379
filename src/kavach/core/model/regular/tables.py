"""
The life of a regular order: its states, and the tables that say what each event means in each.

A regular order is carried out by one order at the venue and protects nothing, so its life is
short: it is sent, it lives, it ends. An AMO (after-market order) is parked first, and sent when
the session opens. As with cover orders the state is derived from the facts; a cell names what
is established or refused, and ``MOVES`` every move that may ever be seen.

``NEVER`` is a cell that no order of reports can reach.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/wire/README.md, "Rows";
docs/spec/cover_order.md, "What the system owes".
"""

from enum import StrEnum, auto
from typing import Final

from kavach.core.model.cover.tables import EntryReport, Meaning, Reply
from kavach.core.model.orders.life import grid


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


class RegularAsk(StrEnum):
    """What a client asks of it."""

    R1_CANCEL = auto()
    R2_MODIFY = auto()


R = Reply
M = Meaning
# fmt: off
_USER: Final[dict[RegularState, tuple[Reply, ...]]] = {
    #            R1 cancel            R2 modify
    NEW:       ( R.DROP,              R.IN_FLIGHT ),
    PARKED:    ( R.DROP,              R.PLAN      ),
    SENT:      ( R.CANCEL,            R.IN_FLIGHT ),
    OPEN:      ( R.CANCEL,            R.AMEND     ),
    FILLED:    ( R.EXECUTED,          R.EXECUTED  ),
    CANCELLED: ( R.REPLAY_OR_CLOSED,  R.CLOSED    ),
    REJECTED:  ( R.REJECTED,          R.REJECTED  ),
    EXPIRED:   ( R.REPLAY_OR_CLOSED,  R.CLOSED    ),
}
_REPORT: Final[dict[RegularState, tuple[Meaning, ...]]] = {
    #            A1 ack    A2 reject  A3 fill   A4 closed  A5 not cancelled   A6 silence  A7 stranger
    NEW:       ( M.NEVER,  M.NEVER,   M.NEVER,  M.NEVER,   M.NEVER,           M.NEVER,    M.NEVER    ),
    PARKED:    ( M.NEVER,  M.NEVER,   M.NEVER,  M.NEVER,   M.NEVER,           M.NEVER,    M.NEVER    ),
    SENT:      ( M.NOTED,  M.NOTED,   M.NOTED,  M.NOTED,   M.CANCEL_FAILED,   M.DOUBTED,  M.ON_SIGHT ),
    OPEN:      ( M.NOTED,  M.NOTED,   M.NOTED,  M.NOTED,   M.CANCEL_FAILED,   M.DOUBTED,  M.ON_SIGHT ),
    FILLED:    ( M.NOTED,  M.NEVER,   M.REOPEN, M.NEVER,   M.NOTED,           M.NEVER,    M.ON_SIGHT ),
    CANCELLED: ( M.NOTED,  M.NEVER,   M.REOPEN, M.NEVER,   M.NOTED,           M.NEVER,    M.ON_SIGHT ),
    REJECTED:  ( M.NOTED,  M.NEVER,   M.REOPEN, M.NEVER,   M.NOTED,           M.NEVER,    M.ON_SIGHT ),
    EXPIRED:   ( M.NOTED,  M.NEVER,   M.REOPEN, M.NEVER,   M.NOTED,           M.NEVER,    M.ON_SIGHT ),
}
# fmt: on


class DayEvent(StrEnum):
    """Times of day and the kill switch."""

    O_OPEN = auto()
    T1_SQUARE_OFF = auto()
    T2_SESSION_END = auto()
    K_KILL = auto()


class DayAct(StrEnum):
    """What the system does at such a moment."""

    NOTHING = auto()
    RELEASE = auto()  # A parked order goes to the venue.
    CANCEL = auto()  # What has not traded goes.
    CANCEL_INTRADAY = (
        auto()
    )  # The same, if the product is MIS: it could not be squared off any more.
    AWAIT_END = auto()  # The venue expires what is left.
    DROP = auto()  # Nothing was sent yet: end it here.


D = DayAct
# fmt: off
_DAY: Final[dict[RegularState, tuple[DayAct, ...]]] = {
    #            opening      square-off         session end   kill
    NEW:       ( D.NOTHING,   D.CANCEL_INTRADAY, D.NOTHING,    D.DROP    ),
    PARKED:    ( D.RELEASE,   D.NOTHING,         D.NOTHING,    D.DROP    ),
    SENT:      ( D.NOTHING,   D.CANCEL_INTRADAY, D.AWAIT_END,  D.CANCEL  ),
    OPEN:      ( D.NOTHING,   D.CANCEL_INTRADAY, D.AWAIT_END,  D.CANCEL  ),
    FILLED:    ( D.NOTHING,   D.NOTHING,         D.NOTHING,    D.NOTHING ),
    CANCELLED: ( D.NOTHING,   D.NOTHING,         D.NOTHING,    D.NOTHING ),
    REJECTED:  ( D.NOTHING,   D.NOTHING,         D.NOTHING,    D.NOTHING ),
    EXPIRED:   ( D.NOTHING,   D.NOTHING,         D.NOTHING,    D.NOTHING ),
}
# fmt: on

USER: Final = grid(_USER, RegularState, RegularAsk)
REPORT: Final = grid(_REPORT, RegularState, EntryReport)
DAY: Final = grid(_DAY, RegularState, DayEvent)

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
