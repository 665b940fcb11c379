"""
What events mean for the entry of an order: how it is changed, and its cancel.

Source: docs/spec/cover_order.md, docs/spec/regular_order.md.
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core import events as e
from kavach.core.commands import Leg
from kavach.core.evolve.cover import follow_reference
from kavach.core.model.leg_row import add_line, leg_row
from kavach.core.model.orders.life import (
    InFlight,
    Life,
)
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.state import OmsState
from kavach.units import OrderType

_SENT: Final = Life.SENT
_GONE: Final = frozenset({Life.CANCELLED, Life.REJECTED, Life.EXPIRED})
_IDLE: Final = InFlight.NONE
_USER: Final = e.Source.USER


def _entry_modify_requested(state: OmsState, event: e.EntryModifyRequested, at_ns: int) -> None:
    parent = state.parents[event.order_id]
    parent.placed_as = parent.as_placed
    parent.modify = event
    parent.touch(Leg.ENTRY, at_ns)
    if not parent.entries:
        settle_modify(state, parent)  # Nothing was sent yet: it is so at once.
        add_line(parent, Leg.ENTRY, "plan_changed", _SENT, at_ns)


def settle_modify(state: OmsState, parent: ParentOrder, *, refused: bool = False) -> None:
    """Once no change of the entry is in flight, the entry is what the venue made of it."""
    modify = parent.modify
    if modify is None:
        return
    if refused and parent.cancel_source is not None and parent.entry_filled >= modify.quantity:
        return  # Its rest is asked to go again, until it is gone.
    parent.modify_refused = parent.modify_refused or refused
    if any(order.in_flight is not _IDLE or order.life is _SENT for order in parent.entries):
        return
    refused = parent.modify_refused
    parent.modify = None
    parent.modify_refused = False
    _withdraw(parent, modify.quantity)
    if refused:
        _keep_terms(parent, modify.order_type)
        return
    parent.order_type = modify.order_type
    parent.quantity = parent.total if parent.entries else modify.quantity
    parent.disclosed_quantity = modify.disclosed_quantity
    parent.price_pips = modify.price_pips
    parent.trigger_price_pips = modify.trigger_price_pips
    parent.validity = modify.validity
    parent.reference_price_pips = modify.reference_price_pips
    parent.entry_modified = True
    follow_reference(parent)
    state.reblock(parent)


def _withdraw(parent: ParentOrder, wanted: int) -> None:
    """Withdraw the orders that have ended from an entry that goes on, or is complete."""
    reached = parent.entry_filled >= wanted
    if reached or (parent.cancel_source is None and parent.entry_stands):
        for order in parent.entries:
            order.withdrawn = order.withdrawn or order.life in _GONE


def _keep_terms(parent: ParentOrder, wanted: OrderType) -> None:
    """Take the entry as it stands at the venue; a part of it may have been changed."""
    parent.quantity = parent.total
    if wanted is parent.order_type:
        row = leg_row(parent, Leg.ENTRY)
        parent.price_pips, parent.trigger_price_pips = row.price_pips, row.trigger_price_pips


def _entry_cancel_requested(state: OmsState, event: e.EntryCancelRequested, at_ns: int) -> None:
    parent = state.parents[event.order_id]
    parent.cancel_source = event.source
    if event.source is _USER:
        parent.entry_cancelled_by_user = True


def _entry_cancel_failed(state: OmsState, event: e.EntryCancelFailed, at_ns: int) -> None:
    parent = state.parents[event.order_id]
    parent.cancel_source = None
    parent.entry_cancelled_by_user = False
    settle_modify(state, parent, refused=True)


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    e.EntryModifyRequested: _entry_modify_requested,
    e.EntryCancelRequested: _entry_cancel_requested,
    e.EntryCancelFailed: _entry_cancel_failed,
}
