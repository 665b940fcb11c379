"""The venue of the tests itself: it decides only what a lawful venue could, and forgets nothing."""

import pytest

from kavach.core import events as e
from kavach.venues.scripted import ScriptedVenue
from tests.unit.core.scenario import Scene


def _story(*words: str) -> tuple[Scene, ScriptedVenue]:
    scene = Scene()
    for line in words:
        scene.tell(line)
    return scene, scene.venue


def test_nothing_is_answered_unasked() -> None:
    """Requests pile up and the engine hears nothing until somebody decides."""
    scene, venue = _story("place 100 @ 13 stop 12")
    assert [type(request) for request in venue.requests] == [e.OrderSubmitted]
    assert scene.cover is not None
    assert scene.cover.entries[0].exchange_order_id == ""


@pytest.mark.parametrize(
    "decision",
    [
        lambda venue: venue.accept(1),
        lambda venue: venue.trade(1, 101, 130_000),
        lambda venue: venue.trade(1, 0, 130_000),
        lambda venue: venue.trade_late(1, 1, 130_000),
        lambda venue: venue.trigger(1),
        lambda venue: venue.amend(1),
        lambda venue: venue.refuse_amend(1),
        lambda venue: venue.cancel(1),
        lambda venue: venue.refuse_cancel(1),
        lambda venue: venue.lose(1),
    ],
)
def test_a_venue_cannot_decide_this(decision: object) -> None:
    """What no lawful venue could report is a mistake of the script."""
    _, venue = _story("place 100 @ 13 stop 12", "E1 acked")
    assert callable(decision)
    with pytest.raises(AssertionError):
        decision(venue)


def test_an_order_that_has_gone_does_nothing_more() -> None:
    """A closed order neither trades nor closes again."""
    _, venue = _story("place 100 @ 13 stop 12", "E1 acked", "E1 removed")
    for decision in (venue.remove, venue.expire, venue.reject):
        with pytest.raises(AssertionError):
            decision(1)
    with pytest.raises(AssertionError):
        venue.trade(1, 1, 130_000)
    assert venue.alive() == []


def test_a_status_is_the_truth_told_or_untold() -> None:
    """Asked about an order, the venue tells all of it: where it stands, what it filled, its end."""
    _, venue = _story("place 100 @ 13 stop 12")
    assert venue.status(1) == e.OrderAbsent(1, settled=False)
    venue.accept(1)
    trade = venue.trade(1, 40, 129_900)
    status = venue.status(1)
    assert isinstance(status, e.OrderStatus)
    assert (status.standing, status.filled_quantity) == (e.Standing.WORKING, 40)
    assert status.trades == (trade,)
    venue.remove(1)
    closed = venue.status(1)
    assert isinstance(closed, e.OrderStatus)
    assert (closed.standing, closed.closing) == (e.Standing.CLOSED, e.Closing.REMOVED)


def test_what_is_lost_is_absent_until_it_arrives() -> None:
    """A lost order is denied; if it arrives after all, it lives."""
    _, venue = _story("place 100 @ 13 stop 12", "E1 lost")
    assert venue.status(1) == e.OrderAbsent(1, settled=True)
    assert venue.alive() == []
    venue.accept(1)
    assert [order.tag for order in venue.alive()] == [1]


def test_one_request_at_a_time() -> None:
    """A second request for an order, the first unanswered, is a mistake of the engine."""
    scene, venue = _story("place 100 @ 13 stop 12", "E1 acked", "C1")
    assert scene.cover is not None
    order = scene.cover.entries[0]
    with pytest.raises(AssertionError, match="second request"):
        venue.send(e.OrderCancelSent(1, 9), order, scene.cover, 0)
