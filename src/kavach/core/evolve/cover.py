"""
What the events of a cover order mean for the state: its plan, its exits, its end.

Source: docs/spec/cover_order.md.
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core import events as e
from kavach.core.commands import Leg
from kavach.core.model.cover.events import TargetLegNamed, TargetLost, TargetPlanned
from kavach.core.model.cover.exit_group import traded
from kavach.core.model.cover.offsets import from_reference
from kavach.core.model.cover.order import CoverOrder, Exit
from kavach.core.model.cover.tables import State
from kavach.core.model.leg_row import add_line, other_rows, touch_changed, touch_planned
from kavach.core.model.orders.life import (
    InFlight,
    Life,
)
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import LINK_OVER_CODE, VenueOrder
from kavach.core.model.state import OmsState

_SENT: Final = Life.SENT
_USER: Final = e.Source.USER
_CARRIED_OVER: Final = "The position was carried over from the session before"


def watch_unconfirmed(state: OmsState, cover: ParentOrder, at_ns: int) -> None:
    """Keep the time since when a part of the position has had no confirmed exit."""
    if type(cover) is not CoverOrder:
        return  # Nothing protects a regular order.
    if cover.unconfirmed > 0:
        if not cover.naked_since_ns:
            cover.naked_since_ns = at_ns
    elif cover.naked_since_ns:
        state.naked_ns_max = max(state.naked_ns_max, at_ns - cover.naked_since_ns)
        cover.naked_since_ns = 0
        cover.stop.lost = False


def _cover_order_placed(state: OmsState, event: e.CoverOrderPlaced, at_ns: int) -> None:
    bracket = event.target_price_pips != 0
    target = Exit(event.target_price_pips, event.target_offset_pips) if bracket else None
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
        stop=Exit(event.stop_price_pips, event.stop_offset_pips),
        target=target,
        trailing_step_pips=event.trailing_step_pips,
        trailing_distance_pips=abs(event.reference_price_pips - event.stop_price_pips),
    )
    state.id_given(event.order_id)
    state.add_cover(cover)
    state.reblock(cover)


def _stop_leg_named(state: OmsState, event: e.StopLegNamed, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    cover.stop.order_id = event.stop_id
    cover.exits_named_at_ns = at_ns
    cover.touch(Leg.THIRD, at_ns)
    add_line(cover, Leg.THIRD, "entered", _SENT, at_ns)
    state.covers[event.stop_id] = cover
    state.id_given(event.stop_id)


def _stop_planned(state: OmsState, event: e.StopPlanned, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    touch_planned(cover, at_ns)
    cover.stop.price_pips = event.stop_price_pips
    cover.trailing_step_pips = event.trailing_step_pips
    cover.trailing_distance_pips = event.trailing_distance_pips
    cover.stop.offset_pips = event.stop_offset_pips or cover.stop.offset_pips
    cover.recovery_tries = 0  # A new plan is a new attempt.
    cover.plan_stood = False
    for order in cover.exits:
        order.refused_trigger_pips = 0


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
    if at_ns - cover.stop.lost_at_ns > state.settings.t_naked_ns:
        cover.recovery_tries = 0  # The last stop stood for a while: this is another accident.
    cover.stop.lost = True
    cover.stop.lost_at_ns = at_ns


def _stop_retried(state: OmsState, event: e.StopRetried, at_ns: int) -> None:
    state.covers[event.order_id].recovery_tries += 1


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
    cover.stop.lost = False  # Whatever was lost before the end, this is another life.
    cover.recovery_tries = 0
    watch_unconfirmed(state, cover, at_ns)
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
    cover.stop.lost = cover.plan_stood = False
    if cover.target is not None:
        cover.target.lost = False
    cover.recovery_tries = cover.link = 0
    # Each is raised once a session; what the venue contradicted stays so.
    cover.alarms = tuple(one for one in cover.alarms if one == e.Alarm.CONTRADICTION)
    touch_changed(cover, before, at_ns)
    if (
        cover.stop.order_id
    ):  # The entry's row has ended and stays; a stop without a row is named next.
        cover.touch(Leg.THIRD, at_ns)
        add_line(cover, Leg.THIRD, "resumed", _SENT, at_ns, _CARRIED_OVER)
    watch_unconfirmed(state, cover, at_ns)
    state.reblock(cover)


def _naked_time_measured(state: OmsState, event: e.NakedTimeMeasured, at_ns: int) -> None:
    state.naked_ns_max = max(state.naked_ns_max, event.clock_ns)
    state.naked_real_ns_max = max(state.naked_real_ns_max, event.real_ns)


# --- Brackets: stop and target share one quantity ---------------------------------------------


def join_link(cover: CoverOrder, order: VenueOrder, link: int) -> None:
    """Add a new exit to the orders that share the quantity of its link."""
    order.link = cover.link = link
    order.linked_filled = traded(cover.exits, link)


def count_for_link(cover: CoverOrder, traded_one: VenueOrder, quantity: int, at_ns: int) -> None:
    """Count a trade of one exit against all others of its link, dead ones included."""
    for order in cover.exits:
        if order.link != traded_one.link:
            continue
        if order is not traded_one:
            owed = order.link_owes > 0
            order.linked_filled += quantity
            if owed and order.link_owes == 0:
                order.doubted = False
        if order.live and order.in_flight is InFlight.NONE and order.leaves_max == 0:
            order.asked_at_ns = at_ns  # From now on the venue owes us its end, and nothing else.


def leave_link(cover: CoverOrder, order: VenueOrder) -> None:
    """Begin a new link with the next exit, if the venue reports that this one's session is over."""
    if order.code == LINK_OVER_CODE and order.link == cover.link:
        cover.link = 0


