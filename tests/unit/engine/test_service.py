"""The engine in its event loop: who waits for the disk, what is due on time, how it ends."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kavach.core.commands import OpenClient
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine import service as service_module
from kavach.engine.engine import Engine
from kavach.engine.journal_port import Journal, JournalError, JournalUnavailable
from kavach.engine.service import Service
from kavach.journal.memory import MemoryJournal
from kavach.journal.sqlite import SqliteJournal
from kavach.units import NS_PER_MS, NS_PER_SECOND, Paise
from kavach.venues.embedded import EmbeddedVenue


class Disk:
    """A journal whose disk a test moves by hand: nothing is durable before ``sync``."""

    def __init__(self) -> None:
        self._inner = MemoryJournal()
        self._tell: Callable[[int], None] = lambda sequence: None
        self.durable_sequence = 0
        self.failure: JournalError | None = None
        self.turns = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Keep the one subscriber."""
        self._tell = callback
        return lambda: None

    def give_turn(self) -> bool:
        """Count the turns."""
        self.turns += 1
        return self.durable_sequence < self._inner.durable_sequence

    def sync(self, sequence: int) -> None:
        """Make everything up to this record durable."""
        self.durable_sequence = sequence
        self._tell(sequence)

    def fail(self) -> None:
        """Stop working."""
        self.failure = JournalUnavailable("The disk is full.")
        self._tell(self.durable_sequence)


class Wall:
    """The time of the machine, which may stand still."""

    def __init__(self) -> None:
        self.stands = False

    def now_ns(self) -> int:
        """Return the time."""
        return time.time_ns()

    def seconds_until(self, at_ns: int) -> float | None:
        """Return how long it is until then."""
        return None if self.stands else (at_ns - time.time_ns()) / NS_PER_SECOND


class Bell:
    """A time source that rings once and remembers when."""

    def __init__(self, due_ns: int) -> None:
        self._due_ns: int | None = due_ns
        self.rung_ns = 0

    def next_due_ns(self) -> int | None:
        """Return when it rings."""
        return self._due_ns

    def fire(self, at_ns: int) -> None:
        """Ring."""
        self._due_ns = None
        self.rung_ns = time.time_ns()


class Stage:
    """A service over a journal, and what it said went wrong."""

    def __init__(self, journal: Journal) -> None:
        self.wall = Wall()
        instruments = load_instruments()
        venue = EmbeddedVenue(instruments)
        self.engine = Engine(instruments, Settings(), journal, venue, self.wall)
        self.engine.recover()
        self.failures: list[Exception] = []
        self.service = Service(self.engine, self.wall, self.failures.append)

    def write(self) -> int:
        """Write one record and return its sequence."""
        name = f"C{self.engine.sequence}"
        self.service.execute(OpenClient(client_id=name, cash_paise=Paise(1)))
        return self.engine.sequence


def play(act: Callable[[], Any]) -> Any:
    """Run a test's coroutine; it may not take long."""

    async def limited() -> Any:
        async with asyncio.timeout(20):
            return await act()

    return asyncio.run(limited())


