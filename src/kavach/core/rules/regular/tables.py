"""
What a request, a report and the clock do to a regular order in each of its states.

As with cover orders a cell names what is established or refused; the next state is derived.

Source: docs/spec/regular_order.md.
"""

from typing import Final

from kavach.core.model.orders.life import grid
from kavach.core.model.regular.tables import (
    CANCELLED,
    EXPIRED,
    FILLED,
    NEW,
    OPEN,
    PARKED,
    REJECTED,
    SENT,
    RegularState,
)
from kavach.core.rules.decisions import (
    ClockAction,
    ClockEvent,
    Decision,
    ExecType,
    ReportEffect,
    Request,
)

R = Decision
E = ReportEffect
A = ClockAction
# fmt: off
_REQUEST: Final[dict[RegularState, tuple[Decision, ...]]] = {
    #            cancel       -- again   modify
    NEW:       ( R.DROP,      R.NEVER,   R.IN_FLIGHT ),
    PARKED:    ( R.DROP,      R.NEVER,   R.PLAN      ),
    SENT:      ( R.CANCEL,    R.REPLAY,  R.IN_FLIGHT ),
    OPEN:      ( R.CANCEL,    R.REPLAY,  R.AMEND     ),
    FILLED:    ( R.EXECUTED,  R.NEVER,   R.EXECUTED  ),
    CANCELLED: ( R.CLOSED,    R.REPLAY,  R.CLOSED    ),
    REJECTED:  ( R.REJECTED,  R.REPLAY,  R.REJECTED  ),
    EXPIRED:   ( R.CLOSED,    R.REPLAY,  R.CLOSED    ),
}
_REPORT: Final[dict[RegularState, tuple[ReportEffect, ...]]] = {
    #            new       rejected  trade     closed    cancel rejected
    NEW:       ( E.NEVER,  E.NEVER,  E.NEVER,  E.NEVER,  E.NEVER         ),
    PARKED:    ( E.NEVER,  E.NEVER,  E.NEVER,  E.NEVER,  E.NEVER         ),
    SENT:      ( E.NOTED,  E.NOTED,  E.NOTED,  E.NOTED,  E.CANCEL_FAILED ),
    OPEN:      ( E.NOTED,  E.NOTED,  E.NOTED,  E.NOTED,  E.CANCEL_FAILED ),
    FILLED:    ( E.NOTED,  E.NEVER,  E.REOPEN, E.NEVER,  E.NOTED         ),
    CANCELLED: ( E.NOTED,  E.NEVER,  E.REOPEN, E.NEVER,  E.NOTED         ),
    REJECTED:  ( E.NOTED,  E.NEVER,  E.REOPEN, E.NEVER,  E.NOTED         ),
    EXPIRED:   ( E.NOTED,  E.NEVER,  E.REOPEN, E.NEVER,  E.NOTED         ),
}
_CLOCK: Final[dict[RegularState, tuple[ClockAction, ...]]] = {
    #            opening     square-off          auction             session end  kill
    NEW:       ( A.NOTHING,  A.CANCEL_INTRADAY,  A.CANCEL_INTRADAY,  A.NOTHING,   A.DROP    ),
    PARKED:    ( A.RELEASE,  A.NOTHING,          A.NOTHING,          A.NOTHING,   A.DROP    ),
    SENT:      ( A.NOTHING,  A.CANCEL_INTRADAY,  A.CANCEL_INTRADAY,  A.NOTHING,   A.CANCEL  ),
    OPEN:      ( A.NOTHING,  A.CANCEL_INTRADAY,  A.CANCEL_INTRADAY,  A.NOTHING,   A.CANCEL  ),
    FILLED:    ( A.NOTHING,  A.NOTHING,          A.NOTHING,          A.NOTHING,   A.NOTHING ),
    CANCELLED: ( A.NOTHING,  A.NOTHING,          A.NOTHING,          A.NOTHING,   A.NOTHING ),
    REJECTED:  ( A.NOTHING,  A.NOTHING,          A.NOTHING,          A.NOTHING,   A.NOTHING ),
    EXPIRED:   ( A.NOTHING,  A.NOTHING,          A.NOTHING,          A.NOTHING,   A.NOTHING ),
}
# The system's own way out of a position opens nothing, so nothing stops it; but what was not sent
# in its session is not sent in the next one, for which the position may be meant.
_SQUARE_OFF_CLOCK: Final[dict[RegularState, tuple[ClockAction, ...]]] = {
    #            opening     square-off  auction     session end  kill
    NEW:       ( A.DROP,     A.NOTHING,  A.NOTHING,  A.DROP,      A.NOTHING ),
    PARKED:    ( A.NEVER,    A.NEVER,    A.NEVER,    A.NEVER,     A.NEVER   ),
    SENT:      ( A.NOTHING,  A.NOTHING,  A.NOTHING,  A.NOTHING,   A.NOTHING ),
    OPEN:      ( A.NOTHING,  A.NOTHING,  A.NOTHING,  A.NOTHING,   A.NOTHING ),
    FILLED:    ( A.NOTHING,  A.NOTHING,  A.NOTHING,  A.NOTHING,   A.NOTHING ),
    CANCELLED: ( A.NOTHING,  A.NOTHING,  A.NOTHING,  A.NOTHING,   A.NOTHING ),
    REJECTED:  ( A.NOTHING,  A.NOTHING,  A.NOTHING,  A.NOTHING,   A.NOTHING ),
    EXPIRED:   ( A.NOTHING,  A.NOTHING,  A.NOTHING,  A.NOTHING,   A.NOTHING ),
}
# fmt: on

_REPORT_COLUMNS: Final = (
    ExecType.NEW,
    ExecType.REJECTED,
    ExecType.TRADE,
    ExecType.CLOSED,
    ExecType.CANCEL_REJECTED,
)
_CLOCK_COLUMNS: Final = (
    ClockEvent.OPENING,
    ClockEvent.SQUARE_OFF,
    ClockEvent.AUCTION,
    ClockEvent.SESSION_END,
    ClockEvent.KILL,
)
_REQUEST_COLUMNS: Final = (Request.CANCEL_ENTRY, Request.CANCEL_AGAIN, Request.MODIFY_ENTRY)
REQUEST: Final = grid(_REQUEST, RegularState, _REQUEST_COLUMNS)
REPORT: Final = grid(_REPORT, RegularState, _REPORT_COLUMNS)
CLOCK: Final = grid(_CLOCK, RegularState, _CLOCK_COLUMNS)
SQUARE_OFF_CLOCK: Final = grid(_SQUARE_OFF_CLOCK, RegularState, _CLOCK_COLUMNS)
