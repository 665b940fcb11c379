"""
Finding out what became of a change whose answer was lost: by looking, never by asking again.

Absence proves nothing while a request may still be on its way, so an order that is not in the
book is NOT_SEEN, never "not placed".

    about                where is looked           how it is found
    regular order        order book                its id, else its user order id
    cover, bracket       order book                its user order id, else a leg's id
    GTT rule             list of rules             its id, else the only new rule that says so
    basket               list of baskets           its id, else the only new one of that name
    conversion           positions                 the quantities that it should lead to

Source: cover-order F-08 to F-10, table A6; wire 2.5.
"""

from collections.abc import Callable

import msgspec

from kavach.sdk import baskets, gtt, portfolio, regular
from kavach.sdk.account import Account
from kavach.sdk.book import look, positions
from kavach.sdk.cover import CancelOutcome, CoverOrder, Leg, Settled, judge
from kavach.sdk.errors import Attempt, Kind, OutcomeUnknown
from kavach.sdk.modifying import shows
from kavach.sdk.plan import Plan
from kavach.sdk.resolution import Resolution
from kavach.sdk.rows import Order, Position
from kavach.sdk.watching import X, watch_for

BY_VENDOR_NAME = "a change by its vendor's name: compare what is there with what you asked for"


class BasketNow(msgspec.Struct, frozen=True):
    """The basket that is meant; ``None`` if it had an id and is not in the list any more."""

    basket: baskets.Basket | None


def resolve(
    account: Account, unknown: OutcomeUnknown, *, confirm_seconds: float | None = None
) -> Plan[Resolution]:
    """
    Return what the server shows of a change whose answer was lost; nothing is sent again.

    The order book (or the list of rules or baskets, or the positions) is watched for
    ``confirm_seconds`` (the client's own setting if ``None``). Raises ``TransportError`` or
    ``RequestRefused`` when it cannot be read.
    """
    attempt = unknown.attempt
    patience = account.confirm_seconds if confirm_seconds is None else confirm_seconds
    match attempt.kind:
        case Kind.REGULAR:
            return _watched(
                lambda: regular.find_order(account, attempt),
                lambda order: _order_verdict(order, attempt),
                patience,
            )
        case Kind.GTT:
            return _watched(
                lambda: gtt.find_rule(account, attempt),
                lambda rule: _rule_verdict(rule, attempt),
                patience,
            )
        case Kind.BASKET:
            return _watched(
                lambda: _basket_now(account, attempt),
                lambda now: _basket_verdict(now.basket, attempt),
                patience,
            )
        case Kind.POSITION:
            return _watched(
                lambda: positions(account), lambda held: _position_verdict(held, attempt), patience
            )
    return _watched(
        lambda: look(account, attempt.user_order_id, attempt.oms_order_id),
        lambda order: _verdict(
            msgspec.structs.replace(order, basket_id=attempt.basket_id), attempt
        ),
        patience,
    )


def _watched(
    find: Callable[[], Plan[X | None]], verdict: Callable[[X], Resolution], seconds: float
) -> Plan[Resolution]:
    """Return the verdict on what is found once it is one, or when the time is over."""
    seen = yield from watch_for(
        find, lambda found: verdict(found).settled is not Settled.NOT_SEEN, seconds
    )
    if seen.trouble is not None:
        raise seen.trouble
    if seen.order is None:
        return Resolution(
            settled=Settled.NOT_SEEN,
            explanation="the server shows no such thing; the request may still be on its way",
        )
    return verdict(seen.order)


def _order_verdict(order: Order, attempt: Attempt) -> Resolution:
    outcome = None
    if attempt.operation == "place":
        settled, explanation = Settled.DONE, f"the order was placed; it is {order.order_status}"
    elif attempt.operation == "cancel":
        outcome = regular.judge_order(order)
        settled = _settled_by(outcome)
        explanation = f"the order is {order.order_status}"
    elif not attempt.wanted:
        settled, explanation = Settled.NOT_SEEN, BY_VENDOR_NAME
    elif regular.shows(order, attempt.wanted):
        settled, explanation = Settled.DONE, "the order book shows the change"
    elif order.is_closed:
        settled = Settled.NOT_DONE
        explanation = f"the order is {order.order_status} and does not show the change"
    else:
        settled, explanation = Settled.NOT_SEEN, "the order book does not show the change"
    return Resolution(settled=settled, explanation=explanation, order=order, outcome=outcome)


def _rule_verdict(rule: gtt.GttRule, attempt: Attempt) -> Resolution:
    outcome = None
    if attempt.operation == "cancel":
        outcome = gtt.judge_rule(rule)
        settled, explanation = _settled_by(outcome), f"the rule is {rule.status}"
    elif not attempt.wanted:
        settled, explanation = Settled.NOT_SEEN, BY_VENDOR_NAME
    elif gtt.shows(rule, attempt.wanted):
        settled, explanation = Settled.DONE, "the rule says what was asked for"
    elif not rule.is_active:
        settled = Settled.NOT_DONE
        explanation = f"the rule is {rule.status} and does not show the change"
    else:
        settled, explanation = Settled.NOT_SEEN, "the rule does not show the change"
    return Resolution(settled=settled, explanation=explanation, rule=rule, outcome=outcome)


def _basket_now(account: Account, attempt: Attempt) -> Plan[BasketNow | None]:
    """Return the basket; that it is gone is news only to who wanted it deleted."""
    found = yield from baskets.find_basket(account, attempt)
    known = found is not None or (attempt.operation == "delete" and attempt.basket_id)
    return BasketNow(found) if known else None


def _basket_verdict(found: baskets.Basket | None, attempt: Attempt) -> Resolution:
    if found is None:
        return Resolution(settled=Settled.DONE, explanation="the basket is gone")
    if attempt.operation not in ("delete", "remove") and not attempt.wanted:
        explanation = BY_VENDOR_NAME
        if attempt.operation == "execute":
            explanation = "the basket had been executed before: look for its orders in the book"
        return Resolution(settled=Settled.NOT_SEEN, explanation=explanation, basket=found)
    if baskets.shows(found, attempt):
        settled, explanation = Settled.DONE, "the basket shows the change"
    else:
        settled, explanation = Settled.NOT_SEEN, "the basket does not show the change"
    return Resolution(settled=settled, explanation=explanation, basket=found)


def _position_verdict(held: list[Position], attempt: Attempt) -> Resolution:
    if attempt.wanted and portfolio.shows(held, attempt.wanted):
        settled, explanation = Settled.DONE, "the positions are as the conversion leaves them"
    else:
        settled = Settled.NOT_SEEN
        explanation = "the positions are not as the conversion alone would leave them"
    return Resolution(settled=settled, explanation=explanation, positions=tuple(held))


def _settled_by(outcome: CancelOutcome | None) -> Settled:
    """Return what an ended thing says about the request to end it."""
    if outcome is None:
        return Settled.NOT_SEEN
    return Settled.NOT_DONE if outcome is CancelOutcome.TOO_LATE else Settled.DONE


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
            explanation=BY_VENDOR_NAME,
            order=order,
        )
    row = order.row_of(Leg(attempt.leg or Leg.ENTRY)) or order.entry
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
