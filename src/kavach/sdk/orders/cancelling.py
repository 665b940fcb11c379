"""
Cancelling what has not traded, and getting out of what has.

An accepted cancel is not yet a cancelled order, and a refused one may only have come after the
event; so the order book decides in both cases (``judge``). A refusal is raised only when
the book does not explain it.

The documented request is a DELETE with a JSON body.

Source: docs/spec/cover_order.md; docs/wire/README.md, "Cancelling and getting out";
docs/wire/README.md, "Rows".
"""

from functools import partial
from typing import Any, Final, Literal, TypeVar

from kavach.sdk import params
from kavach.sdk.errors import Attempt, AuthError, BadArgument, RateLimited, RequestRefused
from kavach.sdk.orders.book import OrderLike, cover_order
from kavach.sdk.orders.cover import CancelResult, CoverOrder, Leg, judge
from kavach.sdk.orders.placing import KART, as_sent
from kavach.sdk.orders.tracing import COVERS
from kavach.sdk.requests.account import Account, key_or_new
from kavach.sdk.requests.answers import data_of
from kavach.sdk.requests.changes import CancelOutcome
from kavach.sdk.requests.plan import Plan, Request, Response, ask
from kavach.sdk.requests.watching import Sighting, look_once, watch_for
from kavach.sdk.rows import Order
from kavach.wire import headers
from kavach.wire.orders.requests import CancelRequest

LegWord = Leg | Literal["ENTRY", "SECOND", "THIRD"]
Y = TypeVar("Y")

MOST_TRIES: Final = 4
OUTCOME_UNKNOWN: Final = "UNKNOWN"  # The order state of a venue that cannot be reached.


def cancel_cover_order(
    account: Account,
    order: OrderLike,
    leg: LegWord = Leg.ENTRY,
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
    leg = params.word(Leg)("leg", leg)
    key = key_or_new(idempotency_key)
    patience = account.patience(confirm_seconds)
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
            seen = yield from look_once(partial(COVERS.find, account, _attempt(request)))
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
            result = yield from _confirmed(account, current, leg, request, response, data, patience)
            return result


def exit_cover_order(
    account: Account,
    order: OrderLike,
    *,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[CancelResult[CoverOrder]]:
    """
    Return what became of getting out: EXITED, or CANCELLED when nothing had traded yet.

    The same as cancelling leg ``THIRD``.
    """
    return (
        yield from cancel_cover_order(
            account,
            order,
            Leg.THIRD,
            idempotency_key=idempotency_key,
            confirm_seconds=confirm_seconds,
        )
    )


def _addressable(account: Account, order: OrderLike, leg: Leg) -> Plan[CoverOrder]:
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


def _attempt(request: Request) -> Attempt:
    assert request.attempt is not None, "a cancel is an attempt"
    return request.attempt


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
        basket_id=order.basket_id,
        kind=order.kind,
        asked=as_sent(body),
    )
    path = f"{KART}/{params.path_piece('order', target.oms_order_id)}"
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
    request: Request,
    response: Response,
    data: Any,
    patience: float,
) -> Plan[CancelResult[CoverOrder]]:
    """Return what the order book says about an accepted request."""
    attempt = _attempt(request)
    sighting = yield from watch_for(
        lambda: COVERS.find(account, attempt),
        lambda now: judge(now, leg) is not None,
        patience,
        attempt,
    )
    outcome = None if sighting.seen is None else judge(sighting.seen, leg)
    return cancel_result(order, sighting, outcome, attempt, response, data)


def cancel_result(
    before: Y,
    sighting: Sighting[Y],
    outcome: CancelOutcome | None,
    attempt: Attempt,
    response: Response,
    data: Any,
) -> CancelResult[Y]:
    """
    Return what became of an accepted request to end something, of whatever kind.

    One that shows no outcome yet is PENDING; one that the server cannot tell, or that could not be
    looked at, is UNKNOWN.
    """
    lost_sight = sighting.seen is None or sighting.trouble is not None
    if outcome is None:
        unknown = response.header(headers.ORDER_STATE) == OUTCOME_UNKNOWN or lost_sight
        outcome = CancelOutcome.UNKNOWN if unknown else CancelOutcome.PENDING
    words = data.get("message", "") if isinstance(data, dict) else ""
    return CancelResult(
        outcome=outcome,
        order=before if sighting.seen is None else sighting.seen,
        attempt=attempt,
        message=str(sighting.trouble or words),
        request_id=response.header(headers.REQUEST_ID),
    )
