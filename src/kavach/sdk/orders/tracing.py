"""
The traces of changes in the order book: cover and bracket orders, and regular ones.

    about                 found by
    cover, bracket        a leg's id and the user order id
    regular order         its id, else its user order id

Absence proves nothing while a request may still be on its way, so an order that is not in the
book is not seen, never "not placed".

Source: kavach.sdk.requests.changes (verdicts); docs/wire/README.md, "Rows".
"""

from typing import Any, Final

import msgspec

from kavach.sdk.errors import Attempt
from kavach.sdk.orders.book import look, rows_of
from kavach.sdk.orders.cover import BracketOrder, CoverOrder, Leg, judge
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.changes import (
    CancelOutcome,
    Shown,
    Traces,
    Verdict,
    agrees,
    changed,
    ended,
    placed,
)
from kavach.sdk.requests.plan import Plan
from kavach.sdk.rows import CONDITIONAL, Order, spelled
from kavach.wire.orders.statuses import OrderStatus

STOP_FIELDS: Final = frozenset({"stop_loss_value", "trailing_stop_loss"})
ABSENT: Final = frozenset({"", "0"})  # Of what every order has: the server does not say it.


def is_conditional(order: Order) -> bool:
    """Return whether a row is a leg of a cover or bracket order."""
    return order.execution_type.upper() in CONDITIONAL


def judge_order(order: Order) -> CancelOutcome | None:
    """Return what the row says became of cancelling it; ``None`` when it does not yet."""
    if not order.is_closed:
        return None
    return CancelOutcome.CANCELLED if order.is_cancelled else CancelOutcome.TOO_LATE


def fits(row: Order, attempt: Attempt) -> bool | None:
    """Return whether a row is what a placement asked for; what it does not say is no objection."""

    def shown(name: str) -> Shown:
        text = spelled(getattr(row, name))
        return Shown(None if text in ABSENT else text)

    return agrees(attempt.wanted, shown)


# --- Cover and bracket orders ---------------------------------------------------------------------


def _find_cover(account: Account, attempt: Attempt) -> Plan[CoverOrder | None]:
    found = yield from look(account, attempt.user_order_id, attempt.oms_order_id)
    if found is None or not attempt.basket_id:
        return found
    return msgspec.structs.replace(found, basket_id=attempt.basket_id)


def _judge_cover(order: CoverOrder, attempt: Attempt) -> Verdict:
    if attempt.operation == "place":
        same = fits(order.entry, attempt)
        return placed(attempt, same if order.kind is attempt.kind else False, order.status)
    leg = Leg(attempt.leg or Leg.ENTRY)
    if attempt.operation == "cancel":
        return ended(judge(order, leg), order.status)
    row = order.row_of(leg) or order.entry
    agreed = agrees(attempt.wanted, lambda name: _shown(order, name))
    if order.status == OrderStatus.MODIFY_PENDING or row.order_status == OrderStatus.MODIFY_PENDING:
        agreed = None
    return changed(attempt, agreed, is_closed=row.is_closed, status=row.order_status)


def _shown(order: CoverOrder, name: str) -> Shown:
    """
    Return what the rows show of a field.

    A waiting stop shows its trigger; before there is one, the entry's row may show the plan, or
    nothing, as servers of this family differ. The price of a stop that trails moves by itself.
    """
    entry = order.entry
    # An entry that is over shows what was: how its stop trails now stands in the stop's own row.
    stop = order.stop or entry
    trails = stop if entry.is_closed else entry
    moves = entry.is_trailing or stop.is_trailing
    leg, _, field = name.rpartition(".")
    if leg:  # Of an exit's own row: "SECOND.price".
        row = order.row_of(Leg(leg))
        text = None if row is None else spelled(getattr(row, field))
        return Shown(text, moves=leg == Leg.THIRD and moves)
    if name == "trailing_stop_loss":
        silent = trails.is_trailing and not trails.trailing_stop_loss
        return Shown(None if silent else spelled(trails.trailing_stop_loss))
    if name == "stop_loss_value" and not isinstance(order, BracketOrder):
        seen = entry.stop_loss_value if order.stop is None else order.stop.trigger_price
        return Shown(spelled(seen) if seen else None, moves=moves)
    return Shown(spelled(getattr(entry, name)))


def _of_order(order: CoverOrder | Order, attempt: Attempt) -> dict[str, Any]:
    return {"order": order}


COVERS: Final = Traces(find=_find_cover, judge=_judge_cover, shown=_of_order)


# --- Regular orders -------------------------------------------------------------------------------


def _find_regular(account: Account, attempt: Attempt) -> Plan[Order | None]:
    """Return the order; ``None`` when there is none, or when several could be meant."""
    rows = yield from rows_of(account, attempt.oms_order_id, attempt.user_order_id)
    rows = [row for row in rows if not is_conditional(row)]
    if attempt.oms_order_id:
        return next((row for row in rows if row.oms_order_id == attempt.oms_order_id), None)
    found = [row for row in rows if row.user_order_id == attempt.user_order_id != ""]
    return found[0] if len(found) == 1 else None


def _judge_regular(order: Order, attempt: Attempt) -> Verdict:
    status = order.order_status
    if attempt.operation == "place":
        return placed(attempt, fits(order, attempt), status)
    if attempt.operation == "cancel":
        return ended(judge_order(order), status)
    agreed = agrees(attempt.wanted, lambda name: Shown(spelled(getattr(order, name))))
    if status == OrderStatus.MODIFY_PENDING:
        agreed = None
    return changed(attempt, agreed, is_closed=order.is_closed, status=status)


REGULAR: Final = Traces(find=_find_regular, judge=_judge_regular, shown=_of_order)
