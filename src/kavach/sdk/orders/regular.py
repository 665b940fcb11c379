"""
Regular and after-market orders: place, modify and cancel, and know what happened.

Such an order is one row of the order book, and placing it is answered by that row's id. What a
cancel or a change came to is read in the book, as for cover orders, because an accepted request is
not yet its effect.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/wire/README.md, "Rows";
docs/wire/README.md, "Decisions".
"""

from typing import Any, Final

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import (
    Attempt,
    AuthError,
    BadArgument,
    Kind,
    RateLimited,
    RequestRefused,
)
from kavach.sdk.instruments import Instrument, spot, token_of
from kavach.sdk.orders.book import ORDERS, OrderLike, id_of, rows_of
from kavach.sdk.orders.cancelling import cancel_result
from kavach.sdk.orders.cover import CancelResult
from kavach.sdk.orders.modifying import NOT_SHOWN
from kavach.sdk.orders.placing import PRICED, TRIGGERED, as_sent, needed, own_ids, protection
from kavach.sdk.orders.tracing import REGULAR, is_conditional, judge_order
from kavach.sdk.params import (
    ExchangeWord,
    OrderTypeWord,
    Price,
    ProductWord,
    SideWord,
    Token,
    ValidityWord,
    Whole,
)
from kavach.sdk.requests.account import Account, key_or_new
from kavach.sdk.requests.answers import data_of, identified
from kavach.sdk.requests.changes import as_it_was, shown_after
from kavach.sdk.requests.plan import Plan, Request, ask
from kavach.sdk.requests.watching import look_once, watch_for
from kavach.sdk.rows import Order, spelled
from kavach.units import OrderType, Validity
from kavach.wire.orders.regular_requests import (
    CancelOrderRequest,
    ModifyOrderRequest,
    PlaceOrderRequest,
)

AMO: Final = "AMO"


def place_order(
    account: Account,
    *,
    instrument: Instrument | None = None,
    exchange: ExchangeWord | None = None,
    instrument_token: Token | None = None,
    side: SideWord,
    quantity: Whole,
    product: ProductWord,
    price: Price | None = None,
    order_type: OrderTypeWord = OrderType.LIMIT,
    trigger_price: Price | None = None,
    validity: ValidityWord = Validity.DAY,
    disclosed_quantity: Whole = 0,
    after_market: bool = False,
    market_protection: Price | None = None,
    user_order_id: Whole | str | None = None,
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
    wanted = spot(instrument, exchange, instrument_token)
    kind = params.order_type("order_type", order_type)
    body = PlaceOrderRequest(
        exchange=wanted.exchange,
        instrument_token=wanted.token,
        order_type=kind,
        price=needed("price", price, kind, PRICED),
        quantity=params.whole("quantity", quantity),
        disclosed_quantity=params.whole("disclosed_quantity", disclosed_quantity),
        validity=params.validity("validity", validity),
        product=params.product("product", product),
        order_side=params.side("side", side),
        device=params.text("device", device),
        trigger_price=needed("trigger_price", trigger_price, kind, TRIGGERED),
        market_protection_percentage=protection(market_protection),
        execution_type=AMO if params.flag("after_market", after_market) else "REGULAR",
    )
    body.instrument_token = yield from token_of(account, wanted)
    attempt = yield from own_ids(account, body, Kind.REGULAR, user_order_id, idempotency_key)
    request = Request(method="POST", path=ORDERS, body=body, attempt=attempt)
    data = data_of(request, (yield from ask(request)))
    order_id = identified(data, "oms_order_id")
    attempt = msgspec.structs.replace(attempt, oms_order_id=order_id)
    accepted = f"accepted as order {order_id or '?'}, not found in the order book"
    return (yield from shown_after(account, REGULAR, attempt, account.confirm_seconds, accepted))


def modify_order(
    account: Account,
    order: OrderLike,
    *,
    price: Price | None = None,
    quantity: Whole | None = None,
    order_type: OrderTypeWord | None = None,
    trigger_price: Price | None = None,
    validity: ValidityWord | None = None,
    disclosed_quantity: Whole | None = None,
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
        "price": params.optional(params.price, "price", price),
        "quantity": params.optional(params.whole, "quantity", quantity),
        "order_type": params.optional(params.order_type, "order_type", order_type),
        "trigger_price": params.optional(params.price, "trigger_price", trigger_price),
        "validity": params.optional(params.validity, "validity", validity),
        "disclosed_quantity": params.optional(
            params.whole, "disclosed_quantity", disclosed_quantity
        ),
        "market_protection_percentage": params.optional(
            params.price, "market_protection", market_protection
        ),
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        raise BadArgument("modify_order: nothing to change was given")
    key, patience = key_or_new(idempotency_key), account.patience(confirm_seconds)
    current = yield from order_as_it_is(account, order)
    request = _modify_request(current, changes, key)
    data_of(request, (yield from ask(request)))
    assert request.attempt is not None
    return (yield from shown_after(account, REGULAR, request.attempt, patience, NOT_SHOWN))


def cancel_order(
    account: Account,
    order: OrderLike,
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
    key, patience = key_or_new(idempotency_key), account.patience(confirm_seconds)
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
        once = yield from look_once(lambda: REGULAR.find(account, attempt))
        outcome = None if once is None else judge_order(once)
        if once is None or outcome is None:
            raise
        return CancelResult(
            outcome=outcome,
            order=once,
            message=refusal.message,
            reason=refusal.reason,
            request_id=refusal.request_id,
        )
    sighting = yield from watch_for(
        lambda: REGULAR.find(account, attempt),
        lambda now: judge_order(now) is not None,
        patience,
        attempt,
    )
    outcome = None if sighting.seen is None else judge_order(sighting.seen)
    return cancel_result(current, sighting, outcome, attempt, response, data)


def order_as_it_is(account: Account, order: OrderLike) -> Plan[Order]:
    """Return a regular order as the order book shows it now; ``BadArgument`` if there is none."""
    named = id_of(order)
    for row in (yield from rows_of(account, named)):
        if row.oms_order_id == named:
            _must_be_regular(row)
            return row
    raise BadArgument(f"order: the order book has no order {named!r}")


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
    attempt = as_it_was(REGULAR, order, _attempt("modify", order, key, wanted, as_sent(body)))
    return Request(method="PUT", path=ORDERS, body=body, attempt=attempt)


def _cancel_request(order: Order, key: str) -> Request:
    body = CancelOrderRequest(client_id=order.client_id, execution_type=order.execution_type)
    path = f"{ORDERS}/{params.path_piece('order', order.oms_order_id)}"
    attempt = _attempt("cancel", order, key, {}, as_sent(body))
    return Request(method="DELETE", path=path, body=body, attempt=attempt)


def _attempt(
    operation: str, order: Order, key: str, wanted: dict[str, str], asked: dict[str, str]
) -> Attempt:
    return Attempt(
        operation=operation,
        kind=Kind.REGULAR,
        idempotency_key=key,
        client_id=order.client_id,
        user_order_id=order.user_order_id,
        oms_order_id=order.oms_order_id,
        wanted=wanted,
        asked=asked,
    )
