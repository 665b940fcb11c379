"""
The words of the decision tables: what can happen to an order, and what the system does then.

One vocabulary for orders of every kind; the tables themselves stand with each kind
(``core.rules.cover.tables``, ``core.rules.regular.tables``). A decision is one look-up.

Reports are named by FIX's ExecType. ``NEVER`` is a cell that cannot be entered: the program stops.

Source: docs/spec/cover_order.md; FIX 4.4, tag 150 (ExecType).
"""

from collections.abc import Mapping
from enum import StrEnum, auto
from typing import Final

from kavach.core import events as e


class Request(StrEnum):
    """What a client asks, and what of it is so already: the columns of a request table."""

    CANCEL_ENTRY = auto()  # Cancel what has not traded of the entry.
    CANCEL_DONE = auto()  # The same, of an entry of which nothing can be cancelled any more.
    CANCEL_FOR_EXIT = auto()  # The same, where the remainder is cancelled for an exit.
    CANCEL_AGAIN = auto()  # The same, where the client has cancelled it before.
    EXIT = auto()  # Cancel what has not traded and flatten the position.
    EXIT_CANCELLED = auto()  # The same, where the client has cancelled the entry before.
    EXIT_AGAIN = auto()  # The same, where the client has asked for the exit before.
    MODIFY_ENTRY = auto()
    MODIFY_STOP = auto()  # Or the target.


class Decision(StrEnum):
    """What a client's request does, or why it is refused."""

    DROP = auto()  # Nothing was sent yet: end it here.
    CANCEL = auto()  # Cancel what has not traded; the stop is not touched.
    EXIT = auto()  # Cancel what has not traded, then flatten.
    AMEND = auto()  # Change the live entry.
    PLAN = auto()  # Change what the stop shall be; it follows when it can.
    RESUME = auto()  # Flatten a carried position in the next session.
    REPLAY = auto()  # It is already so: answer as the first time.
    EXECUTED = auto()  # Refused: the entry is done, use THIRD.
    IN_FLIGHT = auto()  # Refused: the venue has not answered yet.
    FIRED = auto()  # Refused: the stop has fired.
    EXITING = auto()  # Refused: the exit is under way.
    CLOSED = auto()  # Refused: cancelled or expired.
    EXITED = auto()  # Refused: the position is closed.
    REJECTED = auto()  # Refused: it never lived.
    CARRIED = auto()  # Refused: the session is over.
    NEVER = auto()


class ExecType(StrEnum):
    """What a venue reports of an order."""

    NEW = auto()
    REJECTED = auto()
    TRADE = auto()
    CLOSED = auto()  # FIX tells CANCELED from EXPIRED; the report carries which.
    TRIGGERED = auto()
    REPLACED = auto()
    CANCEL_REJECTED = auto()
    REPLACE_REJECTED = auto()


EXEC_TYPE: Final[Mapping[type, ExecType]] = {
    e.OrderAccepted: ExecType.NEW,
    e.OrderRejected: ExecType.REJECTED,
    e.OrderTraded: ExecType.TRADE,
    e.OrderClosed: ExecType.CLOSED,
    e.OrderTriggered: ExecType.TRIGGERED,
    e.OrderAmended: ExecType.REPLACED,
    e.OrderCancelRefused: ExecType.CANCEL_REJECTED,
    e.OrderAmendRefused: ExecType.REPLACE_REJECTED,
}


class ReportEffect(StrEnum):
    """What a report establishes, beyond the quantities it carries."""

    NOTED = auto()  # Nothing more: the obligation of the state follows from the quantities.
    LATE_FILL = auto()  # A trade after the entry was over: raise an alarm, cover it.
    REOPEN = auto()  # A trade after the end: live again, raise an alarm.
    CANCEL_FAILED = auto()  # The client's cancel did not happen; the order is as it was.
    STOP_LOST = auto()  # A protective order is gone: recover it.
    KEEP_STOP = auto()  # The change is not made: the stop shall stand where it does.
    TARGET_LOST = auto()  # A target is gone: raise an alarm, and leave it so.
    KEEP_TARGET = auto()  # The change is not made: the target shall stand where it does.
    NEVER = auto()


class ClockEvent(StrEnum):
    """Moments of the day, the price, the kill switch."""

    OPENING = auto()
    SQUARE_OFF = auto()
    AUCTION = auto()  # The closing auction begins: no stop can stand any more.
    SESSION_END = auto()
    PRICE = auto()
    KILL = auto()


class ClockAction(StrEnum):
    """What the system does at such a moment."""

    NOTHING = auto()
    RELEASE = auto()  # Send a parked order.
    DROP = auto()  # Nothing was sent yet: end it here.
    EXIT = auto()  # Cancel what has not traded, flatten what has.
    EXIT_INTRADAY = auto()  # The same, if the product is MIS; of another, cancel the remainder.
    CANCEL = auto()  # Cancel what has not traded; a stop stays.
    CANCEL_INTRADAY = auto()  # The same, if the product is MIS: it could not be squared off later.
    STEP_PRICE = auto()  # Price the working exit one step nearer to the band.
    TRAIL = auto()  # Move the stop after the price, never back.
    WATCH = auto()  # The stop is not at the venue: act on the price here.
    NEVER = auto()


class Obligation(StrEnum):
    """What the system owes an order in a state, whatever brought it there."""

    FOLLOW = auto()  # The venue works; the limit of a market entry follows the market.
    COVER = auto()  # Place or grow the stop until nothing that filled is open.
    KEEP = auto()  # Keep the stop where it shall be.
    CLEAR = auto()  # Nothing more is bought; what the fired stop does not cover goes at once.
    FLATTEN = auto()  # Cancel the remainder, convert the stop, exit what no order exits.
    RECOVER = auto()  # Place the stop again, corrected; when that fails in time, flatten.
