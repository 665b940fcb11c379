"""
Long work done a step at a time, between which the event loop is free for everybody else.

Theory. Whoever waits for an answer waits for whole turns of the event loop: what is handled
between two looks at the sockets. So a turn must be short, whatever one client sends or asks for.
What can be long (parsing what a client floods us with, taking a subscription to thousands of
instruments, wording a long book, sending to thousands of readers) is cut into steps of some
tenths of a millisecond. All steps of all clients stand in one queue; in each turn the first
``STEPS_PER_TURN`` are done. However many are in it, a turn grows by no more than these.

Requests that are short are not in the queue: they are served while the long work goes on.

Source: docs/decisions/0025-one-turn-is-short.md.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

STEPS_PER_TURN: Final = 8


class Turns:
    """The steps that wait for a turn of one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[], object], int]] = deque()
        self._due = False  # Whether the loop was asked for a turn.

    def __len__(self) -> int:
        return len(self._waiting)

    def soon(self, step: Callable[[], object], weight: int = 1) -> None:
        """Do a step in one of the next turns, after those that were asked for before.

        A step that is known to be longer than others weighs as much as so many of them.
        """
        self._waiting.append((step, weight))
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._run)

    async def turn(self, weight: int = 1) -> None:
        """Return when it is the caller's turn to do a step."""
        come = asyncio.Event()
        self.soon(come.set, weight)
        await come.wait()

    def _run(self) -> None:
        waiting = self._waiting
        try:
            left, last = STEPS_PER_TURN, len(waiting)
            while left > 0 and last > 0:
                step, weight = waiting.popleft()
                left -= weight
                last -= 1  # Those that are asked for meanwhile are for the next turn.
                step()
        finally:
            self._due = bool(waiting)
            if waiting:
                asyncio.get_running_loop().call_soon(self._run)


_OF_LOOP: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]] = WeakKeyDictionary()


def turns_of(loop: asyncio.AbstractEventLoop) -> Turns:
    """Return the one queue of steps that an event loop has."""
    turns = _OF_LOOP.get(loop)
    if turns is None:
        turns = _OF_LOOP[loop] = Turns()
    return turns
