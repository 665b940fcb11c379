"""
Saved baskets: orders that are kept, and placed together when the client says so.

A basket is named by its id, an order in it by its own. What a change came to is read in the list of
baskets afterwards, because servers of this family answer it in different shapes.

Source: wire 1.3.5, 1.8; docs/wire/baskets.md.
"""

from decimal import Decimal
from typing import Any, Final

import msgspec

from kavach.sdk import given
from kavach.sdk.account import Account, new_idempotency_key, new_user_order_id, own_client_id
from kavach.sdk.answers import data_of, unreadable
from kavach.sdk.errors import Attempt, BadArgument, Kind, OutcomeUnknown
from kavach.sdk.given import Price
from kavach.sdk.placing import KART, PRICED, TRIGGERED, basket, needed
from kavach.sdk.plan import Plan, Request, Response, ask
from kavach.sdk.rows import NOTHING, read_row, spelled
from kavach.sdk.watching import watch_for
from kavach.units import Exchange, OrderType, Product, Side, Validity
from kavach.wire import headers

BASKET: Final = "/api/v1/basket"
LINE: Final = "/api/v1/basket/order"
ALL: Final = "ALL"


class BasketOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a basket keeps."""

    order_id: str  # Within its basket; in the order book it gets another.
    exchange: str = ""
    instrument_token: int = 0
    trading_symbol: str = ""
    order_side: str = ""
    order_type: str = ""
    product: str = ""
    validity: str = ""
    execution_type: str = ""
    quantity: int = 0
    disclosed_quantity: int = 0
    price: Decimal = NOTHING
    trigger_price: Decimal = NOTHING
    user_order_id: str = ""


class Basket(msgspec.Struct, frozen=True, kw_only=True):
    """A saved basket."""

    basket_id: str
    name: str = ""
    basket_type: str = ""
    product_type: str = ""
    order_type: str = ""
    is_executed: bool = False
    orders: tuple[BasketOrder, ...] = ()

    def order(self, order_id: str) -> BasketOrder | None:
        """Return the order with this id, ``None`` if the basket has none."""
        return next((order for order in self.orders if order.order_id == order_id), None)


class BasketOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one order of an executed basket."""

    order_id: str  # Within the basket.
    oms_order_id: str  # In the order book; 0 if it was not placed.
    state: str  # Its status at that moment; REJECTED if it was not placed.


class BasketExecution(msgspec.Struct, frozen=True, kw_only=True):
    """An executed basket."""

    basket_id: str  # Of this execution; not the saved basket's.
    outcomes: tuple[BasketOutcome, ...] = ()  # Empty from servers that do not tell.
    request_id: str = ""


def saved_baskets(account: Account) -> Plan[list[Basket]]:
    """Return every saved basket."""
    client_id = yield from own_client_id(account)
    request = Request(method="GET", path=BASKET, query={"login_id": client_id})
    response = yield from ask(request)
    data = data_of(request, response)
    rows = [] if data in (None, {}) else data
    if not isinstance(rows, list):
        unreadable(request, response, "its data holds no list of baskets")
    try:
        return [_read_basket(row) for row in rows]
    except msgspec.ValidationError as error:
        unreadable(request, response, f"a basket cannot be read: {error}")


def create_basket(
    account: Account,
    name: str,
    *,
    basket_type: str = "NORMAL",
    product_type: Product | str = ALL,
    order_type: OrderType | str = ALL,
    idempotency_key: str | None = None,
) -> Plan[Basket]:
    """Return the new basket, which is empty; names are unique and have at most 20 characters."""
    key = given.idempotency_key(idempotency_key or new_idempotency_key())
    client_id = yield from own_client_id(account)
    before = yield from saved_baskets(account)
    body = {
        "login_id": client_id,
        "name": name,
        "type": basket_type,
        "product_type": str(product_type),
        "order_type": str(order_type),
    }
    attempt = Attempt(
        operation="create",
        kind=Kind.BASKET,
        idempotency_key=key,
        client_id=client_id,
        wanted={"name": name},
        known=tuple(one.basket_id for one in before),
    )
    made = yield from _changed(
        account, Request(method="POST", path=BASKET, body=body, attempt=attempt)
    )
    return made


