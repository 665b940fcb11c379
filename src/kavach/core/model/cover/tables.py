"""
The life of a cover order: its states, and the tables that say what each event means in each.

This file is the specification; ``docs/spec/cover_order.md`` is printed from it and a test walks
every cell. Four grids, one a kind of event:

A. ``USER``: what a client asks. C1 cancels the entry, C2 gets out, C3 changes the entry, C4
   the stop.
B. ``ENTRY_REPORT`` and C. ``EXIT_REPORT``: what the venue says of an order of ours.
D. ``CLOCK``: times of day, the kill switch and the link.

A cell never names the next state. The state is *derived* from the facts of the order
(``CoverOrder.state``), so it cannot disagree with them; a cell names what is established or
refused, and ``DUTY`` what the system owes an order in the state it is then in. ``MOVES`` lists
every move from state to state that may ever be seen; anything else stops the program.

A report that says nothing new is dropped before the tables are asked (``core.rules.orders.deduplication``), so a
cell speaks of news only. ``NEVER`` is a cell that no order of reports can reach.

Source: docs/spec/cover_order.md, "States"; docs/spec/cover_order.md, "What the system owes".
"""

from enum import StrEnum, auto
from typing import Final

from kavach.core.model.orders.life import grid


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


class Ask(StrEnum):
    """What a client asks (Table A)."""

    C1_CANCEL_ENTRY = auto()
    C2_EXIT = auto()
    C3_MODIFY_ENTRY = auto()
    C4_MODIFY_STOP = auto()


class Reply(StrEnum):
    """What a client's request does, or why it is refused."""

    DROP = auto()  # Nothing was sent yet: end it here.
    CANCEL = auto()  # Cancel what has not traded; the stop is not touched.
    EXIT = auto()  # Cancel what has not traded, then flatten.
    AMEND = auto()  # Change the live entry.
    PLAN = auto()  # Change what the stop shall be; it follows when it can.
    REPLAY = auto()  # It is already so: answer as the first time.
    EXECUTED = auto()  # Refused: the entry is done, use THIRD.
    IN_FLIGHT = auto()  # Refused: the venue has not answered yet.
    FIRED = auto()  # Refused: the stop has fired.
    EXITING = auto()  # Refused: the exit is under way.
    CLOSED = auto()  # Refused: cancelled or expired.
    EXITED = auto()  # Refused: the position is closed.
    REJECTED = auto()  # Refused: it never lived.
    CARRIED = auto()  # Refused: the session is over.
    RESUME = auto()  # Flatten a carried position in the next session.
    REPLAY_OR_CLOSED = auto()  # Replay if the client itself cancelled it, else CLOSED.
    REPLAY_OR_EXITED = auto()  # Replay if an exit was ever accepted, else EXITED.
    REPLAY_OR_EXECUTED = auto()  # Replay if the exit cancelled a remainder, else EXECUTED.


R = Reply
# fmt: off
_USER: Final[dict[State, tuple[Reply, ...]]] = {
    #               C1 cancel ENTRY        C2 exit THIRD        C3 modify entry  C4 modify stop
    NEW:          ( R.DROP,                R.DROP,              R.PLAN,          R.PLAN    ),
    ENTRY_SENT:   ( R.CANCEL,              R.EXIT,              R.IN_FLIGHT,     R.PLAN    ),
    ENTRY_OPEN:   ( R.CANCEL,              R.EXIT,              R.AMEND,         R.PLAN    ),
    COVERING:     ( R.CANCEL,              R.EXIT,              R.AMEND,         R.PLAN    ),
    COVERED_OPEN: ( R.CANCEL,              R.EXIT,              R.AMEND,         R.PLAN    ),
    COVERED:      ( R.EXECUTED,            R.EXIT,              R.EXECUTED,      R.PLAN    ),
    TRIGGERED:    ( R.REPLAY_OR_EXECUTED,  R.EXIT,              R.FIRED,         R.FIRED   ),
    EXITING:      ( R.REPLAY_OR_EXECUTED,  R.REPLAY,            R.EXITING,       R.EXITING ),
    UNPROTECTED:  ( R.CANCEL,              R.EXIT,              R.AMEND,         R.PLAN    ),
    REJECTED:     ( R.REJECTED,            R.REJECTED,          R.REJECTED,      R.REJECTED),
    CANCELLED:    ( R.REPLAY_OR_CLOSED,    R.REPLAY_OR_CLOSED,  R.CLOSED,        R.CLOSED  ),
    EXPIRED:      ( R.REPLAY_OR_CLOSED,    R.REPLAY_OR_CLOSED,  R.CLOSED,        R.CLOSED  ),
    EXITED:       ( R.EXECUTED,            R.REPLAY_OR_EXITED,  R.EXITED,        R.EXITED  ),
    CARRIED:      ( R.CARRIED,             R.RESUME,            R.CARRIED,       R.CARRIED ),
}
# fmt: on


