"""
Deduplicate the reports of a venue, and find those that never came.

Reports come late, twice, in the wrong order and sometimes not at all. ``is_new`` decides whether a
report carries anything that is not known; one that does not is dropped, so that a state is a
function of the set of reports and not of their order (INV-10). ``missing_reports`` compares what
the venue answers to a query with what is known, and returns the reports that never came. They are
then applied like any other, so there is one way in which an order moves.

Source: docs/spec/cover_order.md; docs/wire/README.md, "Cancelling and getting out".
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from kavach.core.events import (
    Closing,
    OrderAbsent,
    OrderAccepted,
    OrderAmended,
    OrderAmendRefused,
    OrderAmendSent,
    OrderCancelRefused,
    OrderClosed,
    OrderRejected,
    OrderRequestLost,
    OrderStatus,
    OrderTraded,
    OrderTriggered,
    Report,
    Standing,
)
from kavach.core.model.orders.life import InFlight, Life
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.units import OrderType, Quantity

ABSENT_CODE: Final = 16060
ABSENT_TEXT: Final = "The venue does not know the order"


def is_new(parent: ParentOrder, order: VenueOrder, report: Report) -> bool:
    """Return whether a report carries anything of the order that is not known."""
    return _NEWS[type(report)](parent, order, report)


def _answers(order: VenueOrder, awaited: InFlight, serial: int) -> bool:
    """Whether an answer is to the request in flight, and not to an earlier one."""
    return order.in_flight is awaited and serial in (0, order.serial)


_SENT: Final = Life.SENT
_WAITING: Final = Life.WAITING
_AMEND: Final = InFlight.AMEND
_CANCEL: Final = InFlight.CANCEL
_NEWS: Final[dict[type, Callable[[ParentOrder, VenueOrder, Any], bool]]] = {
    OrderAccepted: lambda parent, order, report: (
        order.exchange_order_id == "" and not denied(order)
    ),
    OrderRejected: lambda parent, order, report: not order.closed,
    OrderTriggered: lambda parent, order, report: order.life is _SENT or order.life is _WAITING,
    OrderTraded: lambda parent, order, report: not parent.has_trade(report.trade_id),
    OrderAmended: lambda parent, order, report: _answers(order, _AMEND, report.serial),
    OrderAmendRefused: lambda parent, order, report: _answers(order, _AMEND, report.serial),
    OrderClosed: lambda parent, order, report: not order.closed,
    OrderRequestLost: lambda parent, order, report: (
        order.in_flight is not InFlight.NONE and report.serial == order.serial
    ),
    OrderCancelRefused: lambda parent, order, report: _answers(order, _CANCEL, report.serial),
}


def denied(order: VenueOrder) -> bool:
    """Return whether the venue has once denied that it has this order."""
    return order.code == ABSENT_CODE and order.life is Life.REJECTED


def missing_reports(
    order: VenueOrder, status: OrderStatus | OrderAbsent, t_absent_ns: int
) -> Iterator[Report]:
    """Yield the reports that ``status`` implies and that never came, oldest first.

    Where a request of ours may still be on its way, nothing is concluded from its absence; nor
    is anything of a request that was sent after the venue was asked.
    """
    asked_for_ns = status.queried_at_ns - order.asked_at_ns
    settled = status.settled or asked_for_ns >= t_absent_ns
    if isinstance(status, OrderAbsent):
        if settled:
            yield from _absent(order)
        return
    if order.exchange_order_id == "":
        yield OrderAccepted(order.tag, status.exchange_order_id)
    fired = status.standing is Standing.WORKING and order.life is Life.WAITING
    if fired and status.trigger_price_pips:
        # Before the amend: a refusal that crossed it proves little.
        yield OrderTriggered(order.tag)
    asked_about = status.serial == order.serial
    if asked_about:
        yield from _amend_outcome(order, status, settled=settled)
    yield from status.trades
    if status.standing is Standing.CLOSED:
        filled = status.filled_quantity
        yield OrderClosed(order.tag, filled, status.closing, status.code, status.reason)
    elif order.in_flight is InFlight.CANCEL and settled and asked_about:
        yield OrderRequestLost(order.tag, order.serial)


def _absent(order: VenueOrder) -> Iterator[Report]:
    if order.life is Life.SENT:
        yield OrderRejected(order.tag, ABSENT_CODE, ABSENT_TEXT)
    elif not order.closed:
        # It was there and is not: what has traded is all that ever will.
        filled = order.filled_quantity
        yield OrderClosed(order.tag, Quantity(filled), Closing.REMOVED, ABSENT_CODE, ABSENT_TEXT)


def _amend_outcome(order: VenueOrder, status: OrderStatus, *, settled: bool) -> Iterator[Report]:
    """Yield whether the change in flight is in force, if the status shows it."""
    amend = order.amend
    if order.in_flight is not InFlight.AMEND or amend is None:
        return
    # A fired stop without a limit may rest at a price the venue gave it: that proves nothing. And
    # a quantity is changed by requests alone, so one that has changed proves that ours was done.
    fired = amend.order_type is OrderType.SLM and status.standing is Standing.WORKING
    resized = amend.quantity != order.quantity
    as_asked = (
        fired or status.price_pips == amend.price_pips
    ) and status.trigger_price_pips == amend.trigger_price_pips
    if status.quantity == amend.quantity and (resized or as_asked):
        yield OrderAmended(order.tag, order.serial)
    elif settled and status.standing is not Standing.CLOSED:
        yield OrderRequestLost(order.tag, order.serial)  # A closing ends every request.
    elif _grew_in_vain(order, amend, status):
        yield OrderRequestLost(order.tag, order.serial)


def _grew_in_vain(order: VenueOrder, amend: OrderAmendSent, status: OrderStatus) -> bool:
    """Whether an order is over with all that it was for: then a growth of it was not made."""
    over = status.standing is Standing.CLOSED and order.link == 0
    return over and order.quantity == status.filled_quantity < amend.quantity
