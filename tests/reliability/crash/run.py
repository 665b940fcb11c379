"""
The day told once to a world on a recording disk; and what must be true of whatever is left of it.

``Run`` is what an undisturbed process did: every call to the disk, the state after each record,
what every step was answered. ``check`` restarts on what a crash left and compares.
"""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from kavach.core.events import Event
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Answer, Outcome
from kavach.journal import sqlite_commit
from kavach.journal.database import FILE_NAME, create_database
from kavach.journal.sqlite import SqliteJournal
from tests.reliability.crash.disk import Durable, Files, Log, Recorder, Rename, lay_out, recorder
from tests.reliability.crash.steps import Step
from tests.reliability.crash.workload import day, tell
from tests.reliability.crash.world import World, reopen

TOGETHER: Final = 5  # Of a dozen steps so many are not waited for: they share commits.
SNAPSHOT_EVERY: Final = 17  # Steps.
SHORT_LOG: Final = 30  # Frames after which the log is copied, so that it begins anew often.


@dataclass
class Told:
    """A step of the undisturbed day."""

    step: Step
    outcome: Outcome | None
    sequence: int  # Of the last record after it.
    wrote: bool

    @property
    def kept(self) -> bool:
        """Whether the same request, sent again, must be given the same answer."""
        outcome = self.outcome
        return self.step.keyed and isinstance(outcome, Answer) and not outcome.replayed


class Hashes:
    """The state after each record, by its sequence; 0 is the beginning."""

    def __init__(self, world: World) -> None:
        self._engine = world.engine
        self.after: dict[int, str] = {0: world.engine.state_hash()}
        world.engine.observers.append(self)

    def stepped(
        self,
        cause: str,
        outcome: Outcome | None,
        events: Sequence[Event],
        touched: Iterable[ParentOrder],
        at_ns: int,
    ) -> None:
        """Note the state; a step without a record must have left it alone."""
        now = self._engine.state_hash()
        before = self.after.setdefault(self._engine.sequence, now)
        assert before == now, f"{cause} changed the state without a record"


@dataclass
class Run:
    """An undisturbed day."""

    log: Log = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)
    files: Files = field(default_factory=dict)  # As the closed journal left them.

    def answered(self, operations: int) -> int:
        """Return the last sequence that may have been answered within the first operations."""
        durable = [o.sequence for o in self.log[:operations] if isinstance(o, Durable)]
        return max(durable, default=0)


def undisturbed(directory: Path) -> Run:
    """Return the day as it goes when nothing goes wrong."""
    run = Run()
    with recorder() as disk, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_commit, "CHECKPOINT_FRAMES", SHORT_LOG)
        create_database(directory / FILE_NAME, vfs=disk.name)
        disk.log.append(Rename("journal.new", FILE_NAME))
        journal = SqliteJournal(directory, vfs=disk.name)
        journal.subscribe(lambda sequence: disk.log.append(Durable("", sequence)))
        world = World(journal)
        hashes = Hashes(world)
        for number, step in enumerate(day()):
            before = world.engine.sequence
            outcome = tell(world, step)
            sequence = world.engine.sequence
            run.told.append(Told(step, outcome, sequence, sequence > before))
            if number % 12 >= TOGETHER:
                journal.wait_durable(sequence)
            if number % SNAPSHOT_EVERY == SNAPSHOT_EVERY - 1:
                _snapshot(world, disk, directory)
        journal.close()
        run.log, run.hashes = disk.log, hashes.after
    run.files = {path.name: path.read_bytes() for path in directory.iterdir()}
    return run


def _snapshot(world: World, disk: Recorder, directory: Path) -> None:
    world.engine.save_snapshot()
    name = f"snapshot-{world.engine.sequence:020}"
    disk.save(name, (directory / name).read_bytes())


def recovered(files: Files, directory: Path) -> World:
    """Return the world that a restart makes of these files."""
    lay_out(files, directory)
    return reopen(directory)


def check(run: Run, files: Files, answered: int, directory: Path) -> int:
    """Return the last record that is left, after checking everything that was promised."""
    world = recovered(files, directory)
    try:
        left = world.engine.sequence
        assert left >= answered, f"{answered} records were answered, {left} are left"
        assert world.engine.state_hash() == run.hashes[left], f"another state after {left}"
        assert world.violations() == []
        _nothing_twice(run, world, answered, left)
    finally:
        world.journal.close()
    again = reopen(directory)
    try:
        assert again.engine.state_hash() == world.engine.state_hash()
    finally:
        again.journal.close()
    return left


def _nothing_twice(run: Run, world: World, answered: int, left: int) -> None:
    """Send again what nobody had an answer to: it takes effect exactly once."""
    engine = world.engine
    for told in run.told:
        if told.kept and answered < told.sequence <= left:
            outcome = told.step.act(world)
            assert isinstance(outcome, Answer) and outcome.replayed, told.step.name
            assert engine.sequence == left, f"{told.step.name} took effect twice"
    following = next((told for told in run.told if told.wrote and told.sequence > left), None)
    if following is not None and following.kept:
        tell(world, following.step)
        once = engine.sequence
        assert once > left, f"{following.step.name} had no effect"
        again = following.step.act(world)
        assert isinstance(again, Answer) and again.replayed, following.step.name
        assert engine.sequence == once, f"{following.step.name} took effect twice"
    numbers = [cover.user_order_id for cover in engine.state.every_cover()]
    assert len(numbers) == len(set(numbers)), "an order was placed twice"


def quick_directory() -> Path:
    """Return an empty directory, in memory where there is such a file system."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))


def remove(directory: Path) -> None:
    """Remove a directory with all that is in it."""
    shutil.rmtree(directory)