async def breathe() -> None:
    """Let everybody else run until nobody has anything to do."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_answers_wait_for_their_own_record() -> None:
    """A batch releases those whose records it holds, in order, and nobody behind them."""

    async def act() -> list[list[int]]:
        disk = Disk()
        stage = Stage(disk)
        released: list[int] = []

        async def wait(sequence: int) -> None:
            await stage.service.until_durable()
            released.append(sequence)

        tasks = []
        for _ in range(4):
            sequence = stage.write()
            tasks.append(asyncio.create_task(wait(sequence)))
            await breathe()
        seen = [list(released)]
        for sequence in (1, 3, 4):
            disk.sync(sequence)
            await breathe()
            seen.append(list(released))
        await asyncio.gather(*tasks)
        return seen

    assert play(act) == [[], [1], [1, 2, 3], [1, 2, 3, 4]]


def test_who_reads_waits_for_what_was_written_before() -> None:
    """A reader is not told of a record that a crash could undo."""

    async def act() -> tuple[bool, bool]:
        disk = Disk()
        stage = Stage(disk)
        stage.write()
        reader = asyncio.create_task(stage.service.until_durable())
        await breathe()
        early = reader.done()
        disk.sync(1)
        await breathe()
        return early, reader.done()

    assert play(act) == (False, True)


def test_what_is_durable_is_settled_at_once() -> None:
    """Nobody waits where nothing is to be waited for."""

    async def act() -> bool:
        stage = Stage(MemoryJournal())
        stage.write()
        waiting = stage.service.until_durable()
        with pytest.raises(StopIteration):
            waiting.send(None)  # It ends without having waited once.
        return True

    assert play(act)


def test_the_journal_gets_turns_while_answers_wait() -> None:
    """A turn comes about once a millisecond, and none when nobody waits."""

    async def act() -> tuple[int, int]:
        disk = Disk()
        stage = Stage(disk)
        stage.write()
        waiting = asyncio.create_task(stage.service.until_durable())
        while disk.turns < 3:
            await asyncio.sleep(0.001)
        disk.sync(1)
        await waiting
        await asyncio.sleep(0.01)
        turns = disk.turns
        await asyncio.sleep(0.02)
        return turns, disk.turns

    before, after = play(act)
    assert before == after


def test_one_who_left_holds_up_nobody() -> None:
    """A waiter that was cancelled is passed over."""

    async def act() -> bool:
        disk = Disk()
        stage = Stage(disk)
        stage.write()
        gone = asyncio.create_task(stage.service.until_durable())
        stays = asyncio.create_task(stage.service.until_durable())
        await breathe()
        gone.cancel()
        await breathe()
        disk.sync(1)
        await stays
        return gone.cancelled()

    assert play(act)


def test_a_failing_disk_is_told_to_all() -> None:
    """Who waits hears the failure, later commands are refused, and the program is told once."""

    async def act() -> Stage:
        disk = Disk()
        stage = Stage(disk)
        stage.write()
        waiting = asyncio.create_task(stage.service.until_durable())
        await breathe()
        disk.fail()
        with pytest.raises(JournalUnavailable, match="disk is full"):
            await waiting
        with pytest.raises(JournalUnavailable, match="disk is full"):
            await stage.service.until_durable()
        with pytest.raises(JournalUnavailable, match="has stopped"):
            stage.write()
        return stage

    assert [str(error) for error in play(act).failures] == ["The disk is full."]


def test_a_broken_invariant_stops_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an assertion has failed nothing more is accepted, and no snapshot is taken."""
    monkeypatch.setattr(service_module, "SNAPSHOT_RECORDS_MIN", 0)

    async def act() -> Stage:
        stage = Stage(MemoryJournal())

        def broken(command: object, at_ns: int) -> None:
            raise AssertionError("reversed")

        monkeypatch.setattr(stage.engine, "step", broken)
        with pytest.raises(AssertionError, match="reversed"):
            stage.write()
        with pytest.raises(JournalUnavailable, match="has stopped"):
            stage.write()
        await stage.service.close()
        return stage

    stage = play(act)
    assert [str(error) for error in stage.failures] == ["reversed"]
    assert stage.engine.journal.latest_snapshot() is None


def test_what_is_due_is_done_on_time() -> None:
    """The loop sleeps until the next due time and is not early."""

    async def act() -> tuple[int, int]:
        stage = Stage(MemoryJournal())
        due_ns = time.time_ns() + 50 * NS_PER_MS
        bell = Bell(due_ns)
        stage.engine.add_source(bell)
        stage.service.changed()
        while not bell.rung_ns:
            await asyncio.sleep(0.001)
        return due_ns, bell.rung_ns

    due_ns, rung_ns = play(act)
    assert due_ns <= rung_ns < due_ns + 5 * NS_PER_SECOND


def test_nothing_is_due_while_time_stands() -> None:
    """A clock that stands wakes nobody; when it goes on, what became due is done."""

    async def act() -> tuple[int, int]:
        stage = Stage(MemoryJournal())
        stage.wall.stands = True
        bell = Bell(time.time_ns() + 20 * NS_PER_MS)
        stage.engine.add_source(bell)
        stage.service.changed()
        await asyncio.sleep(0.05)
        early = bell.rung_ns
        stage.wall.stands = False
        stage.service.changed()
        await breathe()
        return early, bell.rung_ns

    early, rung_ns = play(act)
    assert early == 0 and rung_ns > 0


@pytest.fixture
def few_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of three records counts as long."""
    monkeypatch.setattr(service_module, "SNAPSHOT_RECORDS_MIN", 3)


@pytest.mark.usefixtures("few_records")
@pytest.mark.parametrize(("records", "snapshot"), [(2, None), (3, 3)])
def test_a_long_journal_ends_with_a_snapshot(
    records: int, snapshot: int | None, tmp_path: Path
) -> None:
    """At a clean end a long journal gets a snapshot of its last record, a short one none."""

    async def act() -> None:
        stage = Stage(SqliteJournal(tmp_path))
        for _ in range(records):
            stage.write()
        await stage.service.close()
        with pytest.raises(JournalUnavailable, match="stopping"):
            stage.write()

    play(act)
    journal = SqliteJournal(tmp_path)
    try:
        stored = journal.latest_snapshot()
        assert (stored and stored[0]) == snapshot
        assert journal.durable_sequence == records
    finally:
        journal.close()
