"""The projection of a world: the same for the same world, another for another."""

import msgspec

from tests.simulation.near import NearWorld
from tests.simulation.projection import differing, digest, lines
from tests.simulation.world import Failure, attempt


def test_a_world_has_one_projection() -> None:
    """A world played twice leaves the same journal, and another seed another."""
    first, again = (list(lines("near", 7, 9)) for _ in range(2))
    assert first == again
    assert first[0] != first[1]
    assert differing("\n".join(first), "\n".join(again)) == []
    assert differing("\n".join(first), first[0]) == ["near 8"]


def test_a_record_that_differs_is_seen() -> None:
    """One event more in the last record, and the projection is another."""
    world = attempt(NearWorld, 7)
    assert not isinstance(world, Failure)
    before = digest(world)
    *_, (_, body) = world.journal.records()
    record = msgspec.msgpack.decode(body)
    world.journal.append(msgspec.msgpack.encode(record))
    assert digest(world) != before
