"""
The history of a leg: what the core has noted of it, told as rows.

Each line was written when it happened, as the leg's row stood then, and is never written again
(INV-24). The core notes changes of an entry, and not its beginning, which is how it was placed.

Source: docs/wire/README.md, "Rows"; docs/decisions/0020.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from kavach.api.rows.legs import LegView
from kavach.core.commands import Leg
from kavach.core.model.orders.life import Life
from kavach.core.model.orders.parent_order import LegChange
from kavach.core.model.regular.order import RegularOrder
from kavach.units import NS_PER_SECOND
from kavach.wire.money import average, number
from kavach.wire.orders.rows import HistoryRow
from kavach.wire.orders.statuses import OrderStatus

ENDED_PARKED: Final = frozenset({OrderStatus.AMO_CANCEL_CONFIRMED, OrderStatus.REJECTED})


def history_rows(view: LegView) -> list[HistoryRow]:
    """Return the steps of the leg's life, oldest first, ending where its row stands now."""
    return list(each_history_row(view))


def each_history_row(view: LegView) -> Iterator[HistoryRow]:
    """Yield the same rows, each worded when it is asked for."""
    return (_history_row(view, step) for step in _steps(view))


@dataclass(slots=True)
class Step:
    """A moment in the life of a leg, as its row stood then."""

    at_ns: int
    status: OrderStatus | str
    order_type: str
    quantity: int
    prices: tuple[int, int]  # Limit and trigger, in pips.
    disclosed_quantity: int
    validity: str
    filled: int = 0
    value: int = 0  # Pips times quantity.
    reason: str = ""
    exchange_order_id: str = ""

    @property
    def remaining(self) -> int:
        """What had not traded of it."""
        return self.quantity - self.filled


def _steps(view: LegView) -> Iterator[Step]:
    """Yield what happened: entered, then whatever the core has noted."""
    changes = [change for change in view.parent.changes or () if change.leg is view.leg]
    entered = _entered(view, changes)
    yield entered
    parked = isinstance(view.parent, RegularOrder) and view.parent.amo
    if parked:
        yield replace(entered, status=OrderStatus.AMO_REQ_RECEIVED)
    elif view.leg is Leg.ENTRY and not view.orders and view.status is not OrderStatus.PENDING:
        # It was over before it was sent.
        yield replace(entered, status=view.status, reason=view.parent.ended_reason)
    yield from steps_of([change for change in changes if change.what != "entered"])
    if parked and not view.orders and view.status in ENDED_PARKED:
        # No later time is known.
        last = step_of(changes[-1]) if changes else entered
        yield replace(last, status=view.status, reason=view.parent.ended_reason)


def _entered(view: LegView, changes: Sequence[LegChange]) -> Step:
    """Return the step at which the leg came into being."""
    if view.leg is Leg.ENTRY:
        return step_of(view.parent.as_placed)
    return step_of(changes[0])  # An exit's row begins with this line.


_CHANGES: Final = {
    "entered": "PENDING",
    "triggered": "SL_TRIGGER_CONFIRMED",
    "amended": "MODIFY_CONFIRMED",
    "amend_refused": "MODIFY_REJECTED",
    "cancel_refused": "CANCEL_REJECTED",
    "request_lost": "MODIFY_REJECTED",  # It never reached the venue: nothing was changed.
    "resurfaced": "CONFIRMED",
    "cancelled": "CANCEL_CONFIRMED",
    "removed": "CANCEL_CONFIRMED",
    "expired": "CANCEL_CONFIRMED",
    "rejected": "REJECTED",
    "resumed": "CARRIED_OVER",
    "plan_changed": "AMO_MODIFY_CONFIRMED",  # Of an order that is parked: nobody else is asked.
}
# The end of one order of a leg that goes on.
_OF_A_PART: Final = {
    "cancelled": "CANCEL_PENDING",
    "expired": "CANCEL_PENDING",
    "removed": "MODIFY_CONFIRMED",  # The leg is smaller by that.
    "rejected": "MODIFY_REJECTED",
}


def _status_of(change: LegChange) -> OrderStatus | str:
    all_traded = change.filled_quantity > 0 and change.filled_quantity >= change.quantity
    if all_traded and not change.works:
        return OrderStatus.COMPLETE
    if change.what == "accepted":
        waits = change.status is Life.WAITING
        return OrderStatus.TRIGGER_PENDING if waits else OrderStatus.CONFIRMED
    if change.what == "traded":
        return OrderStatus.PARTIAL_TRADE
    if change.works and change.what in _OF_A_PART:
        return _OF_A_PART[change.what]
    return _CHANGES[change.what]


def step_of(change: LegChange) -> Step:
    """Return the step that a line of a leg's history is."""
    return Step(
        change.at_ns,
        _status_of(change),
        change.order_type,
        change.quantity,
        (change.price_pips, change.trigger_price_pips),
        change.disclosed_quantity,
        change.validity,
        change.filled_quantity,
        change.filled_value,
        change.reason,
        change.exchange_order_id,
    )


def steps_of(changes: Sequence[LegChange]) -> list[Step]:
    """Return the steps that lines of history are, in their order."""
    return [step_of(change) for change in changes]


def _history_row(view: LegView, step: Step) -> HistoryRow:
    parent, instrument = view.parent, view.instrument
    return HistoryRow(
        avg_price=average(step.value, step.filled),
        client_id=parent.client_id,
        client_order_id=str(parent.user_order_id),
        created_at=view.entered_at_ns // NS_PER_SECOND,
        disclosed_quantity=step.disclosed_quantity,
        exchange=instrument.exchange.value,
        exchange_order_id=step.exchange_order_id,
        exchange_time=step.at_ns // NS_PER_SECOND,
        fill_quantity=step.filled,
        last_modified=step.at_ns,
        login_id=parent.client_id,
        modified_at=step.at_ns // NS_PER_SECOND,
        order_id=str(uuid5(NAMESPACE_OID, str(view.order_id))),
        order_mode="NEW",
        order_side=view.side.value,
        order_type=str(step.order_type),
        price=number(step.prices[0]),
        product=parent.product.value,
        quantity=step.quantity,
        reject_reason=step.reason,
        remaining_quantity=step.remaining,
        segment=instrument.segment,
        status=str(step.status),
        symbol=instrument.symbol,
        token=instrument.token,
        trigger_price=number(step.prices[1]),
        underlying_token=instrument.underlying_token,
        validity=str(step.validity),
    )
