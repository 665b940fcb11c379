"""The product's own audit of rows, on worlds of the exchange inside and on orders made wrong."""

from collections.abc import Callable
from typing import Final

import pytest
from msgspec.structs import replace

from kavach.core.model.cover.order import CoverOrder
from kavach.twin.audit import audit
from kavach.twin.audit_rows import check_rows
from tests.simulation.near import NearWorld
from tests.simulation.world import World, attempt

SEEDS: Final = range(1, 9)


def _world(seed: int) -> NearWorld:
    world = attempt(NearWorld, seed)
    assert isinstance(world, NearWorld), world
    return world


@pytest.mark.parametrize("seed", SEEDS)
def test_a_world_that_held_has_nothing_wrong_in_its_rows(seed: int) -> None:
    """Where the reader outside finds nothing, the audit of the product finds nothing (INV-22)."""
    world: World = _world(seed)
    report = audit(world.engine.state, world.exchange.snapshot(), world.now_ns())
    rows = [one for one in report.violations if one.invariant in ("INV-22", "INV-23", "INV-24")]
    assert rows == []


def _lose_a_trade(cover: CoverOrder) -> None:
    assert cover.trades is not None
    cover.trades = cover.trades[1:]


def _shrink(cover: CoverOrder) -> None:
    cover.entries[0].quantity = cover.entries[0].filled_quantity - 1


def _go_back(cover: CoverOrder) -> None:
    cover.entry_version_ns = 1


def _fall(cover: CoverOrder) -> None:
    assert cover.changes is not None
    cover.changes = [replace(cover.changes[0], filled_quantity=10**6), *cover.changes[1:]]


@pytest.mark.parametrize(
    ("break_it", "invariant"),
    [
        (_lose_a_trade, "INV-22"),
        (_shrink, "INV-22"),
        (_go_back, "INV-23"),
        (_fall, "INV-24"),
    ],
)
def test_what_is_made_wrong_is_told(break_it: Callable[[CoverOrder], None], invariant: str) -> None:
    """A trade that is missing, a total too small, an old version, a past that falls back."""
    covers = _world(1).engine.state.every_cover()
    cover = next(one for one in covers if one.entry_filled and len(one.entries) == 1)
    assert list(check_rows(cover)) == []
    break_it(cover)
    assert invariant in {found.invariant for found in check_rows(cover)}
