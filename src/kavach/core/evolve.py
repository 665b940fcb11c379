"""
What each event means for the state. Applies, never refuses.

This is the only code that changes the state of the core, live and in replay alike, so that a
replayed journal ends in the very state that wrote it. What may happen is decided elsewhere.

Source: cover-order 5.4, 5.5, 5.8 (INV-11, INV-19).
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core import events as e
from kavach.core.accounts import Client
from kavach.core.baskets.evolve import APPLY as BASKETS
from kavach.core.bracket.evolve import APPLY as APPLY_BRACKET
from kavach.core.bracket.evolve import count_for_link, follow_reference, join_link, leave_link
from kavach.core.commands import Leg
from kavach.core.cover_order import CoverOrder
from kavach.core.cover_tables import State
from kavach.core.gtt.evolve import APPLY as GTTS
from kavach.core.leg_row import add_line, leg_row, other_rows, touch_changed, touch_planned
from kavach.core.limits.evolve import APPLY as APPLY_LIMITS
from kavach.core.listing.events import InstrumentListed
from kavach.core.listing.evolve import instrument_listed
from kavach.core.money.evolve import APPLY as APPLY_MONEY
from kavach.core.order_life import LIFE, REQUEST, Illegal, InFlight, InFlightEvent, Life, LifeEvent
from kavach.core.parent_order import ParentOrder, Trade
from kavach.core.people.evolve import PEOPLE_APPLY
from kavach.core.regular.evolve import APPLY as APPLY_REGULAR
from kavach.core.regular.order import RegularOrder
from kavach.core.state import OmsState
from kavach.core.venue_order import NOT_CLOSED, VenueOrder
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
_GONE: Final = frozenset({Life.CANCELLED, Life.REJECTED, Life.EXPIRED})
_IDLE: Final = InFlight.NONE
_USER: Final = e.Source.USER
_BY_US: Final = e.Closing.CANCELLED
_ENTRY: Final = e.Purpose.ENTRY
_TARGET: Final = e.Purpose.TARGET
_CARRIED_OVER: Final = "The position was carried over from the session before"


def evolve(state: OmsState, event: e.Event, at_ns: int) -> None:
    """Apply one event that happened at ``at_ns``."""
    APPLY[type(event)](state, event, at_ns)
    state.events += 1


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


def _watch_gap(state: OmsState, cover: ParentOrder, at_ns: int) -> None:
    """Keep the time since when a part of the position has had no confirmed exit."""
    if type(cover) is not CoverOrder:
        return  # Nothing protects a regular order.
    if cover.gap > 0:
        if not cover.naked_since_ns:
            cover.naked_since_ns = at_ns
    elif cover.naked_since_ns:
        state.naked_ns_max = max(state.naked_ns_max, at_ns - cover.naked_since_ns)
        cover.naked_since_ns = 0
        cover.stop_lost = False


# --- Requests ---------------------------------------------------------------------------------


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


# --- Reports ----------------------------------------------------------------------------------


def _order_accepted(state: OmsState, event: e.OrderAccepted, at_ns: int) -> None:
    order = state.orders[event.tag]
    order.exchange_order_id = event.exchange_order_id
    order.accepted_at_ns = order.updated_at_ns = at_ns
    _sure(order)
    _move(order, _PARKED if order.order_type in _WAITING_TYPES else _OPENED)
    parent = state.parents[order.parent_id]
    if order.purpose is _ENTRY:
        added = parent.modify is not None
        _settle_modify(state, parent)
        first = order is parent.entries[0] and order.filled_quantity == 0
        if added or first:
            _note(parent, order, "amended" if added else "accepted", at_ns)
        else:
            parent.touch(Leg.ENTRY, at_ns)
        return
    cover = state.covers[order.parent_id]
    cover.plan_stood |= order.trigger_price_pips == cover.stop_price_pips
    _note(parent, order, "accepted", at_ns)
    _watch_gap(state, parent, at_ns)


def _order_rejected(state: OmsState, event: e.OrderRejected, at_ns: int) -> None:
    order = state.orders[event.tag]
    parent = state.parents[order.parent_id]
    _move(order, _REJECTED)
    _sure(order)
    order.final_filled = order.filled_quantity
    order.code, order.reason = event.code, event.reason
    _settle_modify(state, parent, refused=order.purpose is _ENTRY)
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
    if order.final_filled == NOT_CLOSED:
        _move(order, _TRADED)
        _complete(order)
        if unconfirmed and order.amend is None:
            _settle_modify(state, parent, refused=order.purpose is _ENTRY)
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
    touch_changed(parent, before, at_ns)
    _watch_gap(state, parent, at_ns)


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
        _settle_modify(state, parent)
        state.reblock(parent)
    else:
        cover = state.covers[order.parent_id]
        cover.plan_stood |= order.trigger_price_pips == cover.stop_price_pips
    _note(parent, order, "amended", at_ns)
    _watch_gap(state, parent, at_ns)


def _order_amend_refused(state: OmsState, event: e.OrderAmendRefused, at_ns: int) -> None:
    order = state.orders[event.tag]
    amend = order.amend
    _answer(order, _ANSWERED)
    _sure(order)
    order.amend = None
    _complete(order)
    if amend is not None and not order.amend_crossed:
        # What the refusal says of the order; of one that fired meanwhile it says nothing.
        order.limit_refused = amend.order_type is OrderType.LIMIT
        order.growth_refused = amend.quantity > order.quantity
        if amend.trigger_price_pips != order.trigger_price_pips:
            order.refused_trigger_pips = amend.trigger_price_pips
    parent = state.parents[order.parent_id]
    _settle_modify(state, parent, refused=order.purpose is _ENTRY)
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
    _settle_modify(state, parent, refused=refused)
    _note(parent, order, "amended" if changed else event.closing, at_ns, event.reason)
    state.reblock(parent)
    _watch_gap(state, parent, at_ns)


def _order_cancel_refused(state: OmsState, event: e.OrderCancelRefused, at_ns: int) -> None:
    order = state.orders[event.tag]
    _answer(order, _ANSWERED)
    _sure(order)
    order.cancel_refused_at_ns = at_ns
    order.cancels_refused += 1
    parent = state.parents[order.parent_id]
    _settle_modify(state, parent, refused=order.purpose is _ENTRY)
    _note(parent, order, "cancel_refused", at_ns, event.reason)


def _order_request_lost(state: OmsState, event: e.OrderRequestLost, at_ns: int) -> None:
    order = state.orders[event.tag]
    parent = state.parents[order.parent_id]
    _answer(order, _ANSWERED)
    _sure(order)
    order.amend = None
    _complete(order)
    _settle_modify(state, parent, refused=order.purpose is _ENTRY)
    _note(parent, order, "request_lost", at_ns)


# --- Decisions --------------------------------------------------------------------------------


def _client_opened(state: OmsState, event: e.ClientOpened, at_ns: int) -> None:
    state.add_client(
        Client(
            event.client_id,
            event.cash_paise,
            event.token_digest,
            event.password_digest,
            event.pin_digest,
            totp_secret=event.totp_secret,
        )
    )


def _client_killed(state: OmsState, event: e.ClientKilled, at_ns: int) -> None:
    state.clients[event.client_id].killed = True


def _token_renewed(state: OmsState, event: e.TokenRenewed, at_ns: int) -> None:
    client = state.clients[event.client_id]
    state.people.stand(event.token_digest, client.client_id, instead_of=client.token_digest)
    client.token_digest = event.token_digest


def _session_ended(state: OmsState, event: e.SessionEnded, at_ns: int) -> None:
    state.sessions_closed.add(event.exchange)
    state.entries_stopped.add(event.exchange)
    state.plan_day_end()


def _session_opened(state: OmsState, event: e.SessionOpened, at_ns: int) -> None:
    state.sessions_closed.discard(event.exchange)
    state.entries_stopped.discard(event.exchange)
    linked = state.index.linked
    for cover in list(linked.values()):
        if state.instruments[cover.instrument].exchange is event.exchange:
            cover.link = 0  # A link ends with its session.
            del linked[cover.order_id]
    if event.exchange.value in state.unsettled_since_ns:
        state.begin_day(event.exchange, at_ns, waits=True)


def _entries_stopped(state: OmsState, event: e.EntriesStopped, at_ns: int) -> None:
    state.entries_stopped.add(event.exchange)


def _link_lost(state: OmsState, event: e.LinkLost, at_ns: int) -> None:
    state.link_down = True


def _link_restored(state: OmsState, event: e.LinkRestored, at_ns: int) -> None:
    state.link_down = False


def _cover_order_placed(state: OmsState, event: e.CoverOrderPlaced, at_ns: int) -> None:
    # Texts that many orders share are kept once: a replayed event brings copies of its own.
    cover = CoverOrder(
        event.order_id,
        state.clients[event.client_id].client_id,
        state.instruments[event.instrument].key,
        event.side,
        event.order_type,
        event.quantity,
        event.disclosed_quantity,
        event.price_pips,
        event.trigger_price_pips,
        event.validity,
        event.product,
        event.reference_price_pips,
        event.user_order_id,
        event.device,
        at_ns,
        entry_version_ns=at_ns,
        basket_id=event.basket_id,
        stop_price_pips=event.stop_price_pips,
        trailing_step_pips=event.trailing_step_pips,
        trailing_distance_pips=abs(event.reference_price_pips - event.stop_price_pips),
        stop_offset_pips=event.stop_offset_pips,
        target_offset_pips=event.target_offset_pips,
        target_price_pips=event.target_price_pips,
    )
    state.id_given(event.order_id)
    state.add_cover(cover)
    state.reblock(cover)


def _stop_leg_named(state: OmsState, event: e.StopLegNamed, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    cover.stop_id = event.stop_id
    cover.exits_named_at_ns = at_ns
    cover.touch(Leg.THIRD, at_ns)
    add_line(cover, Leg.THIRD, "entered", _SENT, at_ns)
    state.covers[event.stop_id] = cover
    state.id_given(event.stop_id)


def _entry_modify_requested(state: OmsState, event: e.EntryModifyRequested, at_ns: int) -> None:
    parent = state.parents[event.order_id]
    parent.placed_as = parent.as_placed
    parent.modify = event
    parent.touch(Leg.ENTRY, at_ns)
    if not parent.entries:
        _settle_modify(state, parent)  # Nothing was sent yet: it is so at once.
        add_line(parent, Leg.ENTRY, "plan_changed", _SENT, at_ns)


def _settle_modify(state: OmsState, parent: ParentOrder, *, refused: bool = False) -> None:
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
    """Let what has ended be no part of an entry that goes on, or has all that was wanted of it."""
    reached = parent.entry_filled >= wanted
    if reached or (parent.cancel_source is None and parent.entry_stands):
        for order in parent.entries:
            order.withdrawn = order.withdrawn or order.life in _GONE


def _keep_terms(parent: ParentOrder, wanted: OrderType) -> None:
    """Let the entry be as it stands at the venue, of which a part was perhaps changed."""
    parent.quantity = parent.total
    if wanted is parent.order_type:
        row = leg_row(parent, Leg.ENTRY)
        parent.price_pips, parent.trigger_price_pips = row.price_pips, row.trigger_price_pips


def _stop_planned(state: OmsState, event: e.StopPlanned, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    touch_planned(cover, at_ns)
    cover.stop_price_pips = event.stop_price_pips
    cover.trailing_step_pips = event.trailing_step_pips
    cover.trailing_distance_pips = event.trailing_distance_pips
    cover.stop_offset_pips = event.stop_offset_pips or cover.stop_offset_pips
    cover.ladder_tries = 0  # A new plan is a new attempt.
    cover.plan_stood = False
    for order in cover.exits:
        order.refused_trigger_pips = 0


def _entry_cancel_requested(state: OmsState, event: e.EntryCancelRequested, at_ns: int) -> None:
    parent = state.parents[event.order_id]
    parent.cancel_source = event.source
    if event.source is _USER:
        parent.entry_cancelled_by_user = True


def _entry_cancel_failed(state: OmsState, event: e.EntryCancelFailed, at_ns: int) -> None:
    parent = state.parents[event.order_id]
    parent.cancel_source = None
    parent.entry_cancelled_by_user = False
    _settle_modify(state, parent, refused=True)


def _exit_intended(state: OmsState, event: e.ExitIntended, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    if event.source is _USER:
        cover.exited_by_user = True
    if cover.exit_source is None:
        before = other_rows(cover, Leg.ENTRY)
        cover.exit_source = event.source
        cover.exit_since_ns = at_ns
        touch_changed(cover, before, at_ns)
    if cover.cancel_source is None:
        cover.cancel_source = event.source


def _exit_hardened(state: OmsState, event: e.ExitHardened, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    cover.exit_attempts += 1
    cover.priced_at_ns = at_ns


def _stop_lost(state: OmsState, event: e.StopLost, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    if at_ns - cover.stop_lost_at_ns > state.settings.t_naked_ns:
        cover.ladder_tries = 0  # The last stop stood for a while: this is another accident.
    cover.stop_lost = True
    cover.stop_lost_at_ns = at_ns


def _stop_retried(state: OmsState, event: e.StopRetried, at_ns: int) -> None:
    state.covers[event.order_id].ladder_tries += 1


def _cover_order_ended(state: OmsState, event: e.CoverOrderEnded, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    if cover.naked_since_ns:
        state.naked_ns_max = max(state.naked_ns_max, at_ns - cover.naked_since_ns)
        cover.naked_since_ns = 0
    before = other_rows(cover, Leg.ENTRY)
    cover.ended = State(event.state)
    cover.ended_code = event.code
    cover.ended_reason = event.reason
    cover.ended_at_ns = at_ns
    state.index.end(cover)
    state.reblock(cover)
    touch_changed(cover, before, at_ns)
    if not cover.entries:
        cover.touch(Leg.ENTRY, at_ns)


def _cover_order_reopened(state: OmsState, event: e.CoverOrderReopened, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    if cover.ended is State.CARRIED:
        cover.link = 0
    before = other_rows(cover, Leg.ENTRY)
    cover.ended = None
    cover.ended_code = 0
    cover.ended_reason = ""
    cover.ended_at_ns = 0
    state.index.reopen(cover)
    touch_changed(cover, before, at_ns)
    cover.stop_lost = False  # Whatever was lost before the end, this is another life.
    cover.ladder_tries = 0
    _watch_gap(state, cover, at_ns)
    state.reblock(cover)


def _cover_order_resumed(state: OmsState, event: e.CoverOrderResumed, at_ns: int) -> None:
    """Forget what was wanted and what was lost in the session before; what is planned stays."""
    cover = state.covers[event.order_id]
    before = other_rows(cover, Leg.ENTRY)
    cover.ended = None
    cover.ended_code = 0
    cover.ended_reason = ""
    cover.ended_at_ns = 0
    state.index.reopen(cover)
    cover.exit_source = None
    cover.exited_by_user = False
    cover.exit_since_ns = cover.exit_attempts = cover.priced_at_ns = cover.triggered_at_ns = 0
    cover.stop_lost = cover.target_lost = cover.plan_stood = False
    cover.ladder_tries = cover.link = 0
    # Each is told once a session; what the venue contradicted stays so.
    cover.alarms = tuple(one for one in cover.alarms if one == e.Alarm.CONTRADICTION)
    touch_changed(cover, before, at_ns)
    if cover.stop_id:  # The entry's row has ended and stays; a stop without a row is named next.
        cover.touch(Leg.THIRD, at_ns)
        add_line(cover, Leg.THIRD, "resumed", _SENT, at_ns, _CARRIED_OVER)
    _watch_gap(state, cover, at_ns)
    state.reblock(cover)


def _alarm_raised(state: OmsState, event: e.AlarmRaised, at_ns: int) -> None:
    parent = state.parents[event.order_id]
    parent.alarms += (event.alarm.value,)


def _naked_time_measured(state: OmsState, event: e.NakedTimeMeasured, at_ns: int) -> None:
    state.naked_ns_max = max(state.naked_ns_max, event.clock_ns)
    state.naked_real_ns_max = max(state.naked_real_ns_max, event.real_ns)


def _request_answered(state: OmsState, event: e.RequestAnswered, at_ns: int) -> None:
    state.answers[event.client_id, event.idempotency_key] = event


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    e.OrderSubmitted: _order_submitted,
    e.OrderAmendSent: _order_amend_sent,
    e.OrderCancelSent: _order_cancel_sent,
    e.OrderQuerySent: _order_query_sent,
    e.StrayCancelSent: _stray_cancel_sent,
    e.OrderDoubted: _order_doubted,
    e.OrderResurfaced: _order_resurfaced,
    e.LinkLost: _link_lost,
    e.LinkRestored: _link_restored,
    e.OrderAccepted: _order_accepted,
    e.OrderRejected: _order_rejected,
    e.OrderTriggered: _order_triggered,
    e.OrderTraded: _order_traded,
    e.OrderAmended: _order_amended,
    e.OrderAmendRefused: _order_amend_refused,
    e.OrderClosed: _order_closed,
    e.OrderCancelRefused: _order_cancel_refused,
    e.OrderRequestLost: _order_request_lost,
    e.ClientOpened: _client_opened,
    e.ClientKilled: _client_killed,
    e.TokenRenewed: _token_renewed,
    e.SessionEnded: _session_ended,
    e.SessionOpened: _session_opened,
    e.EntriesStopped: _entries_stopped,
    e.CoverOrderPlaced: _cover_order_placed,
    e.StopLegNamed: _stop_leg_named,
    e.EntryModifyRequested: _entry_modify_requested,
    e.StopPlanned: _stop_planned,
    e.EntryCancelRequested: _entry_cancel_requested,
    e.EntryCancelFailed: _entry_cancel_failed,
    e.ExitIntended: _exit_intended,
    e.ExitHardened: _exit_hardened,
    e.StopLost: _stop_lost,
    e.StopRetried: _stop_retried,
    e.CoverOrderEnded: _cover_order_ended,
    e.CoverOrderReopened: _cover_order_reopened,
    e.CoverOrderResumed: _cover_order_resumed,
    e.AlarmRaised: _alarm_raised,
    e.RequestAnswered: _request_answered,
    e.NakedTimeMeasured: _naked_time_measured,
    **APPLY_BRACKET,
    **APPLY_REGULAR,
    **PEOPLE_APPLY,
    InstrumentListed: instrument_listed,
    **BASKETS,
    **GTTS,
    **APPLY_MONEY,
    **APPLY_LIMITS,
}
