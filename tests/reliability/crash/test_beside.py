"""What is done beside a journal while it is written: snapshots and backups; and what they are."""

import asyncio
import os
import signal
import threading
from contextlib import closing
from pathlib import Path

import pytest

from kavach.engine.journal_port import JournalLocked, JournalUnavailable, JournalUnwritable
from kavach.journal import snapshots
from kavach.journal.backup import back_up
from kavach.journal.snapshot_keeper import SnapshotKeeper
from kavach.journal.sqlite import SqliteJournal
from tests.e2e.test_restart import KART, Worker, order, rows
from tests.reliability.crash.workload import day, tell
from tests.reliability.crash.world import World, reopen
from tests.twin_server import ask, run, running


def lived(directory: Path) -> World:
    """Return a world after the whole day, its journal open."""
    world = World(SqliteJournal(directory))
    for step in day():
        tell(world, step)
    world.journal.wait_durable(world.engine.sequence)
    return world


def test_a_snapshot_made_beside_a_running_journal_is_its_state(tmp_path: Path) -> None:
    """Another process makes it; a start from it replays nothing and is the state that was."""
    world = lived(tmp_path)
    made = run("snapshot", tmp_path)
    assert made.returncode == 0, made.stderr
    assert f"record {world.engine.sequence}" in made.stdout
    with pytest.raises(JournalLocked):
        SqliteJournal(tmp_path)
    world.journal.close()
    again = reopen(tmp_path)
    assert again.engine.replayed == 0
    assert again.engine.state_hash() == world.engine.state_hash()
    again.journal.close()
    assert "snapshot of record" in ask("verify", tmp_path).stdout


def test_a_maker_whose_server_has_died_leaves(tmp_path: Path) -> None:
    """It would keep the next server from starting; an operator may have one made all the same."""
    lived(tmp_path).journal.close()
    left = ask("snapshot", "--if-served", tmp_path)
    assert (left.exit_code, left.output) == (0, "Not served.\n")
    assert snapshots.newest(tmp_path) == 0
    made = ask("snapshot", tmp_path)
    assert made.exit_code == 0 and snapshots.newest(tmp_path) > 0


def test_a_snapshot_holds_what_came_while_it_was_made(tmp_path: Path) -> None:
    """Records that are written after the maker has opened the journal are no hindrance to it."""
    steps = day()
    world = World(SqliteJournal(tmp_path))
    for step in steps[:20]:
        tell(world, step)
    world.journal.wait_durable(world.engine.sequence)
    beside = SqliteJournal(tmp_path, read_only=True, beside=True)
    opened_at = beside.durable_sequence
    for step in steps[20:40]:
        tell(world, step)
    world.journal.wait_durable(world.engine.sequence)
    maker = World(beside)
    saving = threading.Thread(target=maker.engine.save_snapshot, daemon=True)
    saving.start()
    saving.join(20)
    assert not saving.is_alive(), "it waits for nobody"
    assert snapshots.newest(tmp_path) == world.engine.sequence > opened_at
    beside.close()
    world.journal.close()
    assert ask("verify", tmp_path).exit_code == 0


def test_a_snapshot_is_made_when_enough_has_happened(tmp_path: Path) -> None:
    """The keeper starts a maker after so many records, once, and again after as many more."""
    made: list[int] = []

    async def watch() -> None:
        world = World(SqliteJournal(tmp_path))
        journal = world.journal
        keeper = SnapshotKeeper(tmp_path, lambda: journal.durable_sequence, records_min=25)
        keeping = asyncio.create_task(keeper.keep())
        for number, step in enumerate(day()):
            tell(world, step)
            if number % 40 == 39:
                await newer(snapshots.newest(tmp_path))
                made.append(snapshots.newest(tmp_path))
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        journal.close()

    async def newer(than: int) -> None:
        while snapshots.newest(tmp_path) <= than:
            await asyncio.sleep(0.05)

    asyncio.run(asyncio.wait_for(watch(), 120))
    assert len(made) >= 2 and 25 <= made[0] < made[1]
    again = reopen(tmp_path)
    assert again.engine.replayed == again.engine.sequence - made[-1]
    again.journal.close()


