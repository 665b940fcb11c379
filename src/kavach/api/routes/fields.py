"""
What requests about every kind of order have in common: ids, instruments and prices.

Source: docs/wire/README.md, "Numbers, words, blanks"; docs/wire/README.md, "Regular and
after-market orders"; docs/wire/README.md, "Placing"; docs/wire/README.md, "Decisions".
"""

from typing import Any, Protocol

from kavach.api.gateway.view import View
from kavach.api.http.call import AuthenticatedRequest, Reply
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Answer
from kavach.units import InstrumentKey, OrderType, Pips, instrument_key
from kavach.wire import fields as read
from kavach.wire.errors import BadField


class Named(Protocol):
    """A request that may name an order in its parameters."""

    oms_order_id: Any


class NamesInstrument(Protocol):
    """A request that may name the instrument that its order has."""

    exchange: Any
    instrument_token: Any


class Protected(Protocol):
    """A request that may bring its own market protection."""

    market_protection_percentage: Any


def accepted(answer: Answer, body: bytes) -> Reply:
    """Return the reply to a request that was accepted, with where the order stands."""
    return Reply(200, body, order_state=answer.reason or answer.state, replayed=answer.replayed)


def named_id(message: Named, request: AuthenticatedRequest) -> int:
    """Return the id of path and payload; two that disagree name no order at all."""
    if request.path_id and message.oms_order_id == request.path_id:
        return read.order_number(request.path_id)
    path_id = read.plain_id(request.path_id)
    named = read.optional(read.identifier, message.oms_order_id, "oms_order_id")
    if named is None or not path_id:
        named = path_id or read.identifier(message.oms_order_id, "oms_order_id")
    elif named != path_id:
        raise BadField("oms_order_id", hint="path and parameters disagree")
    return read.order_number(named)


def price_of(order_type: OrderType, value: object) -> Pips:
    """Return the price; a type that has none needs none."""
    if order_type in (OrderType.MARKET, OrderType.SLM) and read.is_blank(value):
        return Pips(0)
    return read.price(value, "price")


def protection_of(message: Protected) -> int | None:
    """Return the market protection in hundredths of a percent; None if none, or 0, is given."""
    name = "market_protection_percentage"
    return read.optional(read.percentage, message.market_protection_percentage, name) or None


def same_instrument(view: View, message: NamesInstrument, order_id: int) -> InstrumentKey | None:
    """Return the instrument the client names; the half it leaves out is the order's own."""
    exchange = read.optional(read.exchange, message.exchange, "exchange")
    token = read.optional(read.token, message.instrument_token, "instrument_token")
    if exchange is None and token is None:
        return None
    parent = _order(view, order_id)
    if parent is None:
        return None
    own = view.engine.instruments[parent.instrument]
    return instrument_key(
        own.exchange if exchange is None else exchange, own.token if token is None else token
    )


def _order(view: View, order_id: int) -> ParentOrder | None:
    """Return the order that an id belongs to, whichever of its legs has it."""
    state = view.engine.state
    return state.covers.get(order_id) or state.regulars.get(order_id)
