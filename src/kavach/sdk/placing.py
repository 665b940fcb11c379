"""
Placing a cover order, and finding the order that was placed.

The answer to a placement holds only a basket id, which no row of the order book carries. So
the order is found by its user order id, which must therefore be its own: the client makes one
up, or refuses one that the order book already shows.

Source: wire 1.3.1, 2.2, 2.5.
"""

from collections.abc import Container
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from kavach.sdk import given
from kavach.sdk.account import Account, new_idempotency_key, new_user_order_id, own_client_id
from kavach.sdk.answers import data_of
from kavach.sdk.book import must_be_new, watch
from kavach.sdk.cover import CoverOrder
from kavach.sdk.errors import Attempt, BadArgument, Kind, OutcomeUnknown
from kavach.sdk.given import Price
from kavach.sdk.plan import Plan, Request, ask
from kavach.units import Exchange, OrderType, Product, Side, Validity
from kavach.wire.requests import PlaceRequest

KART: Final = "/api/v1/orders/kart"
PRICED: Final = frozenset({OrderType.LIMIT, OrderType.SL})
TRIGGERED: Final = frozenset({OrderType.SL, OrderType.SLM})


def place_cover_order(
    account: Account,
    *,
    exchange: Exchange | str,
    instrument_token: int | str,
    side: Side | str,
    quantity: int,
    stop_loss: Price,
    price: Price | None = None,
    order_type: OrderType | str = OrderType.LIMIT,
    trigger_price: Price | None = None,
    product: Product | str = Product.MIS,
    validity: Validity | str = Validity.DAY,
    disclosed_quantity: int = 0,
    trailing_stop_loss: Price | None = None,
    market_protection: Price | None = None,
    user_order_id: int | None = None,
    idempotency_key: str | None = None,
    device: str = "WEB",
) -> Plan[CoverOrder]:
    """
    Return the cover order that was placed, as the order book shows it.

    ``stop_loss`` is the absolute trigger price of the protective stop; ``trailing_stop_loss``
    the step, in rupees, by which it follows the market, ``None`` for a stop that stays;
    ``market_protection`` the percentage of a MARKET or SLM entry, which some rules ask for.

    An order that was accepted and then refused by risk management or the exchange is returned too:
    see ``is_rejected`` and ``entry.rejection_reason``.

    Raises ``RequestRefused`` when nothing was placed, ``OutcomeUnknown`` when that cannot be
    told, or when the order was accepted and the order book does not show it in time.
    """
    kind = given.order_type("order_type", order_type)
    trailing = given.price("trailing_stop_loss", trailing_stop_loss or 0)
    body = PlaceRequest(
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
        execution_type="CO",
        stop_loss_value=given.price("stop_loss", stop_loss),
        trailing_stop_loss=str(trailing),
        is_trailing=trailing != 0,
        trigger_price=needed("trigger_price", trigger_price, kind, TRIGGERED),
        market_protection_percentage=protection(market_protection),
    )
    return place_on_kart(account, body, Kind.COVER, user_order_id, idempotency_key)


def place_on_kart(
    account: Account,
    body: PlaceRequest,
    kind: Kind,
    user_order_id: int | None,
    idempotency_key: str | None,
) -> Plan[CoverOrder]:
    """Return the order that this request places, found by its user order id."""
    if idempotency_key is not None:
        given.idempotency_key(idempotency_key)
    number = given.optional(given.whole, "user_order_id", user_order_id)
    body.client_id = yield from own_client_id(account)
    if number is not None and idempotency_key is None:
        yield from must_be_new(account, str(number))
    body.user_order_id = new_user_order_id() if number is None else number
    attempt = Attempt(
        operation="place",
        kind=kind,
        idempotency_key=idempotency_key or new_idempotency_key(),
        client_id=body.client_id,
        user_order_id=str(body.user_order_id),
    )
    request = Request(method="POST", path=KART, body=body, attempt=attempt)
    data = data_of(request, (yield from ask(request)))
    attempt = msgspec.structs.replace(attempt, basket_id=basket(data))
    seen = yield from watch(
        account, attempt.user_order_id, "", lambda order: True, account.confirm_seconds
    )
    if seen.order is None:
        why = f"accepted as basket {attempt.basket_id or '?'}, not found in the order book"
        raise OutcomeUnknown(why, attempt) from seen.trouble
    return msgspec.structs.replace(seen.order, basket_id=attempt.basket_id)


def protection(percent: Price | None) -> Decimal | UnsetType:
    """Return how far through the last price a market order may reach; unsaid, it is not sent."""
    return UNSET if percent is None else given.price("market_protection", percent)


def basket(data: Any) -> str:
    """Return the basket id in the data of a placement, nested once or twice; empty if none."""
    while isinstance(data, dict) and "basket_id" not in data:
        data = data.get("data")
    return str(data["basket_id"]) if isinstance(data, dict) else ""


def needed(name: str, value: Price | None, kind: OrderType, kinds: Container[OrderType]) -> Decimal:
    """Return a price that some order types must have; the others send what was given, or 0."""
    if value is None and kind in kinds:
        raise BadArgument(f"{name}: must be given for a {kind} order")
    return given.price(name, 0 if value is None else value)
