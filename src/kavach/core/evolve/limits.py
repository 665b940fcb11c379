"""
What the events of the house rules mean for the state.

Source: docs/wire/limits.md; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.commands import Leg
from kavach.core.model.limits.events import (
    AlgoRegistered,
    LimitsChosen,
    OrderMarked,
    RequestCounted,
)
from kavach.core.model.limits.profiles import Profile
from kavach.core.model.limits.standing import LimitsStanding
from kavach.core.model.limits.windows import Tally, count
from kavach.core.model.state import OmsState


def _limits_chosen(state: OmsState, event: LimitsChosen, at_ns: int) -> None:
    state.rule_by(LimitsStanding(Profile(event.profile), algos=state.limits.algos))


def _algo_registered(state: OmsState, event: AlgoRegistered, at_ns: int) -> None:
    limits = state.limits
    limits.algos[event.client_id] = event.algo_id
    for wire in limits.wires.get(event.client_id, {}).values():
        for tally in (wire.all, wire.entries):  # Their rings may grow now: the oldest goes first.
            tally.times = tally.times[tally.head :] + tally.times[: tally.head]
            tally.head = 0


def _request_counted(state: OmsState, event: RequestCounted, at_ns: int) -> None:
    limits = state.limits
    tally = limits.requests.setdefault(event.client_id, Tally())
    assert limits.rules.orders is not None, "counted while no limits hold"
    count(tally, limits.rules.orders, at_ns)


def _order_marked(state: OmsState, event: OrderMarked, at_ns: int) -> None:
    parent = state.parents[event.order_id]
    parent.protection_bp = event.protection_bp
    parent.algo_tag = event.algo_tag
    if parent.entries:
        parent.touch(Leg.ENTRY, at_ns)


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    LimitsChosen: _limits_chosen,
    AlgoRegistered: _algo_registered,
    RequestCounted: _request_counted,
    OrderMarked: _order_marked,
}
