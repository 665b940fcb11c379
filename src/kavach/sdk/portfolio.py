"""
What the client has: holdings, funds, margin, and turning a position into another product's.

Funds are pairs of a label and a text, and brokers disagree about the labels; ``Funds`` keeps them
all and knows the ones that clients look for.

Source: docs/wire/login.md, "Profile, trading_info, logout"; docs/wire/portfolio.md, "Margin
calculator".
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import Attempt, BadArgument, Kind
from kavach.sdk.instruments import Instrument, Spot, spot, token_of
from kavach.sdk.orders.book import positions
from kavach.sdk.orders.placing import as_sent
from kavach.sdk.params import (
    ExchangeWord,
    Price,
    ProductWord,
    SideWord,
    Token,
    ValidityWord,
    Whole,
)
from kavach.sdk.requests.account import Account, key_or_new, own_client_id
from kavach.sdk.requests.answers import data_of, read_rows, result_of, unreadable
from kavach.sdk.requests.changes import (
    Shown,
    Traces,
    Verdict,
    agrees,
    as_it_was,
    changed,
    shown_after,
)
from kavach.sdk.requests.plan import Plan, Request, ask
from kavach.sdk.rows import NOTHING, Position, spelled
from kavach.units import Exchange, Side, Validity

HOLDINGS: Final = "/api/v1/holdings"
FUNDS: Final = "/api/v2/funds/view"
CONVERT: Final = "/api/v1/position/convert"
CALC: Final = "/api/v1/calc"
COMPONENTS: Final = (
    "delivery_margin",
    "span",
    "somtier_margin",
    "additional_margin",
    "span_spread_margin",
    "var_margin",
    "exposure_margin",
    "premium_margin",
    "extreme_loss_margin",
)
DERIVATIVES: Final = frozenset({Exchange.NFO, Exchange.BFO, Exchange.MCX, Exchange.CDS})


class Holding(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Shares in the account."""

    exchange: str = ""
    token: int = 0
    symbol: str = ""
    trading_symbol: str = ""
    isin: str = ""
    client_id: str = ""
    quantity: int = 0
    free_quantity: int = 0
    used_quantity: int = 0
    t1_quantity: int = 0  # Bought, and delivered the next trading day.
    buy_avg: Decimal = NOTHING
    ltp: Decimal = NOTHING
    previous_close: Decimal = NOTHING


