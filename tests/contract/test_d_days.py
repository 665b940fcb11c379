"""
What a night and a link that is back do to rows that have ended (D).

An order that was carried lives on by its exits; its entry has ended and stays as it was. A
question tells of every request that was decided on before it, so its answer denies none of them.
"""

import pytest

from kavach.core import events as e
from kavach.core.commands import Leg
from kavach.core.model.cover.tables import State
from kavach.core.model.leg_row import leg_row
from kavach.engine.record import decode_record
from kavach.units import OrderType, Product, Side
from tests.contract.exit_stage import Stage
from tests.simulation.__main__ import WORLDS
from tests.simulation.world import Failure, attempt
from tests.unit.core.scenario import Scene

CARRIED = """
    place 100 @ 13 stop 12 {product} -> E1 buy 100 @ 13, ok   | ENTRY_SENT
    E1 acked             -> nothing                           | ENTRY_OPEN
    end                  -> nothing                           | ENTRY_OPEN
    E1 expired           -> nothing                           | EXPIRED
    E1 traded-late 10    -> alarm resurrected, alarm carried  | CARRIED
"""
OPENINGS = {
    "mis": "open -> alarm resumed, out: square_off, X1 sell 10 @ market | EXITING",
    "nrml": "open -> alarm resumed, S1 sell 10 on 12 | COVERING",
}


@pytest.mark.parametrize("product", OPENINGS)
def test_d_an_entry_that_has_ended_stays_as_it_was_at_the_opening(product: str) -> None:
    """Filled after its session, it has no stop yet: that gets a row, the entry no other version."""
    scene = Scene()
    scene.play(CARRIED.format(product=product))
    cover = scene.cover
    assert cover is not None and not cover.stop.order_id
    version = cover.version_of(Leg.ENTRY)
    lines = [line for line in cover.changes or () if line.leg is Leg.ENTRY]
    scene.play(OPENINGS[product])
    assert cover.version_of(Leg.ENTRY) == version
    assert [line for line in cover.changes or () if line.leg is Leg.ENTRY] == lines
    assert cover.stop.order_id
    assert next(x.what for x in cover.changes or () if x.leg is Leg.THIRD) == "entered"


def test_d_a_question_waits_behind_the_change_that_it_would_deny() -> None:
    """An exit is asked for while the link is down, and the exchange takes the target out.

    When it is back, the target's end asks about the stop, and the stop is to leave at a limit:
    both in one step, and the answer does not say that the change was never made.
    """
    stage = Stage()
    stage.quote(12.9, 13.1, 1_000)
    cover = stage.held(Side.BUY, 100, 1.0, product=Product.MIS, target_offset=0.5)
    target = next(order for order in cover.exits if order.is_target)
    stop = next(order for order in cover.exits if not order.is_target)
    stage.venue.set_link(up=False)
    stage.engine.lose_link()
    stage.leave(cover)

    def act(at_ns: int) -> object:
        exchange_id = target.exchange_order_id
        return stage.venue.reports_of(
            stage.venue.exchange.remove(exchange_id, 17070, "range"), stage.item.key
        )

    stage.engine.market(act)  # type: ignore[arg-type]
    stage.venue.set_link(up=True)
    stage.engine.restore_link()
    assert cover.state is State.EXITED
    row = leg_row(cover, Leg.THIRD)
    assert (row.order_type, row.trigger_price_pips) == (OrderType.LIMIT, 0)
    events = [x for _, body in stage.journal.records() for x in decode_record(body).events]
    assert [x.tag for x in events if isinstance(x, e.OrderAmendSent)] == [stop.tag]
    assert not any(isinstance(x, e.OrderRequestLost) for x in events)
    stage.check()


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("near", 1191),
        ("far", 30),
        ("far-whole", 20),
        ("far-restless", 9),
        ("far-days", 12),
        ("far-days", 44006),
        ("far-days", 44007),
        ("far-thin", 44003),
        ("far-thin", 45014),
        ("near-thin", 45045),
    ],
)
def test_d_a_world_of_days_that_failed_holds(name: str, seed: int) -> None:
    """No row, no history and no promise breaks, and everything comes to its end."""
    world = attempt(WORLDS[name], seed)
    assert not isinstance(world, Failure), world.text
