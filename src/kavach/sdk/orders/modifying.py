"""
Modifying a cover order: the entry while it lives, the stop while it waits.

The request repeats what the row shows and changes what was asked, as the documents have it,
under the row's own ``last_activity_reference``, so that a change made meanwhile by somebody
else is refused and not overwritten. What is not asked to change is never sent for a
trailing stop: its price moves by itself, and sending an old one would loosen it.

Source: docs/wire/README.md, "Modifying"; docs/wire/README.md, "Decisions";
docs/spec/cover_order.md.
"""

from typing import Any, Final

from msgspec import UNSET

from kavach.sdk import params
from kavach.sdk.errors import Attempt, BadArgument
from kavach.sdk.orders.book import OrderLike, cover_order
from kavach.sdk.orders.cover import CoverOrder, Leg
from kavach.sdk.orders.placing import KART, as_sent
from kavach.sdk.orders.tracing import COVERS, STOP_FIELDS
from kavach.sdk.params import OrderTypeWord, Price, ValidityWord, Whole
from kavach.sdk.requests.account import Account, key_or_new
from kavach.sdk.requests.answers import data_of
from kavach.sdk.requests.changes import as_it_was, shown_after
from kavach.sdk.requests.plan import Plan, Request, ask
from kavach.sdk.rows import spelled
from kavach.wire.orders.requests import ModifyRequest

NOT_SHOWN: Final = "accepted, and the order book does not show the change"


def modify_cover_order(
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
    stop_loss: Price | None = None,
    trailing_stop_loss: Price | None = None,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[CoverOrder]:
    """
    Return the order once the order book shows the change; ``None`` leaves a value as it is.

    ``quantity`` is the new total, what has traded included. ``stop_loss`` is the new absolute
    trigger of the stop; ``trailing_stop_loss`` 0 ends the trailing.

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
        "stop_loss_value": params.optional(params.price, "stop_loss", stop_loss),
        "trailing_stop_loss": params.optional(
            params.price, "trailing_stop_loss", trailing_stop_loss
        ),
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        raise BadArgument("modify_cover_order: nothing to change was given")
    key = key_or_new(idempotency_key)
    patience = account.patience(confirm_seconds)
    current = yield from cover_order(account, order)
    request = _request(current, changes, key)
    data_of(request, (yield from ask(request)))
    assert request.attempt is not None
    return (yield from shown_after(account, COVERS, request.attempt, patience, NOT_SHOWN))


def _request(order: CoverOrder, changes: dict[str, Any], key: str) -> Request:
    """Return the PUT that makes these changes; those of a stop that exists go to its row."""
    if order.stop is not None and changes.keys() <= STOP_FIELDS:
        row, leg, repeated = order.stop, Leg.THIRD, {}
    else:
        row, leg, repeated = order.entry, Leg.ENTRY, entry_as_it_is(order)
    body = ModifyRequest(
        client_id=order.client_id,
        oms_order_id=row.oms_order_id,
        exchange_order_id=row.exchange_order_id,
        execution_type="CO",
        leg_order_indicator=leg,
        exchange=row.exchange,
        instrument_token=row.instrument_token,
        product=row.product,
        last_activity_reference=str(row.last_activity_reference),
        **(repeated | changes),
    )
    step: Any = body.trailing_stop_loss
    if step is not UNSET:
        body.is_trailing = step != 0
    attempt = Attempt(
        operation="modify",
        idempotency_key=key,
        client_id=order.client_id,
        user_order_id=order.user_order_id,
        oms_order_id=order.oms_order_id,
        leg=leg,
        basket_id=order.basket_id,
        wanted={name: spelled(value) for name, value in changes.items()},
        asked=as_sent(body),
    )
    attempt = as_it_was(COVERS, order, attempt)
    return Request(method="PUT", path=KART, body=body, attempt=attempt)


def entry_as_it_is(order: CoverOrder) -> dict[str, Any]:
    """Return what a modify of the entry repeats."""
    entry, stop = order.entry, order.stop
    repeated: dict[str, Any] = {
        "order_type": entry.order_type,
        "price": entry.price,
        "quantity": entry.quantity,
        "disclosed_quantity": entry.disclosed_quantity,
        "filled_quantity": entry.filled_quantity,
        "remaining_quantity": entry.remaining_quantity,
        "validity": entry.validity,
        "trigger_price": entry.trigger_price,
    }
    stop_price = entry.stop_loss_value if stop is None else stop.trigger_price
    if stop_price and not (entry.is_trailing or (stop or entry).is_trailing):
        repeated["stop_loss_value"] = stop_price
    return repeated
