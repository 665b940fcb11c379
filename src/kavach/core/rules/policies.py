"""
The kinds of orders a client can have, and what the rules ask of each kind.

Deduplication, unanswered requests and timers are the same for all of them; what a report means,
what is owed and which moves may be seen differ. Each kind of order has one policy here.

Source: docs/spec/cover_order.md, docs/spec/regular_order.md.
"""

from collections.abc import Mapping
from typing import Final

from kavach.core.commands import Leg
from kavach.core.events import CoverOrderReopened
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import MOVES, TERMINAL
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular import tables
from kavach.core.model.regular.events import RegularOrderReopened
from kavach.core.model.regular.order import RegularOrder
from kavach.core.rules.context import OrderPolicy
from kavach.core.rules.cover import clock, protect, report_effects
from kavach.core.rules.cover import tables as cover
from kavach.core.rules.regular import day, obligations
from kavach.core.rules.regular import tables as regular

POLICIES: Final[Mapping[type[ParentOrder], OrderPolicy]] = {
    CoverOrder: OrderPolicy(
        enforce=protect.enforce,
        moves=MOVES,
        terminal=TERMINAL,
        reports={
            Leg.ENTRY: cover.ENTRY_REPORT,
            Leg.SECOND: cover.TARGET_REPORT,
            Leg.THIRD: cover.STOP_REPORT,
        },
        pass_moment=clock.pass_moment,
        apply_report=report_effects.apply_report,
        reopened=CoverOrderReopened,
        next_wake_ns=protect.next_wake_ns,
        wants_price=protect.wants_price,
        wants_nothing=protect.wants_nothing,
    ),
    RegularOrder: OrderPolicy(
        enforce=obligations.enforce,
        moves=tables.MOVES,
        terminal=tables.TERMINAL,
        reports={Leg.ENTRY: regular.REPORT},
        pass_moment=day.pass_moment,
        apply_report=obligations.apply_report,
        reopened=RegularOrderReopened,
        next_wake_ns=obligations.next_wake_ns,
        wants_price=lambda order, state: False,
        wants_nothing=obligations.wants_nothing,
    ),
}
