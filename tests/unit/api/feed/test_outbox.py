"""What waits for the disk before it is told: in order, never early, and not lost with a journal."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from kavach.api.feed.outbox import Outbox
from tests.unit.twin.stage import MoodyJournal


class Word:
    """An item that is told in so many parts."""

    def __init__(self, name: str, told: list[str], parts: int = 1) -> None:
        self.name = name
        self._told = told
        self._parts = parts

    def deliver(self) -> Iterator[None]:
        """Tell it."""
        for part in range(self._parts):
            self._told.append(f"{self.name}{part}" if self._parts > 1 else self.name)
            if part < self._parts - 1:
                yield


def play(act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine in a loop of its own."""
    asyncio.run(asyncio.wait_for(act(), 30))


async def quiet() -> None:
    """Let the loop run until what was due is done."""
    for _ in range(50):
        await asyncio.sleep(0)


def test_the_oldest_decides_what_may_be_told() -> None:
    """Of three items the disk has the first two: these are told, though the newest waits."""

    async def act() -> None:
        journal, told = MoodyJournal(), list[str]()
        outbox = Outbox(journal)
        journal.hold()
        for name in ("a", "b", "c"):
            outbox.put(journal.append(b"x"), Word(name, told))
        await quiet()
        assert told == []
        journal._held = 2
        for subscriber in journal._subscribers:
            subscriber(2)
        await quiet()
        assert told == ["a", "b"]
        journal.release()
        await quiet()
        assert told == ["a", "b", "c"]
        outbox.close()

    play(act)


def test_what_was_durable_is_told_when_the_journal_is_replaced() -> None:
    """The old journal's durable items are told before the others are given back, in order."""

    async def act() -> None:
        old, new, told = MoodyJournal(), MoodyJournal(), list[str]()
        outbox = Outbox(old)
        outbox.put(old.append(b"x"), Word("a", told, parts=3))
        old.hold()
        lost = [Word("b", told), Word("c", told)]
        for item in lost:
            outbox.put(old.append(b"x"), item)
        # The loop had no turn since: what the disk had is still to be told.
        assert outbox.watch(new) == lost
        assert told == ["a0", "a1", "a2"]
        assert len(outbox) == 0
        outbox.put(new.append(b"y"), Word("d", told))
        await quiet()
        assert told == ["a0", "a1", "a2", "d"]
        old.release()
        await quiet()
        assert told == ["a0", "a1", "a2", "d"]
        outbox.close()

    play(act)


def test_what_was_durable_is_told_at_the_end() -> None:
    """Closing tells what is durable and forgets the rest."""

    async def act() -> None:
        journal, told = MoodyJournal(), list[str]()
        outbox = Outbox(journal)
        outbox.put(journal.append(b"x"), Word("a", told))
        journal.hold()
        outbox.put(journal.append(b"x"), Word("b", told))
        outbox.close()
        journal.release()
        await quiet()
        assert told == ["a"]

    play(act)


def test_nothing_is_told_while_the_journal_may_be_anothers() -> None:
    """Durable items wait until the journal was heard of again, also between parts of one."""

    class FarJournal(MoodyJournal):
        heard = True

        def may_answer(self) -> bool:
            return self.heard

    async def act() -> None:
        journal, told = FarJournal(), list[str]()
        outbox = Outbox(journal)
        journal.heard = False
        outbox.put(journal.append(b"x"), Word("a", told, parts=2))
        await asyncio.sleep(0.06)
        assert told == []
        journal.heard = True
        while len(told) < 2:
            await asyncio.sleep(0.005)
        journal.heard = False
        outbox.put(journal.append(b"x"), Word("b", told))
        outbox.close()
        assert told == ["a0", "a1"]

    play(act)
