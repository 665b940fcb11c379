"""
Seeded schedules of everything that can happen: small worlds, one after another.

The same few in every run; ``make sim SEED=7 RUNS=5000`` plays 5000 of them from seed 7 on, and
500 if it is not told how many. A failing schedule prints its seed; ``play(seed)`` does it again.
"""

import os
import random
from typing import Final

import pytest

from tests.simulation.property import far, near, silent
from tests.simulation.property.far import FarWorld
from tests.simulation.property.near import NearWorld
from tests.simulation.property.silent import SilentWorld

RUNS: Final = int(os.environ.get("RUNS") or 40)
DEEDS_A_RUN: Final = 120
World = FarWorld | NearWorld | SilentWorld
WORLDS: Final[dict[type[World], tuple[tuple[str, int, int], ...]]] = {
    FarWorld: far.DEEDS,
    NearWorld: near.DEEDS,
    SilentWorld: silent.DEEDS,
}


def play(seed: int, kind: type[World] = FarWorld) -> World:
    """Return the world after one schedule; every deed is audited."""
    chance = random.Random(seed)
    names = [name for name, _, often in WORLDS[kind] for _ in range(often)]
    takes = {name: numbers for name, numbers, _ in WORLDS[kind]}
    world = kind()
    for _ in range(DEEDS_A_RUN):
        name = chance.choice(names)
        getattr(world, name)(*[chance.randrange(1_000) for _ in range(takes[name])])
    world.wind_up()
    for _ in range(3):
        world.check_replay(chance.randrange(10_000))
    return world


@pytest.mark.parametrize("kind", WORLDS)
def test_schedules(request: pytest.FixtureRequest, kind: type[World]) -> None:
    """Whatever happens in whatever order, no invariant breaks and everybody gets out."""
    first = int(request.config.getoption("--hypothesis-seed") or 1) * 1_000_000
    for seed in range(first, first + RUNS):
        try:
            world = play(seed, kind)
        except AssertionError as broken:
            raise AssertionError(f"play({seed}, {kind.__name__}): {broken}") from broken
        assert world.journal.durable_sequence > 0, "nothing happened"
