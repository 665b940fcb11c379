"""
Changing the living entry of an order of any kind.

The entry changes when the venue has amended it, not when it was requested. A request that repeats
what already is sends nothing.

Source: docs/spec/cover_order.md; docs/wire/README.md, "Regular and after-market orders";
docs/wire/README.md, "Decisions".
"""

from typing import Protocol

from msgspec.structs import replace

from kavach.core.events import EntryModifyRequested
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Reason
from kavach.core.rules.context import StepContext
from kavach.core.rules.orders.field_rules import check_terms, reference_price
from kavach.core.rules.orders.sending import amend, cancel, submit_slices, venue_terms
from kavach.instruments import Instrument
from kavach.units import OrderType, Pips, Quantity, Validity

_STOP_TYPES = frozenset({OrderType.SL, OrderType.SLM})
_UNPRICED = frozenset({OrderType.MARKET, OrderType.SLM})


class TermsAsked(Protocol):
    """What a command asks of the entry's terms; None: leave as it is."""

    @property
    def order_type(self) -> OrderType | None:
        """How it is to be priced."""

    @property
    def quantity(self) -> Quantity | None:
        """The new total, what has traded included."""

    @property
    def disclosed_quantity(self) -> Quantity | None:
        """How much of it is to be shown."""

    @property
    def price_pips(self) -> Pips | None:
        """Its limit."""

    @property
    def trigger_price_pips(self) -> Pips | None:
        """Its trigger."""

    @property
    def validity(self) -> Validity | None:
        """How long it is to live."""


def wanted_terms(
    context: StepContext, parent: ParentOrder, instrument: Instrument, command: TermsAsked
) -> EntryModifyRequested:
    """Return the entry as the client wants it, unmentioned terms as they are."""
    c = command
    order_type = parent.order_type if c.order_type is None else c.order_type
    price = parent.price_pips if c.price_pips is None else c.price_pips
    trigger = parent.trigger_price_pips if c.trigger_price_pips is None else c.trigger_price_pips
    quantity = parent.total if c.quantity is None else c.quantity
    disclosed = parent.disclosed_quantity
    if c.disclosed_quantity is not None:
        disclosed = c.disclosed_quantity
    # What the row has asks for nothing, so a type that has none drops it.
    if order_type not in _STOP_TYPES and c.trigger_price_pips is None:
        trigger = 0
    if order_type in _UNPRICED and c.price_pips is None:
        price = 0
    reference = parent.reference_price_pips
    if not order_type is parent.order_type is OrderType.MARKET:
        reference = reference_price(order_type, price, trigger, context.last_price(instrument))
    return EntryModifyRequested(
        parent.order_id,
        order_type,
        Quantity(quantity),
        Quantity(disclosed),
        Pips(price),
        Pips(trigger),
        parent.validity if c.validity is None else c.validity,
        Pips(reference),
    )


def check_wanted(
    context: StepContext, parent: ParentOrder, instrument: Instrument, wanted: EntryModifyRequested
) -> Reason | None:
    """Return why the entry cannot become this."""
    state = context.state
    one_order = parent.whole or not parent.sliced  # The exchange would refuse more than it holds.
    fired = any(order.triggered for order in parent.entries)  # Its trigger is history.
    as_limit = fired and wanted.order_type is OrderType.SL
    trigger_is_old = as_limit or wanted.trigger_price_pips == parent.trigger_price_pips
    reason = check_terms(
        instrument,
        replace(state.settings, slices_max=1) if one_order else state.settings,
        parent.side,
        OrderType.LIMIT if as_limit else wanted.order_type,
        wanted.quantity,
        wanted.disclosed_quantity,
        wanted.price_pips,
        0 if as_limit else wanted.trigger_price_pips,
        wanted.validity,
        context.last_price(instrument),
    )
    if reason is Reason.TRIGGER_PRICE_MUST_BE_BEYOND_LAST_PRICE and trigger_is_old:
        reason = None  # It stands at the venue already.
    if reason is not None:
        return reason
    if wanted.quantity < parent.entry_filled:
        return Reason.QUANTITY_MUST_COVER_FILLS
    return None


def differs(parent: ParentOrder, wanted: EntryModifyRequested) -> bool:
    return (
        wanted.order_type is not parent.order_type
        or wanted.quantity != parent.total
        or wanted.disclosed_quantity != parent.disclosed_quantity
        or wanted.price_pips != parent.price_pips
        or wanted.trigger_price_pips != parent.trigger_price_pips
        or wanted.validity is not parent.validity
    )


def without_rest(parent: ParentOrder, wanted: EntryModifyRequested) -> EntryModifyRequested:
    """Return the entry as it is, but for what has not traded: nothing else of it can change."""
    return replace(
        wanted,
        order_type=parent.order_type,
        disclosed_quantity=min(parent.disclosed_quantity, wanted.quantity),
        price_pips=parent.price_pips,
        trigger_price_pips=parent.trigger_price_pips,
        validity=parent.validity,
        reference_price_pips=parent.reference_price_pips,
    )


def amend_entries(
    context: StepContext, parent: ParentOrder, instrument: Instrument, wanted: EntryModifyRequested
) -> None:
    """Spread the new total over the live slices, front to back, and send what changes."""
    live = [order for order in parent.entries if order.live]
    slice_max = instrument.slice_max if parent.sliced else wanted.quantity
    left = wanted.quantity - parent.entry_filled
    for order in live:
        order_type, price, trigger = venue_terms(
            context,
            parent,
            wanted.order_type,
            wanted.price_pips,
            wanted.trigger_price_pips,
            instrument,
        )
        if order.triggered:
            order_type, trigger = OrderType.LIMIT, Pips(0)
        more = min(left, slice_max - order.filled_quantity)
        left -= more
        if more == 0:
            cancel(context, order)
            continue
        total = order.filled_quantity + more
        disclosed = min(wanted.disclosed_quantity, total)
        now = (order.order_type, order.quantity, order.disclosed_quantity)
        prices = (order.price_pips, order.trigger_price_pips)
        if (order_type, total, disclosed) != now or (price, trigger) != prices:
            amend(context, order, order_type, total, price, trigger, disclosed)
    if left > 0:
        submit_slices(context, parent, instrument, left, wanted)
