"""
What a client holds: positions by day and net, their conversion, and shares.

Source: docs/wire/portfolio.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from kavach.api.gateway.route import CLIENT, PREFIX, Query, Route
from kavach.api.gateway.view import View, check_owner
from kavach.api.http.call import AuthenticatedRequest, Reply, encode
from kavach.api.http.listing import listing, rows_of
from kavach.api.routes.fields import accepted
from kavach.api.rows.order_rows import position_row
from kavach.api.rows.position_rows import day_row, holding_row
from kavach.core.model.money.commands import ConvertPosition
from kavach.core.model.money.position import Position
from kavach.core.refusals import Answer
from kavach.units import instrument_key
from kavach.wire import fields as read
from kavach.wire.exact import exact
from kavach.wire.orders.answers import PositionsAnswer
from kavach.wire.orders.requests import decode
from kavach.wire.portfolio import (
    ConvertAnswer,
    ConvertRequest,
    Holdings,
    HoldingsAnswer,
    convert_decoder,
    converted,
)
from kavach.wire.query import read_query


class Span(StrEnum):
    """Which positions are asked for: the day's, or those that also count earlier days."""

    LIVE = "live"
    HISTORICAL = "historical"


_span: Final = read.word(Span)


def positions(view: View, request: AuthenticatedRequest) -> Reply:
    """Return the client's positions: what today was traded, or all that is held."""
    span = _span(asked_of(request).get("type"), "type")
    engine = view.engine
    client = engine.state.clients[request.client_id]
    row = day_row if span is Span.LIVE else position_row
    found = (
        row(
            client,
            position,
            engine.instruments[position.instrument],
            engine.last_price_pips(position.instrument),
        )
        for position in list(client.positions)
        if _is_shown(position, span)
    )
    return Reply(200, b"", listing=listing(rows_of(found), PositionsAnswer([])))


def _is_shown(position: Position, span: Span) -> bool:
    """Return whether a position is asked for: traded today, or brought from an earlier day."""
    if position.buy_quantity or position.sell_quantity:
        return True
    return span is Span.HISTORICAL and not position.empty and bool(position.carried)


def holdings(view: View, request: AuthenticatedRequest) -> Reply:
    """Return what the client owns."""
    asked_of(request)
    engine = view.engine
    client = engine.state.clients[request.client_id]
    found = (
        holding_row(
            client,
            holding,
            engine.instruments[holding.instrument],
            engine.last_price_pips(holding.instrument),
        )
        for holding in list(client.holdings)
    )
    return Reply(200, b"", listing=listing(rows_of(found), HoldingsAnswer(Holdings([]))))


def read_convert(view: View, request: AuthenticatedRequest) -> ConvertPosition:
    """Return the command of a PUT convert."""
    return convert_command(exact(decode(convert_decoder, request.body)), request)


def write_convert(view: View, command: ConvertPosition, answer: Answer) -> Reply:
    """Return the answer to PUT convert: a part of the position is in another product."""
    return accepted(answer, encode(converted()))


def convert_command(message: ConvertRequest, request: AuthenticatedRequest) -> ConvertPosition:
    """Return the command that a request amounts to."""
    check_owner(request, message.client_id)
    exchange, token = message.exchange, message.instrument_token
    product, new_product = message.product, message.new_product
    quantity = message.quantity
    _ = message.validity
    return ConvertPosition(
        client_id=request.client_id,
        instrument=instrument_key(exchange, token),
        side=message.order_side,
        quantity=quantity,
        product=product,
        new_product=new_product,
    )


def asked_of(request: AuthenticatedRequest) -> Mapping[str, str]:
    """Return the query pairs; raises ``Refused`` if they name another account."""
    pairs, _ = read_query(request.query)
    check_owner(request, read.optional(read.text, pairs.get("client_id"), "client_id"))
    return pairs


_SPAN: Final = Query(name="type", description="Day-wise or net.", words=tuple(Span), required=True)

ROUTES: Final = (
    Route(
        method="GET",
        path=f"{PREFIX}/positions",
        name="getPositions",
        summary="What is held of each instrument in each product.",
        show=positions,
        answer=PositionsAnswer,
        query=(_SPAN, CLIENT),
    ),
    Route(
        method="PUT",
        path=f"{PREFIX}/position/convert",
        name="convertPosition",
        summary="Take a part of a position for another product.",
        read=read_convert,
        write=write_convert,
        request=ConvertRequest,
        answer=ConvertAnswer,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/holdings",
        name="getHoldings",
        summary="Shares that are owned, delivered or on their way in.",
        show=holdings,
        answer=HoldingsAnswer,
        query=(CLIENT,),
    ),
)