class EntryReport(StrEnum):
    """What a venue says of an entry order (Table B)."""

    A1_ACK = auto()
    A2_REJECT = auto()
    A3_FILL = auto()
    A4_CLOSED = auto()
    A5_CANCEL_REFUSED = auto()
    A6_SILENCE = auto()
    A7_STRANGER = auto()


class ExitReport(StrEnum):
    """What a venue says of a stop or an exit (Table C)."""

    B1_ACK = auto()
    B2_REJECT = auto()
    B3_TRIGGERED = auto()
    B4_FILL = auto()
    B5_CLOSED = auto()
    B6_AMENDED = auto()
    B7_AMEND_REFUSED = auto()
    B8_SILENCE = auto()


class Meaning(StrEnum):
    """What a report establishes, beyond the quantities it carries."""

    NOTED = auto()  # Nothing more: the duty of the state follows from the quantities.
    LATE_FILL = auto()  # A fill after the entry was over: tell somebody, cover it.
    REOPEN = auto()  # A fill after the end: live again, tell somebody.
    CANCEL_FAILED = auto()  # The client's cancel did not happen; the order is as it was.
    STOP_LOST = auto()  # A protective order is gone: the ladder.
    KEEP_OLD = auto()  # The change is not made: what the stop shall be is what it is.
    TARGET_LOST = auto()  # A target is gone: tell somebody, and leave it so.
    KEEP_TARGET = auto()  # The change is not made: the target shall stand where it does.
    DOUBTED = auto()  # No answer: counted at its most, and the venue is asked until it says.
    ON_SIGHT = auto()  # An order the venue had denied: it is cancelled, and its fills covered.
    NEVER = auto()  # The journal or the venue adapter is wrong: stop.


