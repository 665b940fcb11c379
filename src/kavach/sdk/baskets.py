"""
Saved baskets: orders that are kept, and placed together when the client says so.

A basket is named by its id, an order in it by its own. What a change came to is read in the list of
baskets afterwards, because servers of this family answer it in different shapes.

Source: docs/wire/baskets.md.
"""

from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import Attempt, BadArgument, Kind
from kavach.sdk.instruments import Instrument, spot, token_of
from kavach.sdk.orders.placing import KART, PRICED, TRIGGERED, as_sent, basket, needed
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
from kavach.sdk.requests.answers import data_of, unreadable
from kavach.sdk.requests.changes import (
    Settled,
    Shown,
    Traces,
    Verdict,
    agrees,
    as_it_was,
    changed,
    shown_after,
)
from kavach.sdk.requests.plan import Plan, Request, Response, ask
from kavach.sdk.rows import NOTHING, read_row, spelled
from kavach.units import OrderType, Validity
from kavach.wire import headers

BASKET: Final = "/api/v1/basket"
LINE: Final = "/api/v1/basket/order"
ALL: Final = "ALL"


class BasketOrder(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
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


class Basket(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
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


class BasketOutcome(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """What became of one order of an executed basket."""

    order_id: str  # Within the basket.
    oms_order_id: str  # In the order book; 0 if it was not placed.
    state: str  # Its status at that moment; REJECTED if it was not placed.


class BasketExecution(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
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
    product_type: ProductWord | Literal["ALL"] = ALL,
    order_type: OrderTypeWord | Literal["ALL"] = ALL,
    idempotency_key: str | None = None,
) -> Plan[Basket]:
    """Return the new basket, which is empty; names are unique and have at most 20 characters."""
    key = key_or_new(idempotency_key)
    body = {
        "login_id": "",
        "name": params.text("name", name),
        "type": params.text("basket_type", basket_type),
        "product_type": params.text("product_type", product_type),
        "order_type": params.text("order_type", order_type),
    }
    client_id = body["login_id"] = yield from own_client_id(account)
    before = yield from saved_baskets(account)
    attempt = Attempt(
        operation="create",
        kind=Kind.BASKET,
        idempotency_key=key,
        client_id=client_id,
        wanted={"name": body["name"]},
        asked=as_sent(body),
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
    named, key = params.text("name", name), key_or_new(idempotency_key)
    current = yield from saved_basket(account, saved)
    body = {"basket_id": current.basket_id, "name": named}
    attempt = _attempt("rename", current, key, wanted={"name": named}, asked=body)
    attempt = as_it_was(BASKETS, BasketNow(current), attempt)
    made = yield from _changed(
        account, Request(method="PUT", path=BASKET, body=body, attempt=attempt)
    )
    return made


def delete_basket(
    account: Account, saved: Basket | str, *, idempotency_key: str | None = None
) -> Plan[None]:
    """Delete a basket; what it once placed stays as it is."""
    key = key_or_new(idempotency_key)
    current = yield from saved_basket(account, saved)
    attempt = _attempt("delete", current, key)
    query = {"basket_id": current.basket_id, "name": current.name}
    request = Request(method="DELETE", path=BASKET, query=query, attempt=attempt)
    data_of(request, (yield from ask(request)))


def add_to_basket(
    account: Account,
    saved: Basket | str,
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
    idempotency_key: str | None = None,
) -> Plan[Basket]:
    """Return the basket with one more order in it, its last."""
    wanted = spot(instrument, exchange, instrument_token)
    kind = params.order_type("order_type", order_type)
    order: dict[str, Any] = {
        "exchange": wanted.exchange,
        "instrument_token": wanted.token,
        "order_side": params.side("side", side),
        "order_type": kind,
        "price": needed("price", price, kind, PRICED),
        "trigger_price": needed("trigger_price", trigger_price, kind, TRIGGERED),
        "quantity": params.whole("quantity", quantity),
        "disclosed_quantity": params.whole("disclosed_quantity", disclosed_quantity),
        "validity": params.validity("validity", validity),
        "product": params.product("product", product),
        "execution_type": "AMO" if params.flag("after_market", after_market) else "REGULAR",
        "user_order_id": new_user_order_id(),
    }
    key = key_or_new(idempotency_key)
    current = yield from saved_basket(account, saved)
    order["instrument_token"] = yield from token_of(account, wanted)
    order["client_id"] = yield from own_client_id(account)
    mark = {"user_order_id": str(order["user_order_id"])}
    attempt = _attempt("add", current, key, wanted=mark, asked=as_sent(order))
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
    quantity: Whole | None = None,
    order_type: OrderTypeWord | None = None,
    trigger_price: Price | None = None,
    idempotency_key: str | None = None,
) -> Plan[Basket]:
    """Return the basket with one of its orders changed; ``None`` leaves a value as it is."""
    asked = {
        "price": params.optional(params.price, "price", price),
        "quantity": params.optional(params.whole, "quantity", quantity),
        "order_type": params.optional(params.order_type, "order_type", order_type),
        "trigger_price": params.optional(params.price, "trigger_price", trigger_price),
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        raise BadArgument("edit_basket_order: nothing to change was given")
    key, order_id = key_or_new(idempotency_key), params.identifier("order_id", order_id)
    current = yield from saved_basket(account, saved)
    line = _line(current, order_id)
    repeated = msgspec.structs.asdict(line)
    repeated.pop("order_id")
    repeated.pop("trading_symbol")
    wanted = {name: spelled(value) for name, value in changes.items()}
    attempt = _attempt("edit", current, key, order_id, wanted=wanted, asked=as_sent(changes))
    attempt = as_it_was(BASKETS, BasketNow(current), attempt)
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
    key, order_id = key_or_new(idempotency_key), params.identifier("order_id", order_id)
    current = yield from saved_basket(account, saved)
    _line(current, order_id)
    attempt = _attempt("remove", current, key, order_id)
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
    key, reverses = key_or_new(idempotency_key), params.flag("square_off", square_off)
    current = yield from saved_basket(account, saved)
    fresh = {} if current.is_executed else {"is_executed": spelled(True)}
    attempt = _attempt("execute", current, key, wanted=fresh)
    body = {
        "basket_id": current.basket_id,
        "client_id": (yield from own_client_id(account)),
        "execution_state": False,
        "execution_type": "NML",
        "name": current.name,
        "square_off": reverses,
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
    named = saved.basket_id if isinstance(saved, Basket) else params.identifier("saved", saved)
    for one in (yield from saved_baskets(account)):
        if one.basket_id == named:
            return one
    raise BadArgument(f"saved: there is no basket {named!r}")


def _find_basket(account: Account, attempt: Attempt) -> Plan[Basket | None]:
    """Return the basket that an attempt was about, by its id, or a new one by its name."""
    found = yield from saved_baskets(account)
    if attempt.basket_id:
        return next((one for one in found if one.basket_id == attempt.basket_id), None)
    name = attempt.wanted.get("name")
    new = [one for one in found if one.name == name and one.basket_id not in attempt.known]
    return new[0] if name and len(new) == 1 else None


def _agreed(saved: Basket, attempt: Attempt) -> bool | None:
    """Return whether the basket shows what an attempt was to make of it."""
    match attempt.operation:
        case "create" | "rename" | "execute":
            marks: Any = saved
        case "add":
            own = attempt.wanted.get("user_order_id")
            return any(order.user_order_id == own for order in saved.orders) if own else None
        case "edit":
            marks = saved.order(attempt.oms_order_id)
        case "remove":
            return saved.order(attempt.oms_order_id) is None
        case _:
            return False  # It was to be deleted, and is there.
    if marks is None:
        return None
    return agrees(attempt.wanted, lambda name: Shown(spelled(getattr(marks, name))))


class BasketNow(msgspec.Struct, frozen=True):
    """The basket that is meant; ``None`` if it had an id and is not in the list any more."""

    basket: Basket | None


def _find_now(account: Account, attempt: Attempt) -> Plan[BasketNow | None]:
    """Return the basket; that it is gone is news only to who wanted it deleted."""
    found = yield from _find_basket(account, attempt)
    known = found is not None or (attempt.operation == "delete" and attempt.basket_id)
    return BasketNow(found) if known else None


def _judge(now: BasketNow, attempt: Attempt) -> Verdict:
    if now.basket is None:
        return Verdict(Settled.DONE, "the basket is gone")
    if attempt.operation == "execute" and not attempt.wanted and not attempt.by_vendor_name:
        executed = "the basket had been executed before: look for its orders in the book"
        return Verdict(Settled.NOT_SEEN, executed)
    return changed(attempt, _agreed(now.basket, attempt), is_closed=False, status="in the list")


BASKETS: Final = Traces(
    find=_find_now,
    judge=_judge,
    shown=lambda now, attempt: {"basket": now.basket},
)


def _changed(account: Account, request: Request) -> Plan[Basket]:
    """Return the basket once the list shows what was asked for."""
    attempt = request.attempt
    assert attempt is not None
    data_of(request, (yield from ask(request)))
    accepted = "accepted, and the list of baskets does not show it"
    now = yield from shown_after(account, BASKETS, attempt, account.confirm_seconds, accepted)
    assert now.basket is not None, "only a deleted basket is shown by its absence"
    return now.basket


def _line(saved: Basket, order_id: str) -> BasketOrder:
    line = saved.order(order_id)
    if line is None:
        raise BadArgument(f"order_id: basket {saved.name!r} has no order {order_id!r}")
    return line


def _attempt(
    operation: str,
    saved: Basket,
    key: str,
    order_id: str = "",
    wanted: dict[str, str] | None = None,
    asked: dict[str, str] | None = None,
) -> Attempt:
    return Attempt(
        operation=operation,
        kind=Kind.BASKET,
        idempotency_key=key,
        basket_id=saved.basket_id,
        oms_order_id=order_id,
        wanted=wanted or {},
        asked=asked or {},
    )


def _read_basket(row: Any) -> Basket:
    if not isinstance(row, dict):
        raise msgspec.ValidationError(f"a basket is {type(row).__name__}, not an object")
    lines = [_read_line(line) for line in row.get("orders") or []]
    bare = read_row(Basket, {key: value for key, value in row.items() if key != "orders"})
    return msgspec.structs.replace(bare, orders=tuple(lines))


def _read_line(line: Any) -> BasketOrder:
    if not isinstance(line, dict):
        raise msgspec.ValidationError(f"an order is {type(line).__name__}, not an object")
    info = line.get("order_info") or {}
    if not isinstance(info, dict):
        raise msgspec.ValidationError(f"its order_info is {type(info).__name__}, not an object")
    return read_row(BasketOrder, {**info, "order_id": line.get("order_id")})


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
