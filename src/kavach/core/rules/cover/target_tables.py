"""
What a venue says of a bracket's target in each state of the order (Table E).

A target changes nothing about what is owed to the stop; so the states are those of the cover
order, and the cells say only what becomes of the target.

Source: docs/spec/cover_order.md (brackets).
"""

from enum import StrEnum, auto
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
    Meaning,
    State,
)
from kavach.core.model.orders.life import grid


class TargetReport(StrEnum):
    """What a venue says of a target (Table E)."""

    E1_ACK = auto()
    E2_REJECT = auto()
    E3_FILL = auto()
    E4_CLOSED = auto()
    E5_AMENDED = auto()
    E6_REFUSED = auto()
    E7_SILENCE = auto()


M = Meaning
# fmt: off
_TARGET_REPORT: Final[dict[State, tuple[Meaning, ...]]] = {
    #               E1 ack     E2 reject       E3 fill    E4 closed       E5 amended  E6 refused      E7 silence
    NEW:          ( M.NEVER,   M.NEVER,        M.NEVER,   M.NEVER,        M.NEVER,    M.NEVER,        M.NEVER   ),
    ENTRY_SENT:   ( M.NEVER,   M.NEVER,        M.NEVER,   M.NEVER,        M.NEVER,    M.NEVER,        M.NEVER   ),
    ENTRY_OPEN:   ( M.NEVER,   M.NEVER,        M.NEVER,   M.NEVER,        M.NEVER,    M.NEVER,        M.NEVER   ),
    COVERING:     ( M.NOTED,   M.TARGET_LOST,  M.NOTED,   M.TARGET_LOST,  M.NOTED,    M.KEEP_TARGET,  M.DOUBTED ),
    COVERED_OPEN: ( M.NOTED,   M.TARGET_LOST,  M.NOTED,   M.TARGET_LOST,  M.NOTED,    M.KEEP_TARGET,  M.DOUBTED ),
    COVERED:      ( M.NOTED,   M.TARGET_LOST,  M.NOTED,   M.TARGET_LOST,  M.NOTED,    M.KEEP_TARGET,  M.DOUBTED ),
    TRIGGERED:    ( M.NOTED,   M.NOTED,        M.NOTED,   M.NOTED,        M.NOTED,    M.NOTED,        M.DOUBTED ),
    EXITING:      ( M.NOTED,   M.NOTED,        M.NOTED,   M.NOTED,        M.NOTED,    M.NOTED,        M.DOUBTED ),
    UNPROTECTED:  ( M.NOTED,   M.TARGET_LOST,  M.NOTED,   M.TARGET_LOST,  M.NOTED,    M.KEEP_TARGET,  M.DOUBTED ),
    REJECTED:     ( M.NEVER,   M.NEVER,        M.NEVER,   M.NEVER,        M.NEVER,    M.NEVER,        M.NEVER   ),
    CANCELLED:    ( M.NEVER,   M.NEVER,        M.NEVER,   M.NEVER,        M.NEVER,    M.NEVER,        M.NEVER   ),
    EXPIRED:      ( M.NEVER,   M.NEVER,        M.NEVER,   M.NEVER,        M.NEVER,    M.NEVER,        M.NEVER   ),
    EXITED:       ( M.NOTED,   M.NEVER,        M.NOTED,   M.NEVER,        M.NEVER,    M.NOTED,        M.NEVER   ),
    CARRIED:      ( M.NOTED,   M.NEVER,        M.NOTED,   M.NEVER,        M.NEVER,    M.NOTED,        M.NEVER   ),
}
# fmt: on

TARGET_REPORT: Final = grid(_TARGET_REPORT, State, TargetReport)
