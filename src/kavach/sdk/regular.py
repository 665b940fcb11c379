"""
Regular and after-market orders: place, modify and cancel, and know what happened.

Such an order is one row of the order book, and placing it is answered by that row's id. What a
cancel or a change came to is read in the book, as for cover orders, because an accepted request is
not yet its effect.

Source: wire 1.2, 2.4, 3.1; Decision 15.
"""

from typing import Any, Final

import msgspec

from kavach.sdk import given
from kavach.sdk.account import Account, new_idempotency_key, new_user_order_id, own_client_id
from kavach.sdk.answers import data_of
from kavach.sdk.book import ORDERS, must_be_new, orders
from kavach.sdk.cover import CancelOutcome, CancelResult
from kavach.sdk.errors import (
    Attempt,
    AuthError,
    BadArgument,
    Kind,
    OutcomeUnknown,
    RateLimited,
    RequestRefused,
)
from kavach.sdk.given import Price
from kavach.sdk.placing import PRICED, TRIGGERED, needed, protection
from kavach.sdk.plan import Plan, Request, Response, ask
from kavach.sdk.rows import CONDITIONAL, Order, spelled
from kavach.sdk.watching import Sighting, watch_for
from kavach.units import Exchange, OrderType, Product, Side, Validity
from kavach.wire import headers
from kavach.wire.regular_requests import (
    CancelOrderRequest,
    ModifyOrderRequest,
    PlaceOrderRequest,
)
from kavach.wire.statuses import OrderStatus

OUTCOME_UNKNOWN: Final = "UNKNOWN"  # The order state of a venue that cannot be reached.
AMO: Final = "AMO"


def place_order(
    account: Account,
    *,
    exchange: Exchange | str,
    instrument_token: int | str,
    side: Side | str,
    quantity: int,
    product: Product | str,
    price: Price | None = None,
    order_type: OrderType | str = OrderType.LIMIT,
    trigger_price: Price | None = None,
    validity: Validity | str = Validity.DAY,
    disclosed_quantity: int = 0,
    after_market: bool = False,
    market_protection: Price | None = None,
    user_order_id: int | None = None,
    idempotency_key: str | None = None,
    device: str = "WEB",
) -> Plan[Order]:
    """
    Return the order that was placed, as the order book shows it.

    With ``after_market`` it is kept until the session opens. ``market_protection`` is the
    percentage through the last price that a MARKET or SLM order may reach; some rules ask for it.

    An order that was accepted and then refused by risk management or the exchange is returned too:
    see ``is_rejected`` and ``rejection_reason``.

    Raises ``RequestRefused`` when nothing was placed, ``OutcomeUnknown`` when that cannot be
    told, or when the order was accepted and the order book does not show it in time.
    """
    kind = given.order_type("order_type", order_type)
    body = PlaceOrderRequest(
        exchange=given.exchange("exchange", exchange),
        instrument_token=str(instrument_token),
        order_type=kind,
        price=needed("price", price, kind, PRICED),
        quantity=given.whole("quantity", quantity),
        disclosed_quantity=given.whole("disclosed_quantity", disclosed_quantity),
        validity=given.validity("validity", validity),
        product=given.product("product", product),
        order_side=given.side("side", side),
        device=device,
        trigger_price=needed("trigger_price", trigger_price, kind, TRIGGERED),
        market_protection_percentage=protection(market_protection),
        execution_type=AMO if after_market else "REGULAR",
    )
    if idempotency_key is not None:
        given.idempotency_key(idempotency_key)
    number = given.optional(given.whole, "user_order_id", user_order_id)
    body.client_id = yield from own_client_id(account)
    if number is not None and idempotency_key is None:
        yield from must_be_new(account, str(number))
    body.user_order_id = new_user_order_id() if number is None else number
    attempt = Attempt(
        operation="place",
        kind=Kind.REGULAR,
        idempotency_key=idempotency_key or new_idempotency_key(),
        client_id=body.client_id,
        user_order_id=str(body.user_order_id),
    )
    request = Request(method="POST", path=ORDERS, body=body, attempt=attempt)
    data = data_of(request, (yield from ask(request)))
    order_id = str(data.get("oms_order_id", "")) if isinstance(data, dict) else ""
    attempt = msgspec.structs.replace(attempt, oms_order_id=order_id)
    seen = yield from watch_order(account, attempt, account.confirm_seconds)
    if seen.order is None:
        why = f"accepted as order {order_id or '?'}, not found in the order book"
        raise OutcomeUnknown(why, attempt) from seen.trouble
    return seen.order


