"""The journal in PostgreSQL keeps the contract, and one owner at a time writes it."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kavach.engine.journal_port import (
    Journal,
    JournalCorrupt,
    JournalFenced,
    JournalLocked,
    JournalUnavailable,
    JournalUnwritable,
)
from kavach.journal.sqlite import SqliteJournal
from tests.postgres import Databases
from tests.unit.journal.contract import PATIENCE_SECONDS, JournalContract, filled


def own(address: str, name: str = "one", **options: Any) -> Any:
    """The journal at an address, owned by a process of this name."""
    from kavach.journal.postgres.journal import own
    from kavach.journal.postgres.tenure import Owner

    return own(address, Owner(name, f"http://{name}"), **options)


def reader(address: str) -> Any:
    """The journal at an address, to read."""
    from kavach.journal.postgres.journal import PostgresJournal

    return PostgresJournal(address)


def until_failed(journal: Journal) -> Exception:
    """Why a journal failed, once it has."""
    end = time.monotonic() + PATIENCE_SECONDS
    while journal.failure is None:
        assert time.monotonic() < end, "it went on"
        time.sleep(0.01)
    return journal.failure


class TestPostgresJournal(JournalContract):
    """The contract on a real server."""

    @pytest.fixture
    def journal(self, address: str) -> Iterator[Journal]:
        """An empty journal in a database that held nothing."""
        journal = own(address)
        yield journal
        journal.close()


def test_a_closed_journal_opens_where_it_ended(address: str) -> None:
    """Records, snapshot and the next sequence survive a close; each owner has an epoch."""
    first = own(address)
    filled(first, [b"a", b"b"])
    first.save_snapshot(1, b"state")
    first.close()
    with closing(own(address)) as second:
        assert (second.durable_sequence, second.latest_snapshot()) == (2, (1, b"state"))
        assert second.held.epoch == first.held.epoch + 1
        assert second.append(b"c") == 3
    with closing(reader(address)) as third:
        assert list(third.records()) == [(1, b"a"), (2, b"b"), (3, b"c")]
        with pytest.raises(JournalUnwritable, match="reading only"):
            third.append(b"d")


def test_the_links_are_those_of_a_journal_in_sqlite(address: str, tmp_path: Path) -> None:
    """The same records have the same links in both, however they were put into commits."""
    bodies = [b"%d" % number for number in range(700)]
    with closing(own(address)) as here, closing(SqliteJournal(tmp_path)) as there:
        filled(here, bodies)
        for number, body in enumerate(bodies, 1):
            there.append(body)
            if number % 97 == 0:
                there.wait_durable(number, PATIENCE_SECONDS)
        there.wait_durable(700, PATIENCE_SECONDS)
        for sequence in (0, 1, 255, 256, 257, 699, 700):
            assert here.link_of(sequence) == there.link_of(sequence) is not None
        assert here.link_of(701) is None
        assert [link for _sequence, _body, link in here.linked(690)] == [
            there.link_of(sequence) for sequence in range(691, 701)
        ]


def test_what_comes_while_a_commit_is_under_way_is_one_row(
    postgres: Databases, address: str
) -> None:
    """A thousand records appended in one go take a few rows, not a thousand."""
    with closing(own(address)) as journal:
        filled(journal, [b"x"] * 1_000)
    [(rows, last)] = postgres.execute("SELECT count(*), max(last) FROM kavach.batches", address)
    assert last == 1_000
    assert isinstance(rows, int) and rows <= 100


def test_a_second_owner_is_kept_out_and_told_of_the_first(address: str) -> None:
    """While the owner lives its journal is locked, and the sentence says where it is."""
    with closing(own(address)), pytest.raises(JournalLocked, match="has an owner, http://one"):
        own(address, "two")


def test_a_higher_epoch_fences_the_owner(postgres: Databases, address: str) -> None:
    """Once there is a higher epoch nothing of the old owner gets in, and it knows why."""
    with closing(own(address)) as successor:
        filled(successor, [b"a"])
    journal = own(address)
    postgres.execute("UPDATE kavach.head SET epoch = epoch + 1", address)
    journal.append(b"b")
    failure = until_failed(journal)
    assert isinstance(failure, JournalFenced)
    assert not journal.may_answer()
    with pytest.raises(JournalFenced, match="is over"):
        journal.close()
    [(head, rows)] = postgres.execute(
        "SELECT head, (SELECT count(*) FROM kavach.batches) FROM kavach.head", address
    )
    assert (head, rows) == (1, 1)


@pytest.mark.parametrize("change", ["head = head + 1", "chain = 'another'", "epoch = epoch + 1"])
def test_each_of_epoch_head_and_link_is_compared(
    postgres: Databases, address: str, change: str
) -> None:
    """An idle owner finds out by its beat that one of them has changed under it."""
    journal = own(address)
    postgres.execute(f"UPDATE kavach.head SET {change}", address)
    assert isinstance(until_failed(journal), JournalFenced)
    with pytest.raises(JournalFenced):
        journal.close()


def test_an_idle_owner_beats(postgres: Databases, address: str) -> None:
    """With nothing to write the owner may answer for longer than a lease, as its beat is new."""
    with closing(own(address)) as journal:
        [(lease_ms, first)] = postgres.execute("SELECT lease_ms, beat_at FROM kavach.head", address)
        assert isinstance(lease_ms, int)
        time.sleep(1.5 * lease_ms / 1_000)
        [(beat,)] = postgres.execute("SELECT beat_at FROM kavach.head", address)
        assert beat > first  # type: ignore[operator]
        assert journal.may_answer()


def test_an_owner_that_hears_nothing_may_not_answer(postgres: Databases, address: str) -> None:
    """While its row is held by another transaction the owner can't prove anything, then it can."""
    import psycopg

    with closing(own(address)) as journal:
        with psycopg.connect(address) as other:
            other.execute("SELECT 1 FROM kavach.head FOR UPDATE")
            end = time.monotonic() + PATIENCE_SECONDS
            while journal.may_answer():
                assert time.monotonic() < end, "it never fell silent"
                time.sleep(0.01)
            assert journal.failure is None
            sequence = journal.append(b"x")
        journal.wait_durable(sequence, PATIENCE_SECONDS)
        assert journal.may_answer()


