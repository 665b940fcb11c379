"""
What may be told only once it is durable, in order.

Each item waits for a sequence of the journal. The journal's thread wakes the event loop once a
batch; there the items at the head are delivered. When another engine takes the place of one whose
disk has failed, items whose sequence was not reached are given back undelivered.

Source: ARCHITECTURE.md, "Invariants".
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from kavach.api.http.turns import turns_of
from kavach.engine.journal_port import Journal

ITEMS_MAX: Final = 32  # Delivered in one step; each may take further steps.
_TOLD: Final = object()
UNHEARD_SECONDS: Final = 0.02  # How soon it is tried again when nothing may be told.
TURN_SECONDS: Final = 0.001  # How often the journal's thread is given a turn while items wait.


class Item(Protocol):
    """Something that waits until it may be told."""

    def deliver(self) -> Iterator[None]:
        """Tell it, a part at each step."""


class Outbox:
    """Items in the order in which they may be delivered."""

    def __init__(self, journal: Journal) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: deque[tuple[int, Item]] = deque()
        self._due = False  # Whether the loop was asked to deliver.
        self._telling: Iterator[None] | None = None  # The item of which a part was told.
        self._turn: asyncio.TimerHandle | None = None
        self._journal = journal
        self._leave: Callable[[], None] = journal.subscribe(self._on_batch)

    def __len__(self) -> int:
        return len(self._items)

    def put(self, sequence: int, item: Item) -> None:
        """Deliver this as soon as everything up to ``sequence`` is durable."""
        assert not self._items or self._items[-1][0] <= sequence, "items come in order"
        self._items.append((sequence, item))
        # The journal's thread may have been there before we looked, so we look once more.
        if sequence <= self._journal.durable_sequence:
            self._deliver_soon()
        elif self._turn is None:
            self._turn = self._loop.call_later(TURN_SECONDS, self._give_turn)

    def watch(self, journal: Journal) -> list[Item]:
        """Wait for another journal from now on; return what the last one did not make durable."""
        self._leave()
        self._deliver_all()
        lost = [item for _, item in self._items]
        self._items.clear()
        self._journal = journal
        self._leave = journal.subscribe(self._on_batch)
        return lost

    def close(self) -> None:
        """Deliver what is durable, and nothing after that."""
        self._leave()
        self._deliver_all()
        self._items.clear()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def _on_batch(self, durable_sequence: int) -> None:
        """Wake the loop; runs on the journal's thread."""
        if self._items:
            self._loop.call_soon_threadsafe(self._deliver_soon)

    def _deliver_soon(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        """Deliver what is durable: so much now, the rest in further steps."""
        self._due = False
        for _ in range(ITEMS_MAX):
            if not self._has_durable():
                return
            if not self._journal.may_answer():
                self._loop.call_later(UNHEARD_SECONDS, self._deliver_soon)
                return
            if not self._tell_part():
                break
        self._due = True
        turns_of(self._loop).soon(self._deliver)

    def _deliver_all(self) -> None:
        while self._has_durable() and self._journal.may_answer():
            self._tell_part()

    def _has_durable(self) -> bool:
        """Return whether something may be told: what was begun, or the next item."""
        if self._telling is None:
            items, durable = self._items, self._journal.durable_sequence
            if not items or items[0][0] > durable:
                return False
            self._telling = items.popleft()[1].deliver()
        return True

    def _tell_part(self) -> bool:
        """Tell a part of the item; return whether that was all of it."""
        assert self._telling is not None, "there is an item"
        if next(self._telling, _TOLD) is not _TOLD:
            return False
        self._telling = None
        return True

    def _give_turn(self) -> None:
        self._turn = None
        if self._items and self._journal.give_turn():
            self._turn = self._loop.call_later(TURN_SECONDS, self._give_turn)