M = Meaning
# fmt: off
_ENTRY_REPORT: Final[dict[State, tuple[Meaning, ...]]] = {
    #               A1 ack    A2 reject  A3 fill      A4 closed  A5 not cancelled  A6 silence A7 stranger
    NEW:          ( M.NEVER,   M.NEVER,   M.NEVER,       M.NEVER,   M.NEVER,           M.NEVER,     M.NEVER ),
    ENTRY_SENT:   ( M.NOTED,   M.NOTED,   M.NOTED,       M.NOTED,   M.CANCEL_FAILED,   M.DOUBTED,   M.ON_SIGHT ),
    ENTRY_OPEN:   ( M.NOTED,   M.NOTED,   M.NOTED,       M.NOTED,   M.CANCEL_FAILED,   M.DOUBTED,   M.ON_SIGHT ),
    COVERING:     ( M.NOTED,   M.NOTED,   M.NOTED,       M.NOTED,   M.CANCEL_FAILED,   M.DOUBTED,   M.ON_SIGHT ),
    COVERED_OPEN: ( M.NOTED,   M.NOTED,   M.NOTED,       M.NOTED,   M.CANCEL_FAILED,   M.DOUBTED,   M.ON_SIGHT ),
    COVERED:      ( M.NOTED,   M.NEVER,   M.LATE_FILL,   M.NEVER,   M.NOTED,           M.NEVER,     M.ON_SIGHT ),
    TRIGGERED:    ( M.NOTED,   M.NOTED,   M.NOTED,       M.NOTED,   M.NOTED,           M.DOUBTED,   M.ON_SIGHT ),
    EXITING:      ( M.NOTED,   M.NOTED,   M.NOTED,       M.NOTED,   M.NOTED,           M.DOUBTED,   M.ON_SIGHT ),
    UNPROTECTED:  ( M.NOTED,   M.NOTED,   M.NOTED,       M.NOTED,   M.CANCEL_FAILED,   M.DOUBTED,   M.ON_SIGHT ),
    REJECTED:     ( M.NOTED,   M.NEVER,   M.REOPEN,      M.NEVER,   M.NOTED,           M.NEVER,     M.ON_SIGHT ),
    CANCELLED:    ( M.NOTED,   M.NEVER,   M.REOPEN,      M.NEVER,   M.NOTED,           M.NEVER,     M.ON_SIGHT ),
    EXPIRED:      ( M.NOTED,   M.NEVER,   M.REOPEN,      M.NEVER,   M.NOTED,           M.NEVER,     M.ON_SIGHT ),
    EXITED:       ( M.NOTED,   M.NEVER,   M.REOPEN,      M.NEVER,   M.NOTED,           M.NEVER,     M.ON_SIGHT ),
    CARRIED:      ( M.NOTED,   M.NEVER,   M.REOPEN,      M.NEVER,   M.NOTED,           M.NEVER,     M.ON_SIGHT ),
}
_EXIT_REPORT: Final[dict[State, tuple[Meaning, ...]]] = {
    #               B1 ack    B2 reject     B3 triggered  B4 fill   B5 closed     B6 amended  B7 refused   B8 silence
    NEW:          ( M.NEVER,  M.NEVER,      M.NEVER,      M.NEVER,  M.NEVER,      M.NEVER,    M.NEVER,     M.NEVER   ),
    ENTRY_SENT:   ( M.NEVER,  M.NEVER,      M.NEVER,      M.NEVER,  M.NEVER,      M.NEVER,    M.NEVER,     M.NEVER   ),
    ENTRY_OPEN:   ( M.NEVER,  M.NEVER,      M.NEVER,      M.NEVER,  M.NEVER,      M.NEVER,    M.NEVER,     M.NEVER   ),
    COVERING:     ( M.NOTED,  M.STOP_LOST,  M.NOTED,      M.NOTED,  M.STOP_LOST,  M.NOTED,    M.KEEP_OLD,  M.DOUBTED ),
    COVERED_OPEN: ( M.NOTED,  M.STOP_LOST,  M.NOTED,      M.NOTED,  M.STOP_LOST,  M.NOTED,    M.KEEP_OLD,  M.DOUBTED ),
    COVERED:      ( M.NOTED,  M.STOP_LOST,  M.NOTED,      M.NOTED,  M.STOP_LOST,  M.NOTED,    M.KEEP_OLD,  M.DOUBTED ),
    TRIGGERED:    ( M.NOTED,  M.STOP_LOST,  M.NOTED,      M.NOTED,  M.STOP_LOST,  M.NOTED,    M.KEEP_OLD,  M.DOUBTED ),
    EXITING:      ( M.NOTED,  M.NOTED,      M.NOTED,      M.NOTED,  M.NOTED,      M.NOTED,    M.NOTED,     M.DOUBTED ),
    UNPROTECTED:  ( M.NOTED,  M.STOP_LOST,  M.NOTED,      M.NOTED,  M.STOP_LOST,  M.NOTED,    M.KEEP_OLD,  M.DOUBTED ),
    REJECTED:     ( M.NEVER,  M.NEVER,      M.NEVER,      M.NEVER,  M.NEVER,      M.NEVER,    M.NEVER,     M.NEVER   ),
    CANCELLED:    ( M.NEVER,  M.NEVER,      M.NEVER,      M.NEVER,  M.NEVER,      M.NEVER,    M.NEVER,     M.NEVER   ),
    EXPIRED:      ( M.NEVER,  M.NEVER,      M.NEVER,      M.NEVER,  M.NEVER,      M.NEVER,    M.NEVER,     M.NEVER   ),
    EXITED:       ( M.NOTED,  M.NEVER,      M.NEVER,      M.NOTED,  M.NEVER,      M.NEVER,    M.NOTED,     M.NEVER   ),
    CARRIED:      ( M.NOTED,  M.NEVER,      M.NEVER,      M.NOTED,  M.NEVER,      M.NEVER,    M.NOTED,     M.NEVER   ),
}
# fmt: on


class ClockEvent(StrEnum):
    """Times of day, the kill switch, the link to the venue (Table D)."""

    T1_SQUARE_OFF = auto()
    T2_SESSION_END = auto()
    T3_PRICE = auto()
    K_KILL = auto()
    D_LINK_LOST = auto()
    S_SNAPSHOT = auto()
    O_OPENING = auto()


class Act(StrEnum):
    """What the system does at such a moment."""

    NOTHING = auto()
    DROP = auto()
    EXIT = auto()  # Cancel what has not traded, flatten what has.
    CANCEL = auto()  # Cancel what has not traded, keep the stop.
    HARDER = auto()  # Re-price the working exit, stepping towards the band.
    AWAIT_END = auto()  # The venue expires what is left; then EXPIRED or CARRIED.
    TRAIL = auto()  # Move the stop after the price, never back.
    TRACK = auto()  # Move what the stop shall be; it follows when it can.
    WATCH = auto()  # The stop is not at the venue: act on the price ourselves.
    DOUBT = auto()  # Every request in flight is unknown; nothing is sent.
    COMPARE = auto()  # What the venue knows is heard first, then what is owed is paid.
    RESUME = auto()  # Live on: an intraday position leaves, any other is protected again.


