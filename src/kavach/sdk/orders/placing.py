"""
Placing a cover order, and finding the order that was placed.

The answer to a placement holds only a basket id, which no row of the order book carries. So
the order is found by its user order id, which must therefore be its own: the client makes one
up, or refuses one that the order book already shows.

Source: docs/wire/README.md, "Placing"; docs/wire/README.md, "Rows".
"""

from collections.abc import Container
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from kavach.sdk import params
from kavach.sdk.errors import Attempt, BadArgument, Kind
from kavach.sdk.instruments import Instrument, spot, token_of
from kavach.sdk.orders.book import must_be_new
from kavach.sdk.orders.cover import CoverOrder
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
from kavach.sdk.requests.account import Account, key_or_new, new_user_order_id, own_client_id
from kavach.sdk.requests.answers import data_of, identified
from kavach.sdk.requests.changes import shown_after
from kavach.sdk.requests.plan import Plan, Request, ask
from kavach.sdk.rows import spelled
from kavach.units import OrderType, Product, Validity
from kavach.wire.orders.requests import PlaceRequest

KART: Final = "/api/v1/orders/kart"
PRICED: Final = frozenset({OrderType.LIMIT, OrderType.SL})
IDENTITY: Final = ("exchange", "instrument_token", "order_side", "product", "quantity")
TRIGGERED: Final = frozenset({OrderType.SL, OrderType.SLM})


def place_cover_order(
    account: Account,
    *,
    instrument: Instrument | None = None,
    exchange: ExchangeWord | None = None,
    instrument_token: Token | None = None,
    side: SideWord,
    quantity: Whole,
    stop_loss: Price,
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
        execution_type="CO",
        stop_loss_value=params.price("stop_loss", stop_loss),
        trailing_stop_loss=spelled(trailing),
        is_trailing=trailing != 0,
        trigger_price=needed("trigger_price", trigger_price, kind, TRIGGERED),
        market_protection_percentage=protection(market_protection),
    )
    body.instrument_token = yield from token_of(account, wanted)
    placed = yield from place_on_kart(account, body, Kind.COVER, user_order_id, idempotency_key)
    return placed


def place_on_kart(
    account: Account,
    body: PlaceRequest,
    kind: Kind,
    user_order_id: Whole | str | None,
    idempotency_key: str | None,
) -> Plan[CoverOrder]:
    """Return the order that this request places, found by its user order id."""
    attempt = yield from own_ids(account, body, kind, user_order_id, idempotency_key)
    request = Request(method="POST", path=KART, body=body, attempt=attempt)
    data = data_of(request, (yield from ask(request)))
    attempt = msgspec.structs.replace(attempt, basket_id=basket(data))
    accepted = f"accepted as basket {attempt.basket_id or '?'}, not found in the order book"
    return (yield from shown_after(account, COVERS, attempt, account.confirm_seconds, accepted))


def own_ids(
    account: Account,
    body: Any,
    kind: Kind,
    user_order_id: Whole | str | None,
    idempotency_key: str | None,
) -> Plan[Attempt]:
    """
    Return the attempt to place ``body``, after giving it the client's id and a user order id.

    Raises ``BadArgument`` if an order has that user order id already.
    """
    key = key_or_new(idempotency_key)
    number = params.optional(params.whole, "user_order_id", user_order_id)
    body.client_id = yield from own_client_id(account)
    if number is not None:
        yield from must_be_new(account, str(number), idempotency_key)
    body.user_order_id = new_user_order_id() if number is None else number
    asked = as_sent(body)
    return Attempt(
        operation="place",
        kind=kind,
        idempotency_key=key,
        client_id=body.client_id,
        user_order_id=str(body.user_order_id),
        wanted={name: asked[name] for name in IDENTITY if name in asked},
        asked=asked,
    )


def as_sent(body: Any) -> dict[str, str]:
    """Return every field of a request, spelled for comparison."""
    fields = msgspec.structs.asdict(body) if isinstance(body, msgspec.Struct) else body
    return {name: spelled(value) for name, value in fields.items() if value is not UNSET}


def protection(percent: Price | None) -> Decimal | UnsetType:
    """Return how far through the last price a market order may reach; unsaid, it is not sent."""
    return UNSET if percent is None else params.price("market_protection", percent)


def basket(data: Any) -> str:
    """Return the basket id in the data of a placement, nested once or twice; empty if none."""
    while isinstance(data, dict) and "basket_id" not in data:
        data = data.get("data")
    return identified(data, "basket_id")


def needed(name: str, value: Price | None, kind: OrderType, kinds: Container[OrderType]) -> Decimal:
    """Return a price that some order types must have; the others send what was given, or 0."""
    if value is None and kind in kinds:
        raise BadArgument(f"{name}: must be given for a {kind} order")
    return params.price(name, 0 if value is None else value)
