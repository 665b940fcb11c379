"""
Bracket orders: a cover order with a target, placed and changed by distances from the entry's price.

Stop and target share one quantity, so that the two can never sell more than the entry bought. Where
they stand is said as a distance from the entry's price when the order is placed; once they are in
the book, each has a row, and a price of its own that can be moved.

Source: docs/wire/brackets.md; docs/wire/README.md, "Modifying"; docs/wire/README.md, "Rows";
docs/wire/README.md, "Decisions".
"""

from decimal import Decimal
from typing import Any, Final, cast

from kavach.sdk import params
from kavach.sdk.errors import Attempt, BadArgument, Kind
from kavach.sdk.instruments import Instrument, spot, token_of
from kavach.sdk.orders.book import OrderLike, cover_order
from kavach.sdk.orders.cancelling import LegWord, cancel_cover_order
from kavach.sdk.orders.cover import BracketOrder, CancelResult, Leg
from kavach.sdk.orders.modifying import NOT_SHOWN, entry_as_it_is
from kavach.sdk.orders.placing import (
    KART,
    PRICED,
    TRIGGERED,
    as_sent,
    needed,
    place_on_kart,
    protection,
)
from kavach.sdk.orders.tracing import COVERS
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
from kavach.sdk.requests.answers import data_of
from kavach.sdk.requests.changes import as_it_was, shown_after
from kavach.sdk.requests.plan import Plan, Request, ask
from kavach.sdk.rows import spelled
from kavach.units import OrderType, Product, Validity
from kavach.wire.orders.requests import ModifyRequest, PlaceRequest

BO: Final = "BO"


def place_bracket_order(
    account: Account,
    *,
    instrument: Instrument | None = None,
    exchange: ExchangeWord | None = None,
    instrument_token: Token | None = None,
    side: SideWord,
    quantity: Whole,
    target_distance: Price,
    stop_distance: Price,
    price: Price | None = None,
    order_type: OrderTypeWord = OrderType.LIMIT,
    trigger_price: Price | None = None,
    product: ProductWord = Product.MIS,
    validity: ValidityWord = Validity.DAY,
    disclosed_quantity: Whole = 0,
    trailing_stop_loss: Price | None = None,
    market_protection: Price | None = None,
    user_order_id: Whole | str | None = None,
    idempotency_key: str | None = None,
    device: str = "WEB",
) -> Plan[BracketOrder]:
    """
    Return the bracket order that was placed, as the order book shows it.

    ``target_distance`` and ``stop_distance`` are rupees from the entry's price: for a BUY at 100, 5
    and 2 mean a target at 105 and a stop at 98. The rest is as for a cover order.

    Raises ``RequestRefused`` when nothing was placed, ``OutcomeUnknown`` when that cannot be
    told, or when the order was accepted and the order book does not show it in time.
    """
    wanted = spot(instrument, exchange, instrument_token)
    kind = params.order_type("order_type", order_type)
    trailing = params.optional(params.price, "trailing_stop_loss", trailing_stop_loss) or Decimal(0)
    body = PlaceRequest(
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
        execution_type=BO,
        square_off_value=params.price("target_distance", target_distance),
        stop_loss_value=params.price("stop_distance", stop_distance),
        trailing_stop_loss=spelled(trailing),
        is_trailing=trailing != 0,
        trigger_price=needed("trigger_price", trigger_price, kind, TRIGGERED),
        market_protection_percentage=protection(market_protection),
    )
    body.instrument_token = yield from token_of(account, wanted)
    placed = yield from place_on_kart(account, body, Kind.BRACKET, user_order_id, idempotency_key)
    return cast(BracketOrder, placed)


def bracket_order(account: Account, order: OrderLike) -> Plan[BracketOrder]:
    """Return a bracket order as the order book shows it now; ``BadArgument`` if it is none."""
    found = yield from cover_order(account, order)
    if not isinstance(found, BracketOrder):
        raise BadArgument(f"order: {found.oms_order_id} is a cover order and has no target")
    return found


