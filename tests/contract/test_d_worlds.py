"""
Simulated worlds that failed, and the kind behind each (D).

What is left of a bracket when one of its linked orders has ended, what is promised when a cancel
is answered CANCEL_PENDING, and a venue that cannot link orders.
"""

import pytest

from kavach.core.commands import PlaceCoverOrder, SquareOff
from kavach.core.events import OrderCancelSent
from kavach.core.model.regular.commands import CancelOrder, PlaceOrder
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.core.settings import Settings
from kavach.units import (
    NS_PER_MS,
    Exchange,
    OrderType,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)
from kavach.venues.scripted import ScriptedVenue, Told
from tests.simulation.__main__ import WORLDS
from tests.simulation.world import Failure, attempt
from tests.unit.core.scenario import Scene, play


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("far", 304),
        ("far", 349),
        ("far", 20089),
        ("far", 20407),
        ("far", 20500),
        ("far-whole", 20266),
        ("far-whole", 21096),
    ],
)
def test_d_a_world_that_failed_holds(name: str, seed: int) -> None:
    """No invariant breaks, and everything comes to its end."""
    world = attempt(WORLDS[name], seed, rows=False)  # Rows have worlds of their own.
    assert not isinstance(world, Failure), world.text


class Unlinked(ScriptedVenue):
    """A venue where each order is on its own."""

    links_orders = False


def test_d_a_venue_without_linked_orders_takes_no_bracket() -> None:
    """Stop and target could both fill there: refused when it is placed, and nothing is sent."""
    venue = Unlinked()
    scene = Scene(venue=venue)
    bracket = PlaceCoverOrder(
        client_id="C",
        instrument=scene.item.key,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Quantity(100),
        disclosed_quantity=Quantity(0),
        price_pips=Pips(130_000),
        trigger_price_pips=Pips(0),
        validity=Validity.DAY,
        product=Product.MIS,
        stop_price_pips=Pips(0),
        trailing_step_pips=Pips(0),
        user_order_id=1,
        bracket=True,
        stop_offset_pips=Pips(10_000),
        target_offset_pips=Pips(10_000),
    )
    before = scene.engine.state_hash()
    assert scene.engine.execute(bracket) == Refusal(Reason.BRACKET_MUST_BE_OFFERED)
    assert scene.engine.state_hash() == before
    assert not venue.requests


def test_d_a_lost_question_does_not_delay_the_next_doubt() -> None:
    """A request is doubted a second after it was sent, however often the venue was asked before."""
    assert play(
        """
        place 100 @ 13 stop 12  -> E1 buy 100 @ 13, ok              | ENTRY_SENT
        E1 acked                -> nothing                          | ENTRY_OPEN
        wait 2000ms             -> ask E1                           | ENTRY_OPEN
        wait 2000ms             -> ask E1                           | ENTRY_OPEN
        C1                      -> cancel E1, ok CANCEL_PENDING     | ENTRY_OPEN
        wait 1000ms             -> alarm unknown, ask E1            | ENTRY_OPEN
        """,
        settings=Settings(t_reconcile_ns=2_000 * NS_PER_MS),
    )


def test_d_the_kill_switch_outlives_a_refused_cancel_of_the_client() -> None:
    """A client's cancel that the venue refuses is over; what the system wants is asked again."""
    assert play(
        """
        place 100 @ 13 stop 12  -> E1 buy 100 @ 13, ok              | ENTRY_SENT
        E1 acked                -> nothing                          | ENTRY_OPEN
        E1 traded 40            -> S1 sell 40 on 12                 | COVERING
        S1 acked                -> nothing                          | COVERED_OPEN
        C1                      -> cancel E1, ok CANCEL_PENDING     | COVERED_OPEN
        kill                    -> nothing                          | COVERED_OPEN
        E1 cancel-refused       -> nothing                          | COVERED_OPEN
        wait 500ms              -> cancel E1                        | COVERED_OPEN
        E1 cancelled            -> nothing                          | COVERED
        """
    )


def test_d_the_square_off_outlives_a_refused_cancel_of_the_client() -> None:
    """An intraday order whose cancel is under way at the time goes, though that one is refused."""
    venue = ScriptedVenue()
    scene = Scene(venue=venue)
    engine, order = (
        scene.engine,
        PlaceOrder(
            client_id="C",
            instrument=scene.item.key,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=Quantity(100),
            disclosed_quantity=Quantity(0),
            price_pips=Pips(130_000),
            trigger_price_pips=Pips(0),
            validity=Validity.DAY,
            product=Product.MIS,
        ),
    )
    answer = engine.execute(order)
    assert isinstance(answer, Answer)
    engine.receive(Told([venue.accept(1)]))
    engine.execute(CancelOrder(client_id="C", order_id=answer.order_id))
    engine.execute(SquareOff(Exchange.NSE))
    engine.receive(Told([venue.refuse_cancel(1)]))
    scene.clock.at_ns += 600 * NS_PER_MS
    engine.catch_up(scene.clock.at_ns)
    cancels = [request for request in venue.requests if isinstance(request, OrderCancelSent)]
    assert len(cancels) == 2
