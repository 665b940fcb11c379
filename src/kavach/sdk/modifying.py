"""
Modifying a cover order: the entry while it lives, the stop while it waits.

The request repeats what the row shows and changes what was asked, as the documents have it,
under the row's own ``last_activity_reference``, so that a change made meanwhile by somebody
else is refused and not overwritten. What is not asked to change is never sent for a
trailing stop: its price moves by itself, and sending an old one would loosen it.

Source: wire 1.3.3, Decisions 15 and 19; cover-order 5.3 (C3, C4), F-12.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET

from kavach.sdk import given
from kavach.sdk.account import Account, new_idempotency_key
from kavach.sdk.answers import data_of
from kavach.sdk.book import cover_order, watch
from kavach.sdk.cover import BracketOrder, CoverOrder, Leg
from kavach.sdk.errors import Attempt, BadArgument, OutcomeUnknown
from kavach.sdk.given import Price
from kavach.sdk.placing import KART
from kavach.sdk.plan import Plan, Request, ask
from kavach.sdk.rows import Order, spelled
from kavach.units import OrderType, Validity
from kavach.wire.requests import ModifyRequest
from kavach.wire.statuses import OrderStatus

STOP_FIELDS: Final = frozenset({"stop_loss_value", "trailing_stop_loss"})


def modify_cover_order(
    account: Account,
    order: CoverOrder | Order | str,
    *,
    price: Price | None = None,
    quantity: int | None = None,
    order_type: OrderType | str | None = None,
    trigger_price: Price | None = None,
    validity: Validity | str | None = None,
    disclosed_quantity: int | None = None,
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
        "price": given.optional(given.price, "price", price),
        "quantity": given.optional(given.whole, "quantity", quantity),
        "order_type": given.optional(given.order_type, "order_type", order_type),
        "trigger_price": given.optional(given.price, "trigger_price", trigger_price),
        "validity": given.optional(given.validity, "validity", validity),
        "disclosed_quantity": given.optional(given.whole, "disclosed_quantity", disclosed_quantity),
        "market_protection_percentage": given.optional(
            given.price, "market_protection", market_protection
        ),
        "stop_loss_value": given.optional(given.price, "stop_loss", stop_loss),
        "trailing_stop_loss": given.optional(given.price, "trailing_stop_loss", trailing_stop_loss),
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        raise BadArgument("modify_cover_order: nothing to change was given")
    key = given.idempotency_key(idempotency_key or new_idempotency_key())
    current = yield from cover_order(account, order)
    request = _request(current, changes, key)
    data_of(request, (yield from ask(request)))
    patience = account.confirm_seconds if confirm_seconds is None else confirm_seconds
    assert request.attempt is not None
    changed = yield from confirmed(account, current, request.attempt, patience)
    return changed


def shows(order: CoverOrder, wanted: dict[str, str]) -> bool:
    """
    Return whether the rows show every value of ``wanted``.

    A waiting stop shows its trigger; before there is one, the entry's row may show the plan, or
    nothing, as servers of this family differ. A stop that trails may have moved on already.
    """
    if order.status == OrderStatus.MODIFY_PENDING:
        return False
    return all(_shown(order, name) in (value, None) for name, value in wanted.items())


def _shown(order: CoverOrder, name: str) -> str | None:
    """Return what the rows show of a field, spelled for comparison; ``None``: cannot tell."""
    leg, _, field = name.rpartition(".")
    if leg:  # Of an exit's own row: "SECOND.price".
        row = order.row_of(Leg(leg))
        moves = leg == Leg.THIRD and order.entry.is_trailing
        return None if row is None or moves else spelled(getattr(row, field))
    if name == "trailing_stop_loss":
        return None
    if isinstance(order, BracketOrder):
        return spelled(getattr(order.entry, name))
    if name in STOP_FIELDS and order.entry.is_trailing:
        return None
    if name == "stop_loss_value":
        planned = order.entry.stop_loss_value
        seen = planned if order.stop is None else order.stop.trigger_price
        return spelled(seen) if seen else None
    return spelled(getattr(order.entry, name))


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
    if body.trailing_stop_loss is not UNSET:
        body.is_trailing = body.trailing_stop_loss != 0
    attempt = Attempt(
        operation="modify",
        idempotency_key=key,
        client_id=order.client_id,
        user_order_id=order.user_order_id,
        oms_order_id=order.oms_order_id,
        leg=leg,
        basket_id=order.basket_id,
        wanted={name: spelled(value) for name, value in changes.items()},
    )
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
    if stop_price and not entry.is_trailing:
        repeated["stop_loss_value"] = stop_price
    return repeated


def confirmed(
    account: Account, order: CoverOrder, attempt: Attempt, patience: float
) -> Plan[CoverOrder]:
    """Return the order once it shows the accepted change."""
    seen = yield from watch(
        account,
        order.user_order_id,
        order.oms_order_id,
        lambda now: shows(now, attempt.wanted) or now.is_over,
        patience,
    )
    if seen.order is None or not shows(seen.order, attempt.wanted):
        why = "accepted, and the order book does not show the change"
        raise OutcomeUnknown(why, attempt) from seen.trouble
    return msgspec.structs.replace(seen.order, basket_id=order.basket_id)
