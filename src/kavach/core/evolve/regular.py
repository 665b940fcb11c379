"""
What the events of regular orders mean for the state.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/spec/cover_order.md, "What must
hold".
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.commands import Leg
from kavach.core.model.regular.events import (
    RegularOrderEnded,
    RegularOrderPlaced,
    RegularOrderReleased,
    RegularOrderReopened,
)
from kavach.core.model.regular.order import SQUARE_OFF, RegularOrder
from kavach.core.model.regular.tables import RegularState
from kavach.core.model.state import OmsState
from kavach.units import OrderType, Product, Validity


def _placed(state: OmsState, event: RegularOrderPlaced, at_ns: int) -> None:
    order = RegularOrder(
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
        amo=event.amo,
        parked=event.amo,
        by_system=_was_square_off(state, event) if event.by_system is None else event.by_system,
    )
    state.id_given(event.order_id)
    state.add_regular(order)
    state.reblock(order)


def _was_square_off(state: OmsState, event: RegularOrderPlaced) -> bool:
    """Return whether an order of an older journal is the system's.

    Until ``by_system`` was written, the device decided, which a client may name as well. What the
    system placed had one shape besides, and came after the square-off time, from when on a client
    could only give back. So a client's order is taken for the system's only where it is just what
    the system would have placed.
    """
    return (
        event.device == SQUARE_OFF
        and event.order_type is OrderType.MARKET
        and event.product is Product.MIS
        and event.validity is Validity.DAY
        and not (event.user_order_id or event.disclosed_quantity or event.amo)
        and state.sessions.squares_off(state.instruments[event.instrument])
    )


def _released(state: OmsState, event: RegularOrderReleased, at_ns: int) -> None:
    order = state.regulars[event.order_id]
    order.parked = False
    order.touch(Leg.ENTRY, at_ns)


def _ended(state: OmsState, event: RegularOrderEnded, at_ns: int) -> None:
    order = state.regulars[event.order_id]
    order.ended = RegularState(event.state)
    order.ended_code = event.code
    order.ended_reason = event.reason
    if not order.entries:
        order.touch(Leg.ENTRY, at_ns)
    order.ended_at_ns = at_ns
    state.index.end(order)
    state.reblock(order)


def _reopened(state: OmsState, event: RegularOrderReopened, at_ns: int) -> None:
    order = state.regulars[event.order_id]
    order.ended = None
    order.ended_code = 0
    order.ended_reason = ""
    order.ended_at_ns = 0
    state.index.reopen(order)
    state.reblock(order)


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    RegularOrderPlaced: _placed,
    RegularOrderReleased: _released,
    RegularOrderEnded: _ended,
    RegularOrderReopened: _reopened,
}
