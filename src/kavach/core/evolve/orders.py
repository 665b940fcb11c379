"""
What requests to the venue and its execution reports mean for the order they are about.

Source: docs/spec/order_life.md; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core import events as e
from kavach.core.commands import Leg
from kavach.core.evolve.cover import count_for_link, join_link, leave_link, watch_unconfirmed
from kavach.core.evolve.entry import settle_modify
from kavach.core.model.leg_row import add_line, other_rows, touch_changed
from kavach.core.model.orders.life import (
    LIFE,
    REQUEST,
    Illegal,
    InFlightEvent,
    Life,
    LifeEvent,
)
from kavach.core.model.orders.parent_order import ParentOrder, Trade
from kavach.core.model.orders.venue_order import NOT_CLOSED, VenueOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.state import OmsState
from kavach.units import OrderType

_WAITING_TYPES: Final = frozenset({OrderType.SL, OrderType.SLM})
_AMEND_SENT, _CANCEL_SENT, _ANSWERED, _CLOSED = InFlightEvent
_PARKED, _OPENED, _TRIGGERED, _TRADED, _COMPLETED, _CANCELLED, _REJECTED, _EXPIRED = LifeEvent
_CLOSING_LIFE: Final = {
    e.Closing.CANCELLED: _CANCELLED,
    e.Closing.REMOVED: _CANCELLED,
    e.Closing.EXPIRED: _EXPIRED,
}


_LATE: Final = Illegal.LATE
_NEVER: Final = Illegal.NEVER
_FILLED: Final = Life.FILLED
_SENT: Final = Life.SENT
_BY_US: Final = e.Closing.CANCELLED
_ENTRY: Final = e.Purpose.ENTRY
_TARGET: Final = e.Purpose.TARGET


def _move(order: VenueOrder, happened: LifeEvent) -> bool:
    """Move the order, or leave it where the report is late; return whether it moved."""
    cell = LIFE[order.life][happened]
    assert cell is not _NEVER, f"order {order.tag}: {happened} in {order.life}"
    if cell is _LATE:
        return False
    order.life = cell
    return True


def _answer(order: VenueOrder, happened: InFlightEvent) -> None:
    cell = REQUEST[order.in_flight][happened]
    assert cell is not _NEVER, f"order {order.tag}: {happened} in {order.in_flight}"
    if cell is not _LATE:
        order.in_flight = cell


def _note(parent: ParentOrder, order: VenueOrder, what: str, at_ns: int, reason: str = "") -> None:
    """Add a line to the history of the order's leg, whose row has changed."""
    order.updated_at_ns = at_ns
    leg = order.leg
    parent.touch(leg, at_ns)
    add_line(parent, leg, what, order.life, at_ns, reason)


def _order_submitted(state: OmsState, event: e.OrderSubmitted, at_ns: int) -> None:
    parent = state.parents[event.parent_id]
    order = VenueOrder(
        event.tag,
        event.parent_id,
        event.purpose,
        event.side,
        event.order_type,
        event.quantity,
        event.disclosed_quantity,
        event.price_pips,
        event.trigger_price_pips,
        at_ns,
        at_ns,
    )
    order.asked_at_ns = at_ns
    order.largest_total = event.quantity
    state.orders[event.tag] = order
    state.next_tag = event.tag + 1
    if state.budgeted:
        _count_sent(state, order, at_ns, entry=order.is_entry)
    if event.purpose is _ENTRY:
        parent.entries += (order,)
        return
    cover = state.covers[event.parent_id]
    if event.link:
        join_link(cover, order, event.link)
        state.index.linked[cover.order_id] = cover
    cover.exits += (order,)
    cover.touch(order.leg, at_ns)
    if event.purpose is e.Purpose.EXIT:
        cover.priced_at_ns = at_ns


def _order_amend_sent(state: OmsState, event: e.OrderAmendSent, at_ns: int) -> None:
    order = state.orders[event.tag]
    _answer(order, _AMEND_SENT)
    order.asked_at_ns = at_ns
    order.serial += 1
    order.amend = event
    order.amend_crossed = False
    order.amends += 1
    order.largest_total = max(order.largest_total, event.quantity)
    state.parents[order.parent_id].touch(order.leg, at_ns)
    if state.budgeted:
        _count_sent(state, order, at_ns, entry=order.is_entry)
    if order.purpose not in (_ENTRY, _TARGET) and event.order_type is OrderType.LIMIT:
        state.covers[order.parent_id].priced_at_ns = at_ns


