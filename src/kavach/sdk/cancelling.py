"""
Cancelling what has not traded, and getting out of what has.

An accepted cancel is not yet a cancelled order, and a refused one may only have come after the
event; so the order book decides in both cases (``judge``). A refusal is raised only when
the book does not explain it.

The documented request is a DELETE with a JSON body.

Source: cover-order 5.3, 5.7, race 1 to 8; wire 1.3.4, 2.4.
"""

from typing import Any, Final

import msgspec

from kavach.sdk import given
from kavach.sdk.account import Account, new_idempotency_key
from kavach.sdk.answers import data_of
from kavach.sdk.book import cover_order, watch
from kavach.sdk.cover import CancelOutcome, CancelResult, CoverOrder, Leg, judge
from kavach.sdk.errors import Attempt, AuthError, BadArgument, RateLimited, RequestRefused
from kavach.sdk.placing import KART
from kavach.sdk.plan import Plan, Request, Response, ask
from kavach.sdk.rows import Order
from kavach.wire import headers
from kavach.wire.requests import CancelRequest

MOST_TRIES: Final = 4
OUTCOME_UNKNOWN: Final = "UNKNOWN"  # The order state of a venue that cannot be reached.


def cancel_cover_order(
    account: Account,
    order: CoverOrder | Order | str,
    leg: Leg | str = Leg.ENTRY,
    *,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[CancelResult[CoverOrder]]:
    """
    Return what really became of cancelling a leg, as the order book shows it.

    ``ENTRY`` cancels what has not traded and leaves the stop of what has; ``THIRD`` means "get
    me out". The book is watched for ``confirm_seconds`` (the client's own setting if ``None``);
    an order that is still on its way then is PENDING.

    Raises ``RequestRefused`` when the request was refused and the order stands where it stood,
    ``OutcomeUnknown`` when no answer came.
    """
    leg = given.word(Leg)("leg", leg)
    key = given.idempotency_key(idempotency_key or new_idempotency_key())
    patience = account.confirm_seconds if confirm_seconds is None else confirm_seconds
    current = yield from _addressable(account, order, leg)
    tries = 1
    while True:
        request = _request(current, leg, key if tries == 1 else f"{key}-{tries}")
        response = yield from ask(request)
        try:
            data = data_of(request, response)
        except (AuthError, RateLimited):
            raise
        except RequestRefused as refusal:
            seen = yield from _seen_once(account, current)
            if seen is None:
                raise
            outcome = judge(seen, leg)
            if outcome is not None:
                return _refused(outcome, seen, refusal)
            if _names(seen, leg) == _names(current, leg) or tries == MOST_TRIES:
                raise
            # The stop was placed or replaced meanwhile: the refused request named the old one.
            current, tries = seen, tries + 1
        else:
            result = yield from _confirmed(account, current, leg, response, data, patience)
            return result


def exit_cover_order(
    account: Account,
    order: CoverOrder | Order | str,
    *,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[CancelResult[CoverOrder]]:
    """
    Return what became of getting out: EXITED, or CANCELLED when nothing had traded yet.

    The same as cancelling leg ``THIRD``.
    """
    return cancel_cover_order(
        account,
        order,
        Leg.THIRD,
        idempotency_key=idempotency_key,
        confirm_seconds=confirm_seconds,
    )


def _addressable(account: Account, order: CoverOrder | Order | str, leg: Leg) -> Plan[CoverOrder]:
    """
    Return the order with the ids by which the leg has to be named.

    An order that has them is taken as it is: who wants out wants out now, and ids that have
    become stale are refused and looked up then.
    """
    if isinstance(order, CoverOrder) and not order.shares_user_order_id:
        target = order.row_of(leg)
        if target is not None and target.exchange_order_id:
            return order
    current = yield from cover_order(account, order)
    if leg is not Leg.ENTRY and current.shares_user_order_id:
        raise BadArgument(
            f"order: user order id {current.user_order_id} belongs to several cover orders, so "
            "its stop cannot be told from theirs; use cancelConditionalOrder with the ids of "
            "its THIRD row"
        )
    return current


def _target(order: CoverOrder, leg: Leg) -> Order:
    """Return the row whose ids name the leg: its own once there is one."""
    return order.row_of(leg) or order.entry


def _names(order: CoverOrder, leg: Leg) -> tuple[str, str]:
    """Return the ids by which a request names the leg."""
    target = _target(order, leg)
    return target.oms_order_id, target.exchange_order_id


def _seen_once(account: Account, order: CoverOrder) -> Plan[CoverOrder | None]:
    """
    Return the order as the book shows it at this moment, ``None`` if it cannot be seen.

    A book that cannot be read must not hide the refusal that made us look.
    """
    seen = yield from watch(
        account, order.user_order_id, order.oms_order_id, lambda now: True, seconds=0
    )
    if seen.order is None:
        return None
    return msgspec.structs.replace(seen.order, basket_id=order.basket_id)


def _request(order: CoverOrder, leg: Leg, key: str) -> Request:
    target = _target(order, leg)
    body = CancelRequest(
        client_id=order.client_id,
        exchange_order_id=target.exchange_order_id,
        execution_type=order.entry.execution_type,
        leg_order_indicator=leg,
        oms_order_id=target.oms_order_id,
    )
    attempt = Attempt(
        operation="cancel",
        idempotency_key=key,
        client_id=order.client_id,
        user_order_id=order.user_order_id,
        oms_order_id=order.oms_order_id,
        leg=leg,
        kind=order.kind,
    )
    path = f"{KART}/{given.path_piece('order', target.oms_order_id)}"
    return Request(method="DELETE", path=path, body=body, attempt=attempt)


def _refused(
    outcome: CancelOutcome, order: CoverOrder, refusal: RequestRefused
) -> CancelResult[CoverOrder]:
    return CancelResult(
        outcome=outcome,
        order=order,
        message=refusal.message,
        reason=refusal.reason,
        request_id=refusal.request_id,
    )


def _confirmed(
    account: Account,
    order: CoverOrder,
    leg: Leg,
    response: Response,
    data: Any,
    patience: float,
) -> Plan[CancelResult[CoverOrder]]:
    """Return what the order book says about an accepted request."""
    seen = yield from watch(
        account,
        order.user_order_id,
        order.oms_order_id,
        lambda now: judge(now, leg) is not None,
        patience,
    )
    latest = order
    if seen.order is not None:
        latest = msgspec.structs.replace(seen.order, basket_id=order.basket_id)
    outcome = judge(latest, leg) if seen.order is not None else None
    if outcome is None:
        state = response.header(headers.ORDER_STATE)
        lost_sight = seen.order is None or seen.trouble is not None
        unknown = state == OUTCOME_UNKNOWN or lost_sight
        outcome = CancelOutcome.UNKNOWN if unknown else CancelOutcome.PENDING
    words = data.get("message", "") if isinstance(data, dict) else ""
    return CancelResult(
        outcome=outcome,
        order=latest,
        message=str(seen.trouble or words),
        request_id=response.header(headers.REQUEST_ID),
    )