def modify_order(
    account: Account,
    order: Order | str,
    *,
    price: Price | None = None,
    quantity: int | None = None,
    order_type: OrderType | str | None = None,
    trigger_price: Price | None = None,
    validity: Validity | str | None = None,
    disclosed_quantity: int | None = None,
    market_protection: Price | None = None,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[Order]:
    """
    Return the order once the order book shows the change; ``None`` leaves a value as it is.

    ``quantity`` is the new total, what has traded included.

    Raises ``RequestRefused`` when nothing changed, ``OutcomeUnknown`` when no answer came or the
    change was accepted and the order book does not show it in time.
    """
    asked = {
        "price": given.optional(given.price, "price", price),
        "quantity": given.optional(given.whole, "quantity", quantity),
        "order_type": given.optional(given.order_type, "order_type", order_type),
        "trigger_price": given.optional(given.price, "trigger_price", trigger_price),
        "validity": given.optional(given.validity, "validity", validity),
        "disclosed_quantity": given.optional(given.whole, "disclosed_quantity", disclosed_quantity),
        "market_protection_percentage": given.optional(
            given.price, "market_protection", market_protection
        ),
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        raise BadArgument("modify_order: nothing to change was given")
    key = given.idempotency_key(idempotency_key or new_idempotency_key())
    current = yield from order_as_it_is(account, order)
    request = _modify_request(current, changes, key)
    data_of(request, (yield from ask(request)))
    assert request.attempt is not None
    attempt = request.attempt
    patience = account.confirm_seconds if confirm_seconds is None else confirm_seconds
    seen = yield from watch_for(
        lambda: find_order(account, attempt),
        lambda now: shows(now, attempt.wanted) or now.is_closed,
        patience,
    )
    if seen.order is None or not shows(seen.order, attempt.wanted):
        why = "accepted, and the order book does not show the change"
        raise OutcomeUnknown(why, attempt) from seen.trouble
    return seen.order


def cancel_order(
    account: Account,
    order: Order | str,
    *,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[CancelResult[Order]]:
    """
    Return what really became of cancelling what has not traded, as the order book shows it.

    CANCELLED, TOO_LATE (it had closed otherwise: ``order.order_status`` says how), PENDING or
    UNKNOWN; what had traded before stays traded: ``order.quantity_traded``.

    Raises ``RequestRefused`` when the request was refused and the order stands where it stood,
    ``OutcomeUnknown`` when no answer came.
    """
    key = given.idempotency_key(idempotency_key or new_idempotency_key())
    patience = account.confirm_seconds if confirm_seconds is None else confirm_seconds
    current = order if isinstance(order, Order) else (yield from order_as_it_is(account, order))
    _must_be_regular(current)
    request = _cancel_request(current, key)
    assert request.attempt is not None
    attempt = request.attempt
    response = yield from ask(request)
    try:
        data = data_of(request, response)
    except (AuthError, RateLimited):
        raise
    except RequestRefused as refusal:
        # A book that cannot be read must not hide the refusal that made us look.
        once = yield from watch_for(lambda: find_order(account, attempt), lambda now: True, 0)
        outcome = None if once.order is None else judge_order(once.order)
        if once.order is None or outcome is None:
            raise
        return CancelResult(
            outcome=outcome,
            order=once.order,
            message=refusal.message,
            reason=refusal.reason,
            request_id=refusal.request_id,
        )
    seen = yield from watch_for(
        lambda: find_order(account, attempt), lambda now: judge_order(now) is not None, patience
    )
    return _cancelled(current, seen, response, data)


def order_as_it_is(account: Account, order: Order | str) -> Plan[Order]:
    """Return a regular order as the order book shows it now; ``BadArgument`` if there is none."""
    named: Any = order.oms_order_id if isinstance(order, Order) else order
    if not isinstance(named, str) or not named:
        raise BadArgument(f"order: {order!r} is neither an order nor the id of one")
    for row in (yield from orders(account)):
        if row.oms_order_id == named:
            _must_be_regular(row)
            return row
    raise BadArgument(f"order: the order book has no order {named!r}")


def find_order(account: Account, attempt: Attempt) -> Plan[Order | None]:
    """
    Return the regular order that an attempt was about: by its id, else by its user order id.

    ``None`` when there is none, or when several could be meant.
    """
    rows = [row for row in (yield from orders(account)) if not is_conditional(row)]
    if attempt.oms_order_id:
        return next((row for row in rows if row.oms_order_id == attempt.oms_order_id), None)
    found = [row for row in rows if row.user_order_id == attempt.user_order_id != ""]
    return found[0] if len(found) == 1 else None


def watch_order(account: Account, attempt: Attempt, seconds: float) -> Plan[Sighting[Order]]:
    """Return the order that an attempt was about, once the book shows it."""
    return watch_for(lambda: find_order(account, attempt), lambda now: True, seconds)


def judge_order(order: Order) -> CancelOutcome | None:
    """Return what the row says became of cancelling it; ``None`` when it does not yet."""
    if not order.is_closed:
        return None
    return CancelOutcome.CANCELLED if order.is_cancelled else CancelOutcome.TOO_LATE


def shows(order: Order, wanted: dict[str, str]) -> bool:
    """Return whether the row shows every value of ``wanted``."""
    if order.order_status == OrderStatus.MODIFY_PENDING:
        return False
    return all(spelled(getattr(order, name)) == value for name, value in wanted.items())


def is_conditional(order: Order) -> bool:
    """Return whether a row is a leg of a cover or bracket order."""
    return order.execution_type.upper() in CONDITIONAL


def _must_be_regular(order: Order) -> None:
    if is_conditional(order):
        raise BadArgument(
            f"order: {order.oms_order_id} is a leg of a {order.execution_type} order, which has "
            "methods of its own"
        )


def _modify_request(order: Order, changes: dict[str, Any], key: str) -> Request:
    """Return the PUT that repeats what the row shows but for the changes."""
    repeated: dict[str, Any] = {
        "order_type": order.order_type,
        "price": order.price,
        "quantity": order.quantity,
        "disclosed_quantity": order.disclosed_quantity,
        "filled_quantity": order.filled_quantity,
        "remaining_quantity": order.remaining_quantity,
        "validity": order.validity,
        "trigger_price": order.trigger_price,
    }
    body = ModifyOrderRequest(
        client_id=order.client_id,
        oms_order_id=order.oms_order_id,
        exchange_order_id=order.exchange_order_id,
        execution_type=order.execution_type,
        exchange=order.exchange,
        instrument_token=order.instrument_token,
        order_side=order.order_side,
        product=order.product,
        last_activity_reference=str(order.last_activity_reference),
        **(repeated | changes),
    )
    wanted = {name: spelled(value) for name, value in changes.items()}
    attempt = _attempt("modify", order, key, wanted)
    return Request(method="PUT", path=ORDERS, body=body, attempt=attempt)


def _cancel_request(order: Order, key: str) -> Request:
    body = CancelOrderRequest(client_id=order.client_id, execution_type=order.execution_type)
    path = f"{ORDERS}/{given.path_piece('order', order.oms_order_id)}"
    return Request(
        method="DELETE", path=path, body=body, attempt=_attempt("cancel", order, key, {})
    )


def _attempt(operation: str, order: Order, key: str, wanted: dict[str, str]) -> Attempt:
    return Attempt(
        operation=operation,
        kind=Kind.REGULAR,
        idempotency_key=key,
        client_id=order.client_id,
        user_order_id=order.user_order_id,
        oms_order_id=order.oms_order_id,
        wanted=wanted,
    )


def _cancelled(
    order: Order, seen: Sighting[Order], response: Response, data: Any
) -> CancelResult[Order]:
    """Return what the order book says about an accepted request."""
    outcome = None if seen.order is None else judge_order(seen.order)
    if outcome is None:
        lost_sight = seen.order is None or seen.trouble is not None
        unknown = response.header(headers.ORDER_STATE) == OUTCOME_UNKNOWN or lost_sight
        outcome = CancelOutcome.UNKNOWN if unknown else CancelOutcome.PENDING
    words = data.get("message", "") if isinstance(data, dict) else ""
    return CancelResult(
        outcome=outcome,
        order=seen.order or order,
        message=str(seen.trouble or words),
        request_id=response.header(headers.REQUEST_ID),
    )
