"""
Finding out what became of a change whose answer was lost: by looking, never by asking again.

Absence proves nothing while a request may still be on its way, so an order that is not in the
book is NOT_SEEN, never "not placed".

Source: cover-order F-08 to F-10, table A6; wire 2.5.
"""

import msgspec

from kavach.sdk.account import Account
from kavach.sdk.book import watch
from kavach.sdk.cover import CancelOutcome, CoverOrder, Leg, Resolution, Settled, judge
from kavach.sdk.errors import Attempt, OutcomeUnknown
from kavach.sdk.modifying import shows
from kavach.sdk.plan import Plan


def resolve(
    account: Account, unknown: OutcomeUnknown, *, confirm_seconds: float | None = None
) -> Plan[Resolution]:
    """
    Return what the order book says about a change whose answer was lost; nothing is sent again.

    The book is watched for ``confirm_seconds`` (the client's own setting if ``None``). Raises
    ``TransportError`` or ``RequestRefused`` when it cannot be read.
    """
    attempt = unknown.attempt
    patience = account.confirm_seconds if confirm_seconds is None else confirm_seconds
    seen = yield from watch(
        account,
        attempt.user_order_id,
        attempt.oms_order_id,
        lambda order: _verdict(order, attempt).settled is not Settled.NOT_SEEN,
        patience,
    )
    if seen.trouble is not None:
        raise seen.trouble
    if seen.order is None:
        return Resolution(
            settled=Settled.NOT_SEEN,
            explanation="the order book does not show such an order; it may still be on its way",
        )
    return _verdict(msgspec.structs.replace(seen.order, basket_id=attempt.basket_id), attempt)


def _verdict(order: CoverOrder, attempt: Attempt) -> Resolution:
    if attempt.operation == "place":
        explanation = f"the order was placed; its entry is {order.status}"
        return Resolution(settled=Settled.DONE, explanation=explanation, order=order)
    if attempt.operation == "modify":
        return _modify_verdict(order, attempt)
    return _cancel_verdict(order, Leg(attempt.leg))


def _modify_verdict(order: CoverOrder, attempt: Attempt) -> Resolution:
    if not attempt.wanted:
        return Resolution(
            settled=Settled.NOT_SEEN,
            explanation="a modify by its vendor's name: compare the order with what you asked for",
            order=order,
        )
    row = order.stop if attempt.leg == Leg.THIRD and order.stop is not None else order.entry
    if shows(order, attempt.wanted):
        settled, explanation = Settled.DONE, "the order book shows the change"
    elif row.is_closed:
        settled = Settled.NOT_DONE
        explanation = f"the order is {row.order_status} and does not show the change"
    else:
        settled, explanation = Settled.NOT_SEEN, "the order book does not show the change"
    return Resolution(settled=settled, explanation=explanation, order=order)


def _cancel_verdict(order: CoverOrder, leg: Leg) -> Resolution:
    outcome = judge(order, leg)
    if outcome is None:
        settled, explanation = Settled.NOT_SEEN, f"the entry is {order.status} so far"
    elif outcome is CancelOutcome.TOO_LATE:
        settled, explanation = Settled.NOT_DONE, f"the entry had become {order.status} before"
    else:
        settled, explanation = Settled.DONE, f"the order is {outcome}"
    return Resolution(settled=settled, explanation=explanation, order=order, outcome=outcome)
