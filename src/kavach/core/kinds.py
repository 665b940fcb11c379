"""
The kinds of orders a client can have, and what the core asks of each kind.

Hearing, doubting, sending and being called again are the same for all of them; what a report
means, what is owed and which moves may be seen differ. Here each kind names its own.

Source: cover-order 5.3 to 5.6; wire 1.2.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from kavach.core import duties, meanings
from kavach.core.cover_order import CoverOrder
from kavach.core.cover_tables import ENTRY_REPORT, MOVES, TERMINAL, EntryReport, Meaning
from kavach.core.desk import Desk
from kavach.core.events import CoverOrderReopened, Event, Report
from kavach.core.parent_order import ParentOrder
from kavach.core.regular import duties as regular
from kavach.core.regular import tables as regular_tables
from kavach.core.regular.events import RegularOrderReopened
from kavach.core.regular.order import RegularOrder
from kavach.core.venue_order import VenueOrder

# The parent and its state are of the kind whose functions these are; the types cannot say so.


@dataclass(frozen=True, slots=True)
class Kind:
    """How the core treats orders of one kind."""

    perform: Callable[[Desk, Any], StrEnum]  # Pays what is owed, returns the state.
    moves: Mapping[Any, frozenset[Any]]
    terminal: frozenset[Any]
    entry_report: Mapping[Any, Mapping[EntryReport, Meaning]]
    establish: Callable[[Desk, Any, VenueOrder, Report, Meaning], None]
    reopened: Callable[[int], Event]
    next_wake_ns: Callable[[Desk, Any, Any], int]
    wants_price: Callable[[Any, Any], bool]
    wants_nothing: Callable[[Any, Any], bool]


KINDS: Final[dict[type[ParentOrder], Kind]] = {
    CoverOrder: Kind(
        duties.perform,
        MOVES,
        TERMINAL,
        ENTRY_REPORT,
        meanings.establish,
        CoverOrderReopened,
        duties.next_wake_ns,
        duties.wants_price,
        duties.wants_nothing,
    ),
    RegularOrder: Kind(
        regular.perform,
        regular_tables.MOVES,
        regular_tables.TERMINAL,
        regular_tables.REPORT,
        regular.establish,
        RegularOrderReopened,
        regular.next_wake_ns,
        lambda order, state: False,
        regular.wants_nothing,
    ),
}