class Funds(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """The money in the account: every label that the server sent, and the usual ones by name."""

    client_id: str = ""
    values: dict[str, Decimal] = {}

    def first_of(self, *labels: str) -> Decimal:
        """Return the value of the first of these labels that is there; raises ``KeyError``."""
        for label in labels:
            if label in self.values:
                return self.values[label]
        raise KeyError(labels[0])

    def __repr__(self) -> str:
        """Return the account, and the first of the values, in rupees."""
        told = ", ".join(f"{label} {value:f}" for label, value in list(self.values.items())[:3])
        return f"<Funds {self.client_id} {told}, {len(self.values)} values>"

    @property
    def available(self) -> Decimal:
        """What new orders may use."""
        return self.first_of("Available Margin", "Available")

    @property
    def used(self) -> Decimal:
        """What orders and positions block."""
        return self.first_of("Margin Used", "Net Margin")


class MarginOrder(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """An order whose margin is asked for; nothing is placed."""

    instrument: Instrument | None = None
    exchange: ExchangeWord | None = None
    instrument_token: Token | None = None
    side: SideWord
    quantity: Whole
    price: Price
    product: ProductWord
    symbol: str = ""
    series: str = ""
    underlying: str = ""


class Margin(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """The margin of several orders, in rupees: together, and each by itself."""

    combined: Decimal
    individual: tuple[Decimal, ...]


def holdings(account: Account) -> Plan[list[Holding]]:
    """Return the shares in the account."""
    client_id = yield from own_client_id(account)
    request = Request(method="GET", path=HOLDINGS, query={"client_id": client_id})
    response = yield from ask(request)
    data = data_of(request, response)
    rows = data.get("holdings") if isinstance(data, dict) else data
    return read_rows(request, response, Holding, rows or [])


def funds(account: Account) -> Plan[Funds]:
    """Return the money in the account."""
    client_id = yield from own_client_id(account)
    request = Request(method="GET", path=FUNDS, query={"client_id": client_id, "type": "all"})
    response = yield from ask(request)
    data = data_of(request, response)
    try:
        pairs = [_pair(row) for row in data["values"]]
        values = {label: Decimal(text) for label, text in pairs}
    except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation):
        unreadable(request, response, "its data holds no labels with values")
    return Funds(client_id=str(data.get("client_id", "")), values=values)


def convert_position(
    account: Account,
    *,
    instrument: Instrument | None = None,
    exchange: ExchangeWord | None = None,
    instrument_token: Token | None = None,
    side: SideWord,
    quantity: Whole,
    product: ProductWord,
    new_product: ProductWord,
    validity: ValidityWord = Validity.DAY,
    idempotency_key: str | None = None,
) -> Plan[list[Position]]:
    """
    Return the positions after this much of one became another product's.

    ``side`` is BUY for a position that is long. Raises ``RequestRefused`` when nothing changed,
    ``OutcomeUnknown`` when no answer came.
    """
    wanted = spot(instrument, exchange, instrument_token)
    body: dict[str, Any] = {
        "exchange": wanted.exchange,
        "instrument_token": 0,
        "product": params.product("product", product),
        "new_product": params.product("new_product", new_product),
        "quantity": params.whole("quantity", quantity),
        "validity": params.validity("validity", validity),
        "order_side": params.side("side", side),
    }
    key = key_or_new(idempotency_key)
    token = body["instrument_token"] = int((yield from token_of(account, wanted)))
    client_id = yield from own_client_id(account)
    before = yield from positions(account)
    signed = body["quantity"] if body["order_side"] == Side.BUY else -body["quantity"]
    place = f"{body['exchange']}:{token}"
    attempt = Attempt(
        operation="convert",
        asked=as_sent(body),
        kind=Kind.POSITION,
        idempotency_key=key,
        client_id=client_id,
        wanted={
            f"{place}:{name}": str(_net(before, f"{place}:{name}") + change)
            for name, change in ((body["product"], -signed), (body["new_product"], signed))
        },
    )
    attempt = as_it_was(POSITIONS, before, attempt)
    request = Request(
        method="PUT", path=CONVERT, body={**body, "client_id": client_id}, attempt=attempt
    )
    data_of(request, (yield from ask(request)))
    accepted = "accepted, and the positions are not as it leaves them"
    patience = account.confirm_seconds
    return (yield from shown_after(account, POSITIONS, attempt, patience, accepted))


def _find(account: Account, attempt: Attempt) -> Plan[list[Position] | None]:
    held = yield from positions(account)
    return held


def _judge(held: Sequence[Position], attempt: Attempt) -> Verdict:
    """Return whether the positions are what a conversion was to make of them."""
    agreed = agrees(attempt.wanted, lambda place: Shown(str(_net(held, place))))
    return changed(attempt, agreed, is_closed=False, status="held")


POSITIONS: Final = Traces(
    find=_find, judge=_judge, shown=lambda held, attempt: {"positions": tuple(held)}
)


def margin(account: Account, orders: Iterable[MarginOrder]) -> Plan[Margin]:
    """Return what these orders would block, together and each by itself."""
    try:
        named = [(_spot_of(order), order) for order in orders]
        asked = [_as_asked(wanted, order) for wanted, order in named]
    except TypeError:
        raise BadArgument(f"orders: must be a list, not {type(orders).__name__}") from None
    if not asked:
        raise BadArgument("orders: one at least must be given")
    for (wanted, _order), row in zip(named, asked, strict=True):
        row["token"] = yield from token_of(account, wanted)
    client_id = yield from own_client_id(account)
    # Nothing changes, so a lost answer is that of a read.
    request = Request(
        method="POST", path=CALC, body={"data": asked}, query={"client_id": client_id}
    )
    response = yield from ask(request)
    result = result_of(request, response)
    try:
        each = tuple(_required(value) for value in result["individual_margin_values"])
        return Margin(combined=_required(result["combined_margin"]), individual=each)
    except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation):
        unreadable(request, response, "its result holds no margins")


def _spot_of(order: Any) -> Spot:
    if not isinstance(order, MarginOrder):
        raise BadArgument(f"orders: each must be a MarginOrder, not {type(order).__name__}")
    return spot(order.instrument, order.exchange, order.instrument_token)


def _as_asked(wanted: Spot, order: MarginOrder) -> dict[str, str]:
    """Return an order as the calculator wants it: everything is text."""
    return {
        "segment": "FutOpt" if wanted.exchange in DERIVATIVES else "Capital",
        "series": params.text("series", order.series),
        "exchange": wanted.exchange,
        "side": params.side("side", order.side),
        "mode": "NEW",
        "symbol": params.text("symbol", order.symbol),
        "underlying": params.text("underlying", order.underlying),
        "token": wanted.token,
        "quantity": str(params.whole("quantity", order.quantity)),
        "price": spelled(params.price("price", order.price)),
        "product": params.product("product", order.product),
    }


def _net(held: Sequence[Position], place: str) -> int:
    """Return what is held there; ``place`` is exchange, token and product."""
    return sum(
        row.net_quantity
        for row in held
        if f"{row.exchange}:{row.instrument_token}:{row.product}" == place
    )


def _pair(row: Any) -> tuple[str, str]:
    """Return label and value; some servers print the pair as an object."""
    label, value = (row["0"], row["1"]) if isinstance(row, dict) else row
    return str(label), str(value)


def _required(margin: Any) -> Decimal:
    """Return a margin in rupees: the sum of its components, if it comes in components."""
    if not isinstance(margin, dict):
        return Decimal(str(margin))
    parts = sum((Decimal(str(margin.get(name, 0))) for name in COMPONENTS), NOTHING)
    return parts - Decimal(str(margin.get("premium_benefit", 0)))
