"""A journal that another process may own by now: nothing is told, until it was heard of again."""

import asyncio

import pytest

from kavach.engine.engine import Engine
from kavach.engine.journal_port import JournalFenced, JournalPaused, JournalUnavailable
from kavach.engine.service import Service
from tests.unit.engine.test_service import Disk, Stage, Wall, breathe, play


class FarDisk(Disk):
    """A disk that is heard of, or not, as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = True

    def may_answer(self) -> bool:
        """Return what the test says."""
        return self.heard


def test_nothing_is_executed_unheard() -> None:
    """A command is refused as one that was not done, and is in no record; heard again, it is."""

    async def act() -> None:
        disk = FarDisk()
        stage = Stage(disk)
        disk.heard = False
        assert not stage.service.may_answer()
        with pytest.raises(JournalPaused):
            stage.write()
        assert stage.engine.sequence == 0
        disk.heard = True
        assert stage.service.may_answer()
        assert stage.write() == 1

    play(act)


def test_nothing_durable_is_told_unheard() -> None:
    """Who asks only for what is on disk already hears that its outcome is unknown."""

    async def act() -> None:
        disk = FarDisk()
        stage = Stage(disk)
        stage.write()
        disk.sync(1)
        await stage.service.until_durable()
        disk.heard = False
        with pytest.raises(JournalUnavailable, match="not heard of"):
            await stage.service.until_durable()

    play(act)


def test_who_waits_is_looked_after_before_it_is_told() -> None:
    """A record that became durable when nothing may be told is not told as a success."""

    async def act() -> None:
        disk = FarDisk()
        stage = Stage(disk)
        stage.write()
        waiting = asyncio.create_task(stage.service.until_durable())
        await breathe()
        disk.heard = False
        disk.sync(1)
        with pytest.raises(JournalUnavailable, match="not heard of"):
            await waiting

    play(act)


def test_no_wait_for_a_journal_that_is_not_heard_of() -> None:
    """Who waits is told within some turns that it is unknown, though the journal never failed."""

    async def act() -> None:
        disk = FarDisk()
        stage = Stage(disk)
        stage.write()
        waiting = asyncio.create_task(stage.service.until_durable())
        await breathe()
        disk.heard = False
        with pytest.raises(JournalUnavailable, match="not heard of"):
            await waiting
        assert stage.failures == []

    play(act)


class Away:
    """A repair of a journal that can't be looked at."""

    def __init__(self) -> None:
        self.fenced = False

    def looked_back(self) -> None:
        """Return nothing to show."""

    def reopened(self) -> tuple[Engine, Wall]:
        """Return another engine, or say that another process owns its journal."""
        if self.fenced:
            raise JournalFenced("Epoch 1 is over.")
        stage = Stage(FarDisk())
        return stage.engine, stage.wall


def test_a_failed_journal_elsewhere_shows_nothing_until_it_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is read and nothing done of what may be another's, then the next engine goes on."""
    monkeypatch.setattr("kavach.engine.service.RETRY_SECONDS", 0.05)

    async def act() -> None:
        disk, failures = FarDisk(), list[Exception]()
        stage = Stage(disk)
        service = Service(stage.engine, stage.wall, failures.append, Away())
        stage.write()
        waiting = asyncio.create_task(service.until_durable())
        await breathe()
        disk.fail()
        with pytest.raises(JournalUnavailable, match="disk is full"):
            await waiting
        assert not service.may_answer()
        with pytest.raises(JournalUnavailable):
            await service.until_durable()
        while not service.may_answer():
            await asyncio.sleep(0.01)
        await service.until_durable()
        assert service.engine is not stage.engine
        assert failures == []

    play(act)


def test_who_was_fenced_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a fence that a commit meets nor one that a repair meets is repaired."""
    monkeypatch.setattr("kavach.engine.service.RETRY_SECONDS", 0.01)

    async def act() -> None:
        for at_once in (True, False):
            disk, away, failures = FarDisk(), Away(), list[Exception]()
            away.fenced = True
            stage = Stage(disk)
            service = Service(stage.engine, stage.wall, failures.append, away)
            stage.write()
            waiting = asyncio.create_task(service.until_durable())
            await breathe()
            disk.failure = JournalFenced("Epoch 1 is over.") if at_once else None
            disk.heard = not at_once
            disk._tell(0) if at_once else disk.fail()
            with pytest.raises(JournalUnavailable):
                await waiting
            while not failures:
                await asyncio.sleep(0.01)
            assert [type(failure) for failure in failures] == [JournalFenced]
            assert not service.may_answer()

    play(act)