def _order_cancel_sent(state: OmsState, event: e.OrderCancelSent, at_ns: int) -> None:
    order = state.orders[event.tag]
    _answer(order, _CANCEL_SENT)
    order.asked_at_ns = at_ns
    order.serial += 1
    state.parents[order.parent_id].touch(order.leg, at_ns)
    if state.budgeted:
        _count_sent(state, order, at_ns, entry=False)  # It takes risk away, whatever it cancels.


def _order_query_sent(state: OmsState, event: e.OrderQuerySent, at_ns: int) -> None:
    order = state.orders[event.tag]
    order.queries += 1
    order.queried_at_ns = order.compared_at_ns = at_ns


def _stray_cancel_sent(state: OmsState, event: e.StrayCancelSent, at_ns: int) -> None:
    """Nothing of ours changes but what was sent: the other order was never ours."""
    if state.budgeted:
        _count_sent(state, state.orders[event.tag], at_ns, entry=False)


def _count_sent(state: OmsState, order: VenueOrder, at_ns: int, *, entry: bool) -> None:
    """Count a request to the venue on its client's budget (INV-18)."""
    parent = state.parents[order.parent_id]
    state.limits.sent(parent.client_id, parent.instrument, at_ns, entry=entry)


def _order_doubted(state: OmsState, event: e.OrderDoubted, at_ns: int) -> None:
    order = state.orders[event.tag]
    order.doubted = True
    order.queries = 0
    order.queried_at_ns = 0


def _order_resurfaced(state: OmsState, event: e.OrderResurfaced, at_ns: int) -> None:
    order = state.orders[event.tag]
    parent = state.parents[order.parent_id]
    order.exchange_order_id = event.exchange_order_id or order.exchange_order_id
    order.life = Life.WAITING if order.order_type in _WAITING_TYPES else Life.WORKING
    order.final_filled = NOT_CLOSED
    order.code, order.reason = 0, ""
    _note(parent, order, "resurfaced", at_ns)
    state.reblock(parent)


def _sure(order: VenueOrder) -> None:
    """The venue has spoken: no request of ours is in doubt."""
    order.doubted = False
    order.queries = 0


def _complete(order: VenueOrder) -> None:
    """An order that has traded all it may is filled, whatever came first."""
    total = order.quantity if order.amend is None else max(order.quantity, order.amend.quantity)
    if order.final_filled == NOT_CLOSED and order.filled_quantity >= total:
        order.life = _FILLED
        order.final_filled = order.filled_quantity
        _answer(order, _CLOSED)
        order.amend = None
        _sure(order)


def _order_accepted(state: OmsState, event: e.OrderAccepted, at_ns: int) -> None:
    order = state.orders[event.tag]
    order.exchange_order_id = event.exchange_order_id
    order.accepted_at_ns = order.updated_at_ns = at_ns
    _sure(order)
    _move(order, _PARKED if order.order_type in _WAITING_TYPES else _OPENED)
    parent = state.parents[order.parent_id]
    if order.purpose is _ENTRY:
        added = parent.modify is not None
        settle_modify(state, parent)
        first = order is parent.entries[0] and order.filled_quantity == 0
        if added or first:
            _note(parent, order, "amended" if added else "accepted", at_ns)
        else:
            parent.touch(Leg.ENTRY, at_ns)
        return
    cover = state.covers[order.parent_id]
    cover.plan_stood |= order.trigger_price_pips == cover.stop.price_pips
    _note(parent, order, "accepted", at_ns)
    watch_unconfirmed(state, parent, at_ns)


def _order_rejected(state: OmsState, event: e.OrderRejected, at_ns: int) -> None:
    order = state.orders[event.tag]
    parent = state.parents[order.parent_id]
    _move(order, _REJECTED)
    _sure(order)
    order.final_filled = order.filled_quantity
    order.code, order.reason = event.code, event.reason
    settle_modify(state, parent, refused=order.purpose is _ENTRY)
    if order.link:
        leave_link(state.covers[order.parent_id], order)
    _note(parent, order, "rejected", at_ns, event.reason)
    state.reblock(parent)