D = Act
# fmt: off
_CLOCK: Final[dict[State, tuple[Act, ...]]] = {
    #               T1 square-off  T2 session end  T3 price   K kill      D link lost  S snapshot   O opening
    NEW:          ( D.DROP,        D.DROP,         D.NOTHING,  D.DROP,      D.DOUBT,     D.NOTHING,   D.NOTHING ),
    ENTRY_SENT:   ( D.EXIT,        D.AWAIT_END,    D.NOTHING,  D.EXIT,      D.DOUBT,     D.COMPARE,   D.NOTHING ),
    ENTRY_OPEN:   ( D.EXIT,        D.AWAIT_END,    D.NOTHING,  D.EXIT,      D.DOUBT,     D.COMPARE,   D.NOTHING ),
    COVERING:     ( D.EXIT,        D.AWAIT_END,    D.TRACK,    D.CANCEL,    D.DOUBT,     D.COMPARE,   D.NOTHING ),
    COVERED_OPEN: ( D.EXIT,        D.AWAIT_END,    D.TRAIL,    D.CANCEL,    D.DOUBT,     D.COMPARE,   D.NOTHING ),
    COVERED:      ( D.EXIT,        D.AWAIT_END,    D.TRAIL,    D.NOTHING,   D.DOUBT,     D.COMPARE,   D.NOTHING ),
    TRIGGERED:    ( D.HARDER,      D.AWAIT_END,    D.NOTHING,  D.NOTHING,   D.DOUBT,     D.COMPARE,   D.NOTHING ),
    EXITING:      ( D.HARDER,      D.AWAIT_END,    D.NOTHING,  D.NOTHING,   D.DOUBT,     D.COMPARE,   D.NOTHING ),
    UNPROTECTED:  ( D.EXIT,        D.AWAIT_END,    D.WATCH,    D.EXIT,      D.DOUBT,     D.COMPARE,   D.NOTHING ),
    REJECTED:     ( D.NOTHING,     D.NOTHING,      D.NOTHING,  D.NOTHING,   D.NOTHING,   D.NOTHING,   D.NOTHING ),
    CANCELLED:    ( D.NOTHING,     D.NOTHING,      D.NOTHING,  D.NOTHING,   D.NOTHING,   D.NOTHING,   D.NOTHING ),
    EXPIRED:      ( D.NOTHING,     D.NOTHING,      D.NOTHING,  D.NOTHING,   D.NOTHING,   D.NOTHING,   D.NOTHING ),
    EXITED:       ( D.NOTHING,     D.NOTHING,      D.NOTHING,  D.NOTHING,   D.NOTHING,   D.NOTHING,   D.NOTHING ),
    CARRIED:      ( D.NOTHING,     D.NOTHING,      D.NOTHING,  D.NOTHING,   D.NOTHING,   D.NOTHING,   D.RESUME  ),
}
# fmt: on


class Duty(StrEnum):
    """What the system owes an order in a state, whatever brought it there."""

    SUBMIT = auto()  # Send the entry.
    NOTHING = auto()  # The venue works.
    COVER = auto()  # Place or grow the stop until nothing that filled is open.
    KEEP = auto()  # Keep the stop where it shall be.
    CLEAR = auto()  # Nothing more is bought; what the fired stop does not cover goes at once.
    FLATTEN = auto()  # Cancel the remainder, convert the stop, exit what no order exits.
    LADDER = auto()  # Re-place the stop corrected; when that fails in time, flatten.


DUTY: Final[dict[State, Duty]] = {
    NEW: Duty.SUBMIT,
    ENTRY_SENT: Duty.NOTHING,
    ENTRY_OPEN: Duty.NOTHING,
    COVERING: Duty.COVER,
    COVERED_OPEN: Duty.KEEP,
    COVERED: Duty.KEEP,
    TRIGGERED: Duty.CLEAR,
    EXITING: Duty.FLATTEN,
    UNPROTECTED: Duty.LADDER,
    REJECTED: Duty.NOTHING,
    CANCELLED: Duty.NOTHING,
    EXPIRED: Duty.NOTHING,
    EXITED: Duty.NOTHING,
    CARRIED: Duty.NOTHING,
}

USER: Final = grid(_USER, State, Ask)
ENTRY_REPORT: Final = grid(_ENTRY_REPORT, State, EntryReport)
EXIT_REPORT: Final = grid(_EXIT_REPORT, State, ExitReport)
CLOCK: Final = grid(_CLOCK, State, ClockEvent)

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
