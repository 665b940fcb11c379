"""
The reader of places can see: two places that differ are named, and worlds in which they are read.

Source: docs/spec/cover_order.md (INV-25); docs/reliability.md.
"""

import pytest

from tests.simulation.__main__ import WORLDS
from tests.simulation.places import Told, disagreement
from tests.simulation.world import World, attempt


def test_inv25_places_that_differ_are_named() -> None:
    """The fact, the thing and every place with what it says are in the finding."""
    told = [Told("last", "quote", 130_000), Told("lot", "scrip info", 5), Told("last", "feed", 1)]
    assert disagreement("NSE:1", told) == "INV-25 last: NSE:1: 130000 (quote), 1 (feed)"
    assert disagreement("NSE:1", told[:2]) == ""


@pytest.mark.parametrize("name", ["near", "far", "near-whole", "far-days"])
def test_inv25_worlds_read_every_place(name: str) -> None:
    """In a world two places are compared, nothing disagrees, and reading changes nothing."""
    read = attempt(WORLDS[name], 2, count=True)
    unread = attempt(WORLDS[name], 2, rows=False)
    assert isinstance(read, World) and isinstance(unread, World), (read, unread)
    assert read.places.compared > 0 and not read.places.findings
    assert read.engine.state_hash() == unread.engine.state_hash()
