"""
What a request, a report and the clock do to a cover order in each of its states.

These grids are the specification: ``docs/spec/cover_order.md`` is printed from them, tests enter
every cell, and a cell that is changed makes some test fail. A cell never names the next state, which
is derived; it names what is established or refused. ``OBLIGATION`` is what the system owes an order
in the state it is then in.

A report that says nothing new is dropped before the tables are asked
(``core.rules.orders.deduplication``), so a cell speaks of news only.

Source: docs/spec/cover_order.md.
"""

from typing import Final

from kavach.core.model.cover.tables import (
    CANCELLED,
    CARRIED,
    COVERED,
    COVERED_OPEN,
    COVERING,
    ENTRY_OPEN,
    ENTRY_SENT,
    EXITED,
    EXITING,
    EXPIRED,
    NEW,
    REJECTED,
    TRIGGERED,
    UNPROTECTED,
    State,
)
from kavach.core.model.orders.life import grid
from kavach.core.rules.decisions import (
    ClockAction,
    ClockEvent,
    Decision,
    ExecType,
    Obligation,
    ReportEffect,
    Request,
)

R = Decision
# fmt: off
_REQUEST: Final[dict[State, tuple[Decision, ...]]] = {
    #               cancel      -- done      -- for exit  -- again   exit        -- cancelled -- again   modify entry  modify stop
    NEW:          ( R.NEVER,    R.NEVER,     R.NEVER,     R.NEVER,   R.NEVER,    R.NEVER,     R.NEVER,   R.NEVER,      R.NEVER    ),
    ENTRY_SENT:   ( R.CANCEL,   R.NEVER,     R.CANCEL,    R.REPLAY,  R.EXIT,     R.EXIT,      R.REPLAY,  R.IN_FLIGHT,  R.PLAN     ),
    ENTRY_OPEN:   ( R.CANCEL,   R.NEVER,     R.CANCEL,    R.REPLAY,  R.EXIT,     R.EXIT,      R.REPLAY,  R.AMEND,      R.PLAN     ),
    COVERING:     ( R.CANCEL,   R.EXECUTED,  R.NEVER,     R.REPLAY,  R.EXIT,     R.EXIT,      R.NEVER,   R.AMEND,      R.PLAN     ),
    COVERED_OPEN: ( R.CANCEL,   R.NEVER,     R.NEVER,     R.REPLAY,  R.EXIT,     R.EXIT,      R.NEVER,   R.AMEND,      R.PLAN     ),
    COVERED:      ( R.NEVER,    R.EXECUTED,  R.NEVER,     R.REPLAY,  R.EXIT,     R.EXIT,      R.NEVER,   R.EXECUTED,   R.PLAN     ),
    TRIGGERED:    ( R.EXECUTED, R.EXECUTED,  R.REPLAY,    R.REPLAY,  R.EXIT,     R.EXIT,      R.NEVER,   R.FIRED,      R.FIRED    ),
    EXITING:      ( R.EXECUTED, R.EXECUTED,  R.REPLAY,    R.REPLAY,  R.EXIT,     R.EXIT,      R.REPLAY,  R.EXITING,    R.EXITING  ),
    UNPROTECTED:  ( R.CANCEL,   R.EXECUTED,  R.NEVER,     R.REPLAY,  R.EXIT,     R.EXIT,      R.NEVER,   R.AMEND,      R.PLAN     ),
    REJECTED:     ( R.REJECTED, R.REJECTED,  R.REJECTED,  R.REPLAY,  R.REJECTED, R.REJECTED,  R.REPLAY,  R.REJECTED,   R.REJECTED ),
    CANCELLED:    ( R.CLOSED,   R.CLOSED,    R.REPLAY,    R.REPLAY,  R.CLOSED,   R.REPLAY,    R.REPLAY,  R.CLOSED,     R.CLOSED   ),
    EXPIRED:      ( R.CLOSED,   R.CLOSED,    R.REPLAY,    R.REPLAY,  R.CLOSED,   R.REPLAY,    R.REPLAY,  R.CLOSED,     R.CLOSED   ),
    EXITED:       ( R.NEVER,    R.EXECUTED,  R.EXECUTED,  R.REPLAY,  R.EXITED,   R.EXITED,    R.REPLAY,  R.EXITED,     R.EXITED   ),
    CARRIED:      ( R.NEVER,    R.CARRIED,   R.CARRIED,   R.REPLAY,  R.RESUME,   R.RESUME,    R.RESUME,  R.CARRIED,    R.CARRIED  ),
}
E = ReportEffect
_ENTRY_REPORT: Final[dict[State, tuple[ReportEffect, ...]]] = {
    #               new       rejected   trade          closed     cancel rejected
    NEW:          ( E.NEVER,  E.NEVER,   E.NEVER,       E.NEVER,   E.NEVER         ),
    ENTRY_SENT:   ( E.NOTED,  E.NOTED,   E.NOTED,       E.NOTED,   E.NEVER         ),
    ENTRY_OPEN:   ( E.NOTED,  E.NOTED,   E.NOTED,       E.NOTED,   E.CANCEL_FAILED ),
    COVERING:     ( E.NOTED,  E.NOTED,   E.NOTED,       E.NOTED,   E.CANCEL_FAILED ),
    COVERED_OPEN: ( E.NOTED,  E.NOTED,   E.NOTED,       E.NOTED,   E.CANCEL_FAILED ),
    COVERED:      ( E.NOTED,  E.NEVER,   E.LATE_FILL,   E.NEVER,   E.NOTED         ),
    TRIGGERED:    ( E.NOTED,  E.NOTED,   E.NOTED,       E.NOTED,   E.NOTED         ),
    EXITING:      ( E.NOTED,  E.NOTED,   E.NOTED,       E.NOTED,   E.NOTED         ),
    UNPROTECTED:  ( E.NOTED,  E.NOTED,   E.NOTED,       E.NOTED,   E.CANCEL_FAILED ),
    REJECTED:     ( E.NOTED,  E.NEVER,   E.REOPEN,      E.NEVER,   E.NOTED         ),
    CANCELLED:    ( E.NOTED,  E.NEVER,   E.REOPEN,      E.NEVER,   E.NOTED         ),
    EXPIRED:      ( E.NOTED,  E.NEVER,   E.REOPEN,      E.NEVER,   E.NOTED         ),
    EXITED:       ( E.NOTED,  E.NEVER,   E.REOPEN,      E.NEVER,   E.NOTED         ),
    CARRIED:      ( E.NOTED,  E.NEVER,   E.REOPEN,      E.NEVER,   E.NOTED         ),
}
_STOP_REPORT: Final[dict[State, tuple[ReportEffect, ...]]] = {
    #               new       rejected      trade     closed        triggered  replaced  cancel rejected  replace rejected
    NEW:          ( E.NEVER,  E.NEVER,      E.NEVER,  E.NEVER,      E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    ENTRY_SENT:   ( E.NEVER,  E.NEVER,      E.NEVER,  E.NEVER,      E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    ENTRY_OPEN:   ( E.NEVER,  E.NEVER,      E.NEVER,  E.NEVER,      E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    COVERING:     ( E.NOTED,  E.STOP_LOST,  E.NOTED,  E.STOP_LOST,  E.NOTED,   E.NOTED,  E.KEEP_STOP,     E.KEEP_STOP      ),
    COVERED_OPEN: ( E.NOTED,  E.STOP_LOST,  E.NOTED,  E.STOP_LOST,  E.NOTED,   E.NOTED,  E.KEEP_STOP,     E.KEEP_STOP      ),
    COVERED:      ( E.NOTED,  E.STOP_LOST,  E.NOTED,  E.STOP_LOST,  E.NOTED,   E.NOTED,  E.KEEP_STOP,     E.KEEP_STOP      ),
    TRIGGERED:    ( E.NOTED,  E.STOP_LOST,  E.NOTED,  E.STOP_LOST,  E.NOTED,   E.NOTED,  E.KEEP_STOP,     E.KEEP_STOP      ),
    EXITING:      ( E.NOTED,  E.NOTED,      E.NOTED,  E.NOTED,      E.NOTED,   E.NOTED,  E.NOTED,         E.NOTED          ),
    UNPROTECTED:  ( E.NOTED,  E.STOP_LOST,  E.NOTED,  E.STOP_LOST,  E.NOTED,   E.NOTED,  E.KEEP_STOP,     E.KEEP_STOP      ),
    REJECTED:     ( E.NEVER,  E.NEVER,      E.NEVER,  E.NEVER,      E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    CANCELLED:    ( E.NEVER,  E.NEVER,      E.NEVER,  E.NEVER,      E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    EXPIRED:      ( E.NEVER,  E.NEVER,      E.NEVER,  E.NEVER,      E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    EXITED:       ( E.NOTED,  E.NEVER,      E.NOTED,  E.NEVER,      E.NEVER,   E.NEVER,  E.NOTED,         E.NOTED          ),
    CARRIED:      ( E.NOTED,  E.NEVER,      E.NOTED,  E.NEVER,      E.NEVER,   E.NEVER,  E.NOTED,         E.NOTED          ),
}
# A target changes nothing about what is owed to the stop.
_TARGET_REPORT: Final[dict[State, tuple[ReportEffect, ...]]] = {
    #               new       rejected        trade     closed          triggered  replaced  cancel rejected  replace rejected
    NEW:          ( E.NEVER,  E.NEVER,        E.NEVER,  E.NEVER,        E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    ENTRY_SENT:   ( E.NEVER,  E.NEVER,        E.NEVER,  E.NEVER,        E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    ENTRY_OPEN:   ( E.NEVER,  E.NEVER,        E.NEVER,  E.NEVER,        E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    COVERING:     ( E.NOTED,  E.TARGET_LOST,  E.NOTED,  E.TARGET_LOST,  E.NEVER,   E.NOTED,  E.KEEP_TARGET,   E.KEEP_TARGET    ),
    COVERED_OPEN: ( E.NOTED,  E.TARGET_LOST,  E.NOTED,  E.TARGET_LOST,  E.NEVER,   E.NOTED,  E.KEEP_TARGET,   E.KEEP_TARGET    ),
    COVERED:      ( E.NOTED,  E.TARGET_LOST,  E.NOTED,  E.TARGET_LOST,  E.NEVER,   E.NOTED,  E.KEEP_TARGET,   E.KEEP_TARGET    ),
    TRIGGERED:    ( E.NOTED,  E.NOTED,        E.NOTED,  E.NOTED,        E.NEVER,   E.NOTED,  E.NOTED,         E.NOTED          ),
    EXITING:      ( E.NOTED,  E.NOTED,        E.NOTED,  E.NOTED,        E.NEVER,   E.NOTED,  E.NOTED,         E.NOTED          ),
    UNPROTECTED:  ( E.NOTED,  E.TARGET_LOST,  E.NOTED,  E.TARGET_LOST,  E.NEVER,   E.NOTED,  E.KEEP_TARGET,   E.KEEP_TARGET    ),
    REJECTED:     ( E.NEVER,  E.NEVER,        E.NEVER,  E.NEVER,        E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    CANCELLED:    ( E.NEVER,  E.NEVER,        E.NEVER,  E.NEVER,        E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    EXPIRED:      ( E.NEVER,  E.NEVER,        E.NEVER,  E.NEVER,        E.NEVER,   E.NEVER,  E.NEVER,         E.NEVER          ),
    EXITED:       ( E.NOTED,  E.NEVER,        E.NOTED,  E.NEVER,        E.NEVER,   E.NEVER,  E.NOTED,         E.NOTED          ),
    CARRIED:      ( E.NOTED,  E.NEVER,        E.NOTED,  E.NEVER,        E.NEVER,   E.NEVER,  E.NOTED,         E.NOTED          ),
}
A = ClockAction
_CLOCK: Final[dict[State, tuple[ClockAction, ...]]] = {
    #               square-off        auction           price       kill
    NEW:          ( A.NEVER,          A.NEVER,          A.NEVER,    A.NEVER   ),
    ENTRY_SENT:   ( A.EXIT_INTRADAY,  A.EXIT_INTRADAY,  A.NOTHING,  A.EXIT    ),
    ENTRY_OPEN:   ( A.EXIT_INTRADAY,  A.EXIT_INTRADAY,  A.NOTHING,  A.EXIT    ),
    COVERING:     ( A.EXIT_INTRADAY,  A.EXIT_INTRADAY,  A.TRAIL,    A.CANCEL  ),
    COVERED_OPEN: ( A.EXIT_INTRADAY,  A.EXIT_INTRADAY,  A.TRAIL,    A.CANCEL  ),
    COVERED:      ( A.EXIT_INTRADAY,  A.EXIT_INTRADAY,  A.TRAIL,    A.NOTHING ),
    TRIGGERED:    ( A.EXIT,           A.EXIT,           A.NOTHING,  A.NOTHING ),
    EXITING:      ( A.STEP_PRICE,     A.NOTHING,        A.NOTHING,  A.NOTHING ),
    UNPROTECTED:  ( A.EXIT_INTRADAY,  A.EXIT_INTRADAY,  A.WATCH,    A.EXIT    ),
    REJECTED:     ( A.NOTHING,        A.NOTHING,        A.NOTHING,  A.NOTHING ),
    CANCELLED:    ( A.NOTHING,        A.NOTHING,        A.NOTHING,  A.NOTHING ),
    EXPIRED:      ( A.NOTHING,        A.NOTHING,        A.NOTHING,  A.NOTHING ),
    EXITED:       ( A.NOTHING,        A.NOTHING,        A.NOTHING,  A.NOTHING ),
    CARRIED:      ( A.NOTHING,        A.NOTHING,        A.NOTHING,  A.NOTHING ),
}
# fmt: on

# Of an order that is new, and sent, or that has ended, nothing is owed.
OBLIGATION: Final[dict[State, Obligation]] = {
    ENTRY_SENT: Obligation.FOLLOW,
    ENTRY_OPEN: Obligation.FOLLOW,
    COVERING: Obligation.COVER,
    COVERED_OPEN: Obligation.KEEP,
    COVERED: Obligation.KEEP,
    TRIGGERED: Obligation.CLEAR,
    EXITING: Obligation.FLATTEN,
    UNPROTECTED: Obligation.RECOVER,
}

_ENTRY_COLUMNS: Final = (
    ExecType.NEW,
    ExecType.REJECTED,
    ExecType.TRADE,
    ExecType.CLOSED,
    ExecType.CANCEL_REJECTED,
)
_CLOCK_COLUMNS: Final = (
    ClockEvent.SQUARE_OFF,
    ClockEvent.AUCTION,
    ClockEvent.PRICE,
    ClockEvent.KILL,
)
REQUEST: Final = grid(_REQUEST, State, Request)
ENTRY_REPORT: Final = grid(_ENTRY_REPORT, State, _ENTRY_COLUMNS)
STOP_REPORT: Final = grid(_STOP_REPORT, State, ExecType)
TARGET_REPORT: Final = grid(_TARGET_REPORT, State, ExecType)
CLOCK: Final = grid(_CLOCK, State, _CLOCK_COLUMNS)
