"""
What a night does to rows that have ended (D).

An order that was carried lives on by its exits; its entry has ended and stays as it was.
"""

import pytest

from kavach.core.commands import Leg
from tests.core.scenario import Scene
from tests.simulation.__main__ import WORLDS
from tests.simulation.world import Failure, attempt

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
    assert cover is not None and not cover.stop_id
    version = cover.version_of(Leg.ENTRY)
    lines = [line for line in cover.changes or () if line.leg is Leg.ENTRY]
    scene.play(OPENINGS[product])
    assert cover.version_of(Leg.ENTRY) == version
    assert [line for line in cover.changes or () if line.leg is Leg.ENTRY] == lines
    assert cover.stop_id
    assert next(x.what for x in cover.changes or () if x.leg is Leg.THIRD) == "entered"


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("far", 30),
        ("far-whole", 20),
        ("far-restless", 9),
        ("far-days", 12),
        ("far-days", 44006),
        ("far-days", 44007),
        ("far-thin", 44003),
    ],
)
def test_d_a_world_of_days_that_failed_holds(name: str, seed: int) -> None:
    """No row, no history and no promise breaks, and everything comes to its end."""
    world = attempt(WORLDS[name], seed)
    assert not isinstance(world, Failure), world.text
