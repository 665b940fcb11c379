"""The two machines of one order at the venue, cell by cell, and its quantities."""

import pytest

from kavach.core import events as e
from kavach.core.model.orders.life import (
    CLOSED,
    LIFE,
    REQUEST,
    Illegal,
    InFlight,
    InFlightEvent,
    Life,
    LifeEvent,
    grid,
)
from kavach.core.model.orders.venue_order import NOT_CLOSED, VenueOrder
from kavach.units import OrderType, Pips, Quantity, Side


def test_the_grids_have_no_holes() -> None:
    """Every state meets every event, and every cell is a state or says why it is none."""
    assert {(s, x) for s, row in LIFE.items() for x in row} == {
        (s, x) for s in Life for x in LifeEvent
    }
    assert {(s, x) for s, row in REQUEST.items() for x in row} == {
        (s, x) for s in InFlight for x in InFlightEvent
    }
    cells = [cell for row in LIFE.values() for cell in row.values()]
    assert all(isinstance(cell, Life | Illegal) for cell in cells)


def test_a_grid_with_a_hole_is_not_made() -> None:
    """A row that is missing, or too short, stops the program when it starts."""
    with pytest.raises(AssertionError, match="row is missing"):
        grid({Life.SENT: ("x",) * len(LifeEvent)}, Life, LifeEvent)
    with pytest.raises(AssertionError, match="hole"):
        grid(dict.fromkeys(InFlight, ("x",)), InFlight, InFlightEvent)


@pytest.mark.parametrize("state", Life)
@pytest.mark.parametrize("event", LifeEvent)
def test_a_cell_of_life(state: Life, event: LifeEvent) -> None:
    """What is closed stays closed; what lives moves on, and never back to being on its way."""
    cell = LIFE[state][event]
    if state in CLOSED:
        assert isinstance(cell, Illegal), "a closed order moved"
    elif event in (LifeEvent.CANCELLED, LifeEvent.REJECTED, LifeEvent.EXPIRED):
        assert cell in CLOSED, "a closing did not close"
    else:
        assert cell is not Life.SENT
        assert cell is not Illegal.NEVER, "a live order may be told anything"


@pytest.mark.parametrize("event", InFlightEvent)
def test_one_request_at_a_time(event: InFlightEvent) -> None:
    """No second request is sent before the first is answered or its order is closed."""
    for busy in (InFlight.AMEND, InFlight.CANCEL):
        sends = event in (InFlightEvent.AMEND_SENT, InFlightEvent.CANCEL_SENT)
        assert REQUEST[busy][event] is (Illegal.NEVER if sends else InFlight.NONE)


def _order(quantity: int = 100) -> VenueOrder:
    return VenueOrder(1, 1, e.Purpose.STOP, Side.SELL, OrderType.SLM, quantity, 0, 0, 120_000, 0, 0)


def test_what_an_order_could_still_fill() -> None:
    """The larger total counts while a change is in flight, and owed trades once it is closed."""
    order = _order()
    assert (order.leaves_max, order.confirmed_leaves) == (100, 0)
    order.exchange_order_id, order.life = "1", Life.WAITING
    assert (order.leaves_max, order.confirmed_leaves) == (100, 100)
    order.amend = e.OrderAmendSent(1, OrderType.SLM, Quantity(150), Quantity(0), Pips(0), Pips(1))
    assert (order.leaves_max, order.confirmed_leaves) == (150, 100)
    order.amend = e.OrderAmendSent(1, OrderType.SLM, Quantity(60), Quantity(0), Pips(0), Pips(1))
    assert order.leaves_max == 100
    order.life, order.final_filled, order.filled_quantity = Life.CANCELLED, 40, 30
    assert (order.leaves_max, order.confirmed_leaves, order.dead) == (10, 0, False)
    order.filled_quantity = 40
    assert (order.leaves_max, order.dead) == (0, True)


def test_an_order_without_a_closing_is_not_dead() -> None:
    """Even an order that is sent and unanswered may still fill."""
    order = _order()
    assert order.final_filled == NOT_CLOSED
    assert not order.dead
    assert not order.closed
