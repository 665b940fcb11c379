"""A service whose disk fails in every way SQLite knows, and works again: nothing is half done."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from kavach.core.commands import OpenClient
from kavach.core.settings import Settings
from kavach.engine.engine import Engine
from kavach.engine.journal_port import (
    JournalCorrupt,
    JournalError,
    JournalPaused,
    JournalUnavailable,
)
from kavach.engine.service import Pace, Service
from kavach.journal.sqlite import SqliteJournal
from kavach.units import Paise
from kavach.venues.embedded import EmbeddedVenue
from tests.reliability.crash.world import INSTRUMENTS, HandClock
from tests.unit.journal.faulty_disk import FaultyDisk, faulty_disk


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    """A disk that does as it is told."""
    with faulty_disk() as disk:
        yield disk


class Standing:
    """A pace at which nothing is ever due."""

    def seconds_until(self, at_ns: int) -> float | None:
        """Return that it never is."""
        return None


class Bench:
    """A service on a journal that is repaired as a server repairs it, and what came of it."""

    def __init__(self, directory: Path, disk: FaultyDisk) -> None:
        self._directory = directory
        self._disk = disk
        self.failures: list[Exception] = []
        self.tries = 0
        self.damaged = False
        engine = self._engine(self._journal())
        engine.recover()
        self.service = Service(engine, Standing(), self.failures.append, self)

    def _journal(self) -> SqliteJournal:
        return SqliteJournal(self._directory, vfs=self._disk.name)

    def _engine(self, journal: SqliteJournal) -> Engine:
        venue = EmbeddedVenue(INSTRUMENTS)
        return Engine(INSTRUMENTS, Settings(), journal, venue, HandClock())

    def looked_back(self) -> tuple[Engine, Pace]:
        """Return an engine that holds what is durable."""
        journal = self.service.engine.journal
        assert isinstance(journal, SqliteJournal)
        engine = self._engine(journal)
        engine.recover(until=journal.durable_sequence)
        return engine, Standing()

    def reopened(self) -> tuple[Engine, Pace]:
        """Return an engine on the journal, opened anew once the disk works."""
        self.tries += 1
        with suppress(JournalError):
            self.service.engine.journal.close()  # It says once more why it failed.
        if self.damaged:
            raise JournalCorrupt(2, "it was damaged")
        if self._disk.write_error or self._disk.sync_error:
            raise JournalUnavailable("The disk does not work.")
        engine = self._engine(self._journal())
        engine.recover()
        return engine, Standing()

    def open_client(self, name: str) -> None:
        """Execute a command that writes a record."""
        self.service.execute(OpenClient(client_id=name, cash_paise=Paise(0), token_digest=name))

    @property
    def clients(self) -> list[str]:
        """Who is shown."""
        return list(self.service.state.clients)

    async def until_repaired(self) -> None:
        """Return when commands are taken again."""
        for _ in range(100):
            try:
                self.open_client("probe")
                return
            except JournalPaused:
                await asyncio.sleep(0.05)
        raise AssertionError("it stays paused")


@pytest.mark.parametrize("writes_before_error", [0, 1, 3])
@pytest.mark.parametrize(
    ("kind", "error"), [("write", apsw.FullError), ("write", apsw.IOError), ("sync", apsw.IOError)]
)
def test_only_what_is_durable_is_shown(
    tmp_path: Path,
    disk: FaultyDisk,
    kind: str,
    error: type[apsw.Error],
    writes_before_error: int,
) -> None:
    """Who waits is told, reads show the past, commands are refused; then all goes on as it was."""

    async def live() -> None:
        bench = Bench(tmp_path, disk)
        service = bench.service
        bench.open_client("A")
        await service.until_durable()
        before = service.engine.state_hash()
        disk.writes_before_error = writes_before_error
        if kind == "write":
            disk.write_error = error
        else:
            disk.sync_error = error
        bench.open_client("B")
        bench.open_client("C")
        with pytest.raises(JournalUnavailable) as caught:
            await service.until_durable()
        assert not isinstance(caught.value, JournalPaused), "B and C may be kept or not"
        await asyncio.sleep(0)
        await service.until_durable()
        assert bench.clients == ["A"]
        assert service.engine.state_hash() == before
        with pytest.raises(JournalPaused):
            bench.open_client("D")
        await asyncio.sleep(0.4)
        assert bench.tries >= 2, "it is tried again and again"
        await service.until_durable()
        assert bench.clients == ["A"]
        disk.write_error = disk.sync_error = None
        await bench.until_repaired()
        await service.until_durable()
        assert bench.failures == []
        # Only a failed sync leaves what nobody was told of; then it is there, and durable.
        assert bench.clients in (["A", "probe"], ["A", "B", "C", "probe"], ["A", "B", "probe"])
        assert kind == "sync" or bench.clients == ["A", "probe"]
        shown = service.engine.state_hash()
        await service.close()
        again = bench._engine(bench._journal())
        again.recover()
        assert again.state_hash() == shown
        again.journal.close()

    asyncio.run(live())


def test_a_step_that_broke_off_is_shown_to_nobody(tmp_path: Path, disk: FaultyDisk) -> None:
    """A command that meets a journal which has just failed leaves memory ahead; no read sees it."""

    async def live() -> None:
        bench = Bench(tmp_path, disk)
        service = bench.service
        bench.open_client("A")
        await service.until_durable()
        append = service.engine.journal.append

        def meet_failure(body: bytes) -> int:
            disk.write_error = apsw.IOError
            append(body)  # This one meets the disk;
            with pytest.raises(JournalUnavailable):
                service.engine.journal.wait_durable(2)
            return append(body)  # and this one is refused, in the middle of a step.

        service.engine.journal.append = meet_failure  # type: ignore[method-assign]
        with pytest.raises(JournalUnavailable):
            bench.open_client("B")
        assert bench.clients == ["A", "B"], "memory is ahead"
        with pytest.raises(JournalUnavailable):
            await service.until_durable()
        await asyncio.sleep(0)
        await service.until_durable()
        assert bench.clients == ["A"]
        disk.write_error = None
        await bench.until_repaired()
        assert bench.clients == ["A", "probe"]
        await service.close()

    asyncio.run(live())


def test_damage_is_no_failure_that_passes(tmp_path: Path, disk: FaultyDisk) -> None:
    """If the journal turns out to be damaged, the program is told to stop, and shows nothing."""

    async def live() -> None:
        bench = Bench(tmp_path, disk)
        bench.open_client("A")
        await bench.service.until_durable()
        disk.write_error = apsw.IOError
        bench.damaged = True
        bench.open_client("B")
        with pytest.raises(JournalUnavailable):
            await bench.service.until_durable()
        await asyncio.sleep(0.3)
        assert [type(failure) for failure in bench.failures] == [JournalCorrupt]
        with pytest.raises(JournalUnavailable) as caught:
            bench.open_client("C")
        assert not isinstance(caught.value, JournalPaused)

    asyncio.run(live())
