"""
What requests about every kind of order have in common: ids, instruments, prices and keys.

Source: docs/wire/README.md, "Numbers, words, blanks"; docs/wire/README.md, "Regular and
after-market orders"; docs/wire/README.md, "Placing"; docs/wire/README.md, "Decisions".
"""

from hashlib import blake2b
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from kavach.api.gateway.gateway import Edge
from kavach.api.http.call import Call, Reply
from kavach.core.commands import KeyedCommand, ModifyCoverOrder
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.commands import ModifyOrder
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.units import InstrumentKey, OrderType, Pips, instrument_key
from kavach.wire import fields as read
from kavach.wire.errors import BadField, ErrorCode, invalid_text

C = TypeVar("C", bound=KeyedCommand)


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


def keyed(call: Call, command: C) -> C:
    """Return the command with the client's key, and a fingerprint of what it asks."""
    if not call.idempotency_key:
        return command
    fingerprint = blake2b(msgspec.msgpack.encode(command), digest_size=16).hexdigest()
    return replace(command, idempotency_key=call.idempotency_key, fingerprint=fingerprint)


def accepted(answer: Answer, body: bytes) -> Reply:
    """Return the reply to a request that was accepted, with where the order stands."""
    return Reply(200, body, order_state=answer.reason or answer.state, replayed=answer.replayed)


def named_id(request: Named, call: Call) -> int:
    """Return the id of path and payload; two that disagree name no order at all."""
    if call.path_id and request.oms_order_id == call.path_id:
        return read.order_number(call.path_id)
    path_id = read.plain_id(call.path_id)
    named = read.optional(read.identifier, request.oms_order_id, "oms_order_id")
    if named is None or not path_id:
        named = path_id or read.identifier(request.oms_order_id, "oms_order_id")
    elif named != path_id:
        raise BadField("oms_order_id", hint="path and parameters disagree")
    return read.order_number(named)


def price_of(order_type: OrderType, value: object) -> Pips:
    """Return the price; a type that has none needs none."""
    if order_type in (OrderType.MARKET, OrderType.SLM) and read.is_blank(value):
        return Pips(0)
    return read.price(value, "price")


def protection_of(request: Protected) -> int | None:
    """Return the market protection in hundredths of a percent; None if none, or 0, is given."""
    name = "market_protection_percentage"
    return read.optional(read.percentage, request.market_protection_percentage, name) or None


def same_instrument(edge: Edge, request: NamesInstrument, order_id: int) -> InstrumentKey | None:
    """Return the instrument the client names; the half it leaves out is the order's own."""
    exchange = read.optional(read.exchange, request.exchange, "exchange")
    token = read.optional(read.token, request.instrument_token, "instrument_token")
    if exchange is None and token is None:
        return None
    parent = _order(edge, order_id)
    if parent is None:
        return None
    own = edge.backend.instruments[parent.instrument]
    return instrument_key(
        own.exchange if exchange is None else exchange, own.token if token is None else token
    )


def refused_change(edge: Edge, command: ModifyCoverOrder | ModifyOrder, refusal: Refusal) -> Reply:
    """Return the reply to a refused change; of exchange and token, the one that moves is named."""
    named = command.instrument
    if refusal.reason is Reason.INSTRUMENT_MUST_NOT_CHANGE and named is not None:
        parent = _order(edge, command.order_id)
        own = parent.instrument.partition(":")[0] if parent else ""
        if own and named.partition(":")[0] != own:
            text = f"{invalid_text('exchange')}: {own}"
            return edge.error(400, ErrorCode.FIELD_INVALID, text, refusal.reason.name)
    return edge.refusal(refusal, command=command)


def _order(edge: Edge, order_id: int) -> ParentOrder | None:
    """Return the order that an id belongs to, whichever of its legs has it."""
    state = edge.backend.state
    return state.covers.get(order_id) or state.regulars.get(order_id)