def test_a_closed_owner_is_one_no_more(postgres: Databases, address: str) -> None:
    """After a close the head names no owner, so its lease is not waited for."""
    own(address).close()
    assert postgres.execute("SELECT owner, address FROM kavach.head", address) == [("", "")]
    with closing(reader(address)) as journal:
        assert not journal.is_live


def test_an_owner_without_a_beat_loses_its_lock(postgres: Databases, address: str) -> None:
    """An owner that has not beaten for a lease loses its connection, and the next one owns."""
    import psycopg

    journal = own(address)
    with psycopg.connect(address, autocommit=True) as other:
        other.execute("ALTER TABLE kavach.head ADD CHECK (beat_at < '2000-01-01') NOT VALID")
        failure = until_failed(journal)  # Its beats are refused; its connection lives on.
        other.execute("ALTER TABLE kavach.head DROP CONSTRAINT head_beat_at_check")
        other.execute("UPDATE kavach.head SET beat_at = '1999-01-01'")
    assert "beat_at" in str(failure)
    with closing(own(address, "two")) as successor:
        assert successor.held.epoch == journal.held.epoch + 1
    with pytest.raises(JournalUnavailable):
        journal.close()


def test_an_owner_comes_back_only_if_none_was_between(address: str) -> None:
    """An owner that lost its connection goes on; after another owner it is fenced."""
    first = own(address)
    held = first.held
    first.close()
    with closing(own(address, before=held)) as again:
        assert again.held.epoch == held.epoch + 1
    with pytest.raises(JournalFenced, match="Epoch 1 is over"):
        own(address, before=held)


def test_another_database_of_the_same_name_fences(postgres: Databases, address: str) -> None:
    """Who held the journal of one cluster never writes into that of another."""
    first = own(address)
    first.close()
    other = postgres.new()
    own(other).close()
    with pytest.raises(JournalFenced, match="another one"):
        own(other, before=first.held)