def _order_triggered(state: OmsState, event: e.OrderTriggered, at_ns: int) -> None:
    order = state.orders[event.tag]
    parent = state.parents[order.parent_id]
    if not _move(order, _TRIGGERED):
        return
    order.triggered = True
    order.amend_crossed = order.amend is not None
    if order.purpose is not _ENTRY:
        cover = state.covers[order.parent_id]
        if not cover.triggered_at_ns:
            before = other_rows(cover, order.leg)
            cover.triggered_at_ns = cover.priced_at_ns = at_ns
            touch_changed(cover, before, at_ns)
    _note(parent, order, "triggered", at_ns)


def _order_traded(state: OmsState, event: e.OrderTraded, at_ns: int) -> None:
    order = state.orders[event.tag]
    parent = state.parents[order.parent_id]
    quantity, price = event.quantity, event.price_pips
    before = other_rows(parent, order.leg) if parent.exits else ()
    unconfirmed = order.amend is not None
    order.filled_quantity += quantity
    order.filled_value += quantity * price
    # What has traded was part of it, whatever was confirmed (INV-22).
    order.quantity = max(order.quantity, order.filled_quantity)
    if order.purpose is _ENTRY:
        parent.entry_filled += quantity
    else:
        cover = state.covers[order.parent_id]
        cover.exits_filled += quantity
        fires = order.purpose is not _TARGET and cover.exit_source is None
        if fires and not cover.triggered_at_ns:
            cover.triggered_at_ns = cover.priced_at_ns = at_ns  # It traded, so it had fired.
    changing = parent.modify is not None
    if order.final_filled == NOT_CLOSED:
        unacknowledged = order.life is _SENT
        _move(order, _TRADED)
        _complete(order)
        if unconfirmed and order.amend is None:
            settle_modify(state, parent, refused=order.purpose is _ENTRY)
        elif unacknowledged and order.purpose is _ENTRY:
            settle_modify(state, parent)  # It traded, so the venue has it.
    else:
        order.final_filled = max(order.final_filled, order.filled_quantity)  # It came late.
        if order.dead:
            _sure(order)
    if order.link:
        count_for_link(state.covers[order.parent_id], order, quantity, at_ns)
    if parent.trades is None:
        parent.trades = []
    parent.trades.append(
        Trade(
            at_ns,
            event.trade_id,
            order.tag,
            order.leg,
            order.exchange_order_id,
            quantity,
            price,
            state.events,
        )
    )
    instrument = state.instruments[parent.instrument]
    client = state.clients[parent.client_id]
    plain = type(parent) is RegularOrder
    position = client.trade(instrument, parent.product, order.side, quantity, price, plain=plain)
    state.reblock(parent)
    state.reblock_position(client, position)
    if instrument.exchange.value not in state.unsettled_since_ns:
        state.begin_day(instrument.exchange, at_ns, waits=True)
    _note(parent, order, "traded", at_ns)
    if changing and parent.modify is None and not unconfirmed:
        _note(parent, order, "amended", at_ns)
    touch_changed(parent, before, at_ns)
    watch_unconfirmed(state, parent, at_ns)


def _order_amended(state: OmsState, event: e.OrderAmended, at_ns: int) -> None:
    order = state.orders[event.tag]
    parent = state.parents[order.parent_id]
    amend = order.amend or order.unproven
    assert amend is not None, f"order {order.tag}: amended without a request"
    _answer(order, _ANSWERED)
    if not order.closed:
        _sure(order)
    order.amend = order.unproven = None
    order.limit_refused = order.growth_refused = False
    order.refused_trigger_pips = 0
    order.order_type = amend.order_type
    order.quantity = max(amend.quantity, order.filled_quantity)
    order.disclosed_quantity = amend.disclosed_quantity
    order.price_pips = amend.price_pips
    order.trigger_price_pips = amend.trigger_price_pips
    waits = amend.order_type in _WAITING_TYPES and not order.triggered
    _move(order, _PARKED if waits else _OPENED)
    _complete(order)
    if order.purpose is _ENTRY:
        settle_modify(state, parent)
        state.reblock(parent)
    else:
        cover = state.covers[order.parent_id]
        cover.plan_stood |= order.trigger_price_pips == cover.stop.price_pips
    _note(parent, order, "amended", at_ns)
    watch_unconfirmed(state, parent, at_ns)


