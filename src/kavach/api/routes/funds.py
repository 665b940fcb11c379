"""
A client's money: the table of funds, and what orders would need.

Every figure of the table is there under each label that some client looks for. The sums agree:

    Net Margin = Cash Deposit + Realized MTM
    Available  = Net Margin - Margin Used
    Margin Used = Delivery + Var Margin + Span Margin

The calculator works by the rules of regular orders, for an account that has nothing: alone, and
together as if all had traded, so that what is bought and sold of one instrument is netted.

Source: docs/wire/login.md, "Profile, trading_info, logout"; docs/wire/portfolio.md, "Margin
calculator".
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from kavach.api.gateway.route import CLIENT, PREFIX, Query, Route
from kavach.api.gateway.view import View
from kavach.api.http.call import AuthenticatedRequest, Reply, encode
from kavach.api.routes.contracts import bad_request
from kavach.api.routes.portfolio import asked_of
from kavach.api.rows.order_rows import PRODUCT_NUMBER
from kavach.core.model.money.account import Client
from kavach.core.model.money.margin import order_margin_paise, position_margin_paise
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_PAISA, Paise, Product, Quantity, Side, cash_text, instrument_key
from kavach.wire import fields as read
from kavach.wire.contracts import NotFound
from kavach.wire.errors import BadField
from kavach.wire.exact import exact
from kavach.wire.money import amount
from kavach.wire.orders.requests import BadBody, decode
from kavach.wire.portfolio import (
    CalcAnswer,
    CalcLeg,
    CalcRequest,
    Funds,
    FundsAnswer,
    MarginParts,
    Margins,
    calc_decoder,
)

Leg = tuple[Instrument, Product, Side, Quantity, int]  # The last is the price in pips.

_PRODUCT: Final = {product.value: product for product in Product} | {
    str(code): product for product, code in PRODUCT_NUMBER.items()
}


class FundsKind(StrEnum):
    """Which funds are asked for; there is one table."""

    ALL = "all"


class MarginPart(StrEnum):
    """Which component a margin is told as."""

    DELIVERY = "delivery_margin"
    VAR = "var_margin"
    SPAN = "span"


_kind: Final = read.word(FundsKind)


def part_of(instrument: Instrument, product: Product) -> MarginPart:
    """Return as what the margin of an instrument in a product is told."""
    return _part(instrument.segment, product)


def _part(segment: str, product: Product) -> MarginPart:
    if product is Product.CNC:
        return MarginPart.DELIVERY
    return MarginPart.VAR if segment == "Capital" else MarginPart.SPAN


# --- The table --------------------------------------------------------------------------------


def funds_v1(view: View, request: AuthenticatedRequest) -> Reply:
    """Return the table with the heading of the older route."""
    return _funds(view, request, "all")


def funds_v2(view: View, request: AuthenticatedRequest) -> Reply:
    """Return the table."""
    return _funds(view, request, "")


def _funds(view: View, request: AuthenticatedRequest, heading: str) -> Reply:
    asked = asked_of(request).get("type")
    read.optional(_kind, asked, "type")
    client = view.engine.state.clients[request.client_id]
    values = [(label, cash_text(Paise(paise))) for label, paise in funds_table(view, client)]
    funds = Funds(client_id=client.client_id, headers=("Description", heading), values=values)
    return Reply(200, encode(FundsAnswer(funds)))


def funds_table(view: View, client: Client) -> list[tuple[str, int]]:
    """Return every label and its paise."""
    used = _used(view, client)
    realised = client.realised_paise
    unrealised = _marked_paise(view, client) - realised
    credit = _credit_paise(client)
    return [
        ("Available Margin", client.available_paise),
        ("Available", client.available_paise),
        ("Margin Used", client.blocked_paise),
        ("Opening Balance", client.cash_paise),
        ("Cash Deposit", client.cash_paise),
        ("Net Margin", client.cash_paise + realised),
        ("Realized MTM", realised),
        ("realized_mtm", realised),
        ("Unrealized MTM", unrealised),
        ("unrealized_mtm", unrealised),
        ("Delivery", used[MarginPart.DELIVERY]),
        ("Var Margin", used[MarginPart.VAR]),
        ("Span Margin", used[MarginPart.SPAN]),
        ("Extreme Loss Margin", 0),
        ("Premium", 0),
        ("Equity Credit Sell", credit),
        ("DP Credit for Sale", credit),
        *((label, 0) for label in _NOT_OFFERED),
    ]


_NOT_OFFERED: Final = (
    "Sar Credit for Sale",
    "Option Credit For Sell",
    "Adhoc Deposit",
    "Notion Deposit",
    "Notion",
    "Pay In",
    "Pay out",
    "Pay Out",
    "Overdraft",
    "Manual Collateral",
    "Total Pledge Collateral",
    "Pledge Benefit",
    "DP Collateral Benefit",
    "DP Pledge Collateral",
    "Pool Collateral Benefit",
    "Pool Pledge Collateral",
    "Sar Collateral Benefit",
)


def _used(view: View, client: Client) -> dict[MarginPart, int]:
    """Return what is blocked, by component: by positions, and by orders that block themselves."""
    used = dict.fromkeys(MarginPart, 0)
    instruments = view.engine.instruments
    for position in client.positions:
        used[part_of(instruments[position.instrument], position.product)] += position.blocked_paise
    for (segment, product), paise in view.engine.state.index.blocked[client.client_id].items():
        used[_part(segment, product)] += paise
    return used


def _marked_paise(view: View, client: Client) -> int:
    """Return the profit of all positions if they were closed at the last price, rounded down."""
    total_pips = 0
    for position in client.positions:
        last_pips = view.engine.last_price_pips(position.instrument)
        flow = position.sold_value - position.bought_value
        total_pips += (flow + position.net_quantity * last_pips) * position.multiplier
    return total_pips // PIPS_PER_PAISA


def _credit_paise(client: Client) -> int:
    """Return what shares sold today will bring when the day ends."""
    credit_pips = 0
    for position in client.positions:
        if position.product is Product.CNC and position.plain_net < 0 and position.sold:
            value = position.sold_value * -position.plain_net // position.sold
            credit_pips += value * position.multiplier
    return credit_pips // PIPS_PER_PAISA


# --- The calculator ---------------------------------------------------------------------------


def calc(view: View, request: AuthenticatedRequest) -> Reply:
    """Return what orders would need; nothing is ordered.

    What is wrong is said in envelope B, too: who decodes that one and finds no error in it would
    take the answer for a margin of nothing.
    """
    try:
        message = exact(decode(calc_decoder, request.body))
        legs = [_leg(view, leg) for leg in message.data]
    except (BadField, BadBody) as bad:
        return bad_request(view, bad)
    alone = [
        _told({part_of(instrument, product): _alone_paise(view, *leg)})
        for leg in legs
        for instrument, product, *_ in [leg]
    ]
    margins = Margins(
        combined_margin=_told(_together_paise(view, legs)), individual_margin_values=alone
    )
    return Reply(200, encode(CalcAnswer(result=margins)))


def _alone_paise(
    view: View,
    instrument: Instrument,
    product: Product,
    side: Side,
    quantity: Quantity,
    price_pips: int,
) -> int:
    """Return what one order would have to find free."""
    settings = view.engine.state.settings
    return order_margin_paise(_nobody(), instrument, settings, product, side, quantity, price_pips)


def _together_paise(view: View, legs: list[Leg]) -> dict[MarginPart, int]:
    """Return what would be blocked if all orders had traded; shares that are sold are there."""
    backend = view.engine
    client = _nobody()
    for instrument, product, side, quantity, price_pips in legs:
        if product is Product.CNC and side is Side.SELL:
            client.holding_in(instrument.key).free_quantity += quantity
        client.trade(instrument, product, side, quantity, price_pips, plain=True)
    total = dict.fromkeys(MarginPart, 0)
    for position in client.positions:
        instrument = backend.instruments[position.instrument]
        total[part_of(instrument, position.product)] += position_margin_paise(
            client, position, instrument, backend.state.settings
        )
    return total


def _told(parts: Mapping[MarginPart, int]) -> MarginParts:
    return MarginParts(
        delivery_margin=amount(Paise(parts.get(MarginPart.DELIVERY, 0))),
        var_margin=amount(Paise(parts.get(MarginPart.VAR, 0))),
        span=amount(Paise(parts.get(MarginPart.SPAN, 0))),
        net_span_array=[0, 0, 0, 0],
    )


def _nobody() -> Client:
    return Client("", 0, "", "", "")


def _leg(view: View, leg: CalcLeg) -> Leg:
    """Return what a leg says; raises ``BadField``."""
    key = instrument_key(leg.exchange, leg.token)
    instrument = view.engine.instruments.get(key)
    if instrument is None:
        raise BadField("token")
    side, quantity = leg.side, leg.quantity
    if quantity == 0:
        raise BadField("quantity")
    product = _PRODUCT.get(leg.product)
    if product is None:
        raise BadField("product")
    return instrument, product, side, quantity, leg.price or view.engine.last_price_pips(key)


_KIND: Final = Query(name="type", description="There is one table.", words=tuple(FundsKind))

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v2/funds/view",
        name="getFunds",
        summary="Cash, margins and profit.",
        show=funds_v2,
        answer=FundsAnswer,
        query=(_KIND, CLIENT),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/funds/view",
        name="getFundsV1",
        summary="Cash, margins and profit, by the older route.",
        show=funds_v1,
        answer=FundsAnswer,
        query=(_KIND, CLIENT),
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/calc",
        name="calculateMargin",
        summary="What orders would need, each alone and together.",
        show=calc,
        request=CalcRequest,
        answer=CalcAnswer,
        error=NotFound,
    ),
)
