"""
The auditor's look at rows: what a client reads of an order, against its trades and its past.

A row is what ``core.model.leg_row`` says; what has filled, and at which value, is folded from the
trades anew. Of INV-23 and INV-24 the facts that an order keeps are checked: lines of a history
never fall back, and a version is never older than what happened last to the leg's orders.

Quantities are shares, values pips times shares, times nanoseconds.

Source: docs/spec/cover_order.md (INV-22 to INV-24).
"""

from collections.abc import Iterator

from kavach.core.commands import Leg
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.leg_row import leg_row
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.twin.audit_seen import Violation


def check_rows(parent: ParentOrder) -> Iterator[Violation]:
    """Yield what the rows of an order say that its trades and its history do not."""
    if parent.contradicted:
        return  # The venue has said what cannot be; that has an alarm of its own.
    legs = parent.legs if isinstance(parent, CoverOrder) else (Leg.ENTRY,)
    for leg in legs:
        yield from _check_row(parent, leg)
        yield from _check_past(parent, leg)


def _check_row(parent: ParentOrder, leg: Leg) -> Iterator[Violation]:
    row = leg_row(parent, leg)
    trades = [trade for trade in parent.trades or () if trade.leg is leg]
    filled = sum(trade.quantity for trade in trades)
    value = sum(trade.quantity * trade.price_pips for trade in trades)
    told = f"the row of {leg} says {row.filled_quantity} of {row.quantity} filled"
    if row.filled_quantity != filled or row.filled_value != value:
        yield Violation("INV-22", parent.order_id, f"{told}, its trades make {filled}")
    if not 0 <= row.filled_quantity <= row.quantity:
        yield Violation("INV-22", parent.order_id, told)
    if not 0 <= row.remaining_quantity <= row.quantity - row.filled_quantity:
        detail = f"{told}, and {row.remaining_quantity} remaining"
        yield Violation("INV-22", parent.order_id, detail)


def _check_past(parent: ParentOrder, leg: Leg) -> Iterator[Violation]:
    filled = at_ns = 0
    for line in parent.changes or ():
        if line.leg is not leg:
            continue
        if line.filled_quantity < filled or line.at_ns < at_ns:
            detail = f"a line of {leg} says {line.filled_quantity} filled, after {filled}"
            yield Violation("INV-24", parent.order_id, detail)
        filled, at_ns = line.filled_quantity, line.at_ns
    if parent.version_of(leg) < at_ns:
        detail = f"the row of {leg} has a version older than its last line"
        yield Violation("INV-23", parent.order_id, detail)