def _order_amend_refused(state: OmsState, event: e.OrderAmendRefused, at_ns: int) -> None:
    order = state.orders[event.tag]
    amend = order.amend
    _answer(order, _ANSWERED)
    _sure(order)
    order.amend = None
    _complete(order)
    if amend is not None and not order.amend_crossed:
        # What the refusal shows of the order; of one that fired meanwhile it shows nothing.
        order.limit_refused = amend.order_type is OrderType.LIMIT
        order.growth_refused = amend.quantity > order.quantity
        if amend.trigger_price_pips != order.trigger_price_pips:
            order.refused_trigger_pips = amend.trigger_price_pips
    parent = state.parents[order.parent_id]
    settle_modify(state, parent, refused=order.purpose is _ENTRY)
    _note(parent, order, "amend_refused", at_ns, event.reason)


def _order_closed(state: OmsState, event: e.OrderClosed, at_ns: int) -> None:
    order = state.orders[event.tag]
    parent = state.parents[order.parent_id]
    if not _move(order, _CLOSING_LIFE[event.closing]):
        return
    order.final_filled = max(event.filled_quantity, order.filled_quantity)
    order.removed = event.closing is not _BY_US
    order.asked_at_ns = at_ns  # If trades are missing, it is from now on that they are.
    order.code, order.reason = event.code, event.reason
    _answer(order, _CLOSED)
    _sure(order)
    refused = order.amend is not None and order.purpose is _ENTRY
    order.unproven, order.amend = order.amend, None
    changed = parent.modify is not None and event.closing is _BY_US and order.purpose is _ENTRY
    settle_modify(state, parent, refused=refused)
    _note(parent, order, "amended" if changed else event.closing, at_ns, event.reason)
    state.reblock(parent)
    watch_unconfirmed(state, parent, at_ns)


def _order_cancel_refused(state: OmsState, event: e.OrderCancelRefused, at_ns: int) -> None:
    order = state.orders[event.tag]
    _answer(order, _ANSWERED)
    _sure(order)
    order.cancel_refused_at_ns = at_ns
    order.cancels_refused += 1
    parent = state.parents[order.parent_id]
    settle_modify(state, parent, refused=order.purpose is _ENTRY)
    _note(parent, order, "cancel_refused", at_ns, event.reason)


def _order_request_lost(state: OmsState, event: e.OrderRequestLost, at_ns: int) -> None:
    order = state.orders[event.tag]
    parent = state.parents[order.parent_id]
    _answer(order, _ANSWERED)
    _sure(order)
    order.amend = None
    _complete(order)
    settle_modify(state, parent, refused=order.purpose is _ENTRY)
    _note(parent, order, "request_lost", at_ns)


def _alarm_raised(state: OmsState, event: e.AlarmRaised, at_ns: int) -> None:
    parent = state.parents[event.order_id]
    parent.alarms += (event.alarm.value,)


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    e.OrderSubmitted: _order_submitted,
    e.OrderAmendSent: _order_amend_sent,
    e.OrderCancelSent: _order_cancel_sent,
    e.OrderQuerySent: _order_query_sent,
    e.StrayCancelSent: _stray_cancel_sent,
    e.OrderDoubted: _order_doubted,
    e.OrderResurfaced: _order_resurfaced,
    e.OrderAccepted: _order_accepted,
    e.OrderRejected: _order_rejected,
    e.OrderTriggered: _order_triggered,
    e.OrderTraded: _order_traded,
    e.OrderAmended: _order_amended,
    e.OrderAmendRefused: _order_amend_refused,
    e.OrderClosed: _order_closed,
    e.OrderCancelRefused: _order_cancel_refused,
    e.OrderRequestLost: _order_request_lost,
    e.AlarmRaised: _alarm_raised,
}
