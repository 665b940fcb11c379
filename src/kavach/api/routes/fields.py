"""
What requests about every kind of order have in common: ids, instruments and prices.

Source: docs/wire/README.md, "Numbers, words, blanks"; docs/wire/README.md, "Regular and
after-market orders"; docs/wire/README.md, "Placing"; docs/wire/README.md, "Decisions".
"""

from kavach.api.gateway.view import View
from kavach.api.http.call import AuthenticatedRequest, Reply
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Answer
from kavach.units import Exchange, InstrumentKey, OrderType, Pips, instrument_key
from kavach.wire import fields as read
from kavach.wire.errors import BadField


def accepted(answer: Answer, body: bytes) -> Reply:
    """Return the reply to a request that was accepted, with where the order stands."""
    return Reply(200, body, order_state=answer.reason or answer.state, replayed=answer.replayed)


def named_id(named: object, request: AuthenticatedRequest) -> int:
    """Return the id of path and payload; two that disagree name no order at all."""
    if request.path_id and named == request.path_id:
        return read.order_number(request.path_id)
    path_id = read.plain_id(request.path_id)
    own = read.optional(read.identifier, named, "oms_order_id")
    if own is None or not path_id:
        own = path_id or read.identifier(named, "oms_order_id")
    elif own != path_id:
        raise BadField("oms_order_id", hint="path and parameters disagree")
    return read.order_number(own)


def price_of(order_type: OrderType, price: Pips | None) -> Pips:
    """Return the price; a type that has none needs none."""
    if price is None and order_type not in (OrderType.MARKET, OrderType.SLM):
        raise BadField("price", blank=True)
    return price or Pips(0)


def same_instrument(
    view: View, exchange: Exchange | None, token: int | None, order_id: int
) -> InstrumentKey | None:
    """Return the instrument the client names; the half it leaves out is the order's own."""
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