def follow_reference(parent: ParentOrder) -> None:
    """Move stop and target of a bracket that holds nothing yet after the entry's price."""
    if not isinstance(parent, CoverOrder) or parent.target is None or parent.entry_filled:
        return
    stop, target = parent.stop, parent.target
    stop.price_pips, target.price_pips = from_reference(
        parent.side, parent.reference_price_pips, stop.offset_pips, target.offset_pips
    )
    parent.trailing_distance_pips = stop.offset_pips


def _target_planned(state: OmsState, event: TargetPlanned, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    before = other_rows(cover, Leg.ENTRY)
    touch_planned(cover, at_ns)
    target = cover.exit_of(Leg.SECOND)
    target.price_pips = event.target_price_pips
    target.offset_pips = event.target_offset_pips or target.offset_pips
    target.lost = False
    touch_changed(cover, before, at_ns)
    for order in cover.exits:
        if order.is_target:
            order.limit_refused = order.growth_refused = False


def _target_leg_named(state: OmsState, event: TargetLegNamed, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    cover.exit_of(Leg.SECOND).order_id = event.target_id
    state.covers[event.target_id] = cover
    state.id_given(event.target_id)
    cover.touch(Leg.SECOND, at_ns)
    add_line(cover, Leg.SECOND, "entered", Life.SENT, at_ns)


def _target_lost(state: OmsState, event: TargetLost, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    before = other_rows(cover, Leg.ENTRY)
    cover.exit_of(Leg.SECOND).lost = True
    touch_changed(cover, before, at_ns)


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    e.CoverOrderPlaced: _cover_order_placed,
    e.StopLegNamed: _stop_leg_named,
    e.StopPlanned: _stop_planned,
    e.ExitIntended: _exit_intended,
    e.ExitHardened: _exit_hardened,
    e.StopLost: _stop_lost,
    e.StopRetried: _stop_retried,
    e.CoverOrderEnded: _cover_order_ended,
    e.CoverOrderReopened: _cover_order_reopened,
    e.CoverOrderResumed: _cover_order_resumed,
    e.NakedTimeMeasured: _naked_time_measured,
    TargetPlanned: _target_planned,
    TargetLegNamed: _target_leg_named,
    TargetLost: _target_lost,
}