def rename_basket(
    account: Account, saved: Basket | str, name: str, *, idempotency_key: str | None = None
) -> Plan[Basket]:
    """Return the basket under its new name."""
    current = yield from saved_basket(account, saved)
    attempt = _attempt("rename", current, idempotency_key, wanted={"name": name})
    body = {"basket_id": current.basket_id, "name": name}
    made = yield from _changed(
        account, Request(method="PUT", path=BASKET, body=body, attempt=attempt)
    )
    return made


def delete_basket(
    account: Account, saved: Basket | str, *, idempotency_key: str | None = None
) -> Plan[None]:
    """Delete a basket; what it once placed stays as it is."""
    current = yield from saved_basket(account, saved)
    attempt = _attempt("delete", current, idempotency_key)
    query = {"basket_id": current.basket_id, "name": current.name}
    request = Request(method="DELETE", path=BASKET, query=query, attempt=attempt)
    data_of(request, (yield from ask(request)))


def add_to_basket(
    account: Account,
    saved: Basket | str,
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
    idempotency_key: str | None = None,
) -> Plan[Basket]:
    """Return the basket with one more order in it, its last."""
    kind = given.order_type("order_type", order_type)
    order: dict[str, Any] = {
        "exchange": given.exchange("exchange", exchange),
        "instrument_token": str(instrument_token),
        "order_side": given.side("side", side),
        "order_type": kind,
        "price": needed("price", price, kind, PRICED),
        "trigger_price": needed("trigger_price", trigger_price, kind, TRIGGERED),
        "quantity": given.whole("quantity", quantity),
        "disclosed_quantity": given.whole("disclosed_quantity", disclosed_quantity),
        "validity": given.validity("validity", validity),
        "product": given.product("product", product),
        "execution_type": "AMO" if after_market else "REGULAR",
        "user_order_id": new_user_order_id(),
    }
    current = yield from saved_basket(account, saved)
    order["client_id"] = yield from own_client_id(account)
    attempt = _attempt(
        "add", current, idempotency_key, wanted={"user_order_id": str(order["user_order_id"])}
    )
    body = {"basket_id": current.basket_id, "name": current.name, "order_info": order}
    made = yield from _changed(
        account, Request(method="POST", path=LINE, body=body, attempt=attempt)
    )
    return made


