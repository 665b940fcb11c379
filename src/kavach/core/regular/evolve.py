"""
What the events of regular orders mean for the state.

Source: wire 1.2; cover-order 5.8 (INV-19).
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.regular.events import (
    RegularOrderEnded,
    RegularOrderPlaced,
    RegularOrderReleased,
    RegularOrderReopened,
)
from kavach.core.regular.order import RegularOrder
from kavach.core.regular.tables import RegularState
from kavach.core.state import OmsState


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
        amo=event.amo,
        parked=event.amo,
    )
    state.id_given(event.order_id)
    state.add_regular(order)
    state.reblock(order)


def _released(state: OmsState, event: RegularOrderReleased, at_ns: int) -> None:
    state.regulars[event.order_id].parked = False


def _ended(state: OmsState, event: RegularOrderEnded, at_ns: int) -> None:
    order = state.regulars[event.order_id]
    order.ended = RegularState(event.state)
    order.ended_code = event.code
    order.ended_reason = event.reason
    state.reblock(order)


def _reopened(state: OmsState, event: RegularOrderReopened, at_ns: int) -> None:
    order = state.regulars[event.order_id]
    order.ended = None
    order.ended_code = 0
    order.ended_reason = ""
    state.reblock(order)


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    RegularOrderPlaced: _placed,
    RegularOrderReleased: _released,
    RegularOrderEnded: _ended,
    RegularOrderReopened: _reopened,
}
