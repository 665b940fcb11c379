"""
Some hundreds of worlds in every run: everything that can happen, in any order, from one seed each.

``make sim RUNS=10000`` plays more. A failure names its world and its seed; ``make sim SEED=…
RUNS=1`` plays that one again, and shrinks it.
"""

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Final, NamedTuple

import pytest

from tests.simulation.__main__ import WORLDS
from tests.simulation.schedule import Decision, plan, shrink, stream
from tests.simulation.world import Failure, attempt

SEEDS: Final = {
    "far": 60,
    "near": 60,
    "far-whole": 40,
    "near-whole": 50,
    "far-days": 12,
    "near-days": 12,
    "near-auctions": 12,
    "far-thin": 4,
    "near-thin": 4,
    "far-restless": 12,
    "near-restless": 12,
}


class Played(NamedTuple):
    """What is left of a world that was played; the world itself is large."""

    events: int
    true_ns: int
    faults: Mapping[str, int]
    state_hash: str


@cache
def played(name: str, seed: int) -> Played:
    """Return what became of a world, which is played once however many tests look at it."""
    return _play(name, seed)


def _play(name: str, seed: int) -> Played:
    world = attempt(WORLDS[name], seed)
    if isinstance(world, Failure):
        again = f'make sim SEED={seed} RUNS=1 ARGS="--world {name}"'
        raise AssertionError(f"{world.text}\n{again}")
    return Played(world.events, world.true_ns, world.faults(), world.engine.state_hash())


@pytest.mark.parametrize("name", WORLDS)
def test_worlds(name: str) -> None:
    """Whatever happens, no invariant breaks, and once nothing fails any more everything ends."""
    seeds = range(1, SEEDS[name] + 1)
    events = sum(played(name, seed).events for seed in seeds)
    assert events > len(seeds) * 100, "hardly anything happened"


@pytest.mark.parametrize("name", WORLDS)
def test_a_seed_is_a_world(name: str) -> None:
    """The same seed makes the same world, to the last event, parcel and byte of the state."""
    assert _play(name, 2) == played(name, 2)
    assert played(name, 3).state_hash != played(name, 2).state_hash


def test_everything_happens() -> None:
    """Within a few seeds every kind of deed and of fault is there, so none is dead text."""
    seen: dict[str, int] = {}
    for name in ("far", "near"):
        for seed in range(1, 30):
            for what, count in played(name, seed).faults.items():
                seen[what] = seen.get(what, 0) + count
    asked = {
        "place: taken",
        "brackets",
        "C1: ok",
        "C2: ok",
        "C3: ok",
        "C4: ok",
        "kill",
        "square-off",
    }
    asked |= {"rush: requests_must_be_within_limit", "C3: requests_must_be_within_limit"}
    broken = {"crash", "crash with lost records", "link cut", "session", "stall", "clock leap"}
    parcels = {"parcel lost", "parcel twice", "parcel late", "parcel refused"}
    assert (asked | broken | parcels | {"removed by the exchange"}) <= set(seen)
    assert sum(what.startswith("fault: ") for what in seen) == 7


def test_everything_is_asked() -> None:
    """Within a few seeds each kind of request of the whole API is granted, and nights pass."""
    seen: dict[str, int] = {}
    for name in ("far-whole", "near-whole"):
        for seed in range(1, 16):
            for what, count in played(name, seed).faults.items():
                seen[what] = seen.get(what, 0) + count
    asked = {
        "order",
        "order cancel",
        "order modify",
        "rule single",
        "rule oco",
        "rule modify",
        "rule cancel",
        "basket execute",
        "convert",
    }
    assert {f"{what}: ok" for what in asked} <= set(seen)
    told = {"parked", "released", "rule fired", "night", "square-off", "given back"}
    assert {what for what in told if seen.get(what, 0) > 0} == told


def test_auctions_take_and_give() -> None:
    """Within a few seeds cover orders lose their stops to the closing auction, and leave in it.

    Regular orders trade in it, what was not taken is carried, and has its stop again.
    """
    seen: dict[str, int] = {}
    for seed in range(1, SEEDS["near-auctions"] + 1):
        for what, count in played("near-auctions", seed).faults.items():
            seen[what] = seen.get(what, 0) + count
    changes = {
        "closing_reference: COVERED to CARRIED",
        "buffer: EXITING to EXITED",
        "closed: EXITING to CARRIED",
        "open: CARRIED to COVERED",
        "open: CARRIED to EXITING",
    }
    assert {what for what in changes if seen.get(what, 0)} == changes


def test_a_decision_left_out_shifts_no_other() -> None:
    """What a decision draws depends on the seed and its own number alone."""
    assert stream(5, 7).random() == Random("5/7").random()
    whole = plan(5, {"a": 1, "b": 2})
    assert [d.number for d in whole] == list(range(len(whole)))


def test_shrinking_keeps_what_matters() -> None:
    """Of ninety decisions the two are left that make it fail."""
    guilty = {3, 41}
    tried: list[int] = []

    def fails(decisions: object) -> bool:
        assert isinstance(decisions, list)
        tried.append(len(decisions))
        return guilty <= {decision.number for decision in decisions}

    left = shrink([Decision(n, "deed") for n in range(90)], fails, 200)
    assert {decision.number for decision in left} == guilty
    assert len(tried) <= 200
