"""
Simulated worlds that failed, and the kind behind each (D).

What is left of a bracket when one of its linked orders has ended, what is promised when a cancel
is answered CANCEL_PENDING, and a venue that cannot link orders.
"""

import pytest

from tests.simulation.__main__ import WORLDS
from tests.simulation.world import Failure, attempt


@pytest.mark.xfail(strict=True, reason="D")
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
    world = attempt(WORLDS[name], seed)
    assert not isinstance(world, Failure), world.text
