"""
An order that is to be kept: read from a basket's line or a rule's order.

In a change, a field that is blank stays as it is. Bad fields are named within the object that holds
them: "`order_info` `quantity` is invalid".

Source: docs/wire/baskets.md; docs/wire/gtt.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

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
from kavach.wire.baskets import LineRequest
from kavach.wire.errors import BadField
from kavach.wire.gtt import GttOrderRequest

T = TypeVar("T")

PRICED: Final = frozenset({OrderType.LIMIT, OrderType.SL})
WAITING: Final = frozenset({OrderType.SL, OrderType.SLM})


Written = LineRequest | GttOrderRequest


@contextmanager
def within(outer: str) -> Iterator[None]:
    """Let bad fields be named as fields of an object."""
    try:
        yield
    except BadField as bad:
        raise bad.within(outer) from None


def kept_or(written: T | None, own: T | None) -> T:
    """Return what is written, or, where nothing is, what was there before: one of them is there."""
    value = own if written is None else written
    assert value is not None, "what must be there and is not is refused when it is read"
    return value


def instrument_of(written: Written, own: OrderTerms | None) -> InstrumentKey:
    """Return the instrument that is named; the half that is not is the one it was."""
    segment, token = (None, None) if own is None else own.instrument.split(":")
    return instrument_key(
        kept_or(written.exchange, Exchange(segment) if segment else None),
        kept_or(written.instrument_token, int(token) if token else None),
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
        side=kept_or(written.order_side, own.side if own else None),
        order_type=type_of(written, own),
        quantity=kept_or(written.quantity, own.quantity if own else None),
        disclosed_quantity=kept_or(
            written.disclosed_quantity, own.disclosed_quantity if own else Quantity(0)
        ),
        price_pips=price_pips,
        trigger_price_pips=trigger_price_pips,
        validity=kept_or(written.validity, own.validity if own else Validity.DAY),
        product=kept_or(written.product, own.product if own else None),
        user_order_id=kept_or(written.user_order_id, own.user_order_id if own else 0),
        device=kept_or(written.device, own.device if own else ""),
        amo=amo,
        protection_bp=kept_or(
            written.market_protection_percentage, own.protection_bp if own else 0
        ),
    )


def type_of(written: Written, own: OrderTerms | None) -> OrderType:
    """Return the order type that is written, or the one it was."""
    return kept_or(written.order_type, own.order_type if own else None)
