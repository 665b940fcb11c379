"""
The history of a leg: what the core has noted of it, told as rows.

The core notes changes, not the beginning: that a leg was entered, and an entry accepted, is
told from the leg itself, with the prices of the first change if there was one.

Source: wire 1.4 (order history).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from kavach.api.legs import STOPS, UNPRICED, LegView
from kavach.core.commands import Leg
from kavach.core.order_life import Life
from kavach.core.parent_order import LegChange, Trade
from kavach.core.regular.order import RegularOrder
from kavach.units import NS_PER_SECOND
from kavach.wire.money import average, number
from kavach.wire.rows import HistoryRow
from kavach.wire.statuses import OrderStatus

ENDED_PARKED: Final = frozenset({OrderStatus.AMO_CANCEL_CONFIRMED, OrderStatus.REJECTED})


def history_rows(view: LegView) -> list[HistoryRow]:
    """Return the steps of the leg's life, oldest first, ending where its row stands now."""
    return [_history_row(view, step) for step in _steps(view)]


@dataclass(slots=True)
class Step:
    """A moment in the life of a leg."""

    at_ns: int
    status: OrderStatus | str
    quantity: int
    prices: tuple[int, int]  # Limit and trigger, in pips.
    filled: int = 0
    value: int = 0  # Pips times quantity.
    reason: str = ""


def _steps(view: LegView) -> Iterator[Step]:
    """Yield what happened: entered, accepted, then whatever the core has noted."""
    changes = [change for change in view.parent.changes or () if change.leg is view.leg]
    trades = iter([trade for trade in view.parent.trades or () if trade.leg is view.leg])
    quantity, prices = view.quantity, (view.price_pips, view.trigger_price_pips)
    if changes:
        quantity, prices = _quantity(view, changes[0]), _prices(view, changes[0])
    yield Step(view.entered_at_ns, OrderStatus.PENDING, quantity, prices)
    parked = isinstance(view.parent, RegularOrder) and view.parent.amo
    if parked:
        yield Step(view.entered_at_ns, OrderStatus.AMO_REQ_RECEIVED, quantity, prices)
    elif not view.orders and view.status is not OrderStatus.PENDING:  # Over before it was sent.
        reason = view.parent.ended_reason
        yield Step(view.entered_at_ns, view.status, quantity, prices, reason=reason)
    accepted_at_ns = view.orders[0].accepted_at_ns if view.orders else 0
    if accepted_at_ns and (not changes or changes[0].what != "accepted"):
        waits = view.order_type in STOPS
        status = OrderStatus.TRIGGER_PENDING if waits else OrderStatus.CONFIRMED
        yield Step(accepted_at_ns, status, quantity, prices)
    filled = value = 0
    for change in changes:
        if change.what == "traded":
            trade = next(trades)
            filled += trade.quantity
            value += trade.quantity * trade.price_pips
        quantity = _quantity(view, change)
        status_now = _status_of_change(change, quantity, filled)
        prices = _prices(view, change)
        yield Step(change.at_ns, status_now, quantity, prices, filled, value, change.reason)
    if parked and not view.orders and view.status in ENDED_PARKED:
        at_ns = changes[-1].at_ns if changes else view.entered_at_ns  # No later time is known.
        yield Step(at_ns, view.status, quantity, prices, reason=view.parent.ended_reason)


def _quantity(view: LegView, change: LegChange) -> int:
    """Return the leg's quantity then; of a leg in several orders only the present is known."""
    return change.quantity if len(view.orders) == 1 else view.quantity


def _prices(view: LegView, change: LegChange) -> tuple[int, int]:
    """Return limit and trigger then; a MARKET entry has no price, whatever was sent for it."""
    if view.leg is Leg.ENTRY and view.order_type in UNPRICED:
        return 0, change.trigger_price_pips
    return change.price_pips, change.trigger_price_pips


_CHANGES: Final = {
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
    "plan_changed": "AMO_MODIFY_CONFIRMED",  # Of an order that is parked: nobody else is asked.
}


def _status_of_change(change: LegChange, quantity: int, filled: int) -> OrderStatus | str:
    if change.what == "accepted":
        waits = change.status is Life.WAITING
        return OrderStatus.TRIGGER_PENDING if waits else OrderStatus.CONFIRMED
    if change.what == "traded":
        return OrderStatus.COMPLETE if filled >= quantity else OrderStatus.PARTIAL_TRADE
    return _CHANGES[change.what]


def _history_row(view: LegView, step: Step) -> HistoryRow:
    parent, instrument = view.parent, view.instrument
    return HistoryRow(
        avg_price=average(step.value, step.filled),
        client_id=parent.client_id,
        client_order_id=str(parent.user_order_id),
        created_at=view.entered_at_ns // NS_PER_SECOND,
        disclosed_quantity=parent.disclosed_quantity if view.leg is Leg.ENTRY else 0,
        exchange=instrument.exchange.value,
        exchange_order_id=view.exchange_order_id,
        exchange_time=step.at_ns // NS_PER_SECOND,
        fill_quantity=step.filled,
        last_modified=step.at_ns,
        login_id=parent.client_id,
        modified_at=step.at_ns // NS_PER_SECOND,
        order_id=str(uuid5(NAMESPACE_OID, str(view.order_id))),
        order_mode="NEW",
        order_side=view.side.value,
        order_type=view.order_type.value,
        price=number(step.prices[0]),
        product=parent.product.value,
        quantity=step.quantity,
        reject_reason=step.reason,
        remaining_quantity=max(0, step.quantity - step.filled),
        segment=instrument.segment,
        status=str(step.status),
        symbol=instrument.symbol,
        token=instrument.token,
        trigger_price=number(step.prices[1]),
        underlying_token=instrument.underlying_token,
        validity=parent.validity.value if view.leg is Leg.ENTRY else "DAY",
    )


def steps_since(view: LegView, changes: Sequence[LegChange], trades: Sequence[Trade]) -> list[Step]:
    """Return the steps of the last changes of a leg; ``trades`` are those among them.

    Counted back from where the leg stands now, so that a long life costs nothing.
    """
    filled, value = view.filled, view.value
    left = list(trades)
    steps = []
    for change in reversed(changes):
        quantity, prices = _quantity(view, change), _prices(view, change)
        status = _status_of_change(change, quantity, filled)
        steps.append(Step(change.at_ns, status, quantity, prices, filled, value, change.reason))
        if change.what == "traded":
            trade = left.pop()
            filled -= trade.quantity
            value -= trade.quantity * trade.price_pips
    steps.reverse()
    return steps


def accepted_step(view: LegView) -> Step:
    """Return the step at which the venue took the leg's first order, before it had traded."""
    waits = view.order_type in STOPS
    status = OrderStatus.TRIGGER_PENDING if waits else OrderStatus.CONFIRMED
    prices = (view.price_pips, view.trigger_price_pips)
    return Step(view.orders[0].accepted_at_ns, status, view.quantity, prices)