def modify_bracket_order(
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
    target_distance: Price | None = None,
    stop_distance: Price | None = None,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[BracketOrder]:
    """
    Return the order once the order book shows the change of its entry; ``None`` leaves a value.

    Until something has filled, target and stop follow the entry's price at their distances. Once
    they are in the book, ``move_bracket_target`` and ``move_bracket_stop`` change them alone.

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
        "square_off_value": params.optional(params.price, "target_distance", target_distance),
        "stop_loss_value": params.optional(params.price, "stop_distance", stop_distance),
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        raise BadArgument("modify_bracket_order: nothing to change was given")
    key, patience = key_or_new(idempotency_key), account.patience(confirm_seconds)
    current = yield from bracket_order(account, order)
    repeated = entry_as_it_is(current)
    repeated.pop("stop_loss_value", None)  # Of a bracket it is a distance; unsaid, it stays.
    told = repeated | changes
    return (yield from _change(account, current, Leg.ENTRY, told, changes, key, patience))


def move_bracket_target(
    account: Account,
    order: OrderLike,
    price: Price,
    *,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[BracketOrder]:
    """Return the order once its target stands at this price; there is none before a fill."""
    wanted = {"price": params.price("price", price)}
    key, patience = key_or_new(idempotency_key), account.patience(confirm_seconds)
    current = yield from bracket_order(account, order)
    return (yield from _change(account, current, Leg.SECOND, wanted, wanted, key, patience))


def move_bracket_stop(
    account: Account,
    order: OrderLike,
    trigger_price: Price,
    *,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[BracketOrder]:
    """Return the order once its stop waits at this price; there is none before a fill."""
    wanted = {"trigger_price": params.price("trigger_price", trigger_price)}
    key, patience = key_or_new(idempotency_key), account.patience(confirm_seconds)
    current = yield from bracket_order(account, order)
    return (yield from _change(account, current, Leg.THIRD, wanted, wanted, key, patience))


def cancel_bracket_order(
    account: Account,
    order: OrderLike,
    leg: LegWord = Leg.ENTRY,
    *,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[CancelResult[BracketOrder]]:
    """
    Return what really became of cancelling a leg, as the order book shows it.

    ``ENTRY`` cancels what has not traded and leaves both exits; ``SECOND`` and ``THIRD`` mean "get
    me out". The rest is as for a cover order.
    """
    leg = params.word(Leg)("leg", leg)
    key_or_new(idempotency_key)
    account.patience(confirm_seconds)
    current = (
        order if isinstance(order, BracketOrder) else (yield from bracket_order(account, order))
    )
    result = yield from cancel_cover_order(
        account, current, leg, idempotency_key=idempotency_key, confirm_seconds=confirm_seconds
    )
    return cast(CancelResult[BracketOrder], result)


def exit_bracket_order(
    account: Account,
    order: OrderLike,
    *,
    idempotency_key: str | None = None,
    confirm_seconds: float | None = None,
) -> Plan[CancelResult[BracketOrder]]:
    """Return what became of getting out: EXITED, or CANCELLED when nothing had traded yet."""
    return (
        yield from cancel_bracket_order(
            account,
            order,
            Leg.THIRD,
            idempotency_key=idempotency_key,
            confirm_seconds=confirm_seconds,
        )
    )


def _change(
    account: Account,
    order: BracketOrder,
    leg: Leg,
    said: dict[str, Any],
    changes: dict[str, Any],
    key: str,
    patience: float,
) -> Plan[BracketOrder]:
    """Ask for a change of one leg's row, and return the order once the book shows it."""
    row = order.row_of(leg)
    if row is None:
        raise BadArgument(f"order: {order.oms_order_id} has no {leg} row before its first fill")
    body = ModifyRequest(
        client_id=order.client_id,
        oms_order_id=row.oms_order_id,
        exchange_order_id=row.exchange_order_id,
        execution_type=BO,
        leg_order_indicator=leg,
        exchange=row.exchange,
        instrument_token=row.instrument_token,
        product=row.product,
        last_activity_reference=str(row.last_activity_reference),
        **said,
    )
    prefix = "" if leg is Leg.ENTRY else f"{leg}."
    attempt = Attempt(
        operation="modify",
        kind=Kind.BRACKET,
        idempotency_key=key,
        client_id=order.client_id,
        user_order_id=order.user_order_id,
        oms_order_id=order.oms_order_id,
        leg=leg,
        basket_id=order.basket_id,
        wanted={f"{prefix}{name}": spelled(value) for name, value in changes.items()},
        asked=as_sent(body),
    )
    attempt = as_it_was(COVERS, order, attempt)
    request = Request(method="PUT", path=KART, body=body, attempt=attempt)
    data_of(request, (yield from ask(request)))
    changed = yield from shown_after(account, COVERS, attempt, patience, NOT_SHOWN)
    return cast(BracketOrder, changed)
