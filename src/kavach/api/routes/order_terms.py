"""
An order that is to be kept: read from a basket's line or a rule's order.

In a change, a field that is blank stays as it is. Bad fields are named within the object that holds
them: "`order_info` `quantity` is invalid".

Source: docs/wire/baskets.md; docs/wire/gtt.md.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from kavach.core.model.orders.terms import OrderTerms
from kavach.units import (
    Exchange,
    InstrumentKey,
    OrderType,
    Pips,
    Quantity,
    Validity,
    instrument_key,
)
from kavach.wire import fields as read
from kavach.wire.errors import BadField

T = TypeVar("T")

PRICED: Final = frozenset({OrderType.LIMIT, OrderType.SL})
WAITING: Final = frozenset({OrderType.SL, OrderType.SLM})


class LineExecution(StrEnum):
    """How an order of a basket is to be placed."""

    REGULAR = "REGULAR"
    AMO = "AMO"
    CO = "CO"
    BO = "BO"


line_execution: Final = read.word(LineExecution)


class Written(Protocol):
    """The fields that lines and rules share."""

    exchange: object
    instrument_token: object
    order_side: object
    order_type: object
    quantity: object
    disclosed_quantity: object
    validity: object
    product: object
    user_order_id: object
    device: object
    market_protection_percentage: object


@contextmanager
def within(outer: str) -> Iterator[None]:
    """Let bad fields be named as fields of an object."""
    try:
        yield
    except BadField as bad:
        raise bad.within(outer) from None


def kept_or(value: object, own: T | None, reader: Callable[[object, str], T], field: str) -> T:
    """Return what is written, or, where nothing is, what was there before."""
    if own is not None and read.is_blank(value):
        return own
    return reader(value, field)


def instrument_of(written: Written, own: OrderTerms | None) -> InstrumentKey:
    """Return the instrument that is named; the half that is not is the one it was."""
    segment, token = (None, None) if own is None else own.instrument.split(":")
    return instrument_key(
        kept_or(
            written.exchange, Exchange(segment) if segment else None, read.exchange, "exchange"
        ),
        kept_or(
            written.instrument_token, int(token) if token else None, read.token, "instrument_token"
        ),
    )


def terms_of(
    written: Written,
    own: OrderTerms | None,
    *,
    price_pips: Pips,
    trigger_price_pips: Pips,
    amo: bool = False,
) -> OrderTerms:
    """Return the order that is written, with these prices."""
    return OrderTerms(
        instrument=instrument_of(written, own),
        side=kept_or(written.order_side, own.side if own else None, read.side, "order_side"),
        order_type=type_of(written, own),
        quantity=kept_or(
            written.quantity, own.quantity if own else None, read.quantity, "quantity"
        ),
        disclosed_quantity=kept_or(
            written.disclosed_quantity,
            Quantity(0) if own is None else own.disclosed_quantity,
            read.quantity,
            "disclosed_quantity",
        ),
        price_pips=price_pips,
        trigger_price_pips=trigger_price_pips,
        validity=kept_or(
            written.validity,
            Validity.DAY if own is None else own.validity,
            read.validity,
            "validity",
        ),
        product=kept_or(written.product, own.product if own else None, read.product, "product"),
        user_order_id=kept_or(
            written.user_order_id,
            0 if own is None else own.user_order_id,
            read.integer,
            "user_order_id",
        ),
        device=kept_or(written.device, "" if own is None else own.device, read.text, "device"),
        amo=amo,
        protection_bp=kept_or(
            written.market_protection_percentage,
            0 if own is None else own.protection_bp,
            read.percentage,
            "market_protection_percentage",
        ),
    )


def type_of(written: Written, own: OrderTerms | None) -> OrderType:
    """Return the order type that is written, or the one it was."""
    return kept_or(
        written.order_type, own.order_type if own else None, read.order_type, "order_type"
    )
