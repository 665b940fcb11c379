"""Whenever a process or a machine stops, at any call to the disk: what was promised holds."""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import pytest

from kavach.cli.verify import verify_journal
from kavach.engine.journal_port import JournalCorrupt
from kavach.engine.record import decode_record
from kavach.journal.sqlite import SqliteJournal
from tests.reliability.crash.cases import Case, every_case, survivors
from tests.reliability.crash.disk import (
    Operation,
    SomeSectors,
    Sync,
    after_power_loss,
    kept,
    lay_out,
    nothing,
    recorder,
)
from tests.reliability.crash.run import Run, check, quick_directory, remove, undisturbed
from tests.reliability.crash.workload import tell
from tests.reliability.crash.world import World, reopen

# Of the cases every so manieth is tried; ``make crash`` tries them all.
EVERY: Final = int(os.environ.get("CRASH_EVERY") or 9)
VERIFIED: Final = 5  # Of the tried cases every fifth is verified as `kavach verify` does.


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """The day without a crash."""
    directory = quick_directory()
    yield undisturbed(directory)
    remove(directory)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for what a crash left; its files never see a real disk, which saves time."""
    directory = quick_directory()
    yield directory
    remove(directory)


def tried(run: Run, kind: str) -> Iterator[Case]:
    """Yield the cases of a kind that this run of the tests tries."""
    cases = (case for case in every_case(run.log) if case.kind == kind)
    return islice(cases, 0, None, EVERY)


def test_the_day_holds_every_kind_of_event(run: Run, place: Path) -> None:
    """A crash point is worth what the record is: nothing that a journal can hold is missing."""
    lay_out(run.files, place)
    journal = SqliteJournal(place, read_only=True)
    seen = Counter[str]()
    for _sequence, body in journal.records():
        record = decode_record(body)
        seen.update(type(event).__name__ for event in record.events)
    journal.close()
    assert seen.total() > 400
    assert {
        *("ClientOpened", "TokenRenewed", "ClientKilled", "RequestAnswered", "AlarmRaised"),
        *("CoverOrderPlaced", "CoverOrderEnded", "EntryModifyRequested", "EntryCancelRequested"),
        *("EntryCancelFailed", "ExitIntended", "ExitHardened", "StopPlanned", "StopLegNamed"),
        *("StopLost", "StopRetried", "OrderSubmitted", "OrderAccepted", "OrderRejected"),
        *("OrderAmendSent", "OrderAmended", "OrderAmendRefused", "OrderCancelSent"),
        *("OrderCancelRefused", "OrderClosed", "OrderTraded", "OrderTriggered"),
        *("OrderQuerySent", "OrderDoubted", "LinkLost", "LinkRestored"),
        *("EntriesStopped", "SessionEnded", "SessionOpened"),
        *("GttCreated", "GttModified", "GttCancelled", "GttTriggered", "GttOrderPlaced"),
        *("GttOrderRefused", "GttExpired", "BasketCreated", "BasketRenamed", "BasketDeleted"),
        *("BasketOrderAdded", "BasketOrderEdited", "BasketOrderRemoved"),
        *("BasketExecuted", "BasketOrderSettled"),
    } <= seen.keys()


def test_the_recording_is_true(run: Run) -> None:
    """All operations together make the very files that the journal left."""
    files = kept(run.log)
    assert {name: files[name] for name in run.files} == run.files
    assert not [name for name in files if name.endswith("-wal")]


@pytest.mark.parametrize("kind", ["killed", "torn", "power"])
def test_what_was_answered_is_there_and_nothing_happened_twice(
    run: Run, place: Path, kind: str
) -> None:
    """After a restart the state is one that was, with all that was answered, and goes on."""
    left = set()
    number = 0
    for number, case in enumerate(tried(run, kind), 1):
        answered = run.answered(case.operation)
        try:
            left.add(check(run, survivors(run.log, case), answered, place))
            if number % VERIFIED == 0:
                _verify(place)
        except Exception as error:
            raise AssertionError(f"{case}: {error}") from error
    print_count(kind, number)
    assert len(left) > len(run.hashes) // 3, "crashes were tried all over the day"


def test_a_disk_that_lies_is_found_out_or_harmless(run: Run, place: Path) -> None:
    """If syncs were not honoured, an earlier state is there, or the damage is told; no other."""
    told = lost = 0
    cases = list(tried(run, "lied"))
    for case in cases:
        answered = run.answered(case.operation)
        lay_out(survivors(run.log, case), place)
        try:
            world = reopen(place)
        except JournalCorrupt:
            told += 1
            continue
        left = world.engine.sequence
        assert world.engine.state_hash() == run.hashes[left], case
        assert world.violations() == [], case
        world.journal.close()
        lost += left < answered
    print_count("lied", len(cases))
    assert told and lost, "the lies were bad enough to matter"


def test_what_a_restart_shows_survives_the_next_power_cut(run: Run, place: Path) -> None:
    """A killed process leaves what was never synced; what its successor shows of it is on disk."""
    for number in range(0, len(run.log) + 1, 2 * EVERY):
        before = run.log[:number]
        lay_out(kept(before), place)
        with recorder("second") as disk:
            world = reopen(place, disk.name)
            shown = world.engine.sequence
            both: list[Operation] = [*before, *disk.log]
            world.journal.close()
        if "journal.db" not in kept(both):
            continue  # Killed before there was a journal: the second one was made elsewhere.
        lay_out(after_power_loss(both, len(both), nothing), place)
        world = reopen(place)
        assert world.engine.sequence >= shown, f"shown after a restart at {number}, then lost"
        world.journal.close()


def test_a_restart_may_die_as_well(run: Run, place: Path) -> None:
    """Killed or without power at any call of the recovery itself, the next restart has it all."""
    number = 0
    for begun in range(30, len(run.log) + 1, 12 * EVERY):
        before = run.log[:begun]
        answered = run.answered(begun)
        lay_out(kept(before), place)
        with recorder("second") as disk:
            reopen(place, disk.name).journal.close()
            second = list(disk.log)
        assert second, "a recovery writes"
        for calls in range(len(second) + 1):
            both: list[Operation] = [*before, *second[:calls]]
            sectors = SomeSectors(Random(f"{begun} {calls}"))
            for files in (kept(both), after_power_loss(both, len(both), sectors)):
                check(run, files, answered, place)
                number += 1
    print_count("restarts", number)
    assert number > 20


def test_the_day_goes_on_after_a_restart_from_records_or_snapshot(run: Run, place: Path) -> None:
    """After each record a restart, with and without snapshot, ends the same day in the same way."""
    lay_out(run.files, place)
    journal = SqliteJournal(place, read_only=True)
    bodies = [body for _sequence, body in journal.records()]
    journal.close()
    for left in range(0, len(bodies), max(1, EVERY // 2)):
        ends = []
        for with_snapshot in (False, True):
            directory = place / f"{left}-{with_snapshot}"
            journal = SqliteJournal(directory)
            for body in bodies[:left]:
                journal.append(body)
            journal.wait_durable(left)
            world = World(journal)
            assert world.engine.state_hash() == run.hashes[left]
            if with_snapshot:
                world.engine.save_snapshot()
                journal.close()
                world = reopen(directory)
                assert world.engine.replayed == 0
                assert world.engine.state_hash() == run.hashes[left]
            world.reconnect()
            for told in run.told:
                if told.sequence > left:
                    tell(world, told.step)
            assert world.violations() == []
            ends.append(world.engine.state_hash())
            world.journal.close()
            _verify(directory)
        assert ends[0] == ends[1], f"after record {left}"


def test_the_checks_can_fail(run: Run, place: Path) -> None:
    """A journal whose log is never synced would be caught by these very cases."""
    unsynced = Run(
        [o for o in run.log if not (isinstance(o, Sync) and o.file.endswith("-wal"))],
        run.told,
        run.hashes,
        run.files,
    )
    caught = 0
    for number in range(100, len(unsynced.log), 40):
        files = survivors(unsynced.log, Case("power", number))
        try:
            check(unsynced, files, unsynced.answered(number), place)
        except (AssertionError, JournalCorrupt):
            caught += 1
    assert caught > 3


def _verify(directory: Path) -> None:
    journal = SqliteJournal(directory, read_only=True)
    try:
        assert "no invariant broken" in str(verify_journal(journal))
    finally:
        journal.close()


def print_count(kind: str, number: int) -> None:
    """Say on the terminal, where pytest shows it, how many cases there were."""
    os.write(1, f"\n{kind}: {number} crash points tried\n".encode())
