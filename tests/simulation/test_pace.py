"""
The reader of what goes out counts by slice (INV-26).

Source: docs/spec/cover_order.md (INV-26).
"""

import pytest

from kavach.core import events as e
from kavach.units import InstrumentKey, OrderType, Pips, Quantity, Side, Validity
from tests.simulation.pace_auditor import (
    ANSWERED_NS,
    OF_LOST_SLICE_MAX,
    OF_SLICE_MAX,
    PaceAuditor,
)


def submitted(tag: int) -> e.OrderSubmitted:
    """Return an exit of order 7."""
    return e.OrderSubmitted(
        tag,
        7,
        e.Purpose.EXIT,
        InstrumentKey("NSE:1"),
        "A",
        Side.SELL,
        OrderType.LIMIT,
        Quantity(10),
        Quantity(0),
        Pips(130_000),
        Pips(0),
        Validity.DAY,
    )


def changed(tag: int) -> e.OrderAmendSent:
    """Return a change of it."""
    return e.OrderAmendSent(tag, OrderType.LIMIT, Quantity(10), Quantity(0), Pips(1), Pips(0))


@pytest.mark.parametrize("slices", [1, 2, 7])
def test_each_slice_that_lives_has_its_own_bound(slices: int) -> None:
    """What several slices send is bounded by their number, and one alone is bounded as ever."""
    pace = PaceAuditor()
    for tag in range(slices):
        pace.see(0, submitted(tag))
    most = OF_SLICE_MAX * slices
    for number in range(most - slices):
        pace.see(1 + number, changed(number % slices))
    with pytest.raises(AssertionError, match="INV-26"):
        pace.see(most, changed(0))


def test_where_answers_are_lost_more_may_be_asked() -> None:
    """A change that is not answered within a second is followed by others, up to another bound."""
    pace = PaceAuditor()
    pace.see(0, submitted(1))
    for number in range(1, OF_SLICE_MAX):
        pace.see(number, changed(1))
    for number in range(OF_SLICE_MAX, OF_LOST_SLICE_MAX):
        pace.see(ANSWERED_NS + number, changed(1))
    with pytest.raises(AssertionError, match="INV-26"):
        pace.see(2 * ANSWERED_NS, changed(1))


def test_a_status_told_in_time_is_no_answer() -> None:
    """An exchange that tells where an order stands has not answered the request about it."""
    pace = PaceAuditor()
    pace.see(0, submitted(1))
    status = e.OrderStatus(
        1,
        "11",
        e.Standing.WORKING,
        OrderType.LIMIT,
        Quantity(10),
        Pips(130_000),
        Pips(0),
        Quantity(0),
        (),
    )
    for number in range(OF_SLICE_MAX - 1):
        pace.see(1 + number, changed(1))
    pace.see(ANSWERED_NS // 2, status)
    pace.see(2 * ANSWERED_NS, changed(1))
    assert pace.most == OF_SLICE_MAX + 1


def test_slices_that_have_ended_make_no_room() -> None:
    """An exit that is sent again and again, each taken out by the exchange, is found."""
    pace = PaceAuditor()

    def send_again_and_again() -> None:
        for tag in range(OF_SLICE_MAX + 1):
            pace.see(tag, submitted(tag))
            closed = e.OrderClosed(tag, Quantity(0), e.Closing.REMOVED, 17070, "range")
            pace.see(tag, closed)

    with pytest.raises(AssertionError, match="INV-26"):
        send_again_and_again()