def test_a_snapshot_that_cannot_be_made_is_said_and_holds_up_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The keeper says why there is none, and goes on watching."""

    async def watch() -> None:
        keeper = SnapshotKeeper(tmp_path / "gone", lambda: 10, records_min=5)
        keeping = asyncio.create_task(keeper.keep())
        for _ in range(200):
            await asyncio.sleep(0.05)
            if caplog.records:
                break
        assert not keeping.done()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    asyncio.run(watch())
    assert "There is no directory" in caplog.text


def test_a_maker_never_marks_another_journal(tmp_path: Path) -> None:
    """If the directory was emptied meanwhile, the snapshot of what was there isn't put into it."""
    lived(tmp_path).journal.close()
    beside = SqliteJournal(tmp_path, read_only=True, beside=True)
    (tmp_path / "journal.db").rename(tmp_path / "moved")
    with closing(SqliteJournal(tmp_path / "other")) as other:
        other.append(b"x")
    (tmp_path / "other" / "journal.db").rename(tmp_path / "journal.db")
    with pytest.raises((JournalUnavailable, AssertionError)):
        beside.save_snapshot(1, b"state")
    beside.close()
    assert snapshots.newest(tmp_path) == 0
    assert not list(tmp_path.glob("snapshot*"))


@pytest.mark.parametrize("end", ["closed", "killed", "running"])
def test_a_backup_is_the_journal(tmp_path: Path, end: str) -> None:
    """Of a closed, a killed and a running journal the copy has every record, and verifies."""
    source = tmp_path / "source"
    if end == "killed":
        child = os.fork()
        if child == 0:
            lived(source)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        assert (source / "journal.db-wal").stat().st_size > 0
        world = None
    else:
        world = lived(source)
        world.engine.save_snapshot()
        if end == "closed":
            world.journal.close()
    before = {path.name: path.read_bytes() for path in source.glob("*.db*")}
    copied = ask("backup", source, tmp_path / "copy")
    assert copied.exit_code == 0, copied.output
    if end != "running":
        assert {path.name: path.read_bytes() for path in source.glob("*.db*")} == before
    again = reopen(tmp_path / "copy")
    assert again.engine.replayed == (0 if world else again.engine.sequence)
    if world is not None:
        assert again.engine.state_hash() == world.engine.state_hash()
        world.journal.close()
    again.journal.close()
    for directory in (source, tmp_path / "copy"):
        assert again.engine.state_hash() in ask("verify", directory).stdout


def test_a_backup_of_a_server_under_load_verifies(tmp_path: Path) -> None:
    """Copied again and again while orders come in, each copy is a journal that can be served."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        assert server.http.post(KART, json=order(1)).status_code == 200
        workers = [Worker(server.url, number) for number in range(2, 5)]
        for worker in workers:
            worker.start()
        sequences = []
        for number in range(3):
            threading.Event().wait(0.3)
            sequences.append(back_up(data, tmp_path / f"copy-{number}").sequence)
        server.stop(signal.SIGKILL)
        for worker in workers:
            worker.join()
            assert worker.unexpected == []
    assert sequences == sorted(set(sequences)), "each copy has more than the one before"
    for number in range(3):
        verified = ask("verify", tmp_path / f"copy-{number}")
        assert verified.exit_code == 0, verified.output
        assert f"{sequences[number]} records" in verified.output
    with running("--data-dir", tmp_path / "copy-2") as server:
        assert 1 in rows(server.http)
        assert server.audit()["violations"] == []


def test_a_backup_never_writes_over_anything(tmp_path: Path) -> None:
    """A target that holds something, or can't be made, is refused, and is as it was."""
    lived(tmp_path / "source").journal.close()
    target = tmp_path / "target"
    target.mkdir()
    (target / "letter").write_text("dear")
    with pytest.raises(JournalUnwritable, match="not empty"):
        back_up(tmp_path / "source", target)
    assert [path.name for path in target.iterdir()] == ["letter"]
    refused = ask("backup", tmp_path / "source", target / "letter")
    assert refused.exit_code == 2 and "not a directory" in refused.output
    missing = ask("backup", tmp_path / "nowhere", tmp_path / "copy")
    assert missing.exit_code == 2 and not (tmp_path / "copy").exists()


def test_damage_is_found_by_the_backup(tmp_path: Path) -> None:
    """A journal with a changed record is not copied in silence."""
    lived(tmp_path / "source").journal.close()
    path = tmp_path / "source" / "journal.db"
    stored = bytearray(path.read_bytes())
    at = stored.index(b"place-22")
    stored[at] ^= 1
    path.write_bytes(stored)
    copied = ask("backup", tmp_path / "source", tmp_path / "copy")
    assert copied.exit_code == 1 and "Journal record" in copied.output