@pytest.mark.parametrize(
    ("damage", "sequence", "words"),
    [
        ("UPDATE kavach.batches SET bodies = '\\x91c40178' WHERE last = 2", 2, "doesn't fit"),
        ("UPDATE kavach.batches SET bodies = '\\xff' WHERE last = 2", 2, "can't be read"),
        ("UPDATE kavach.batches SET chain = 'x' WHERE last = 2", 2, "doesn't fit"),
        ("DELETE FROM kavach.batches WHERE last = 2", 2, "in its place"),
        ("DELETE FROM kavach.batches WHERE last = 3", 3, "missing"),
        ("UPDATE kavach.batches SET bodies = '\\x92c40162c40163' WHERE last = 2", 2, "2 records"),
    ],
)
def test_damage_is_found_where_it_is(
    postgres: Databases, address: str, damage: str, sequence: int, words: str
) -> None:
    """A changed, lost or moved record is told with its sequence; those before it were read."""
    with closing(own(address)) as journal:
        for body in (b"a", b"b", b"c"):
            journal.wait_durable(journal.append(body), PATIENCE_SECONDS)
    postgres.execute(damage, address)
    read: list[int] = []
    with closing(reader(address)) as journal, pytest.raises(JournalCorrupt, match=words) as caught:
        read.extend(number for number, _body in journal.records())
    assert caught.value.sequence == sequence
    assert read == list(range(1, sequence))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE kavach.batches SET chain = 'x' WHERE last = 2", "doesn't fit"),
        ("DELETE FROM kavach.batches WHERE last = 2", "missing"),
        (
            "UPDATE kavach.head SET head = 1, chain = (SELECT chain FROM kavach.batches LIMIT 1)",
            "2",
        ),
        ("UPDATE kavach.head SET chain = 'x'", "not the one that was noted"),
        ("DELETE FROM kavach.head", "head"),
    ],
)
def test_nothing_is_owned_whose_end_is_damaged(
    postgres: Databases, address: str, damage: str, words: str
) -> None:
    """The last record must be what the head says before anything is changed."""
    with closing(own(address)) as journal:
        for body in (b"a", b"b"):
            journal.wait_durable(journal.append(body), PATIENCE_SECONDS)
    postgres.execute(damage, address)
    with pytest.raises(JournalCorrupt, match=words):
        own(address)
    assert postgres.execute("SELECT coalesce(max(epoch), 1) FROM kavach.head", address) == [(1,)]


def test_a_large_snapshot_is_kept_in_parts(
    postgres: Databases, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot of several parts comes back whole; one that lacks a part is passed over."""
    from kavach.journal.postgres import reading

    monkeypatch.setattr(reading, "PART_BYTES", 1_000)
    large = bytes(range(250)) * 13
    with closing(own(address)) as journal:
        filled(journal, [b"a", b"b"])
        journal.save_snapshot(1, b"small")
        journal.save_snapshot(2, large)
        assert journal.latest_snapshot() == (2, large)
        assert postgres.execute(
            "SELECT count(*) FROM kavach.snapshots WHERE sequence = 2", address
        ) == [(4,)]
        journal.check_snapshots()
        postgres.execute("DELETE FROM kavach.snapshots WHERE part = 3", address)
        assert journal.latest_snapshot() == (1, b"small")
        with pytest.raises(JournalCorrupt, match="snapshot is damaged"):
            journal.check_snapshots()


def test_a_snapshot_of_lost_records_is_damage(postgres: Databases, address: str) -> None:
    """An intact snapshot behind the end shows that records have been lost."""
    with closing(own(address)) as journal:
        filled(journal, [b"a"])
        journal.wait_durable(journal.append(b"b"), PATIENCE_SECONDS)
        journal.save_snapshot(2, b"state")
    postgres.execute("DELETE FROM kavach.batches WHERE last = 2", address)
    postgres.execute("UPDATE kavach.head SET head = 1", address)
    with closing(reader(address)) as journal, pytest.raises(JournalCorrupt, match="record 2"):
        journal.latest_snapshot()


def test_the_two_newest_snapshots_are_kept(postgres: Databases, address: str) -> None:
    """Saving a third one removes the oldest."""
    with closing(own(address)) as journal:
        filled(journal, [b"a", b"b", b"c"])
        for sequence in (1, 2, 3):
            journal.save_snapshot(sequence, b"%d" % sequence)
        assert journal.newest_snapshot() == 3
    assert postgres.execute(
        "SELECT DISTINCT sequence FROM kavach.snapshots ORDER BY 1", address
    ) == [(2,), (3,)]
