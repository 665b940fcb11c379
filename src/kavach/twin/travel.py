"""
Taking the clock somewhere: everything that is due on the way happens, in order, at its own time.

A journey is walked from one due time to the next. It gives the event loop a turn every few
milliseconds, so the server goes on answering (at the time the clock shows just then), and it
ends early after ``JOURNEY_SECONDS`` of work, wherever it has got to: a server that is asked for
too much says so and is not gone for minutes.

Source: docs/twin.md (the clock).
"""

import asyncio
from time import monotonic
from typing import Final

from kavach.engine.journal_port import JournalUnavailable
from kavach.twin.clock import TwinClock
from kavach.twin.world_port import World

JOURNEY_SECONDS: Final = 10
TURN_SECONDS: Final = 0.005


async def travel(world: World, target_ns: int, limit_seconds: float = JOURNEY_SECONDS) -> bool:
    """Return whether the clock got to ``target_ns``, having done all that was due until then.

    Where it got to is in the journal even if nothing was due: a restart doesn't go back.
    """
    clock = world.clock
    clock.travel_to(target_ns)
    try:
        arrived = await _walk(world, clock, target_ns, limit_seconds)
    finally:
        clock.arrive()
        world.service.changed()
    world.service.keep_time()
    return arrived


async def _walk(world: World, clock: TwinClock, target_ns: int, limit_seconds: float) -> bool:
    began = turn = monotonic()
    service = world.service
    while True:
        due_ns = service.engine.next_due_ns()
        if due_ns is None or due_ns > target_ns:
            clock.set(target_ns)
            return True
        clock.set(max(due_ns, clock.now_ns()))
        service.changed()
        still_due_ns = service.engine.next_due_ns()
        if still_due_ns is not None and still_due_ns <= clock.now_ns():
            raise JournalUnavailable("The engine has stopped: what is due is not done.")
        now = monotonic()
        if now - began > limit_seconds:
            return False
        if now - turn > TURN_SECONDS:
            await asyncio.sleep(0)
            turn = monotonic()
