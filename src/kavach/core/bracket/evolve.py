"""
What the events of a bracket mean for the state.

Source: docs/spec/cover_order.md (brackets).
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.bracket.events import TargetLegNamed, TargetLost, TargetPlanned
from kavach.core.bracket.offsets import from_reference
from kavach.core.bracket.quantities import traded
from kavach.core.commands import Leg
from kavach.core.cover_order import CoverOrder
from kavach.core.leg_row import add_line, other_rows, touch_changed, touch_planned
from kavach.core.order_life import InFlight, Life
from kavach.core.parent_order import ParentOrder
from kavach.core.state import OmsState
from kavach.core.venue_order import LINK_OVER_CODE, VenueOrder


def join_link(cover: CoverOrder, order: VenueOrder, link: int) -> None:
    """Let a new exit share the quantity of those that have its link."""
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
    """Begin anew with the next exit, if the venue says that this session is another one."""
    if order.code == LINK_OVER_CODE and order.link == cover.link:
        cover.link = 0


def follow_reference(parent: ParentOrder) -> None:
    """Let stop and target of a bracket that holds nothing yet follow the entry's price."""
    if isinstance(parent, CoverOrder) and parent.is_bracket and parent.entry_filled == 0:
        stop, target = from_reference(
            parent.side,
            parent.reference_price_pips,
            parent.stop_offset_pips,
            parent.target_offset_pips,
        )
        parent.stop_price_pips, parent.target_price_pips = stop, target
        parent.trailing_distance_pips = parent.stop_offset_pips


def _target_planned(state: OmsState, event: TargetPlanned, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    before = other_rows(cover, Leg.ENTRY)
    touch_planned(cover, at_ns)
    cover.target_price_pips = event.target_price_pips
    cover.target_offset_pips = event.target_offset_pips or cover.target_offset_pips
    cover.target_lost = False
    touch_changed(cover, before, at_ns)
    for order in cover.exits:
        if order.is_target:
            order.limit_refused = order.growth_refused = False


def _target_leg_named(state: OmsState, event: TargetLegNamed, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    cover.target_id = event.target_id
    state.covers[event.target_id] = cover
    state.id_given(event.target_id)
    cover.touch(Leg.SECOND, at_ns)
    add_line(cover, Leg.SECOND, "entered", Life.SENT, at_ns)


def _target_lost(state: OmsState, event: TargetLost, at_ns: int) -> None:
    cover = state.covers[event.order_id]
    before = other_rows(cover, Leg.ENTRY)
    cover.target_lost = True
    touch_changed(cover, before, at_ns)


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    TargetPlanned: _target_planned,
    TargetLegNamed: _target_leg_named,
    TargetLost: _target_lost,
}
