"""What is sent and said while an engine comes back, and not only where it ends."""

from kavach.core import events as e
from kavach.core.model.cover.order import CoverOrder
from kavach.engine.engine import Engine
from kavach.engine.record import decode_record
from tests.unit.core.scenario import Scene


def restarted(scene: Scene) -> tuple[Engine, int]:
    """Return an engine that has read the journal of a process that died, and what was sent."""
    engine = Engine([scene.item], scene.settings, scene.journal, scene.venue, scene.clock)
    engine.recover()
    scene.clock.at_ns += 1_000
    scene.venue.answers_at_once = True
    return engine, len(scene.venue.requests)


def half_covered() -> tuple[Scene, int]:
    """Return 40 of 100 bought, and a stop for 40 on its way whose answer was never heard."""
    scene = Scene()
    for words in ("place 100 @ 13 stop 12", "E1 acked", "E1 traded 40"):
        scene.tell(words)
    stop = scene.venue.requests[-1]
    assert isinstance(stop, e.OrderSubmitted) and stop.purpose is e.Purpose.STOP
    return scene, stop.tag


def test_a_return_doubts_what_was_in_flight_before_it_hears_anything() -> None:
    """A start takes the link for lost: each request without an answer is doubted, then asked."""
    scene, stop = half_covered()
    scene.venue.accept(stop)  # Its answer goes to a process that is no more.
    engine, _ = restarted(scene)
    written = scene.journal.durable_sequence
    engine.restore_link()
    (body,) = [body for _, body in scene.journal.records(written)]
    kinds = [type(event) for event in decode_record(body).events]
    assert kinds[:2] == [e.LinkLost, e.OrderDoubted]
    assert kinds.index(e.OrderDoubted) < kinds.index(e.OrderAccepted) < kinds.index(e.LinkRestored)
    assert not engine.state.orders[stop].doubted


def test_a_return_decides_by_everything_that_it_heard() -> None:
    """Entry and stop have both traded meanwhile: one order for the difference, no change before.

    If the entry's trades were answered before those of the stop were heard, the stop would be
    asked to grow after it has gone.
    """
    scene, stop = half_covered()
    entry = 1
    scene.venue.accept(stop)
    scene.venue.trade(entry, 60, 130_000)
    scene.venue.trigger(stop)
    scene.venue.trade(stop, 40, 120_000)
    engine, sent = restarted(scene)
    engine.restore_link()
    later = scene.venue.requests[sent:]
    assert [type(request) for request in later] == [e.OrderSubmitted]
    assert later[0].quantity == 60  # type: ignore[union-attr]
    cover = engine.state.parents[next(iter(engine.state.parents))]
    assert isinstance(cover, CoverOrder)
    assert (cover.entry_filled, cover.exits_filled, cover.position) == (100, 40, 60)


def test_a_return_sends_again_what_never_arrived() -> None:
    """A stop whose request was lost with the process is sent anew in the step of the return."""
    scene, stop = half_covered()
    scene.venue.lose(stop)
    engine, sent = restarted(scene)
    engine.restore_link()
    again = scene.venue.requests[sent:]
    assert [type(request) for request in again] == [e.OrderSubmitted]
    assert again[0].tag != stop
    assert again[0].quantity == 40  # type: ignore[union-attr]
