"""The square-off at a real exchange, where it meets what its own client has in the book."""

from kavach.core.commands import SquareOff
from kavach.units import Exchange, Product, Side
from tests.unit.core.money.counter import Counter


def test_ones_own_resting_order_gives_way() -> None:
    """A bid of the client's own is taken out; the square-off stays, once, and trades."""
    counter = Counter()
    counter.trade(Side.BUY, 40, 12, Product.MIS)
    resting = counter.order(Side.BUY, 5, 12, Product.NRML)
    counter.ask(SquareOff(Exchange.NSE))
    assert resting.over and not resting.entry_filled
    (order,) = [one for one in counter.engine.state.regulars.values() if one.squares_off]
    assert not order.over
    counter.house(Side.BUY, 40, 12)
    assert order.entry_filled == 40


def test_a_square_off_that_its_client_cancels_is_followed_by_another() -> None:
    """What is intraday does not stay because somebody takes its way out away."""
    counter = Counter()
    counter.trade(Side.BUY, 40, 12, Product.MIS)
    counter.ask(SquareOff(Exchange.NSE))
    (first,) = [one for one in counter.engine.state.regulars.values() if one.squares_off]
    counter.cancel(first)
    living = [
        one for one in counter.engine.state.regulars.values() if one.squares_off and not one.over
    ]
    assert [one.quantity for one in living] == [40]