def edit_basket_order(
    account: Account,
    saved: Basket | str,
    order_id: str,
    *,
    price: Price | None = None,
    quantity: int | None = None,
    order_type: OrderType | str | None = None,
    trigger_price: Price | None = None,
    idempotency_key: str | None = None,
) -> Plan[Basket]:
    """Return the basket with one of its orders changed; ``None`` leaves a value as it is."""
    asked = {
        "price": given.optional(given.price, "price", price),
        "quantity": given.optional(given.whole, "quantity", quantity),
        "order_type": given.optional(given.order_type, "order_type", order_type),
        "trigger_price": given.optional(given.price, "trigger_price", trigger_price),
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        raise BadArgument("edit_basket_order: nothing to change was given")
    current = yield from saved_basket(account, saved)
    line = _line(current, order_id)
    repeated = msgspec.structs.asdict(line)
    repeated.pop("order_id")
    repeated.pop("trading_symbol")
    wanted = {name: spelled(value) for name, value in changes.items()}
    attempt = _attempt("edit", current, idempotency_key, order_id, wanted=wanted)
    body = {
        "basket_id": current.basket_id,
        "name": current.name,
        "order_id": order_id,
        "order_info": repeated | changes,
    }
    made = yield from _changed(
        account, Request(method="PUT", path=LINE, body=body, attempt=attempt)
    )
    return made


def remove_from_basket(
    account: Account, saved: Basket | str, order_id: str, *, idempotency_key: str | None = None
) -> Plan[Basket]:
    """Return the basket without this order."""
    current = yield from saved_basket(account, saved)
    _line(current, order_id)
    attempt = _attempt("remove", current, idempotency_key, order_id)
    query = {"basket_id": current.basket_id, "name": current.name, "order_id": order_id}
    made = yield from _changed(
        account, Request(method="DELETE", path=LINE, query=query, attempt=attempt)
    )
    return made


def execute_basket(
    account: Account,
    saved: Basket | str,
    *,
    square_off: bool = False,
    idempotency_key: str | None = None,
) -> Plan[BasketExecution]:
    """
    Return what became of each order of the basket; with ``square_off``, each on the other side.

    Executing a basket again places its orders again. Raises ``RequestRefused`` when nothing was
    placed, ``OutcomeUnknown`` when that cannot be told.
    """
    current = yield from saved_basket(account, saved)
    fresh = {} if current.is_executed else {"is_executed": spelled(True)}
    attempt = _attempt("execute", current, idempotency_key, wanted=fresh)
    body = {
        "basket_id": current.basket_id,
        "client_id": attempt.client_id or (yield from own_client_id(account)),
        "execution_state": False,
        "execution_type": "NML",
        "name": current.name,
        "square_off": square_off,
    }
    request = Request(method="POST", path=KART, body=body, attempt=attempt)
    response = yield from ask(request)
    data = data_of(request, response)
    return BasketExecution(
        basket_id=basket(data),
        outcomes=_outcomes(request, response),
        request_id=response.header(headers.REQUEST_ID),
    )


def saved_basket(account: Account, saved: Basket | str) -> Plan[Basket]:
    """Return a basket as it is now; ``saved`` is an earlier look at it, or its id."""
    named: Any = saved.basket_id if isinstance(saved, Basket) else saved
    if not isinstance(named, str) or not named:
        raise BadArgument(f"saved: {saved!r} is neither a basket nor the id of one")
    for one in (yield from saved_baskets(account)):
        if one.basket_id == named:
            return one
    raise BadArgument(f"saved: there is no basket {named!r}")


def find_basket(account: Account, attempt: Attempt) -> Plan[Basket | None]:
    """Return the basket that an attempt was about, by its id, or a new one by its name."""
    found = yield from saved_baskets(account)
    if attempt.basket_id:
        return next((one for one in found if one.basket_id == attempt.basket_id), None)
    name = attempt.wanted.get("name")
    new = [one for one in found if one.name == name and one.basket_id not in attempt.known]
    return new[0] if name and len(new) == 1 else None


def shows(saved: Basket, attempt: Attempt) -> bool:
    """Return whether the basket shows what an attempt was to make of it."""
    match attempt.operation:
        case "create" | "rename" | "execute":
            marks: Any = saved
        case "add":
            return any(
                order.user_order_id == attempt.wanted["user_order_id"] for order in saved.orders
            )
        case "edit":
            marks = saved.order(attempt.oms_order_id)
        case "remove":
            return saved.order(attempt.oms_order_id) is None
        case _:
            return False
    return marks is not None and all(
        spelled(getattr(marks, name)) == value for name, value in attempt.wanted.items()
    )


def _changed(account: Account, request: Request) -> Plan[Basket]:
    """Return the basket once the list shows what was asked for."""
    attempt = request.attempt
    assert attempt is not None
    data_of(request, (yield from ask(request)))
    seen = yield from watch_for(
        lambda: find_basket(account, attempt),
        lambda now: shows(now, attempt),
        account.confirm_seconds,
    )
    if seen.order is None or not seen.is_settled:
        why = "accepted, and the list of baskets does not show it"
        raise OutcomeUnknown(why, attempt) from seen.trouble
    return seen.order


def _line(saved: Basket, order_id: str) -> BasketOrder:
    line = saved.order(order_id)
    if line is None:
        raise BadArgument(f"order_id: basket {saved.name!r} has no order {order_id!r}")
    return line


def _attempt(
    operation: str,
    saved: Basket,
    key: str | None,
    order_id: str = "",
    wanted: dict[str, str] | None = None,
) -> Attempt:
    return Attempt(
        operation=operation,
        kind=Kind.BASKET,
        idempotency_key=given.idempotency_key(key or new_idempotency_key()),
        basket_id=saved.basket_id,
        oms_order_id=order_id,
        wanted=wanted or {},
    )


def _read_basket(row: Any) -> Basket:
    if not isinstance(row, dict):
        raise msgspec.ValidationError(f"a basket is {type(row).__name__}, not an object")
    lines = [
        read_row(BasketOrder, {**line.get("order_info", {}), "order_id": line.get("order_id")})
        for line in row.get("orders") or []
    ]
    bare = read_row(Basket, {key: value for key, value in row.items() if key != "orders"})
    return msgspec.structs.replace(bare, orders=tuple(lines))


def _outcomes(request: Request, response: Response) -> tuple[BasketOutcome, ...]:
    """Return what the header tells of each order: ``order=id:state``."""
    told = []
    for part in response.header(headers.BASKET_ORDERS).split(","):
        order_id, equals, rest = part.strip().partition("=")
        placed_id, colon, state = rest.partition(":")
        if not equals or not colon:
            continue
        told.append(BasketOutcome(order_id=order_id, oms_order_id=placed_id, state=state))
    return tuple(told)
